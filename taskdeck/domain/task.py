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
NO_END = 0
"""The length of a lease that has no end, where one is asked for."""
MAX_WAIT_S = 60
MAX_BATCH_CREATE = 1_000
MAX_BATCH_CLAIM = 100
MAX_ATTEMPTS_LIMIT = 1_000
DEFAULT_MAX_ATTEMPTS = 3
MAX_DEPTH = 10
"""How far a task may stand below the first of its chain."""
MAX_CHILDREN = 1_000


class WorkState(StrEnum):
    """How the holder says it is doing."""

    WORKING = "working"
    WAITING_INPUT = "waiting_input"
    ERRORED = "errored"


class Kind(StrEnum):
    """What a task is for."""

    TASK = "task"
    GOAL = "goal"
    """Done by nobody: it is finished when the last of its children is."""


class Verdict(StrEnum):
    """What a review came to."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    REJECTED = "rejected"


class Review(StrEnum):
    """Whether what was completed is looked at before it counts as done."""

    NONE = "none"
    OPTIONAL = "optional"
    """If whoever completes it asks for it."""
    REQUIRED = "required"
    FOUR_EYES = "four_eyes"
    """Always, and by another than who completed it."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What decides who may have a task, shared by all tasks that have it in common.

    Tasks of one bucket are alike to every claimer, so a claim chooses buckets first and tasks second. `gates` are those
    that must be passed before a claim; see `domain.gates.before_claim`.
    """

    number: int
    project: str
    labels: frozenset[str]
    capabilities: frozenset[str]
    assignee: str | None
    gates: Json | None = None


@dataclass(slots=True)
class Task:
    """A unit of work. Times are milliseconds since the epoch.

    The claim's fields (`worker` to `progress`, `via`, `session`, `question`) are set exactly while `state` is claimed.
    `fence` is that of the newest claim, now or before; 0 if there never was one. `completed_by` says whose completion
    `result` is, `verdict` what its review came to. `parent` and `root` are keys: of the task it was delegated from, and
    of the first of that chain, which stands at depth 0; `children` counts those ever delegated from it. `accountable`
    is the principal who answers for the whole chain. `gates` say what must be shown before which verb, `proof` is what
    was, in the last attempt. `assignees` are those it is offered to in turn, `turn` is the place of the present one,
    counted from 0. `unique_key` is `project/key`, see `scoped_key`. `via` is the interface the claim came by, see
    `domain.via`; `run` names the run of work outside that it belongs to; `extra` holds, by dialect, what only that
    dialect knows of the task: an object of objects. `entries` counts those of its log. With `approve_after_ms` the deck
    itself approves it at `review_ends_at`, unless somebody has judged it by then. `awaits` are keys of tasks it waits
    for that are not there yet, a JSON list; `changes` counts the files that its work is said to have changed.
    `question` is what its holder asks, an object, see `service.answer`; `files` are the paths it is about, a JSON list.
    `backoff_ms` and `backoff_cap_ms` are the first and the longest rest after an attempt that failed; None as its
    project has them.
    `queued_at` is since when it stands in the queue: when it became ready, but for coming back from a claim or review.
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
    queued_at: int
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
    overdue_at: int | None
    unique_key: str | None
    parent: str | None
    root: str | None
    depth: int
    children: int
    turn_ends_at: int | None
    via: str | None
    review_ends_at: int | None
    entries: int
    session: str | None
    question: Json | None
    title: str
    description: str
    payload: Json
    metadata: Json
    result: Json | None
    error: Json | None
    created_by: str
    handoff: Json | None
    review: str = Review.NONE
    completed_by: Json | None = None
    verdict: Json | None = None
    kind: str = Kind.TASK
    accountable: str | None = None
    gates: Json | None = None
    proof: Json | None = None
    assignees: Json | None = None
    turn: int | None = None
    at_end: str | None = None
    form: Json | None = None
    draft: Json | None = None
    extra: Json | None = None
    approve_after_ms: int | None = None
    awaits: Json | None = None
    changes: int = 0
    run: str | None = None
    files: Json = "[]"
    backoff_ms: int | None = None
    backoff_cap_ms: int | None = None
    depends_on: tuple[str, ...] = ()
    awaited: bool = False
    """Whether another task may be waiting for it to be done."""
    shown: dict[str, object] | None = field(default=None, repr=False, compare=False)
    """Its public shape, if it was asked for since the last change; see `domain.view`."""


def scoped_key(project: str, key: str) -> str:
    """A unique key as it is kept: a project's name has no slash, so that no two projects' keys are the same."""
    return f"{project}/{key}"


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
    "via",
    "session",
    "question",
)
NO_CLAIM: dict[str, object] = dict.fromkeys(CLAIM_FIELDS) | {"lapsed": False}
"""The claim's fields of a task that nobody holds."""
