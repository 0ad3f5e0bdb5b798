"""The events of a run in one row: what its workers told, and the deck's own of where each attempt began and ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from taskdeck.dialects.veryfront import words
from taskdeck.dialects.veryfront.attempts import ended
from taskdeck.domain.claims import Claim
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.log import Entry
from taskdeck.domain.states import State
from taskdeck.domain.task import Json, Task

_BEGINNING, _END, _ERROR = "RUN_STARTED", "RUN_FINISHED", "RUN_ERROR"


class RunEvent(NamedTuple):
    """An event by its number, which counts the deck's own too."""

    number: int
    type: str
    payload: Json
    at: int

    def document(self) -> dict[str, Any]:
        return {
            "event_id": self.number,
            "event_type": self.type,
            "payload": orjson.Fragment(self.payload),
            "created_at": rfc3339(self.at),
        }


def told(entry: Entry) -> RunEvent:
    """What a worker told. Before it stand one event for each beginning of an attempt, and one for each end."""
    return RunEvent(entry.number + 2 * entry.fence - 1, entry.type, entry.body, entry.at)


def lifecycle(task: Task, claims: Sequence[Claim], entries: dict[int, int]) -> Iterator[RunEvent]:
    """The deck's own events of the claims that are still known; `entries` says how many were told under each fence."""
    before = 0
    fences = sorted(entries)
    for claim in claims:
        while fences and fences[0] < claim.fence:
            before += entries[fences.pop(0)]
        under = before + entries.get(claim.fence, 0)
        yield _own(task, claim, before + 2 * claim.fence - 1, _BEGINNING, claim.began_at)
        if claim.fence < task.fence or task.state is not State.CLAIMED:
            yield _end_of(task, claim, under + 2 * claim.fence)


def _end_of(task: Task, claim: Claim, number: int) -> RunEvent:
    seen = ended(words.run_id(task, claim.fence), task, claim)
    at = claim.ended_at or task.updated_at
    if seen.status == "completed":
        return _own(task, claim, number, _END, at)
    return _own(task, claim, number, _ERROR, at, code=seen.code, message=seen.message or seen.status)


def _own(task: Task, claim: Claim, number: int, kind: str, at: int, **more: str | None) -> RunEvent:
    run = words.run_id(task, claim.fence)
    payload = {"type": kind, "threadId": words.conversation_id(task), "runId": run, **more}
    return RunEvent(number, kind, orjson.dumps(payload).decode(), at)


def merged(own: Iterable[RunEvent], entries: Iterable[Entry], after: int) -> list[RunEvent]:
    """Both behind the event `after`, in order."""
    return sorted(event for event in (*own, *map(told, entries)) if event.number > after)
