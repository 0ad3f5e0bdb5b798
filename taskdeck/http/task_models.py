"""What requests about tasks may say: to make, edit, list and look at them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from taskdeck.domain.query import FIELDS, FLAGS, MAX_LENGTH
from taskdeck.domain.refs import KEY
from taskdeck.domain.sorts import SECOND, SORTS, keys_of
from taskdeck.domain.states import State
from taskdeck.domain.task import DEFAULT_PRIORITY, MAX_BATCH_CREATE, Review
from taskdeck.domain.task import Kind as TaskKind
from taskdeck.domain.turns import MAX_TURNS, AtEnd, turns_text
from taskdeck.domain.via import DIALECTS
from taskdeck.http.event_models import EventLimit, Seq
from taskdeck.http.form_models import FormRef
from taskdeck.http.gate_models import Gates
from taskdeck.http.models import (
    EMPTY,
    YEAR_S,
    Attempts,
    Body,
    Delay,
    Document,
    Fence,
    Limit,
    Moment,
    Name,
    Names,
    Prefix,
    Priority,
    ProjectName,
    Query,
    Ref,
    Rest,
    WorkerId,
    no_nul,
)
from taskdeck.service.extra import MAX_EXTRA_BYTES


def _chosen_key(text: str) -> str:
    if not KEY.fullmatch(text):
        raise ValueError("a key begins with a letter and has up to 64 letters, digits, dots, dashes and underscores")
    return text


def _path(text: str) -> str:
    """The one way to write a path, so that those who name the same file say the same."""
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or ".." in parts or not parts or not text.isprintable():
        raise ValueError("a file is named by its path from the root of the project, such as src/app.py")
    return "/".join(parts)


def _each_once(paths: list[str]) -> list[str]:
    return list(dict.fromkeys(paths))


Title = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(no_nul)]
Key = Annotated[str, AfterValidator(_chosen_key)]
FilePath = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_path)]
Files = Annotated[list[FilePath], Field(max_length=100), AfterValidator(_each_once)]
Description = Annotated[str, Field(max_length=100_000), AfterValidator(no_nul)]


class TurnOf(Body):
    """An assignee, and for how long the task is offered to it; null or left out for as long as it takes.

    `group` says that it is a group's name, for those who show it; who may claim follows from the name alone.
    """

    assignee: Name
    seconds: Annotated[float, Field(ge=1, le=YEAR_S)] | None = None
    group: bool = False


def _turns(turns: list[TurnOf] | None) -> Any:
    return None if turns is None else turns_text([(turn.assignee, turn.seconds, turn.group) for turn in turns])


Turns = Annotated[Annotated[list[TurnOf], Field(min_length=1, max_length=MAX_TURNS)] | None, AfterValidator(_turns)]
"""In the service's form: JSON text, or None."""


def _extra(extra: dict[str, dict[str, Any]] | None) -> Any:
    if not extra:
        return None
    unknown = sorted(extra.keys() - set(DIALECTS))
    if unknown:
        raise ValueError(f"no dialect {unknown[0][:40]!r}; there are {', '.join(DIALECTS)}")
    text = orjson.dumps(extra)
    if len(text) > MAX_EXTRA_BYTES:
        raise ValueError(f"is {len(text)} bytes; the limit is {MAX_EXTRA_BYTES}")
    return text.decode()


Extra = Annotated[dict[str, dict[str, Any]] | None, AfterValidator(_extra)]
"""In the service's form: JSON text, or None."""


class CreateTask(Body):
    """A new task, or a goal: that is finished when the last of its children is. Priority 100 is claimed first.

    `key` is a short human name, given by the project if left out, as `review` is; with `series` it is the next of that
    series. `awaits` are keys of tasks to wait for that need not be there yet. With `approve_after_seconds` the deck
    approves a completion that nobody has judged for so long. `backoff_seconds` and `backoff_cap_seconds` are its own
    first and longest rest after an attempt that failed, by default its project's. With `backlog` it is offered to
    nobody until it is promoted. While a task of the project under the same `unique_key` has not ended, `if_exists` says
    whether it is returned or the wish refused. `run` names the run of work outside that it belongs to;
    `extra` has, by dialect, fields that only that dialect knows.
    """

    title: Title
    project: ProjectName = "default"
    description: Description = ""
    priority: Priority = DEFAULT_PRIORITY
    labels: Names = frozenset()
    capabilities: Names = frozenset()
    payload: Document = EMPTY
    metadata: Document = EMPTY
    files: Files = Field(default_factory=list)
    assignee: Name | None = None
    depends_on: Annotated[list[Ref], Field(max_length=100)] = Field(default_factory=list)
    not_before: Moment | None = None
    due: Moment | None = None
    max_attempts: Attempts | None = None
    key: Key | None = None
    series: Prefix | None = None
    awaits: Annotated[list[Key], Field(max_length=100)] = Field(default_factory=list)
    backlog: bool = False
    review: Review | None = None
    approve_after_seconds: Delay | None = None
    backoff_seconds: Rest | None = None
    backoff_cap_seconds: Rest | None = None
    kind: TaskKind = TaskKind.TASK
    parent: Ref | None = None
    gates: Gates = None
    assignees: Turns = None
    at_end: AtEnd = AtEnd.OPEN
    form: FormRef | None = None

    unique_key: Name | None = None
    if_exists: Literal["return", "refuse"] = "return"
    run: Name | None = None
    extra: Extra = None

    @model_validator(mode="after")
    def _one_way_to_assign(self) -> CreateTask:
        if self.assignee is not None and self.assignees is not None:
            raise ValueError("name `assignee` or `assignees`, not both")
        if self.key is not None and self.series is not None:
            raise ValueError("name `key` or `series`, not both")
        if self.backoff_cap_seconds is not None and self.backoff_cap_seconds < (self.backoff_seconds or 0):
            raise ValueError("backoff_cap_seconds is the longest rest; give one that is at least backoff_seconds")
        return self


