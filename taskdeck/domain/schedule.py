"""A schedule: what makes a task at every tick of a recurrence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.recurrence import Recurrence, parse
from taskdeck.domain.task import Json
from taskdeck.domain.template import Template, from_json

MAX_SCHEDULES = 1_000
MAX_CATCH_UP = 100
"""How many missed ticks are made up for at most, the newest."""
GRACE_MS = 60_000
"""A tick that is later than this was missed: nobody served when it came."""
NEXT_SHOWN = 5


class CatchUp(StrEnum):
    """What becomes of ticks that were missed."""

    SKIP = "skip"
    ONE = "one"
    ALL = "all"


class Overlap(StrEnum):
    """What a tick does while the last task is still open."""

    ALLOW = "allow"
    SKIP = "skip"


@dataclass(slots=True)
class Schedule:
    """What recurs. Times are milliseconds since the epoch; `last_task` is the number of the last task made."""

    name: str
    project: str
    said: str
    zone: str
    template_json: Json
    catch_up: CatchUp
    overlap: Overlap
    starts_at: int
    next_at: int | None
    last_task: int | None
    paused_at: int | None
    paused_by: str | None
    pause_reason: str | None
    created_by: str
    created_at: int
    version: int = 1

    @property
    def recurrence(self) -> Recurrence:
        return parse(self.said, self.zone, self.starts_at)

    @property
    def template(self) -> Template:
        return from_json(self.template_json)

    def next_after(self, moment: int) -> int | None:
        """The first tick after `moment` and not before the start."""
        return self.recurrence.after(max(moment, self.starts_at - 1))


def due_ticks(schedule: Schedule, now: int) -> tuple[list[int], bool]:
    """The ticks that have come by `now`, oldest first, at most the newest `MAX_CATCH_UP`; and whether there are more.

    `schedule.next_at` is one of them.
    """
    if schedule.next_at is None or schedule.next_at > now:
        return [], False
    recurrence, found = schedule.recurrence, [now + 1]
    while len(found) <= MAX_CATCH_UP:
        tick = recurrence.before(found[-1])
        if tick is None or tick <= schedule.next_at:
            return [schedule.next_at, *found[:0:-1]], False
        found.append(tick)
    return found[:0:-1], True


def schedule_view(schedule: Schedule) -> dict[str, Any]:
    """The public shape of a schedule."""
    paused = None
    if schedule.paused_at is not None:
        paused = {"at": rfc3339(schedule.paused_at), "by": schedule.paused_by, "reason": schedule.pause_reason}
    return {
        "name": schedule.name,
        "project": schedule.project,
        "when": schedule.said,
        "zone": schedule.zone,
        "task": schedule.template.view(),
        "catch_up": schedule.catch_up,
        "overlap": schedule.overlap,
        "starts_at": rfc3339(schedule.starts_at),
        "next_at": None if schedule.next_at is None else rfc3339(schedule.next_at),
        "last_task": schedule.last_task,
        "paused": paused,
        "created_by": schedule.created_by,
        "created_at": rfc3339(schedule.created_at),
        "version": schedule.version,
    }


def next_ticks(schedule: Schedule, now: int) -> list[str]:
    """The next few ticks, as they will come if nothing is changed."""
    tick = schedule.next_at or schedule.next_after(now)
    ticks: list[str] = []
    while tick is not None and len(ticks) < NEXT_SHOWN:
        ticks.append(rfc3339(tick))
        tick = schedule.next_after(tick)
    return ticks
