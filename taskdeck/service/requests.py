"""What callers ask of the verbs, whatever interface they came by. Spans are in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from taskdeck.domain.gates import Shown
from taskdeck.domain.task import DEFAULT_PRIORITY, Json, Kind
from taskdeck.domain.template import Template
from taskdeck.domain.turns import AtEnd

MANY = 10
"""More tasks in one request may keep the writer for long."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be made. `depends_on` are references, `parent` is one; `gates` come on top of the project's.

    A missing `key` and `review` are given by the project; with `series` the key is the next of that series.
    `awaits` are keys of tasks to wait for that need not be there yet. `form` is a name and a version, None for the
    newest. Of `assignee` and `assignees` (turns) one is given at most.
    `backoff_ms` and `backoff_cap_ms` are its own rests after attempts that failed, see `Task`.
    With `approve_after_ms` the deck approves a completion that nobody has judged for so long.
    With `backlog` it is offered to nobody until it is promoted.
    While another task of the project under the same `unique_key` has not ended, that one is given back, or with
    `refuse_existing` the wish is refused. `extra` is an object of objects by dialect, see `Task`.
    """

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
    unique_key: str | None = None
    refuse_existing: bool = False
    series: str | None = None
    awaits: tuple[str, ...] = ()
    backlog: bool = False
    review: str | None = None
    approve_after_ms: int | None = None
    backoff_ms: int | None = None
    backoff_cap_ms: int | None = None
    kind: str = Kind.TASK
    parent: str | None = None
    gates: Json | None = None
    assignees: Json | None = None
    at_end: str = AtEnd.OPEN
    form: tuple[str, int | None] | None = None
    extra: Json | None = None
    run: str | None = None


def from_template(template: Template, project: str, moment: int) -> NewTask:
    """The wish for a task as `template` says, for `moment`."""
    return NewTask(
        title=template.title,
        project=project,
        description=template.description,
        priority=template.priority,
        labels=template.labels,
        capabilities=template.capabilities,
        payload=template.payload,
        metadata=template.metadata,
        assignee=template.assignee,
        max_attempts=template.max_attempts,
        due=None if template.due_in_ms is None else moment + template.due_in_ms,
    )


@dataclass(slots=True)
class ClaimRequest:
    """A wish for work: the task named by `ref`, or the best `max_tasks` that the filters admit. Not to be changed.

    A `lease_ms` of `NO_END` asks for a lease without end. `capabilities` None means those the worker and its principal
    are known to have. With `override_reason` a named task is taken whoever holds it or was to have it; `on_behalf_of`
    are those it is claimed for, who may be its assignee in place of who claims. `session` is kept with the claim.
    """

    worker: str
    ref: str | None = None
    max_tasks: int = 1
    project: str | None = None
    labels: frozenset[str] = frozenset()
    capabilities: frozenset[str] | None = None
    lease_ms: int | None = None
    override_reason: str | None = None
    on_behalf_of: frozenset[str] = frozenset()
    shown: Shown | None = None
    session: str | None = None

    def showing(self, shown: Shown | None) -> ClaimRequest:
        """The same wish, showing this to the gates before a claim."""
        return self if shown is self.shown else replace(self, shown=shown)


@dataclass(frozen=True, slots=True)
class Edit:
    """Fields to change, by `NewTask`'s names; `version` and `fence` are conditions on the change."""

    fields: dict[str, object] = field(default_factory=dict)
    version: int | None = None
    fence: int | None = None
