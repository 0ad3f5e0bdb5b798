"""Sessions of workers in the database."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.session import KEPT, Session, SessionStatus
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

_SELECT = (
    "SELECT s.number, s.worker, s.key, s.status, s.instance, s.client, t.key, k.project, s.metadata, s.opened_at,"
    " s.updated_at, s.ended_at"
    " FROM sessions s LEFT JOIN tasks t ON t.number = s.task LEFT JOIN buckets k ON k.number = t.bucket"
)


def _session(row: tuple[Any, ...]) -> Session:
    number, worker, key, status, *rest = row
    return Session(number, worker, key, SessionStatus(status), *rest)


def find(unit: Unit, worker: str, key: str) -> Session | None:
    """The session that `worker` calls `key`."""
    row = unit.read(f"{_SELECT} WHERE s.worker = ? AND s.key = ?", (worker, key)).fetchone()
    return None if row is None else _session(row)


def newest_for(unit: Unit, task: int, key: str | None = None) -> Session | None:
    """The newest session that serves the task of that number, whoever's; called `key`, if that is given."""
    row = unit.read(
        f"{_SELECT} WHERE s.task = ?1 AND (?2 IS NULL OR s.key = ?2) ORDER BY s.number DESC LIMIT 1", (task, key)
    ).fetchone()
    return None if row is None else _session(row)


def end_idle(unit: Unit, worker: str) -> int:
    """End as completed what is open of `worker` for tasks that it does not hold any more; tell how many sessions."""
    cursor = unit.write(
        "UPDATE sessions SET status = 'completed', updated_at = ?1, ended_at = ?1"
        " WHERE worker = ?2 AND ended_at IS NULL AND task IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM tasks t WHERE t.number = sessions.task AND t.state = 'claimed' AND t.worker = ?2)",
        (unit.now, worker),
    )
    return cursor.rowcount


def open_count(unit: Unit, worker: str, limit: int) -> int:
    """How many sessions of `worker` are open, counted up to `limit`."""
    row = unit.read(
        "SELECT count(*) FROM (SELECT 1 FROM sessions WHERE worker = ? AND ended_at IS NULL LIMIT ?)", (worker, limit)
    ).fetchone()
    return int(row[0])


def save(unit: Unit, session: Session, task: int | None) -> int:
    """Write `session`, new or changed, which serves the task of number `task`; return its number.

    Some that are past their keep are dropped.
    """
    values = (
        session.worker,
        session.key,
        session.status,
        session.instance,
        session.client,
        task,
        session.metadata,
        session.opened_at,
        session.updated_at,
        session.ended_at,
    )
    number = unit.write(
        "INSERT INTO sessions (worker, key, status, instance, client, task, metadata, opened_at, updated_at, ended_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (worker, key) DO UPDATE SET status = excluded.status,"
        " instance = excluded.instance, client = excluded.client, task = excluded.task, metadata = excluded.metadata,"
        " updated_at = excluded.updated_at, ended_at = excluded.ended_at RETURNING number",
        values,
    ).fetchone()[0]
    unit.write(
        "DELETE FROM sessions WHERE ended_at IS NOT NULL AND number IN"
        " (SELECT number FROM sessions WHERE worker = ? ORDER BY number DESC LIMIT 2 OFFSET ?)",
        (session.worker, KEPT),
    )
    return int(number)


def end_those_of(unit: Unit, worker: str, instance: str) -> int:
    """End as failed what is open of a process of `worker` that is no more; tell how many sessions."""
    cursor = unit.write(
        "UPDATE sessions SET status = 'failed', updated_at = ?1, ended_at = ?1"
        " WHERE worker = ?2 AND ended_at IS NULL AND instance = ?3",
        (unit.now, worker, instance),
    )
    return cursor.rowcount


def end_all(unit: Unit, worker: str) -> int:
    """End as completed what is open of `worker`; tell how many sessions."""
    cursor = unit.write(
        "UPDATE sessions SET status = 'completed', updated_at = ?1, ended_at = ?1"
        " WHERE worker = ?2 AND ended_at IS NULL",
        (unit.now, worker),
    )
    return cursor.rowcount


async def list_sessions(
    reader: Reader, worker: str, *, open_only: bool, before: int | None, limit: int
) -> list[Session]:
    """Sessions of `worker`, newest first, those numbered below `before`, at most `limit`."""
    opened = " AND s.ended_at IS NULL" if open_only else ""
    behind = "" if before is None else " AND s.number < ?"
    values = [worker, *([] if before is None else [before]), limit]
    sql = f"{_SELECT} WHERE s.worker = ?{opened}{behind} ORDER BY s.number DESC LIMIT ?"
    return [_session(row) for row in await reader.rows(sql, values)]
