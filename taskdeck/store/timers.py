"""What time has made due: lapsed leases, scheduled tasks, children of done parents, answers past their keep."""

from __future__ import annotations

from taskdeck.domain.clock import MAX_MS
from taskdeck.store.unit import Unit

CHUNK = 64
"""How many of a kind are moved in one batch: a few milliseconds, so that claims go in between."""


def lapsed(unit: Unit) -> list[int]:
    """Tasks whose lease has ended and does not show it yet, soonest first, at most `CHUNK`."""
    return _first(
        unit,
        "SELECT number FROM tasks WHERE state = 'claimed' AND lapsed = 0 AND expires_at <= ?"
        " ORDER BY expires_at, number LIMIT ?",
        (unit.now, CHUNK),
    )


def come_due(unit: Unit) -> list[int]:
    """Scheduled tasks whose time has come, soonest first, at most `CHUNK`."""
    return _first(
        unit,
        "SELECT number FROM tasks INDEXED BY tasks_scheduled WHERE state = 'scheduled' AND not_before <= ?"
        " ORDER BY not_before, number LIMIT ?",
        (unit.now, CHUNK),
    )


def turns_over(unit: Unit) -> list[int]:
    """Ready tasks whose assignee's time is over, soonest first, at most `CHUNK`."""
    return _first(
        unit,
        "SELECT number FROM tasks INDEXED BY tasks_turns WHERE state = 'ready' AND turn_ends_at <= ?"
        " ORDER BY turn_ends_at, number LIMIT ?",
        (unit.now, CHUNK),
    )


def reviews_over(unit: Unit) -> list[int]:
    """Tasks in review whose time for it is over, soonest first, at most `CHUNK`."""
    return _first(
        unit,
        "SELECT number FROM tasks INDEXED BY tasks_reviews WHERE review_ends_at <= ?"
        " ORDER BY review_ends_at, number LIMIT ?",
        (unit.now, CHUNK),
    )


def overdue(unit: Unit) -> list[int]:
    """Tasks that have not ended, are past their due date and do not show it yet, soonest first, at most `CHUNK`."""
    return _first(
        unit,
        "SELECT number FROM tasks INDEXED BY tasks_due_next WHERE due IS NOT NULL AND overdue_at IS NULL"
        " AND finished_at IS NULL AND due <= ? ORDER BY due, number LIMIT ?",
        (unit.now, CHUNK),
    )


def next_moment(unit: Unit) -> int:
    """When time will next have something to do, in milliseconds since the epoch; a day that never comes if never."""
    row = unit.read(
        "SELECT min("
        " coalesce((SELECT expires_at FROM tasks WHERE state = 'claimed' AND lapsed = 0 AND expires_at IS NOT NULL"
        "  ORDER BY expires_at LIMIT 1), ?1),"
        " coalesce((SELECT not_before FROM tasks INDEXED BY tasks_scheduled WHERE state = 'scheduled'"
        "  ORDER BY not_before LIMIT 1), ?1),"
        " coalesce((SELECT turn_ends_at FROM tasks INDEXED BY tasks_turns WHERE state = 'ready'"
        "  AND turn_ends_at IS NOT NULL ORDER BY turn_ends_at LIMIT 1), ?1),"
        " coalesce((SELECT review_ends_at FROM tasks INDEXED BY tasks_reviews WHERE review_ends_at IS NOT NULL"
        "  ORDER BY review_ends_at LIMIT 1), ?1),"
        " coalesce((SELECT due FROM tasks INDEXED BY tasks_due_next WHERE due IS NOT NULL AND overdue_at IS NULL"
        "  AND finished_at IS NULL ORDER BY due LIMIT 1), ?1),"
        " coalesce((SELECT next_at FROM schedules WHERE paused_at IS NULL AND next_at IS NOT NULL"
        "  ORDER BY next_at LIMIT 1), ?1),"
        " CASE WHEN EXISTS (SELECT 1 FROM unblocking) OR EXISTS (SELECT 1 FROM cancelling) THEN 0 ELSE ?1 END)",
        (MAX_MS,),
    ).fetchone()
    return int(row[0])


def shift(unit: Unit, by: int) -> dict[str, int]:
    """Move the ends of all running leases, turns and reviews by `by` milliseconds; return how many of each."""
    leases = unit.write(
        "UPDATE tasks SET expires_at = expires_at + ? WHERE state = 'claimed' AND lapsed = 0"
        " AND expires_at IS NOT NULL",
        (by,),
    )
    turns = unit.write(
        "UPDATE tasks INDEXED BY tasks_turns SET turn_ends_at = turn_ends_at + ? WHERE state = 'ready'"
        " AND turn_ends_at IS NOT NULL",
        (by,),
    )
    reviews = unit.write(
        "UPDATE tasks INDEXED BY tasks_reviews SET review_ends_at = review_ends_at + ?"
        " WHERE review_ends_at IS NOT NULL",
        (by,),
    )
    unit.rows.forget_all()
    return {"leases": leases.rowcount, "turns": turns.rowcount, "reviews": reviews.rowcount}


def _first(unit: Unit, sql: str, values: tuple[int, ...]) -> list[int]:
    return [row[0] for row in unit.read(sql, values)]
