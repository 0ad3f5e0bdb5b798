"""Schedules in the database, and which ticks they have had."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from taskdeck.domain.schedule import CatchUp, Overlap, Schedule
from taskdeck.store import statements
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

TICKS_KEPT = 100
"""How many ticks of each schedule are remembered."""
TICKS_SHOWN = 20

COLUMNS = tuple("template" if field.name == "template_json" else field.name for field in fields(Schedule))
SELECT = f"SELECT {', '.join(COLUMNS)} FROM schedules"  # noqa: S608  (our own names)
_SAVE = statements.save("schedules", COLUMNS)
_AT_CATCH_UP, _AT_OVERLAP = COLUMNS.index("catch_up"), COLUMNS.index("overlap")


def schedule_from(row: tuple[Any, ...]) -> Schedule:
    """A schedule from a row of `SELECT`."""
    values = list(row)
    values[_AT_CATCH_UP] = CatchUp(values[_AT_CATCH_UP])
    values[_AT_OVERLAP] = Overlap(values[_AT_OVERLAP])
    return Schedule(*values)


def find(unit: Unit, name: str) -> Schedule | None:
    row = unit.read(f"{SELECT} WHERE name = ?", (name,)).fetchone()
    return None if row is None else schedule_from(row)


def save(unit: Unit, schedule: Schedule) -> None:
    """Write `schedule`, new or changed; time is looked at when its next tick comes."""
    unit.write(_SAVE, [getattr(schedule, field.name) for field in fields(Schedule)])
    if schedule.next_at is not None and schedule.paused_at is None:
        unit.mirror.due_by(schedule.next_at)


def delete(unit: Unit, schedule: Schedule) -> None:
    unit.write("DELETE FROM schedules WHERE name = ?", (schedule.name,))


def count(unit: Unit) -> int:
    return int(unit.read("SELECT count(*) FROM schedules").fetchone()[0])


def due(unit: Unit, limit: int) -> list[Schedule]:
    """Schedules that have a tick due, the most overdue first."""
    rows = unit.read(
        f"{SELECT} INDEXED BY schedules_next WHERE paused_at IS NULL AND next_at IS NOT NULL AND next_at <= ?"
        " ORDER BY next_at, name LIMIT ?",
        (unit.now, limit),
    )
    return [schedule_from(row) for row in rows.fetchall()]


def running(unit: Unit) -> list[Schedule]:
    """Schedules that are not paused."""
    return [schedule_from(row) for row in unit.read(f"{SELECT} WHERE paused_at IS NULL").fetchall()]


def had_tick(unit: Unit, schedule: Schedule, tick: int) -> bool:
    """Whether that tick was dealt with, as far back as ticks are remembered."""
    row = unit.read("SELECT 1 FROM ticks WHERE schedule = ? AND tick = ?", (schedule.name, tick)).fetchone()
    return row is not None


def remember_tick(unit: Unit, schedule: Schedule, tick: int, outcome: str, task: str | None) -> None:
    """Note what came of a tick; the schema refuses one that was there before."""
    unit.write(
        "INSERT INTO ticks (schedule, tick, outcome, task) VALUES (?, ?, ?, ?)", (schedule.name, tick, outcome, task)
    )
    unit.write(
        "DELETE FROM ticks WHERE schedule = ?1 AND tick <= (SELECT tick FROM ticks WHERE schedule = ?1"
        " ORDER BY tick DESC LIMIT 1 OFFSET ?2)",
        (schedule.name, TICKS_KEPT),
    )


async def list_schedules(reader: Reader, project: str | None) -> list[Schedule]:
    """All schedules, or those of `project`, by name."""
    rows = await reader.rows(f"{SELECT} WHERE ?1 IS NULL OR project = ?1 ORDER BY name", (project,))
    return [schedule_from(row) for row in rows]


async def read_schedule(reader: Reader, name: str) -> Schedule | None:
    row = await reader.row(f"{SELECT} WHERE name = ?", (name,))
    return None if row is None else schedule_from(row)


async def recent_ticks(reader: Reader, name: str) -> list[tuple[int, str, str | None]]:
    """The newest ticks with their outcome and task, newest first."""
    rows = await reader.rows(
        "SELECT tick, outcome, task FROM ticks WHERE schedule = ? ORDER BY tick DESC LIMIT ?", (name, TICKS_SHOWN)
    )
    return [(tick, outcome, task) for tick, outcome, task in rows]


async def last_made(reader: Reader) -> dict[str, int]:
    """The newest tick of each schedule that made a task."""
    return dict(await reader.rows("SELECT schedule, max(tick) FROM ticks WHERE outcome = 'created' GROUP BY schedule"))
