"""Finishing: complete, follow a review, call it done."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from taskdeck.dialects.stride.asking import (
    acked,
    as_member,
    board_in,
    claim_ms,
    do,
    may_write,
    named_agent,
    options,
    params,
    require_write,
    showing,
    shown_in,
    task_in,
    viewed,
)
from taskdeck.dialects.stride.completion import completion_fields
from taskdeck.dialects.stride.contract import check_contract
from taskdeck.dialects.stride.errors import Refused, explained, invalid
from taskdeck.dialects.stride.goals import after_goal_entry, finish_at_once
from taskdeck.dialects.stride.hooks import (
    AFTER_DOING,
    AFTER_REVIEW,
    BEFORE_REVIEW,
    hook_entry,
    require_proof,
)
from taskdeck.dialects.stride.view import Data, completion_of, with_version
from taskdeck.dialects.stride.words import UNKNOWN, model_of, stamp
from taskdeck.domain.errors import Forbidden, GateUnmet, StaleFence
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.models import MAX_DOCUMENT
from taskdeck.http.routes import RouteTable
from taskdeck.service.finish import complete
from taskdeck.service.review import approve, heed
from taskdeck.store.unit import Unit

routes = RouteTable()

_PAGE = "api/patch_tasks_id_complete.md"
_HELD = frozenset({State.CLAIMED, State.FAILED, State.BLOCKED})
"""Whose task may be completed, if it is the caller's: a failed one if only its last claim expired."""


@routes.add("PATCH", "/api/tasks/{id}/complete", Role.READER)
async def complete_task(call: Call) -> web.StreamResponse:
    """Hand in a claimed task: it goes to Review, or is done."""
    asked, who, name, chosen = params(call), call.who, call.path("id"), options(call)
    agent = named_agent(asked)

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        task = task_in(unit, who, board, name)
        require_proof(asked, AFTER_DOING)
        require_proof(asked, BEFORE_REVIEW)
        if asked.get("reviewer_result") is not None or chosen.completion_contract == "strict":
            check_contract(asked, shown_in(unit, board, task), chosen)
        elif asked.get("explorer_result") is not None:
            check_contract(asked, {}, chosen)
        if task.state not in _HELD:
            raise explained(422, "Task must be in progress or blocked to complete", _PAGE)
        others = task.state is State.BLOCKED or (task.state is State.CLAIMED and task.principal != who.name)
        if others or not may_write(who):
            raise _not_assigned()
        result = _result(task, completion_fields(asked), model_of(who) or agent)
        try:
            showing(
                lambda shown: complete(unit, who, task.id, task.fence, result=result, shown=shown),
                asked,
                AFTER_DOING,
                BEFORE_REVIEW,
            )
        except (StaleFence, Forbidden):
            raise _not_assigned() from None
        except GateUnmet as error:
            raise explained(422, error.detail, _PAGE, [error.hint]) from None
        data = shown_in(unit, board, task)
        hooks = [AFTER_DOING, BEFORE_REVIEW] + ([AFTER_REVIEW] if task.state is State.DONE else [])
        entries = [hook_entry(hook, data, agent, chosen) for hook in hooks]
        entries += after_goal_entry(unit, who, board, task, data, agent, chosen)
        return with_version({"data": acked(data, asked), "hooks": entries}, asked)

    return await do(call, work)


def _not_assigned() -> Refused:
    causes = [
        "Another claimed the task after its claim expired",
        "It was given back or is nobody's",
        "The token may only read",
    ]
    return explained(403, "You can only complete tasks that you are assigned to", _PAGE, causes)


def _result(task: Task, fields: Data, agent: str) -> str:
    """What is kept of a completion, with what would be lost by it: the claim's times, notes of before."""
    before = completion_of(task)
    kept: dict[str, Any] = {
        "completed_by_agent": agent,
        "claimed_at": stamp(task.claimed_at),
        "claim_expires_at": stamp(task.expires_at),
    }
    if before.get("completion_notes") is not None:
        kept["completion_notes"] = before["completion_notes"]
    notes = orjson.loads(task.verdict).get("note") if task.verdict else before.get("review_notes")
    if notes is not None:
        kept["review_notes"] = notes
    document = orjson.dumps(kept | fields)
    if len(document) > MAX_DOCUMENT:
        raise invalid({"base": [f"takes {len(document)} bytes; {MAX_DOCUMENT} is the most"]}, _PAGE)
    return document.decode()


@routes.add("PATCH", "/api/tasks/{id}/mark_reviewed", Role.READER)
async def mark_reviewed(call: Call) -> web.StreamResponse:
    """Follow the verdict of a review: the task is done, or in Doing again."""
    asked, who, name, chosen = params(call), call.who, call.path("id"), options(call)

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        task = task_in(unit, who, board, name)
        require_proof(asked, AFTER_REVIEW)
        if not may_write(who):
            raise explained(422, "Unexpected mark_reviewed error", "api/patch_tasks_id_mark_reviewed.md")
        if task.state is not State.REVIEW:
            raise _unreviewed("Task must be in Review column to mark as reviewed")
        if task.verdict is None:
            raise _unreviewed("Task must have a review status before being marked as reviewed")
        done = _heed(unit, who, task, asked, claim_ms(chosen))
        data = shown_in(unit, board, task)
        document: Data = {"data": viewed(data, asked)}
        if done:
            agent = data["completed_by_agent"] or UNKNOWN
            entry = hook_entry(AFTER_REVIEW, data, agent, chosen)
            goal = after_goal_entry(unit, who, board, task, data, agent, chosen)
            document |= {"hook": entry, "hooks": [entry, *goal]}
        return with_version(document, asked)

    return await do(call, work)


def _heed(unit: Unit, who: Principal, task: Task, asked: Data, lease_ms: int) -> bool:
    """Follow the verdict on `task`; whether it is done."""
    try:
        heeded = showing(
            lambda shown: heed(unit, as_member(who), task.id, shown=shown, lease_ms=lease_ms), asked, AFTER_REVIEW
        )
    except GateUnmet as error:
        raise _unreviewed(error.detail) from None
    return heeded.state is State.DONE


def _unreviewed(error: str) -> Refused:
    causes = ["Nobody has looked at the task yet", "It was sent back or is done already"]
    return explained(422, error, "api/patch_tasks_id_mark_reviewed.md", causes)


@routes.add("PATCH", "/api/tasks/{id}/mark_done", Role.READER)
async def mark_done(call: Call) -> web.StreamResponse:
    """Call a task in Review done."""
    asked, who, name = params(call), call.who, call.path("id")

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        task = task_in(unit, who, board, name)
        if task.state is not State.REVIEW:
            raise explained(422, "Task must be in Review column to mark as done", "api/patch_tasks_id_mark_done.md")
        require_write(who, "Not authorized — board write access (owner or modify) required")
        approve(unit, who, task.id)
        finish_at_once(unit, who, task)
        return with_version({"data": viewed(shown_in(unit, board, task), asked)})

    return await do(call, work)
