"""Reading: the board, one task or some of its fields, what stands around a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from taskdeck.dialects.stride.asking import board_of, params, task_of, viewed
from taskdeck.dialects.stride.errors import explained, failures, no_task
from taskdeck.dialects.stride.producing import column_number
from taskdeck.dialects.stride.view import ROW, Data, row, task_data, with_version
from taskdeck.dialects.stride.words import BLOCKED, COLUMNS, COMPLETED, Board, column_of
from taskdeck.domain.order import USUAL
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import State
from taskdeck.domain.task import MAX_CHILDREN, Kind, Task
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.store.beside import all_around
from taskdeck.store.changes import list_changes
from taskdeck.store.filters import TaskFilter
from taskdeck.store.listing import find_task, list_tasks
from taskdeck.store.reader import Reader

routes = RouteTable()

MOST_LISTED = 2_000
"""How many tasks a list shows at most: all that have not ended before those that have, the newest of them."""
_MOST_ABOVE = 500
"""How many tasks are looked at for what a task depends on."""
_KEPT = tuple(state for state in State if state not in (State.DONE, State.CANCELLED))
_SHOWN = (*_KEPT, State.DONE)

FIELDS = frozenset(ROW) | frozenset(
    [
        "needs_review",
        "review_status",
        "review_notes",
        "review_report",
        "workflow_steps",
        "explorer_result",
        "reviewer_result",
        "reviewed_at",
        "reviewed_by_id",
        "completed_at",
        "completed_by_id",
        "completed_by_agent",
        "completion_summary",
        "completion_notes",
        "actual_complexity",
        "actual_files_changed",
    ]
)
_PAGE = "api/get_tasks_id.md"
_MOST_NAMED = 10


async def all_data(reader: Reader, board: Board, tasks: Sequence[Task]) -> list[Data]:
    """The whole of each of `tasks`, without diffs."""
    beside = await all_around(reader, tasks)
    return [task_data(task, board, beside[task.number]) for task in tasks]


@routes.add("GET", "/api/tasks", Role.READER)
async def list_board(call: Call) -> web.StreamResponse:
    """List the tasks of the board by column."""
    asked, reader = params(call), call.deck.reader
    board = await board_of(reader, call.who)
    wanted = asked.get("column_id")
    column = None if wanted is None else column_of(board, column_number(wanted))
    if wanted is not None and column is None:
        raise no_task()
    found = await list_tasks(reader, TaskFilter(states=_KEPT, project=board.name), "number", USUAL, None, MOST_LISTED)
    room = MOST_LISTED - len(found)
    if room:
        done = await list_tasks(
            reader, TaskFilter(states=(State.DONE,), project=board.name), "-number", USUAL, None, room
        )
        found += done[::-1]
    shown = [data for data in await all_data(reader, board, found) if column in (None, data["column_name"])]
    shown.sort(key=lambda data: (COLUMNS.index(data["column_name"]), data["position"]))
    return call.json({"data": [viewed(data, asked) for data in shown]})


@routes.add("GET", "/api/tasks/{id}", Role.READER)
async def show_task(call: Call) -> web.StreamResponse:
    """Show a task, or the fields of it that are asked for."""
    asked, reader, who = params(call), call.deck.reader, call.who
    names = _names(asked)
    board = await board_of(reader, who)
    task = await task_of(reader, who, board, call.path("id"))
    beside = (await all_around(reader, [task]))[task.number]
    changed = await list_changes(reader, task.number) if task.changes and not names else []
    data = task_data(task, board, beside, changed)
    if names:
        return call.json({"data": {name: data[name] for name in ("id", "identifier", *names)}})
    return call.json(with_version({"data": viewed(data, asked)}))


def _names(asked: Data) -> list[str]:
    """The fields that are asked for; none for the whole task.

    Raises:
        Refused: one is not to be had so, or a view is asked for besides.
    """
    if any(name.startswith("fields[") for name in asked):
        raise failures("task fields rejected", "fields", [("fields", "must be one comma-separated string")], _PAGE)
    if "fields" not in asked:
        return []
    if "response_view" in asked:
        raise explained(422, "fields and response_view are mutually exclusive; send only one", _PAGE)
    names = list(dict.fromkeys(name.strip() for name in str(asked["fields"]).split(",") if name.strip()))
    unknown = [name for name in names if name not in FIELDS]
    if unknown:
        wrong = [
            (name[:80], f"{name[:80]} is not in the allow-listed fields for GET /api/tasks/:id")
            for name in unknown[:_MOST_NAMED]
        ]
        if len(unknown) > _MOST_NAMED:
            wrong.append(("fields", f"and {len(unknown) - _MOST_NAMED} more"))
        raise failures("task fields rejected", "fields", wrong, _PAGE, allowed_fields=sorted(FIELDS))
    return names


@routes.add("GET", "/api/tasks/{id}/tree", Role.READER)
async def show_tree(call: Call) -> web.StreamResponse:
    """Show a goal with its tasks, and how many of them are done or wait."""
    asked, reader, who = params(call), call.deck.reader, call.who
    board = await board_of(reader, who)
    task = await task_of(reader, who, board, call.path("id"))
    children: list[Task] = []
    if task.kind == Kind.GOAL:
        wanted = TaskFilter(states=_SHOWN, project=board.name, parent=task.key)
        children = await list_tasks(reader, wanted, "number", USUAL, None, MAX_CHILDREN)
    top, *below = await all_data(reader, board, [task, *children])
    statuses = [data["status"] for data in (top, *below)]
    counts = {
        "total": len(statuses),
        "completed": statuses.count(COMPLETED),
        "blocked": statuses.count(BLOCKED),
    }
    return call.json({"data": {"task": top, "children": [viewed(data, asked) for data in below], "counts": counts}})


@routes.add("GET", "/api/tasks/{id}/dependents", Role.READER)
async def show_dependents(call: Call) -> web.StreamResponse:
    """Show the tasks that depend on a task."""
    reader, who = call.deck.reader, call.who
    board = await board_of(reader, who)
    task = await task_of(reader, who, board, call.path("id"))
    wanted = TaskFilter(states=_SHOWN, project=board.name, depends_on=task.number)
    found = await list_tasks(reader, wanted, "number", USUAL, None, MOST_LISTED)
    (shown, *dependents) = await all_data(reader, board, [task, *found])
    return call.json({"task": row(shown), "dependents": [row(data) for data in dependents]})


@routes.add("GET", "/api/tasks/{id}/dependencies", Role.READER)
async def show_dependencies(call: Call) -> web.StreamResponse:
    """Show what a task depends on, and what that depends on."""
    reader, who = call.deck.reader, call.who
    board = await board_of(reader, who)
    task = await task_of(reader, who, board, call.path("id"))
    above = await _above(reader, who, task)
    rows = {data["id"]: row(data) for data in await all_data(reader, board, [task, *above.values()])}
    return call.json({"task": rows[task.number], "dependencies": _nodes(task, above, rows, {task.key})})


async def _above(reader: Reader, who: Principal, task: Task) -> dict[str, Task]:
    """All that `task` waits for, at whatever distance, by key."""
    found: dict[str, Task] = {}
    waiting = list(task.depends_on)
    while waiting:
        key = waiting.pop(0)
        if key in found:
            continue
        one = await find_task(reader, key, who)
        if one is None:
            continue
        if len(found) >= _MOST_ABOVE:
            raise explained(422, f"The task depends on more than {_MOST_ABOVE} others")
        found[key] = one
        waiting += one.depends_on
    return found


def _nodes(task: Task, above: dict[str, Task], rows: dict[int, Data], path: set[str]) -> list[dict[str, Any]]:
    return [
        {"task": rows[above[key].number], "dependencies": _nodes(above[key], above, rows, path | {key})}
        for key in task.depends_on
        if key in above and key not in path
    ]
