"""Where the tasks that need a human are found: each kind by an index that holds little else."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from taskdeck.domain.attention import LOOPS
from taskdeck.domain.order import Order
from taskdeck.domain.task import Bucket, Task
from taskdeck.domain.worker import Worker
from taskdeck.store.listing import tasks_from
from taskdeck.store.mirror import SELECT_WORKERS, worker_from
from taskdeck.store.order import rank
from taskdeck.store.reader import Reader
from taskdeck.store.tasks import SELECT

COUNTED = 1_000
"""How far is counted: there are that many, or more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look for one kind of call: an index, what else must hold, and the order that the index gives."""

    index: str
    clause: str
    order: str


_UNANSWERED = "(t.question IS NULL OR json_extract(t.question, '$.answered_at') IS NULL)"
_CALLING = "t.work_state IN ('waiting_input', 'errored') AND t.work_state = "

WAITING = Place("tasks_calling", f"{_CALLING}'waiting_input' AND {_UNANSWERED}", "t.number")
ERRORED = Place("tasks_calling", f"{_CALLING}'errored'", "t.number")
LAPSED = Place("tasks_leases", "t.state = 'claimed' AND t.lapsed = 1", "t.expires_at, t.number")
HELD = Place(
    "tasks_held",
    "t.state = 'claimed' AND t.worker IN (SELECT value FROM json_each(?)) AND t.lapsed = 0",
    "t.worker",
)
LOOPING = Place(
    "tasks_looping",
    f"t.fence >= 3 AND t.finished_at IS NULL AND t.fence - (t.state = 'claimed' AND t.lapsed = 0) >= {LOOPS}",
    "t.fence DESC, t.number",
)
OVERDUE = Place("tasks_by_due", "t.due IS NOT NULL AND t.finished_at IS NULL AND t.due < ?", "t.due, t.number")
_UNJUDGED = "(SELECT verdict FROM bodies WHERE task = t.number) IS NULL"
REVIEW = Place("tasks_by_state", f"t.state = 'review' AND {_UNJUDGED}", "t.number")
FAILED = Place("tasks_failed", "t.state = 'failed' AND t.finished_at > ?", "t.finished_at DESC, t.number DESC")


def _narrowed(place: Place, values: tuple[Any, ...], projects: Collection[str] | None) -> tuple[str, list[Any]]:
    if projects is None:
        return place.clause, list(values)
    inside = "t.bucket IN (SELECT number FROM buckets WHERE project IN (SELECT value FROM json_each(?)))"
    return f"{place.clause} AND {inside}", [*values, json.dumps(sorted(projects))]


def looking(
    place: Place, values: tuple[Any, ...], projects: Collection[str] | None, limit: int
) -> tuple[str, list[Any]]:
    """The query for the first `limit` tasks found there, and its values."""
    clause, given = _narrowed(place, values, projects)
    select = SELECT.replace("tasks t", f"tasks t INDEXED BY {place.index}", 1)
    return f"{select} WHERE {clause} ORDER BY {place.order} LIMIT ?", [*given, limit]


def counting(place: Place, values: tuple[Any, ...], projects: Collection[str] | None) -> tuple[str, list[Any]]:
    """The query for how many there are, and its values."""
    clause, given = _narrowed(place, values, projects)
    inner = f"SELECT 1 FROM tasks t INDEXED BY {place.index} WHERE {clause} LIMIT ?"  # noqa: S608  (our own names)
    return f"SELECT count(*) FROM ({inner})", [*given, COUNTED]  # noqa: S608


async def look(
    reader: Reader, place: Place, values: tuple[Any, ...], projects: Collection[str] | None, limit: int
) -> list[Task]:
    """The first tasks found there, of `projects` or of all, at most `limit`."""
    return await tasks_from(reader, await reader.rows(*looking(place, values, projects, limit)))


async def count(reader: Reader, place: Place, values: tuple[Any, ...], projects: Collection[str] | None) -> int:
    """How many tasks there are, counted up to `COUNTED`."""
    found = await reader.row(*counting(place, values, projects))
    return 0 if found is None else int(found[0])


async def head_of(reader: Reader, bucket: int, order: Order) -> Task | None:
    """The task of a bucket that would be claimed first."""
    clause = "(t.state = 'ready' OR t.lapsed = 1) AND t.bucket = ?"
    head = Place("tasks_claimable_by_bucket", clause, f"{rank(order, 't.')}, t.number")
    found = await look(reader, head, (bucket,), None, 1)
    return found[0] if found else None


async def workers(reader: Reader) -> list[Worker]:
    """Every worker."""
    return [worker_from(row) for row in await reader.rows(SELECT_WORKERS)]


async def principals(reader: Reader) -> dict[str, tuple[frozenset[str], frozenset[str], frozenset[str] | None]]:
    """name → capabilities, groups and projects (None for all) of every principal that has a token."""
    return {
        name: (
            frozenset(json.loads(able)),
            frozenset(json.loads(groups)),
            None if projects is None else frozenset(json.loads(projects)),
        )
        for name, able, groups, projects in await reader.rows(
            "SELECT name, capabilities, groups, projects FROM principals"
        )
    }


async def ready_buckets(reader: Reader, projects: Collection[str] | None) -> list[tuple[Bucket, int]]:
    """The buckets of projects that are not paused which have ready tasks, and how many."""
    rows = await reader.rows(
        "SELECT c.bucket, c.n, k.project FROM counts c JOIN buckets k ON k.number = c.bucket"
        " JOIN projects p ON p.name = k.project WHERE c.kind = 'ready' AND c.n > 0 AND p.paused_at IS NULL"
        " ORDER BY c.bucket"
    )
    wanted = [(number, n) for number, n, project in rows if projects is None or project in projects]
    known = await reader.buckets({number for number, _ in wanted})
    return [(known[number], n) for number, n in wanted]


async def long_paused(reader: Reader, before: int, projects: Collection[str] | None) -> list[tuple[str, int, str, str]]:
    """Projects paused before a moment: name, since when, by whom, why; longest first."""
    rows = await reader.rows(
        "SELECT name, paused_at, paused_by, coalesce(pause_reason, '') FROM projects WHERE paused_at < ?"
        " ORDER BY paused_at",
        (before,),
    )
    return [(name, at, by, why) for name, at, by, why in rows if projects is None or name in projects]
