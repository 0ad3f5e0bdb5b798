"""Producing: tasks, goals with their tasks, many goals, changing what a task says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from aiohttp import web

from taskdeck.dialects.stride.asking import (
    board_in,
    do,
    options,
    params,
    prefix_of,
    require_write,
    shown_in,
    task_in,
    viewed,
)
from taskdeck.dialects.stride.changing import change_task
from taskdeck.dialects.stride.errors import DOCS, Refused, explained, no_task
from taskdeck.dialects.stride.making import Maker, creator
from taskdeck.dialects.stride.view import Data, row, with_version
from taskdeck.dialects.stride.words import BACKLOG, READY, Board, column_of
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.store.unit import Unit

routes = RouteTable()

NOT_AUTHORIZED = "Not authorized — board write access (owner or modify) required"
_MOST_GOALS = 100
_GOAL = ("id", "identifier", "title", "description", "status", "priority", "complexity", "type", "created_by_id",
         "created_by_agent", "column_id", "inserted_at", "updated_at")  # fmt: skip


def root(asked: Data, key: str, other: str, kind: type, page: str) -> Any:
    """What stands under the root `key` of a request.

    Raises:
        Refused: it stands under `other`, or nowhere, or is of another kind.
    """
    sent = asked.get(key)
    if isinstance(sent, kind):
        return sent
    example = {key: {"title": "Add a login page"} if kind is dict else [{"title": "Login", "tasks": []}]}
    error = f"request body key must be '{key}', not '{other}'" if other in asked else f"Missing '{key}' key"
    raise Refused(
        422,
        {
            "error": error,
            "example": example,
            "correct_format": example,
            "documentation": DOCS + page,
            "common_causes": [f"The body has no '{key}' at its root", "The body is no JSON object"],
        },
    )


@routes.add("POST", "/api/tasks", Role.READER, success=201)
async def create_task(call: Call) -> web.StreamResponse:
    """Create a task; with `tasks`, a goal and all of its tasks."""
    asked, who = params(call), call.who
    sent = root(asked, "task", "data", dict, "api/post_tasks.md")
    require_write(who, NOT_AUTHORIZED)
    children = sent.get("tasks")

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        column = _column(board, sent.get("column_id"))
        maker = Maker(unit, who, board, options(call), creator(unit, who, asked), backlog=column == BACKLOG)
        if children:
            return goal_document(maker, sent, children)
        return with_version({"data": viewed(shown_in(unit, board, maker.task(sent)), asked)})

    status, content = await call.deck.answer(
        work, lambda document: (201, orjson.dumps(document)), call.once, long=bool(children)
    )
    return _created(call, status, content)


def _created(call: Call, status: int, content: bytes) -> web.Response:
    """The reply to a creation, which says where the new task is."""
    document = orjson.loads(content)
    reply = call.reply(status, content)
    reply.headers["Location"] = f"{prefix_of(call)}/api/tasks/{(document.get('data') or document['goal'])['id']}"
    return reply


def _column(board: Board, asked: Any) -> str:
    """The column that a new task is to stand in.

    Raises:
        Refused: the board has none of that id, or no task begins there.
    """
    if asked is None:
        return BACKLOG
    column = column_of(board, column_number(asked))
    if column is None:
        raise no_task()
    if column not in (BACKLOG, READY):
        raise Refused(422, {"errors": {"column_id": ["a new task stands in Backlog or Ready"]}})
    return column


def column_number(asked: Any) -> int:
    """The id of a column as clients write it.

    Raises:
        Refused: it is no integer.
    """
    text = str(asked)
    if isinstance(asked, bool) or not text.isascii() or not text.isdigit() or len(text) > 18:
        causes = ["Several ids were given", "The id is not a number"]
        raise explained(400, "Invalid column_id: must be an integer", "api/get_tasks.md", causes)
    return int(text)


def goal_document(maker: Maker, sent: Data, children: Any) -> Data:
    """Make a goal and its tasks, and show them."""
    goal, made = maker.goal(sent, children)
    data = shown_in(maker.unit, maker.board, goal)
    return {
        "goal": {name: data[name] for name in _GOAL},
        "child_tasks": [row(shown_in(maker.unit, maker.board, task)) for task in made],
    }


@routes.add("POST", "/api/tasks/batch", Role.READER, success=201)
async def create_goals(call: Call) -> web.StreamResponse:
    """Create goals with their tasks, one after another; what stands before one that fails stays."""
    asked, who = params(call), call.who
    goals = root(asked, "goals", "tasks", list, "api/post_tasks_batch.md")
    require_write(who, NOT_AUTHORIZED)
    if len(goals) > _MOST_GOALS:
        raise explained(422, f"{len(goals)} goals; {_MOST_GOALS} is the most", "api/post_tasks_batch.md")

    def work(unit: Unit, sent: Data) -> Data:
        board = board_in(unit, who)
        maker = Maker(unit, who, board, options(call), creator(unit, who, asked), backlog=True)
        return goal_document(maker, sent, sent.get("tasks") or [])

    made = []
    for index, sent in enumerate(goals):
        try:
            made.append(await _one_goal(call, work, index, sent))
        except Refused as error:
            details = error.document.get("errors", {"base": [error.detail]})
            document = {"error": f"Failed to create goal at index {index}", "index": index, "details": details}
            raise Refused(422, document) from None
    return call.json({"success": True, "goals": made, "total": len(made)}, 201)


async def _one_goal(call: Call, work: Callable[[Unit, Data], Data], index: int, sent: Any) -> Data:
    """Make one of many goals, in a unit of work of its own; once, if the call carries an Idempotency-Key."""
    if not isinstance(sent, dict):
        raise Refused(422, {"errors": {"base": ["is invalid"]}})
    once = None if call.once is None else replace(call.once, key=f"{call.once.key}#{index}")
    _, content = await call.deck.answer(
        lambda unit: work(unit, sent), lambda made: (201, orjson.dumps(made)), once, long=True
    )
    document: Data = orjson.loads(content)
    return document


@routes.add("PUT", "/api/tasks/{id}", Role.READER)
@routes.add("PATCH", "/api/tasks/{id}", Role.READER)
async def update_task(call: Call) -> web.StreamResponse:
    """Change what a task says."""
    asked, who, name = params(call), call.who, call.path("id")
    sent = root(asked, "task", "data", dict, "api/patch_tasks_id.md")
    require_write(who, NOT_AUTHORIZED)

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        task = task_in(unit, who, board, name)
        change_task(unit, who, board, task, sent)
        return with_version({"data": viewed(shown_in(unit, board, task), asked)})

    return await do(call, work)
