"""What a schedule does when its time has come: one task for each tick, whether or not anybody served at that moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import DeckError
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.schedule import GRACE_MS, CatchUp, Overlap, Schedule, due_ticks, schedule_view
from taskdeck.domain.states import TERMINAL
from taskdeck.domain.template import with_origin
from taskdeck.service.create import create
from taskdeck.service.requests import NewTask, from_template
from taskdeck.service.unblock import BY_TIME
from taskdeck.store import schedules, tasks
from taskdeck.store.unit import Unit

SCHEDULES_AT_ONCE = 16
TICKS_AT_ONCE = 8
"""How much is done in one batch; the rest follows in the next."""


def tick_schedules(unit: Unit) -> None:
    """Do what has come due, for some schedules. One that cannot be reckoned with any more is paused."""
    for schedule in schedules.due(unit, SCHEDULES_AT_ONCE):
        try:
            _tick(unit, schedule)
        except ValueError as error:  # its zone may be gone from the machine
            _stop(unit, schedule, str(error))


def _stop(unit: Unit, schedule: Schedule, why: str) -> None:
    stopped = replace(schedule, paused_at=unit.now, paused_by=BY_TIME, pause_reason=why, next_at=None)
    schedules.save(unit, stopped)
    facts = {"schedule": schedule.name, "reason": why}
    changes = schedule_view(stopped)
    unit.append(Event(unit.now, "schedule.paused", BY_TIME, project=schedule.project, changes=changes, facts=facts))


def _tick(unit: Unit, schedule: Schedule) -> None:
    ticks, older = due_ticks(schedule, unit.now)
    wanted = _wanted(schedule, ticks, unit.now)
    missed = ticks[: len(ticks) - len(wanted)]
    if missed or older:
        _say_missed(unit, schedule, ticks, missed, older)
    begun, later = wanted[:TICKS_AT_ONCE], wanted[TICKS_AT_ONCE:]
    next_at = later[0] if later else schedule.next_after(ticks[-1])
    schedule = replace(schedule, next_at=next_at)
    for tick in begun:
        schedule = _make(unit, schedule, tick)
    schedules.save(unit, schedule)


def _wanted(schedule: Schedule, ticks: list[int], now: int) -> list[int]:
    """Which of the due ticks are to make a task."""
    match schedule.catch_up:
        case CatchUp.ALL:
            return ticks
        case CatchUp.ONE:
            return ticks[-1:]
        case CatchUp.SKIP:
            return ticks[-1:] if now - ticks[-1] <= GRACE_MS else []


def _say_missed(unit: Unit, schedule: Schedule, ticks: list[int], missed: list[int], older: bool) -> None:
    last = missed[-1] if missed else schedule.recurrence.before(ticks[0])
    facts = {
        "schedule": schedule.name,
        "from": rfc3339(schedule.next_at or 0),
        "to": rfc3339(last or 0),
        "count": None if older else len(missed),
    }
    unit.append(Event(unit.now, "schedule.missed", _actor(schedule), project=schedule.project, facts=facts))


def begin_earlier(unit: Unit) -> None:
    """After the clock was set back: let schedules go on from now, not from where the clock was."""
    for schedule in schedules.running(unit):
        try:
            next_at = schedule.next_after(unit.now)
        except ValueError:  # it is paused when its tick comes
            continue
        if next_at is not None and (schedule.next_at is None or next_at < schedule.next_at):
            schedules.save(unit, replace(schedule, next_at=next_at))


def _make(unit: Unit, schedule: Schedule, tick: int) -> Schedule:
    """Make the task of `tick` and note it; return the schedule as it is after.

    A tick that comes again, since the clock was set back, makes nothing. What `create` refuses here it refuses before
    it writes: that the project is not there.
    """
    if schedules.had_tick(unit, schedule, tick):
        return schedule
    facts: dict[str, Any] = {"schedule": schedule.name, "tick": rfc3339(tick)}
    key = None
    if schedule.overlap is Overlap.SKIP and _last_is_open(unit, schedule):
        facts["outcome"] = "overlap"
    else:
        try:
            (task,) = create(unit, _principal(schedule), [_wish(schedule, tick)])
            key, schedule = task.key, replace(schedule, last_task=task.number)
            facts |= {"outcome": "created", "task": key}
        except DeckError as error:
            facts |= {"outcome": "refused", "code": error.stable_code, "detail": error.detail}
    schedules.remember_tick(unit, schedule, tick, facts["outcome"], key)
    changes = {
        "name": schedule.name,
        "next_at": None if schedule.next_at is None else rfc3339(schedule.next_at),
        "last_task": schedule.last_task,
    }
    unit.append(
        Event(unit.now, "schedule.ticked", _actor(schedule), project=schedule.project, changes=changes, facts=facts)
    )
    return schedule


def _last_is_open(unit: Unit, schedule: Schedule) -> bool:
    last = None if schedule.last_task is None else tasks.by_number(unit, schedule.last_task)
    return last is not None and last.state not in TERMINAL


def _actor(schedule: Schedule) -> str:
    return f"schedule:{schedule.name}"


def _principal(schedule: Schedule) -> Principal:
    return Principal(_actor(schedule), Role.AGENT, projects=frozenset({schedule.project}))


def _wish(schedule: Schedule, tick: int) -> NewTask:
    origin = {"name": schedule.name, "tick": rfc3339(tick)}
    template = schedule.template
    metadata = with_origin(template.metadata, "schedule", origin)
    return from_template(replace(template, metadata=metadata), schedule.project, tick)
