"""A worker: who claims, what it offers, and how alive it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from taskdeck.domain.task import Json

DEFAULT_HEARTBEAT_S = 60


class Kind(StrEnum):
    """What a worker is."""

    AGENT = "agent"
    HUMAN = "human"
    SERVICE = "service"


class WorkerState(StrEnum):
    """How a worker says it is doing."""

    IDLE = "idle"
    WORKING = "working"
    WAITING_INPUT = "waiting_input"
    ERRORED = "errored"


class Liveness(StrEnum):
    """How a worker stands. What it was last heard of decides first, then whether it is draining or holds nothing."""

    ACTIVE = "active"
    IDLE = "idle"
    LATE = "late"
    OFFLINE = "offline"
    DRAINING = "draining"


@dataclass(slots=True)
class Worker:
    """Who claims, registered by the interface `via`.

    `last_seen_at` may lag by `SEEN_GRAIN_MS`: it is not worth a write at every call. `label` is what people call it,
    `extra` what only dialects know of it: an object of objects by dialect. `roles` are free words for what it offers.
    `instance` tells apart the processes that ran under this id, `client` is what they run. `told` is what the log last
    said of it: active, late or offline.
    """

    id: str
    kind: Kind
    capabilities: frozenset[str]
    principal: str
    state: WorkerState
    detail: str | None
    draining: bool
    heartbeat_ms: int
    registered_at: int
    last_seen_at: int
    via: str
    label: str | None = None
    extra: Json | None = None
    roles: frozenset[str] = frozenset()
    instance: str | None = None
    client: str | None = None
    told: Liveness = Liveness.ACTIVE


SEEN_GRAIN_MS = 1_000
"""How exactly a worker's last call is remembered."""


def liveness(last_seen_at: int, heartbeat_ms: int, now: int) -> Liveness:
    """Active; late after one missed heartbeat, offline after two."""
    missed = (now - last_seen_at) / heartbeat_ms
    if missed > 2:
        return Liveness.OFFLINE
    return Liveness.LATE if missed > 1 else Liveness.ACTIVE


def heard(worker: Worker, since: int, now: int) -> Liveness:
    """Whether `worker` is active, late or offline: that until it is heard of again, once the log has said so.

    Nobody was heard before `since`; people need not be heard at all.
    """
    if worker.told is Liveness.OFFLINE:
        return worker.told
    if worker.kind is Kind.HUMAN:
        return Liveness.ACTIVE
    return liveness(max(worker.last_seen_at, since), worker.heartbeat_ms, now)


def standing(worker: Worker, held: bool, since: int, now: int) -> Liveness:
    """How `worker` stands, which has `held` tasks or none; see `Liveness`."""
    found = heard(worker, since, now)
    if found is not Liveness.ACTIVE:
        return found
    if worker.draining:
        return Liveness.DRAINING
    return found if held else Liveness.IDLE


def next_change(worker: Worker, since: int) -> int | None:
    """When `worker` will be later than the log says if nothing is heard of it: the first such millisecond."""
    beats = {Liveness.ACTIVE: 1, Liveness.LATE: 2}.get(worker.told)
    if beats is None or worker.kind is Kind.HUMAN:
        return None
    return max(worker.last_seen_at, since) + beats * worker.heartbeat_ms + 1
