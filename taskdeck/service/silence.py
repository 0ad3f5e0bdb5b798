"""Workers that fall silent: told once when they grow late and once when they are offline, with what that means."""

from __future__ import annotations

from taskdeck.domain.events import Event
from taskdeck.domain.project import OfflineClaims
from taskdeck.domain.worker import Liveness, Worker, heard
from taskdeck.service.lapse import lapse_early
from taskdeck.service.unblock import BY_TIME
from taskdeck.store import workers
from taskdeck.store.timers import CHUNK
from taskdeck.store.unit import Unit


def tell_silences(unit: Unit) -> None:
    """Look at the workers whose moment has come, a chunk of them; lapse what the offline ones hold where asked for."""
    watch = unit.mirror.watch
    names = watch.due(unit.now, CHUNK)
    unit.undo.append((watch.again, names, unit.now))
    for name in names:
        worker = unit.mirror.workers.get(name)
        if worker is None:
            continue
        found = heard(worker, watch.since, unit.now)
        if found is not worker.told:
            if found is Liveness.ACTIVE:  # told to be late before the deck was away, and has its time anew
                watch.add(worker)
                continue
            _tell(unit, worker, found)
        if found is not Liveness.OFFLINE:
            watch.add(unit.mirror.workers[name])
        elif _lapse_claims(unit, name) == CHUNK:
            watch.add(worker, unit.now)  # there may be more


def _tell(unit: Unit, worker: Worker, found: Liveness) -> None:
    silent = (unit.now - worker.last_seen_at) / 1000
    facts = {"silent_seconds": silent, "heartbeat_seconds": worker.heartbeat_ms / 1000}
    workers.tell(unit, worker, found)
    unit.append(Event(unit.now, f"worker.{found}", BY_TIME, worker=worker.id, facts=facts))


def _lapse_claims(unit: Unit, name: str) -> int:
    """Lapse some of what the worker holds in projects that ask for it; tell how many."""
    asking = [p.name for p in unit.mirror.projects.values() if p.offline_claims is OfflineClaims.LAPSE]
    found = workers.live_claims(unit, name, asking, CHUNK) if asking else []
    for number in found:
        lapse_early(unit, number)
    return len(found)
