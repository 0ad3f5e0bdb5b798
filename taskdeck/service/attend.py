"""Noticing workers: registered by their first call, seen by every other."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal
from taskdeck.domain.worker import DEFAULT_HEARTBEAT_S, SEEN_GRAIN_MS, Kind, Liveness, Worker, WorkerState
from taskdeck.service.find import require_owner, require_voice, unknown_worker
from taskdeck.store import workers
from taskdeck.store.unit import Unit

_ACTIVE = Liveness.ACTIVE  # here at every claim: until Python 3.12 a member is slow to look up


def attend(unit: Unit, who: Principal, name: str, capabilities: frozenset[str] | None = None) -> Worker:
    """The worker `name`, seen now; registered with `capabilities` if it was not known.

    Raises:
        Forbidden: the worker belongs to another principal, or the token is for another worker alone.
    """
    worker = unit.mirror.workers.get(name)
    if worker is None:
        require_voice(who, name)
        return register(unit, who, fresh(unit, who, name, capabilities or who.capabilities))
    require_owner(worker, who)
    return seen(unit, worker)


def receiver(unit: Unit, who: Principal, name: str) -> Worker:
    """The worker `name`, to whom `who` gives something: that it is named is no sign of life, and registers nobody.

    Who gives it to itself is heard of by that, and registered if it was not known.

    Raises:
        NotFound: nobody has registered that name (`unknown_worker`).
        Forbidden: the token is for another worker alone.
    """
    require_voice(who, name)
    known = unit.mirror.workers.get(name)
    if name == who.name and (known is None or known.principal == who.name):
        return attend(unit, who, name)
    if known is None:
        raise unknown_worker(name, unit.mirror.workers)
    return known


def seen_by_name(unit: Unit, name: str) -> None:
    """Note that the worker `name`, if it is registered, was heard of now."""
    worker = unit.mirror.workers.get(name)
    if worker is not None:
        seen(unit, worker)


def seen(unit: Unit, worker: Worker) -> Worker:
    """Note that `worker` was heard of now; return it as it is known then."""
    told = worker.told
    if told is _ACTIVE and unit.now - worker.last_seen_at < SEEN_GRAIN_MS:
        return worker
    workers.seen(unit, worker)
    if told is not _ACTIVE:
        _back(unit, worker)
    return unit.mirror.workers[worker.id]


def _back(unit: Unit, worker: Worker) -> None:
    """A worker that was told to be late or offline was heard of again."""
    facts = {"was": worker.told, "silent_seconds": max(0, unit.now - worker.last_seen_at) / 1000}
    workers.tell(unit, unit.mirror.workers[worker.id], Liveness.ACTIVE)
    unit.append(Event(unit.now, "worker.back", worker.principal, worker=worker.id, facts=facts))


def fresh(unit: Unit, who: Principal, name: str, capabilities: frozenset[str]) -> Worker:
    """A worker as its first call makes it."""
    return Worker(
        id=name,
        kind=Kind.AGENT,
        capabilities=capabilities,
        principal=who.name,
        state=WorkerState.IDLE,
        detail=None,
        draining=False,
        heartbeat_ms=DEFAULT_HEARTBEAT_S * 1000,
        registered_at=unit.now,
        last_seen_at=unit.now,
        via=who.via,
    )


def register(unit: Unit, who: Principal, worker: Worker) -> Worker:
    """Write `worker` with its event."""
    workers.save(unit, worker)
    announce(unit, who, worker, "worker.registered")
    return worker


def announce(unit: Unit, who: Principal, worker: Worker, event: str, facts: dict[str, Any] | None = None) -> None:
    """Leave an event about `worker` as it is now."""
    changes = {
        "id": worker.id,
        "kind": worker.kind,
        "capabilities": sorted(worker.capabilities),
        "state": worker.state,
        "detail": worker.detail,
        "draining": worker.draining,
        "via": worker.via,
        "label": worker.label,
        "extra": None if worker.extra is None else orjson.Fragment(worker.extra),
        "roles": sorted(worker.roles),
        "instance": worker.instance,
        "client": worker.client,
    }
    unit.append(Event(unit.now, event, who.name, worker=worker.id, changes=changes, facts=facts or {}))
