"""What a task is, and the claim on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from taskdeck.domain.states import State

Json = str
"""A JSON document as text, kept as it came and passed on without being parsed."""

DEFAULT_PRIORITY = 50
MAX_PRIORITY = 100
MIN_LEASE_S = 5
MAX_LEASE_S = 86_400
DEFAULT_LEASE_S = 300
MAX_WAIT_S = 60
MAX_BATCH_CREATE = 1_000
MAX_BATCH_CLAIM = 100
MAX_ATTEMPTS_LIMIT = 1_000
DEFAULT_MAX_ATTEMPTS = 3


class WorkState(StrEnum):
    """How the holder says it is doing."""

    WORKING = "working"
    WAITING_INPUT = "waiting_input"
    ERRORED = "errored"


@dataclass(frozen=True, slots=True)
class Bucket:
    """What decides who may have a task, shared by all tasks that have it in common.

    Tasks of one bucket are alike to every claimer, so a claim chooses buckets first and tasks second.
    """

    number: int
    project: str
    labels: frozenset[str]
    capabilities: frozenset[str]
    assignee: str | None


@dataclass(slots=True)
class Task:
    """A unit of work. Times are milliseconds since the epoch.

    The claim's fields (`worker` to `question`) are set exactly while `state` is claimed. `fence` is that of the
    newest claim, now or before; 0 if there never was one.
    """

    number: int
    id: str
    key: str
    bucket: Bucket
    state: State
    priority: int
    attempt: int
    max_attempts: int
    fence: int
    not_before: int | None
    due: int | None
    created_at: int
    ready_at: int | None
    updated_at: int
    finished_at: int | None
    version: int
    worker: str | None
    principal: str | None
    claimed_at: int | None
    heartbeat_at: int | None
    expires_at: int | None
    lease_ms: int | None
    lapsed: bool
    work_state: WorkState | None
    detail: str | None
    progress: int | None
    session: str | None
    question: Json | None
    title: str
    description: str
    payload: Json
    metadata: Json
    result: Json | None
    error: Json | None
    created_by: str
    files: Json
    depends_on: tuple[str, ...] = ()
    shown: dict[str, object] | None = field(default=None, repr=False, compare=False)
    """Its public shape, if it was asked for since the last change; see `domain.view`."""


CLAIM_FIELDS = (
    "worker",
    "principal",
    "claimed_at",
    "heartbeat_at",
    "expires_at",
    "lease_ms",
    "lapsed",
    "work_state",
    "detail",
    "progress",
    "session",
    "question",
)
NO_CLAIM: dict[str, object] = dict.fromkeys(CLAIM_FIELDS) | {"lapsed": False}
"""The claim's fields of a task that nobody holds."""
