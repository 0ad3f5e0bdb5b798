"""leave: a worker goes in good order. What it holds goes back to the queue, unspent, and it counts as offline."""

from __future__ import annotations

from taskdeck.domain.principal import Principal
from taskdeck.domain.states import Verb
from taskdeck.domain.worker import Liveness, Worker
from taskdeck.service.attend import announce, seen
from taskdeck.service.change import change
from taskdeck.service.find import the_worker
from taskdeck.service.lapse import the_numbered
from taskdeck.service.release import back_to_queue, unspent
from taskdeck.store import sessions, workers
from taskdeck.store.unit import Unit

AT_ONCE = 1_000
"""How many tasks are given back by one call."""


def leave(unit: Unit, who: Principal, name: str) -> tuple[Worker, list[str]]:
    """Give back what the worker `name` holds and end its sessions; return it and the keys of what was given back.

    A worker that holds more than `AT_ONCE` tasks has not left yet and says so again. One that has left may come back:
    its next call says `worker.back`.

    Raises:
        NotFound: it has not registered.
        Forbidden: it is another principal's.
    """
    worker = the_worker(unit, who, name)
    numbers = workers.claims(unit, name, AT_ONCE + 1)
    if worker.told is Liveness.OFFLINE and not numbers:
        return worker, []
    worker = seen(unit, worker)
    keys = []
    for number in numbers[:AT_ONCE]:
        task = the_numbered(unit, number)
        facts = {"note": "its worker left", "from_worker": name, "delay_seconds": 0.0}
        facts["run_seconds"] = max(0, unit.now - (task.claimed_at or unit.now)) / 1000
        fields = back_to_queue(unit, task, 0) | {"attempt": unspent(task)}
        keys.append(change(unit, task, Verb.RELEASE, who.name, fields, facts=facts, worker=name).key)
    if len(numbers) > AT_ONCE:
        return worker, keys
    ended = sessions.end_all(unit, name)
    workers.tell(unit, worker, Liveness.OFFLINE)
    worker = unit.mirror.workers[name]
    announce(unit, who, worker, "worker.left", {"released": len(keys), "sessions_ended": ended})
    return worker, keys
