"""Workers in the database."""

from __future__ import annotations

import json
from dataclasses import replace

from taskdeck.domain.worker import Worker
from taskdeck.store.unit import Unit


def save(unit: Unit, worker: Worker) -> None:
    """Write `worker`, new or changed."""
    unit.write(
        "INSERT INTO workers (id, kind, capabilities, principal, state, detail, draining, heartbeat_ms,"
        " registered_at, last_seen_at, via, label, extra) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, capabilities = excluded.capabilities,"
        " principal = excluded.principal, state = excluded.state, detail = excluded.detail,"
        " draining = excluded.draining, heartbeat_ms = excluded.heartbeat_ms, last_seen_at = excluded.last_seen_at,"
        " via = excluded.via, label = excluded.label, extra = excluded.extra",
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
        ),
    )
    known = unit.mirror.workers.get(worker.id)
    if known is not None and known.capabilities != worker.capabilities:
        unit.mirror.abilities += 1  # whoever sorts claims by what their workers can do has to do it anew
    _mirror(unit, worker.id, worker)


def seen(unit: Unit, worker: Worker) -> None:
    """Note that `worker` was heard of now."""
    heard = replace(worker, last_seen_at=unit.now)
    _mirror(unit, worker.id, heard)
    unit.rows.heard_of(heard)
    unit.undo.append(lambda: unit.rows.heard_of(worker))


def delete(unit: Unit, worker: Worker) -> None:
    unit.write("DELETE FROM workers WHERE id = ?", (worker.id,))
    _mirror(unit, worker.id, None)


def held(unit: Unit, worker: str) -> list[str]:
    """Keys of what `worker` holds, at most five."""
    rows = unit.read("SELECT key FROM tasks WHERE state = 'claimed' AND worker = ? LIMIT 5", (worker,))
    return [row[0] for row in rows]


def _mirror(unit: Unit, name: str, worker: Worker | None) -> None:
    known, before = unit.mirror.workers, unit.mirror.workers.get(name)

    def put(one: Worker | None) -> None:
        if one is None:
            known.pop(name, None)
        else:
            known[name] = one

    unit.undo.append(lambda: put(before))
    put(worker)
