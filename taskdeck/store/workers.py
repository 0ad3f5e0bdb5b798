"""Workers in the database."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from taskdeck.domain.worker import Liveness, Worker
from taskdeck.store.unit import Unit


def save(unit: Unit, worker: Worker) -> None:
    """Write `worker`, new or changed."""
    unit.write(
        "INSERT INTO workers (id, kind, capabilities, principal, state, detail, draining, heartbeat_ms,"
        " registered_at, last_seen_at, via, label, extra, roles, instance, client, told)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, capabilities = excluded.capabilities,"
        " principal = excluded.principal, state = excluded.state, detail = excluded.detail,"
        " draining = excluded.draining, heartbeat_ms = excluded.heartbeat_ms, last_seen_at = excluded.last_seen_at,"
        " via = excluded.via, label = excluded.label, extra = excluded.extra, roles = excluded.roles,"
        " instance = excluded.instance, client = excluded.client, told = excluded.told",
        (
            worker.id,
            worker.kind,
            json.dumps(sorted(worker.capabilities)),
            worker.principal,
            worker.state,
            worker.detail,
            worker.draining,
            worker.heartbeat_ms,
            worker.registered_at,
            worker.last_seen_at,
            worker.via,
            worker.label,
            worker.extra,
            json.dumps(sorted(worker.roles)),
            worker.instance,
            worker.client,
            worker.told,
        ),
    )
    known = unit.mirror.workers.get(worker.id)
    if known is not None and known.capabilities != worker.capabilities:
        unit.mirror.abilities += 1  # whoever sorts claims by what their workers can do has to do it anew
    _mirror(unit, worker.id, worker)
    _watch(unit, worker)


def seen(unit: Unit, worker: Worker) -> None:
    """Note that `worker` was heard of now."""
    heard = replace(worker, last_seen_at=unit.now)
    _mirror(unit, worker.id, heard)
    unit.rows.heard_of(heard)
    unit.undo.append((unit.rows.heard_of, worker))


def tell(unit: Unit, worker: Worker, told: Liveness) -> None:
    """Write what the log now says of `worker`."""
    changed = replace(worker, told=told)
    unit.write("UPDATE workers SET told = ? WHERE id = ?", (told, worker.id))
    _mirror(unit, worker.id, changed)
    _watch(unit, changed)


def shift_seen(unit: Unit, by: int) -> None:
    """Move the last sign of life of every worker, and when the deck began, by `by` milliseconds: the clock jumped."""
    unit.write("UPDATE workers SET last_seen_at = last_seen_at + ?", (by,))
    since = unit.mirror.watch.since
    unit.undo.append((lambda: unit.mirror.watch.load(unit.mirror.workers.values()),))
    unit.undo.append((setattr, unit.mirror.watch, "since", since))
    unit.mirror.watch.since += by
    for name, worker in list(unit.mirror.workers.items()):
        _mirror(unit, name, replace(worker, last_seen_at=worker.last_seen_at + by))
    unit.mirror.watch.load(unit.mirror.workers.values())


def delete(unit: Unit, worker: Worker) -> None:
    unit.write("DELETE FROM workers WHERE id = ?", (worker.id,))
    _mirror(unit, worker.id, None)


def live_claims(unit: Unit, worker: str, projects: Collection[str], limit: int) -> list[int]:
    """Tasks of `projects` that `worker` holds under a lease that has not lapsed, at most `limit`."""
    rows = unit.read(
        "SELECT number FROM tasks INDEXED BY tasks_held WHERE state = 'claimed' AND worker = ? AND lapsed = 0"
        " AND bucket IN (SELECT number FROM buckets WHERE project IN (SELECT value FROM json_each(?))) LIMIT ?",
        (worker, json.dumps(sorted(projects)), limit),
    )
    return [row[0] for row in rows]


def claims(unit: Unit, worker: str, limit: int) -> list[int]:
    """Tasks that `worker` holds, lapsed or not, at most `limit`."""
    rows = unit.read(
        "SELECT number FROM tasks INDEXED BY tasks_held WHERE state = 'claimed' AND worker = ? LIMIT ?", (worker, limit)
    )
    return [row[0] for row in rows]


def held(unit: Unit, worker: str) -> list[str]:
    """Keys of what `worker` holds, at most five."""
    rows = unit.read(
        "SELECT key FROM tasks INDEXED BY tasks_held WHERE state = 'claimed' AND worker = ? LIMIT 5", (worker,)
    )
    return [row[0] for row in rows]


def _watch(unit: Unit, worker: Worker) -> None:
    unit.mirror.watch.add(worker)
    unit.mirror.due_by(unit.mirror.watch.next_moment())


def _mirror(unit: Unit, name: str, worker: Worker | None) -> None:
    known = unit.mirror.workers
    unit.undo.append((_put, known, name, known.get(name)))
    _put(known, name, worker)


def _put(known: dict[str, Worker], name: str, worker: Worker | None) -> None:
    if worker is None:
        known.pop(name, None)
    else:
        known[name] = worker
