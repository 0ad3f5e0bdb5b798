"""What a run tells of itself: appending events under a cursor, and how the run stands."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.dialects.veryfront import errors, words
from taskdeck.dialects.veryfront.attempts import Attempt, attempt, checked, is_live, live_claim, the_run, whole
from taskdeck.dialects.veryfront.models import Append, read
from taskdeck.dialects.veryfront.shapes import latest_event_id, projection
from taskdeck.dialects.veryfront.words import NAME
from taskdeck.domain.errors import Conflict, Forbidden
from taskdeck.domain.log import NewEntry
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.task import Task, WorkState
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Problem, body
from taskdeck.service.extra import extra_of
from taskdeck.service.log import Logged, append_log
from taskdeck.service.reads import find_worker
from taskdeck.store.claims import list_claims
from taskdeck.store.listing import find_task
from taskdeck.store.log import read_tail
from taskdeck.store.unit import Unit

routes = RouteTable()

MAX_BODY = 10 * 1024 * 1024


@routes.add("POST", "/conversations/{conversation_id}/runs/{run_id}/events", Role.AGENT)
async def append_events(call: Call) -> web.StreamResponse:
    """Append events to a run: all of them or none, and none twice."""
    asked, fault = batch(call.raw)
    run, conversation = call.path("run_id"), call.path("conversation_id")

    def work(unit: Unit) -> dict[str, Any]:
        task, fence = the_run(unit, call.who, run)
        if words.conversation_id(task) != conversation.lower():
            raise errors.unknown("run", run)
        if fault is not None:
            raise fault
        return append_to(unit, call.who, run, task, fence, *asked)

    return await call.write(work, lambda document: (200, body(document)))


def batch(raw: bytes) -> tuple[Any, Problem | None]:
    """The events of a body, or what is wrong with it: that is told only of a run that is there."""
    if len(raw) > MAX_BODY:
        return (), errors.too_large(errors.BODY_TOO_LARGE)
    try:
        asked = read(Append, raw)
        return (asked, asked.entries()), None
    except Problem as problem:
        return (), problem


def append_to(
    unit: Unit, who: Principal, run: str, task: Task, fence: int | None, asked: Append, entries: list[NewEntry]
) -> dict[str, Any]:
    """Append `entries` to the log of the attempt under `fence`; the reply.

    Raises:
        Problem: the run has ended, waits, or does not stand where the caller knows it.
    """
    if fence is None or not is_live(task, fence, unit.now):
        raise errors.terminal()
    if task.work_state is WorkState.WAITING_INPUT:
        raise errors.waiting()
    before = asked.expected_previous_event_id
    try:
        logged = append_log(
            unit,
            who,
            task.key,
            fence,
            entries,
            after=None if before is None else before - (latest_event_id(task) - task.entries),
            after_sequence=asked.expected_previous_external_event_sequence,
        )
    except Conflict as conflict:
        raise _as_told(conflict, task) from None
    return _appended(unit, run, logged)


def _as_told(conflict: Conflict, task: Task) -> Problem | Conflict:
    if conflict.stable_code == "log_moved":
        return errors.cursor_mismatch(latest_event_id(task), conflict.more["sequence"])
    if conflict.stable_code == "log_full":
        return errors.too_large(errors.LOG_TOO_LARGE)
    return conflict


def _appended(unit: Unit, run: str, logged: Logged) -> dict[str, Any]:
    task, tail = logged.task, logged.tail
    seen = Attempt(run, task, live_claim(task), "running")
    return {
        "run": projection(seen, tail.sequence, unit.mirror.workers.get(task.worker or "")),
        "latest_event_id": latest_event_id(task),
        "latest_external_event_sequence": tail.sequence,
        "appended_count": logged.added,
    }


@routes.add("GET", "/conversations/{conversation_id}/runs/{run_id}", Role.READER)
async def get_run(call: Call) -> web.StreamResponse:
    """Show how a run stands, also one that was lost to another worker."""
    seen = await seen_run(call)
    if words.conversation_id(seen.task) != call.path("conversation_id").lower():
        raise errors.unknown("run", seen.asked)
    holder = None if seen.claim is None else seen.claim.worker
    if call.who.worker not in (None, holder):
        raise Forbidden("this run is another worker's", hint="Use an API token.")
    tail = await read_tail(call.deck.reader, seen.task.number)
    worker = None if not holder else await find_worker(call.deck.reader, holder)
    ours = worker if worker is not None and extra_of(worker, NAME) else None
    return call.json(projection(seen, tail.sequence, ours))


async def seen_run(call: Call) -> Attempt:
    """The run that the path names, read beside the writer.

    Raises:
        Problem: there is no such run that the caller sees.
    """
    text, reader, now = call.path("run_id"), call.deck.reader, call.deck.clock.now_ms()
    task, fence = checked(await find_task(reader, words.named(text).ref, call.who), call.who, text)
    claims = await list_claims(reader, task.number)
    return whole(text, task, claims, now) if fence is None else attempt(text, task, fence, claims, now)