class CreateTasks(Body):
    """Up to 1,000 new tasks, made all or none; later ones may depend on earlier ones by key."""

    tasks: Annotated[list[CreateTask], Field(min_length=1, max_length=MAX_BATCH_CREATE)]


class EditTask(Body):
    """Fields to change. `version` refuses the change if the task is at another; `fence` is for its holder."""

    title: Title | None = None
    description: Description | None = None
    priority: Priority | None = None
    project: ProjectName | None = None
    labels: Names | None = None
    capabilities: Names | None = None
    payload: Document = None
    metadata: Document = None
    files: Files | None = None
    depends_on: Annotated[list[Ref], Field(max_length=100)] | None = None
    awaits: Annotated[list[Key], Field(max_length=100)] | None = None
    not_before: Moment | None = None
    due: Moment | None = None
    max_attempts: Attempts | None = None
    backoff_seconds: Rest | None = None
    backoff_cap_seconds: Rest | None = None
    review: Review | None = None
    gates: Gates = None
    version: int | None = None
    fence: Fence | None = None

    @model_validator(mode="after")
    def _says_something(self) -> EditTask:
        if not self.model_fields_set - {"version", "fence"}:
            raise ValueError("names no field to change")
        for name in (
            "title",
            "description",
            "priority",
            "project",
            "labels",
            "capabilities",
            "files",
            "depends_on",
            "awaits",
            "max_attempts",
            "review",
        ):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


class Delegate(CreateTask):
    """A child of the task, made by its holder under `fence` or by an operator.

    The task waits for it from then on. Its claim goes on, and it is blocked only once it is given back; or, with
    `wait`, at once.
    """

    fence: Fence | None = None
    wait: bool = False


def _states(text: Any) -> Any:
    if isinstance(text, str):
        return tuple(dict.fromkeys(part for part in text.split(",") if part))
    return text


_FILTER = (
    "Terms that must all hold, such as `state:ready prio>=70 -label:nightly invoice`; `|` means either, `( )` groups, "
    "a comma between values any of them. Fields: " + ", ".join(f"`{name}`" for name in FIELDS) + ". Flags: "
    + ", ".join(f"`{name}:{flag}`" for name, flags in FLAGS.items() for flag in flags)
)  # fmt: skip


_SORT = rf"^-?({'|'.join(sort for sort in SORTS if sort[0] != '-')})(,-?({'|'.join(sorted(SECOND))}))?$"


def _sort(text: str) -> str:
    keys_of(text)
    return text


class TaskQuery(Query):
    """Which tasks: `state` may list several; `q` is a filter such as `prio>=70 -label:nightly invoice`.

    By `due`, `lease`, `holder` and `attempt` only tasks are listed that have a date and have not ended, a lease that
    ends, a holder, a second attempt. With a dash a list is turned round. A second order behind a comma (`prio,-number`)
    sorts what is alike by the first.
    """

    state: Annotated[tuple[State, ...], BeforeValidator(_states, json_schema_input_type=str)] = Field(
        default_factory=tuple
    )
    project: str | None = None
    label: str | None = None
    assignee: str | None = None
    worker: str | None = None
    parent: str | None = None
    run: str | None = None
    concerning: str | None = None
    q: Annotated[str, Field(max_length=MAX_LENGTH, description=_FILTER), AfterValidator(no_nul)] = ""
    overdue: bool | None = None
    due_after: Moment | None = None
    due_before: Moment | None = None
    sort: Annotated[str, Field(json_schema_extra={"pattern": _SORT}), AfterValidator(_sort)] = "-number"
    cursor: str | None = None
    limit: Limit = 50
    view: Literal["full", "summary"] = "full"


class DuplicateQuery(Query):
    """Tasks that have not ended and whose title is like `title`; `threshold` 1 means the same words."""

    title: Title
    project: str | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.6
    limit: Annotated[int, Field(ge=1, le=20)] = 5


class OneTaskQuery(Query):
    """A live `fence` renews the lease."""

    fence: Fence | None = None


class ChainQuery(Query):
    """How many tasks of the chain to show, beginning after so many."""

    limit: Limit = 100
    after: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class AssignmentQuery(Query):
    """Entries behind the event of a number; without one, from the beginning."""

    after: Seq = 0
    limit: EventLimit = 100


class DeleteQuery(Query):
    """With `detach` children stay without it, and what depends on it does so no longer."""

    detach: bool = False


class ExplainQuery(Query):
    """For which worker; without one, for the caller under its own name."""

    worker: WorkerId | None = None


class TaskEventQuery(Query):
    """Events of one task after or before a number; with neither, from the beginning."""

    after: Seq | None = None
    before: Seq | None = None
    limit: EventLimit = 100
