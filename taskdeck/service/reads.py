"""What can be looked at: workers, projects and the deck's vital signs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State
from taskdeck.domain.worker import Liveness, Worker, WorkerState, standing
from taskdeck.service.projects import project_view
from taskdeck.store.mirror import LAPSED, SELECT_PROJECTS, SELECT_WORKERS, project_from, worker_from
from taskdeck.store.reader import Reader, Row
from taskdeck.store.unit import Unit

View = dict[str, Any]

_URGENCY = (WorkerState.ERRORED, WorkerState.WAITING_INPUT, WorkerState.WORKING)


def worker_view(worker: Worker, since: int, now: int, held: int, reported: set[str]) -> View:
    """The public shape of a worker; how it is doing follows from its claims where they say more than itself."""
    told = {*reported, worker.state}
    state = next((state for state in _URGENCY if state in told), WorkerState.IDLE)
    if state is WorkerState.WORKING and not held:
        state = WorkerState.IDLE
    return {
        "id": worker.id,
        "kind": worker.kind,
        "roles": sorted(worker.roles),
        "capabilities": sorted(worker.capabilities),
        "instance": worker.instance,
        "client": worker.client,
        "principal": worker.principal,
        "label": worker.label,
        "extra": None if worker.extra is None else orjson.Fragment(worker.extra),
        "via": worker.via,
        "state": state,
        "detail": worker.detail,
        "draining": worker.draining,
        "heartbeat_seconds": worker.heartbeat_ms / 1000,
        "liveness": standing(worker, held > 0, since, now),
        "held": held,
        "registered_at": rfc3339(worker.registered_at),
        "last_seen_at": rfc3339(worker.last_seen_at),
    }


_GROUPED = "SELECT worker, work_state, max(detail), count(*) FROM tasks INDEXED BY tasks_held WHERE state = 'claimed'"
_CLAIMS = f"{_GROUPED} GROUP BY worker, work_state"
_CLAIMS_OF = f"{_GROUPED} AND worker = ? GROUP BY worker, work_state"


_HOLDING = (
    "SELECT id FROM workers WHERE EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_held"
    " WHERE state = 'claimed' AND tasks.worker = workers.id)"
)


async def list_workers(reader: Reader, since: int, now: int, only: str | None = None) -> list[View]:
    """Every worker, or the one named, by id, with what it holds. Nobody could be heard before `since`."""
    claims = await reader.rows(_CLAIMS if only is None else _CLAIMS_OF, () if only is None else (only,))
    rows = await reader.rows(f"{SELECT_WORKERS} WHERE ?1 IS NULL OR id = ?1 ORDER BY id", (only,))
    return _worker_views(rows, claims, since, now)


async def all_workers(reader: Reader) -> list[Worker]:
    """Every worker, by id."""
    return [worker_from(row) for row in await reader.rows(f"{SELECT_WORKERS} ORDER BY id")]


async def find_worker(reader: Reader, name: str) -> Worker | None:
    """The worker of that id, if it has registered."""
    row = await reader.row(f"{SELECT_WORKERS} WHERE id = ?", (name,))
    return None if row is None else worker_from(row)


def shown_worker(unit: Unit, worker: Worker) -> View:
    """One worker as a unit of work has left it."""
    claims = unit.read(_CLAIMS_OF, (worker.id,)).fetchall()
    rows = unit.read(f"{SELECT_WORKERS} WHERE id = ?", (worker.id,)).fetchall()
    return _worker_views(rows, claims, unit.mirror.watch.since, unit.now)[0]


def _worker_views(workers: Iterable[Row], claims: Iterable[Row], since: int, now: int) -> list[View]:
    claims_of: defaultdict[str, list[tuple[str, str | None, int]]] = defaultdict(list)
    for worker, work_state, detail, count in claims:
        claims_of[worker].append((work_state, detail, count))
    views = []
    for row in workers:
        held = claims_of[row[0]]
        count, reported = sum(n for _, _, n in held), {state for state, _, _ in held}
        view = worker_view(worker_from(row), since, now, count, reported)
        if view["detail"] is None:
            view["detail"] = next((detail for state, detail, _ in held if state == view["state"]), None)
        views.append(view)
    return views


async def project_names(reader: Reader) -> list[str]:
    """What the projects are called."""
    return [row[0] for row in await reader.rows("SELECT name FROM projects ORDER BY name")]


async def list_projects(reader: Reader, who: Principal, only: str | None = None) -> list[View]:
    """The projects `who` may see, by name, each with its counts by state."""
    counts = await counts_by_project(reader)
    rows = await reader.rows(f"{SELECT_PROJECTS} WHERE ?1 IS NULL OR name = ?1 ORDER BY name", (only,))
    projects = (project_from(row) for row in rows)
    return [project_view(p, by_state(counts.get(p.name, {}))) for p in projects if who.sees(p.name)]


async def counts_by_project(reader: Reader) -> dict[str, dict[str, int]]:
    """project → kind (a state, or `lapsed`) → number of tasks."""
    counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for project, kind, n in await reader.rows(
        "SELECT k.project, c.kind, sum(c.n) FROM counts c JOIN buckets k ON k.number = c.bucket GROUP BY 1, 2"
    ):
        counts[project][kind] = n
    return dict(counts)


def by_state(counts: dict[str, int]) -> dict[str, int]:
    """Counts with a number for every state."""
    return {state.value: counts.get(state, 0) for state in State}


async def vital_signs(reader: Reader, who: Principal, since: int, now: int) -> View:
    """Counts, the age of the oldest ready task, and how alive the workers are; for the projects `who` may see."""
    counts = {name: kinds for name, kinds in (await counts_by_project(reader)).items() if who.sees(name)}
    total: defaultdict[str, int] = defaultdict(int)
    for kinds in counts.values():
        for kind, n in kinds.items():
            total[kind] += n
    paused = {row[0]: row[1] for row in await reader.rows("SELECT name, paused_at IS NOT NULL FROM projects")}
    allowed = json.dumps(sorted(who.projects)) if who.projects is not None else None
    oldest = await reader.row(
        "SELECT t.created_at FROM tasks t WHERE t.state = 'ready' AND (?1 IS NULL OR t.bucket IN (SELECT number FROM"
        " buckets WHERE project IN (SELECT value FROM json_each(?1)))) ORDER BY t.number LIMIT 1",
        (allowed,),
    )
    holding = {row[0] for row in await reader.rows(_HOLDING)}
    crew = [worker_from(row) for row in await reader.rows(SELECT_WORKERS)]
    alive = [standing(worker, worker.id in holding, since, now) for worker in crew]
    return {
        "counts": by_state(total),
        "lapsed": total[LAPSED],
        "projects": {
            name: {"counts": by_state(counts.get(name, {})), "paused": bool(is_paused)}
            for name, is_paused in sorted(paused.items())
            if who.sees(name)
        },
        "oldest_ready_seconds": None if oldest is None else max(0, now - oldest[0]) / 1000,
        "workers": {"total": len(alive)} | {state.value: alive.count(state) for state in Liveness},
    }
