"""A worker: who claims, and how alive it is."""

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
    """How long ago a worker was last heard of, against the interval it promised."""

    ACTIVE = "active"
    LATE = "late"
    SILENT = "silent"


@dataclass(slots=True)
class Worker:
    """Who claims, registered by the interface `via`.

    `last_seen_at` may lag by `SEEN_GRAIN_MS`: it is not worth a write at every call. `label` is what people call it,
    `extra` what only dialects know of it: an object of objects by dialect.
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


SEEN_GRAIN_MS = 1_000
"""How exactly a worker's last call is remembered."""


def liveness(last_seen_at: int, heartbeat_ms: int, now: int) -> Liveness:
    """Late after one missed heartbeat, silent after two."""
    missed = (now - last_seen_at) / heartbeat_ms
    if missed > 2:
        return Liveness.SILENT
    return Liveness.LATE if missed > 1 else Liveness.ACTIVE
