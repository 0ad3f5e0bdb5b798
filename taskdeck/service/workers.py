"""Workers: registering, hearing from, draining and removing them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from taskdeck.domain.errors import Conflict
from taskdeck.domain.principal import Principal
from taskdeck.domain.worker import Kind, Worker, WorkerState
from taskdeck.service.attend import announce, fresh, register, seen
from taskdeck.service.extra import with_extra
from taskdeck.service.find import require_owner, require_voice, the_worker
from taskdeck.store import sessions, workers
from taskdeck.store.unit import Unit


def register_worker(
    unit: Unit,
    who: Principal,
    name: str,
    *,
    kind: Kind | None = None,
    capabilities: frozenset[str] | None = None,
    heartbeat_ms: int | None = None,
    roles: frozenset[str] | None = None,
    instance: str | None = None,
    client: str | None = None,
    label: str | None = None,
    extra: dict[str, Any] | None = None,
) -> tuple[Worker, bool]:
    """Register the worker, or change what it said of itself; tell whether it is new.

    Another `instance` than before is a restart: what the worker holds was claimed by a process that is no more, so
    `worker.restarted` names it; the sessions of that process have failed. `extra` replaces what the dialect
    that `who` speaks knows of it.

    Raises:
        Forbidden: it belongs to another principal, or the token is for another worker alone.
        Invalid: it would carry more than 64 KiB of extra fields.
    """
    require_voice(who, name)
    known = unit.mirror.workers.get(name)
    if known is not None:
        require_owner(known, who)
        known = seen(unit, known)
    worker = known or fresh(unit, who, name, who.capabilities)
    wanted = replace(
        worker,
        kind=kind or worker.kind,
        capabilities=worker.capabilities if capabilities is None else capabilities,
        heartbeat_ms=heartbeat_ms or worker.heartbeat_ms,
        roles=worker.roles if roles is None else roles,
        instance=instance or worker.instance,
        client=client or worker.client,
        last_seen_at=unit.now,
        via=who.via,
        label=label or worker.label,
        extra=worker.extra if extra is None else with_extra(worker, who.via, extra),
    )
    if known is not None and replace(wanted, last_seen_at=known.last_seen_at) == known:
        return known, False
    if known is not None and wanted.capabilities != known.capabilities:
        unit.opened += 1  # it may be waiting for what it could not do before
    if known is not None and known.instance is not None and known.instance != wanted.instance:
        workers.save(unit, wanted)
        facts = {
            "was_instance": known.instance,
            "holds": workers.held(unit, name),
            "sessions_ended": sessions.end_those_of(unit, name, known.instance),
        }
        announce(unit, who, wanted, "worker.restarted", facts)
        return wanted, False
    return register(unit, who, wanted), known is None


def worker_heartbeat(
    unit: Unit, who: Principal, name: str, state: WorkerState | None = None, detail: str | None = None
) -> Worker:
    """Note that the worker lives and how it is doing; leases are not renewed by it.

    Raises:
        NotFound: it has not registered.
        Forbidden: it belongs to another principal.
    """
    worker = seen(unit, the_worker(unit, who, name))
    if (state is None or state == worker.state) and (detail is None or detail == worker.detail):
        return worker
    told = replace(worker, state=state or worker.state, detail=detail, last_seen_at=unit.now)
    workers.save(unit, told)
    announce(unit, who, told, "worker.heartbeat")
    return told


def drain_worker(unit: Unit, who: Principal, name: str, *, draining: bool = True) -> Worker:
    """Give the worker no more work, or give it work again. It keeps and may finish what it holds.

    Raises:
        NotFound: it has not registered.
    """
    worker = the_worker(unit, who, name)
    if worker.draining == draining:
        return worker
    drained = replace(worker, draining=draining)
    workers.save(unit, drained)
    announce(unit, who, drained, "worker.drained")
    if not draining:
        unit.opened += 1  # it may be waiting for work
    return drained


def delete_worker(unit: Unit, who: Principal, name: str) -> Worker:
    """Forget a worker that holds nothing.

    Raises:
        NotFound: it has not registered.
        Conflict: it holds tasks (`holds_claims`).
    """
    worker = the_worker(unit, who, name)
    held = workers.held(unit, name)
    if held:
        raise Conflict(
            f"{name} holds {', '.join(held)}",
            hint="Let it finish, or take its tasks back with override before.",
            code="holds_claims",
        )
    workers.delete(unit, worker)
    announce(unit, who, worker, "worker.deleted")
    return worker
