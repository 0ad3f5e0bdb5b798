"""Schedules: making, changing, pausing, resuming and removing them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from taskdeck.domain.errors import Conflict, Invalid, NotFound
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal
from taskdeck.domain.recurrence import parse
from taskdeck.domain.schedule import MAX_SCHEDULES, Schedule, schedule_view
from taskdeck.service.find import full, missing, require_version, the_project
from taskdeck.store import schedules
from taskdeck.store.unit import Unit


def the_schedule(unit: Unit, who: Principal, name: str) -> Schedule:
    """The schedule of that name.

    Raises:
        NotFound: there is none, or it makes tasks in a project that `who` is not let into.
    """
    schedule = schedules.find(unit, name)
    if schedule is None or not who.sees(schedule.project):
        raise unknown_schedule(name)
    return schedule


def unknown_schedule(name: str) -> NotFound:
    hint = "GET /v1/schedules lists them; an operator makes a new one with POST /v1/schedules."
    return missing("schedule", name, hint)


def create_schedule(unit: Unit, who: Principal, wish: Schedule) -> Schedule:
    """Make a schedule as `wish` says; its first tick is the first one after now.

    Raises:
        NotFound: there is no such project.
        Conflict: the name is in use (`schedule_exists`), or there are too many (`too_many_schedules`).
        Invalid: `said` or `zone` says nothing that recurs.
    """
    the_project(unit, who, wish.project)
    if schedules.find(unit, wish.name) is not None:
        raise Conflict(f"there is a schedule {wish.name} already", hint="PATCH changes it.", code="schedule_exists")
    if schedules.count(unit) >= MAX_SCHEDULES:
        raise full("schedule", MAX_SCHEDULES)
    return _saved(unit, who, _begun(unit, wish), "schedule.created")


def edit_schedule(unit: Unit, who: Principal, name: str, fields: dict[str, Any], version: int | None) -> Schedule:
    """Change fields of a schedule (names of `Schedule`); ticks are reckoned anew from now on.

    Raises:
        NotFound: there is no such schedule.
        VersionConflict: it is not at `version`.
        Invalid: see `create_schedule`.
    """
    schedule = the_schedule(unit, who, name)
    require_version(f"schedule {name}", schedule.version, version)
    changed = replace(schedule, **fields, version=schedule.version + 1)
    return _saved(unit, who, _begun(unit, changed), "schedule.edited")


def pause_schedule(unit: Unit, who: Principal, name: str, reason: str | None) -> Schedule:
    """Let its ticks make nothing until it is resumed. Pausing twice is one pause."""
    schedule = the_schedule(unit, who, name)
    if schedule.paused_at is not None:
        return schedule
    paused = replace(
        schedule, paused_at=unit.now, paused_by=who.name, pause_reason=reason, next_at=None,
        version=schedule.version + 1,
    )  # fmt: skip
    return _saved(unit, who, paused, "schedule.paused")


def resume_schedule(unit: Unit, who: Principal, name: str) -> Schedule:
    """Let its ticks make tasks again, from now on; what came during the pause is not made up for."""
    schedule = the_schedule(unit, who, name)
    if schedule.paused_at is None:
        return schedule
    resumed = replace(schedule, paused_at=None, paused_by=None, pause_reason=None, version=schedule.version + 1)
    return _saved(unit, who, _begun(unit, resumed), "schedule.resumed")


def delete_schedule(unit: Unit, who: Principal, name: str) -> Schedule:
    """Forget a schedule; the tasks it made stay."""
    schedule = the_schedule(unit, who, name)
    schedules.delete(unit, schedule)
    facts = {"schedule": name}
    unit.append(Event(unit.now, "schedule.deleted", who.name, project=schedule.project, facts=facts))
    return schedule


def _begun(unit: Unit, schedule: Schedule) -> Schedule:
    """The schedule with its next tick after now, none while it is paused."""
    try:
        parse(schedule.said, schedule.zone, schedule.starts_at)
    except ValueError as error:
        field = "zone" if "time zone" in str(error) else "when"
        raise Invalid(
            f"{field}: {error}",
            hint="Say `daily at 09:00`, `every 15 minutes`, or cron such as `0 9 * * 1-5`.",
            field=field,
        ) from None
    return replace(schedule, next_at=None if schedule.paused_at is not None else schedule.next_after(unit.now))


def _saved(unit: Unit, who: Principal, schedule: Schedule, event: str) -> Schedule:
    schedules.save(unit, schedule)
    facts = {"schedule": schedule.name}
    changes = schedule_view(schedule)
    unit.append(Event(unit.now, event, who.name, project=schedule.project, changes=changes, facts=facts))
    return schedule
