"""What callers ask of the verbs, whatever interface they came by. Spans are in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from taskdeck.domain.task import DEFAULT_PRIORITY, Json


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be made. `depends_on` are references; a missing `key` is given by the project."""

    title: str
    project: str
    description: str = ""
    priority: int = DEFAULT_PRIORITY
    labels: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    payload: Json = "{}"
    metadata: Json = "{}"
    files: Json = "[]"
    assignee: str | None = None
    depends_on: tuple[str, ...] = ()
    not_before: int | None = None
    due: int | None = None
    max_attempts: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """A wish for work: the task named by `ref`, or the best `max_tasks` that the filters admit.

    `capabilities` None means those the worker and its principal are known to have. With `override_reason` a
    named task is taken whoever holds it or was to have it. `session` is kept with the claim.
    """

    worker: str
    ref: str | None = None
    max_tasks: int = 1
    project: str | None = None
    labels: frozenset[str] = frozenset()
    capabilities: frozenset[str] | None = None
    lease_ms: int | None = None
    override_reason: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Fields to change, by `NewTask`'s names; `version` and `fence` are conditions on the change."""

    fields: dict[str, object] = field(default_factory=dict)
    version: int | None = None
    fence: int | None = None
