"""What is past its keep: tasks that ended long ago, and the oldest events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from taskdeck.domain.states import State
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

WINDOW = 20_000
"""How many task numbers one query looks through, so that a reader is free again after some milliseconds."""

_KEEP = {State.DONE: "p.keep_done_ms", State.FAILED: "p.keep_failed_ms", State.CANCELLED: "p.keep_cancelled_ms"}


async def past_keep(reader: Reader, state: State, now: int, chunk: int) -> AsyncIterator[list[int]]:
    """Tasks that ended in `state` and are past what their project keeps, some at a time, lowest numbers first.

    What others depend on is left out: it stays until they are gone; so is what was made from a task that has not ended,
    which may be a goal that counts what is done. Nothing here waits for the writer; whoever removes
    them looks at each again.
    """
    sql = (
        "SELECT t.number FROM tasks t INDEXED BY tasks_by_state JOIN buckets b ON b.number = t.bucket"  # noqa: S608
        f" JOIN projects p ON p.name = b.project WHERE t.state = '{state}' AND t.number >= ? AND t.number < ?"
        f" AND t.finished_at <= ? - {_KEEP[state]}"
        " AND NOT EXISTS (SELECT 1 FROM dependencies d WHERE d.parent = t.number)"
        " AND NOT EXISTS (SELECT 1 FROM tasks above WHERE above.key = t.parent AND above.finished_at IS NULL)"
        " ORDER BY t.number"
    )
    span = await reader.row(
        "SELECT (SELECT min(number) FROM tasks WHERE state = ?1), (SELECT max(number) FROM tasks WHERE state = ?1)",
        (state,),
    )
    first, last = span or (None, None)
    if first is None or last is None:
        return
    for begin in range(first, last + 1, WINDOW):
        found = [row[0] for row in await reader.rows(sql, (begin, begin + WINDOW, now))]
        for at in range(0, len(found), chunk):
            yield found[at : at + chunk]


async def with_long_logs(reader: Reader, numbers: list[int], short: int) -> list[int]:
    """Those of these tasks whose logs have more than `short` entries."""
    sql = "SELECT number FROM tasks WHERE number IN (SELECT value FROM json_each(?)) AND entries > ?"
    return [row[0] for row in await reader.rows(sql, (json.dumps(numbers), short))]


def drop_entries(unit: Unit, task: int, limit: int) -> int:
    """Remove the first `limit` entries of a task's log; return how many there were."""
    return unit.write(
        "DELETE FROM log_entries WHERE task = ?1"
        " AND number < (SELECT min(number) FROM log_entries WHERE task = ?1) + ?2",
        (task, limit),
    ).rowcount


def old_events(unit: Unit, before: int, limit: int) -> int | None:
    """The last of up to `limit` events at the log's start that are from before `before`; None if there is none."""
    last = None
    for seq, at in unit.read("SELECT seq, at FROM events ORDER BY seq LIMIT ?", (limit,)):
        if at >= before:
            break
        last = int(seq)
    return last


def drop_events(unit: Unit, last: int) -> int:
    """Remove the log's start up to event `last`; return how many there were."""
    return unit.write("DELETE FROM events WHERE seq <= ?", (last,)).rowcount


async def first_kept(reader: Reader) -> int:
    """The number of the oldest event that is kept; 1 where none was ever removed."""
    row = await reader.row("SELECT min(seq) FROM events")
    return int(row[0]) if row and row[0] is not None else 1


async def last_kept(reader: Reader) -> int:
    """The number of the newest event; 0 where there is none yet."""
    row = await reader.row("SELECT coalesce(max(seq), 0) FROM events")
    return int(row[0]) if row else 0
