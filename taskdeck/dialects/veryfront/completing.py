"""The end of a run: completed, failed or cancelled by its worker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from aiohttp import web

from taskdeck.dialects.veryfront import errors
from taskdeck.dialects.veryfront.attempts import Attempt, ended, ended_claim, is_live, live_claim, the_run
from taskdeck.dialects.veryfront.models import Complete, read, text_of
from taskdeck.dialects.veryfront.shapes import canonical
from taskdeck.domain.errors import Forbidden
from taskdeck.domain.log import Entry
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.task import Json, Task
from taskdeck.http.call import Call
from taskdeck.http.models import MAX_DOCUMENT
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.finish import complete, fail
from taskdeck.service.operate import cancel
from taskdeck.store import log
from taskdeck.store.unit import Unit

routes = RouteTable()

_SPOKEN = ("TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CHUNK")
_LONGEST_TEXT = MAX_DOCUMENT // 2
"""Bytes of what was said that are kept in a result; the log has all of it."""
_TAKEN = frozenset({"lapsed", "released", "overridden"})
"""Ends of a claim that are not its worker's."""


@routes.add("POST", "/runs/{run_id}/complete", Role.AGENT)
async def complete_run(call: Call) -> web.StreamResponse:
    """End a run as completed, failed or cancelled. The same end told again is no second one."""
    asked, run = read(Complete, call.raw), call.path("run_id")
    output = None if asked.output is None else text_of(asked.output, "output")

    def work(unit: Unit) -> dict[str, Any]:
        task, fence = the_run(unit, call.who, run)
        if fence is None:
            raise errors.lease_lost()
        seen = end_run(unit, call.who, run, task, fence, asked, output)
        return {"completed": True, "run": canonical(seen)}

    return await call.write(work, lambda document: (200, body(document)))


def end_run(
    unit: Unit, who: Principal, run: str, task: Task, fence: int, asked: Complete, output: Json | None
) -> Attempt:
    """End the attempt under `fence`, or find that it has ended so.

    Raises:
        Problem: its lease is over, or it has ended otherwise.
    """
    if not is_live(task, fence, unit.now):
        return _told_again(unit, who, run, task, fence, asked.status)
    claim, ref = live_claim(task), task.key
    code, message = asked.terminal_error_code or None, asked.terminal_error_message or None
    if asked.status == "completed":
        complete(unit, who, ref, fence, result=output or _said(unit, task, fence, asked.metadata))
    elif asked.status == "failed":
        fail(unit, who, ref, fence, message=message or code or "The run failed", code=code)
    else:
        cancel(unit, who, ref, reason=message or code, fence=fence)
    claim.end, claim.ended_at, claim.code, claim.message = asked.status, unit.now, code, message
    return ended(run, task, claim)


def _told_again(unit: Unit, who: Principal, run: str, task: Task, fence: int, status: str) -> Attempt:
    claim = ended_claim(unit, task, fence)
    if not who.speaks_for(claim.worker):
        raise Forbidden("this run is another worker's", hint="Use an API token.")
    if claim.end in _TAKEN:
        raise errors.lease_lost()
    seen = ended(run, task, claim)
    if seen.status != status:
        raise errors.already_ended(seen.status)
    return seen


def _said(unit: Unit, task: Task, fence: int, metadata: dict[str, Any] | None) -> Json:
    """The result of a run that gave none: its last message, and what it tells beside it."""
    text = _last_message(log.newest_under(unit, task.number, fence, _SPOKEN)) if task.entries else ""
    return text_of({"text": text, "metadata": metadata}, "metadata")


def _last_message(newest: Iterable[Entry]) -> str:
    """What was said last, given what was said from the newest to the oldest; its beginning, where it is long."""
    pieces: list[str] = []
    of: object = None
    for entry in newest:
        event = orjson.loads(entry.body)
        message = event.get("messageId")
        if pieces and message != of:
            break
        of = message
        inner = event.get("payload")
        delta = event.get("delta", inner.get("delta") if isinstance(inner, dict) else None)
        pieces.append(delta if isinstance(delta, str) else "")
    text = "".join(reversed(pieces))
    while len(orjson.dumps(text)) > _LONGEST_TEXT:
        text = text[: len(text) * 3 // 4]
    return text
