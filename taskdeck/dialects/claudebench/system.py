"""Methods that tell of the system: its state, its health, its methods; and the lock of batches."""

from __future__ import annotations

import resource
import sys

import orjson

from taskdeck.dialects.claudebench.breakers import Trip
from taskdeck.dialects.claudebench.methods import Ask, Methods
from taskdeck.dialects.claudebench.params import Batch, Metrics, Nothing
from taskdeck.dialects.claudebench.presence import Instance
from taskdeck.dialects.claudebench.words import NAME, STATES, Document, task_document
from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.domain.principal import Role
from taskdeck.domain.task import Task
from taskdeck.domain.worker import Worker
from taskdeck.service.extra import extra_of
from taskdeck.store.filters import TaskFilter
from taskdeck.store.listing import list_tasks
from taskdeck.store.unit import Unit

methods = Methods()

_SHOWN = 10
"""Tasks and instances in a state."""
_BATCH_LOCK_MS = 60_000
_FRESH_MS, _RECENT_MS = 5_000, 10_000
"""How long ago a healthy instance was seen, and one of a degraded system."""


@methods.add(
    "system.get_state",
    Nothing,
    role=Role.READER,
    about="Get system state",
    limit=50,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise={},
    label=50,
)
async def get_state(ask: Ask, _: Nothing) -> Document:
    reader = ask.deck.reader
    found: list[Task] = []
    for statuses in (("pending", "in_progress"), ("completed", "failed")):
        states = tuple(state for status in statuses for state in STATES[status])
        wanted = TaskFilter(states=states, projects=ask.who.projects)
        if len(found) < _SHOWN:
            query = list_tasks(reader, wanted, "-number", ask.deck.order, None, _SHOWN - len(found))
            found += await ask.read(query)
    tasks = [_as_strings(task) for task in found]
    instances = (await ask.in_time(ask.deck.write(lambda unit: _instances(unit, ask))))[:_SHOWN]
    return ({"tasks": tasks} if tasks else {}) | ({"instances": instances} if instances else {})


def _as_strings(task: Task) -> Document:
    """The task as a hash of texts, as the original keeps it."""
    shown = orjson.loads(orjson.dumps(task_document(task)))
    state = {
        "id": shown["id"],
        "text": shown["text"],
        "priority": str(shown["priority"]),
        "status": shown["status"],
        "createdAt": shown["createdAt"],
        "updatedAt": shown["updatedAt"],
        "metadata": task.metadata,
        "assignedTo": shown["assignedTo"] or "",
        "result": task.result or "",
        "error": shown["error"] or "",
        "createdAtMs": str(task.created_at),
    }
    if task.claimed_at is not None:
        state["assignedAt"] = rfc3339(task.claimed_at)
    if shown["completedAt"] is not None:
        state["completedAt"] = shown["completedAt"]
        state["duration"] = str(from_rfc3339(shown["completedAt"]) - task.created_at)
    return state


def _instances(unit: Unit, ask: Ask) -> list[Document]:
    workers = unit.mirror.workers
    here = ask.house.presence.all_here(workers, unit.now)
    return [_instance(workers[name], one) for name, one in here]


def _instance(worker: Worker, one: Instance) -> Document:
    about = extra_of(worker, NAME)
    metadata = {name: value for name, value in about.items() if name != "roles"}
    shown = {
        "id": worker.id,
        "roles": orjson.dumps(about.get("roles", sorted(worker.roles))).decode(),
        "health": "healthy",
        "status": "OFFLINE" if worker.draining else "ACTIVE",
        "lastSeen": str(one.seen_at),
        "metadata": orjson.dumps(metadata).decode(),
    }
    return shown if one.heartbeat_at is None else shown | {"lastHeartbeat": rfc3339(one.heartbeat_at)}


@methods.add(
    "system.health",
    Nothing,
    role=Role.READER,
    about="Get system health status",
    limit=100,
    timeout_ms=3_000,
    trip=Trip(10, 20_000),
    otherwise={"status": "unhealthy", "services": {"redis": False, "postgres": False, "mcp": False}},
    label=100,
)
async def health(ask: Ask, _: Nothing) -> Document:
    def work(unit: Unit) -> list[int]:
        return [unit.now - one.seen_at for _, one in ask.house.presence.all_here(unit.mirror.workers, unit.now)]

    ages = await ask.in_time(ask.deck.write(work))
    recent = sum(age < _RECENT_MS for age in ages)
    status = "degraded" if 2 * recent >= len(ages) else "unhealthy"
    if ages and all(age < _FRESH_MS for age in ages):
        status = "healthy"
    return {"status": status, "services": {"redis": True, "postgres": True, "mcp": False}}


@methods.add(
    "system.batch.process",
    Batch,
    about="Coordinate batch processing",
    limit=10,
    timeout_ms=30_000,
    trip=Trip(3, 60_000),
    otherwise={"processed": False},
    label=10,
)
async def process_batch(ask: Ask, asked: Batch) -> Document:
    now = ask.deck.clock.monotonic_ms()
    won = now >= ask.house.batch_ends_at
    if won:
        ask.house.batch_ends_at = now + _BATCH_LOCK_MS
        told = {"batchId": asked.batchId, "processorId": asked.instanceId, "itemsProcessed": len(asked.items)}
        ask.house.tell("batch.completed", told, ask.deck.clock.now_ms(), ask.deck.bus.last_seq)
    return {"processed": won, "processorId": asked.instanceId, "itemsProcessed": len(asked.items) if won else 0}


@methods.add("system.metrics", Metrics, role=Role.READER, about="Get aggregated system metrics", label=20)
async def metrics(ask: Ask, _: Metrics) -> Document:
    per_mb = 1024 if sys.platform != "darwin" else 1024 * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mb
    return {"eventsProcessed": ask.deck.bus.last_seq, "memoryUsage": round(used, 2)}
