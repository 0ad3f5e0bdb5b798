"""Goals: what is to be run once the last of their tasks is done, and the report of it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.choices import StrideChoices
from taskdeck.dialects.stride.asking import (
    as_member,
    board_in,
    board_of,
    do,
    params,
    require_write,
    shown_in,
    task_in,
    task_of,
    viewed,
)
from taskdeck.dialects.stride.errors import explained
from taskdeck.dialects.stride.hooks import AFTER_GOAL, hook_entry
from taskdeck.dialects.stride.view import Data, with_version
from taskdeck.dialects.stride.words import Board, identifier_of
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import State
from taskdeck.domain.task import Kind, Task, Verdict
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.service.review import approve, judge
from taskdeck.store import tasks
from taskdeck.store.listing import find_task
from taskdeck.store.unit import Unit

routes = RouteTable()
_PAGE = "api/patch_tasks_id_after_goal.md"


def _ended_goal(unit: Unit, task: Task) -> Task | None:
    """The goal above `task`, if that was the last of its tasks to be done."""
    goal = None if task.parent is None or task.state is not State.DONE else tasks.by_key(unit, task.parent)
    ended = goal is not None and goal.kind == Kind.GOAL and goal.state in (State.REVIEW, State.DONE)
    return goal if ended else None


def after_goal_entry(
    unit: Unit, who: Principal, board: Board, task: Task, data: Data, agent: str, chosen: StrideChoices
) -> list[Data]:
    """The hook of the goal that ended with `task`, which `data` shows; none if none did."""
    goal = _ended_goal(unit, task)
    if goal is None or not who.sees(goal.bucket.project):
        return []
    return [hook_entry(AFTER_GOAL, data, agent, chosen, **_goal_env(board, goal))]


def finish_at_once(unit: Unit, who: Principal, task: Task) -> None:
    """Let the goal that ended with `task` be done without waiting for a report."""
    goal = _ended_goal(unit, task)
    if goal is not None and goal.state is State.REVIEW:
        approve(unit, who, goal.id)


def _goal_env(board: Board, goal: Task) -> dict[str, str]:
    return {
        "GOAL_ID": str(goal.number),
        "GOAL_IDENTIFIER": identifier_of(board, goal.key),
        "GOAL_TITLE": goal.title,
        "GOAL_DESCRIPTION": goal.description,
    }


@routes.add("GET", "/api/tasks/{id}/after_goal_status", Role.READER)
async def after_goal_status(call: Call) -> web.StreamResponse:
    """Say whether a goal, or that of a task, waits for the report of its hook."""
    reader, who = call.deck.reader, call.who
    board = await board_of(reader, who)
    goal: Task | None = await task_of(reader, who, board, call.path("id"))
    if goal is not None and goal.kind != Kind.GOAL:
        goal = None if goal.parent is None else await find_task(reader, goal.parent, who)
    if goal is None or goal.kind != Kind.GOAL or goal.state is not State.REVIEW:
        return call.json({"after_goal_armed": False, "goal_id": None, "goal_identifier": None, "env": {}})
    more = {"BOARD_ID": str(board.number), "BOARD_NAME": board.name, "HOOK_NAME": AFTER_GOAL}
    return call.json(
        {
            "after_goal_armed": True,
            "goal_id": goal.number,
            "goal_identifier": identifier_of(board, goal.key),
            "env": _goal_env(board, goal) | more,
        }
    )


@routes.add("PATCH", "/api/tasks/{id}/after_goal", Role.READER)
async def report_after_goal(call: Call) -> web.StreamResponse:
    """Report how the hook of a goal ended: with 0 the goal is done, else it waits for another report."""
    asked, who, name = params(call), call.who, call.path("id")

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        goal = task_in(unit, who, board, name)
        require_write(who, "Not authorized — board write access (owner or modify) required")
        if goal.kind != Kind.GOAL:
            raise explained(422, "after_goal can only be reported against tasks of type goal", _PAGE)
        if goal.state not in (State.REVIEW, State.DONE):
            raise explained(422, "This goal has no in-flight after_goal lifecycle", _PAGE)
        code, output = _payload(asked)
        if goal.state is State.REVIEW and code == 0:
            approve(unit, who, goal.id, note=output or None)
        elif goal.state is State.REVIEW:
            note = f"after_goal ended with exit code {code}\n{output}"[:10_000]
            judge(unit, as_member(who), goal.id, Verdict.CHANGES_REQUESTED, note=note)
        return with_version({"data": viewed(shown_in(unit, board, goal), asked)})

    return await do(call, work)


def _payload(asked: dict[str, Any]) -> tuple[int, str]:
    code, output, duration = (asked.get(name) for name in ("exit_code", "output", "duration_ms"))
    if type(code) is not int or not isinstance(output, str) or type(duration) is not int or duration < 0:
        raise explained(
            422, "after_goal payload requires exit_code (integer), output (string), duration_ms (integer from 0)", _PAGE
        )
    return code, output[:10_000]
