"""What requests may say: one model for each body and each query, refusing what it does not know."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from taskdeck.domain.clock import MAX_MS, from_rfc3339
from taskdeck.domain.principal import Role
from taskdeck.domain.project import OfflineClaims
from taskdeck.domain.refs import KEY, PREFIX, PROJECT
from taskdeck.domain.session import SessionStatus
from taskdeck.domain.states import State
from taskdeck.domain.task import (
    DEFAULT_PRIORITY,
    MAX_ATTEMPTS_LIMIT,
    MAX_BATCH_CLAIM,
    MAX_BATCH_CREATE,
    MAX_LEASE_S,
    MAX_PRIORITY,
    MAX_WAIT_S,
    MIN_LEASE_S,
    WorkState,
)
from taskdeck.domain.worker import Kind, WorkerState

MAX_DOCUMENT = 256 * 1024
"""Bytes of a payload, metadata or result."""
MAX_LIMIT = 1_000_000
YEAR_S = 366 * 24 * 3600


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character is not text")
    return text


def _no_controls(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control or invisible characters are not allowed here")
    if text != text.strip():
        raise ValueError("must not begin or end with a space")
    return text


def _no_slash(text: str) -> str:
    if "/" in text:
        raise ValueError("a worker's id stands in paths and has no slash")
    return text


def _milliseconds(text: Any) -> Any:
    if not isinstance(text, str):
        raise ValueError("a time is text, such as 2026-11-20T14:02:31Z")  # noqa: TRY004  (pydantic wants ValueError)
    try:
        ms = from_rfc3339(text)
    except ValueError:
        raise ValueError("not an RFC 3339 time with an offset, such as 2026-11-20T14:02:31Z") from None
    if not 0 <= ms <= MAX_MS:
        raise ValueError("a time lies between the years 1970 and 9999")
    return ms


def _document(value: Any) -> str:
    try:
        text = orjson.dumps(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cannot be kept as JSON: {error}") from None
    if len(text) > MAX_DOCUMENT:
        raise ValueError(f"is {len(text)} bytes; the limit is {MAX_DOCUMENT}")
    return text.decode()


def _chosen_key(text: str) -> str:
    if not KEY.fullmatch(text):
        raise ValueError("a key begins with a letter and has up to 64 letters, digits, dots, dashes and underscores")
    return text


def _project(text: str) -> str:
    if not PROJECT.fullmatch(text):
        raise ValueError("a project's name has up to 64 small letters, digits, dots, dashes and underscores")
    return text


def _prefix(text: str) -> str:
    if not PREFIX.fullmatch(text):
        raise ValueError("a prefix has up to 8 capital letters and digits and begins with a letter")
    return text


def _path(text: str) -> str:
    """The one way to write a path, so that those who name the same file say the same."""
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or ".." in parts or not parts or not text.isprintable():
        raise ValueError("a file is named by its path from the root of the project, such as src/app.py")
    return "/".join(parts)


def _each_once(paths: list[str]) -> list[str]:
    return list(dict.fromkeys(paths))


Text = Annotated[str, AfterValidator(_no_nul)]
Title = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_no_nul)]
Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_no_controls)]
WorkerId = Annotated[Name, AfterValidator(_no_slash)]
Names = Annotated[frozenset[Name], Field(max_length=32)]
Ref = Annotated[str, Field(min_length=1, max_length=64)]
Moment = Annotated[int, BeforeValidator(_milliseconds, json_schema_input_type=str)]
Document = Annotated[Any, AfterValidator(_document)]
Priority = Annotated[int, Field(ge=0, le=MAX_PRIORITY)]
Attempts = Annotated[int, Field(ge=1, le=MAX_ATTEMPTS_LIMIT)]
Fence = Annotated[int, Field(ge=0, le=2**53)]
LeaseSeconds = Annotated[float, Field(ge=MIN_LEASE_S, le=MAX_LEASE_S)]
Delay = Annotated[float, Field(ge=0, le=YEAR_S)]
Reason = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_no_nul)]
Note = Annotated[str, Field(max_length=10_000), AfterValidator(_no_nul)]
FilePath = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_path)]
Files = Annotated[list[FilePath], Field(max_length=100), AfterValidator(_each_once)]
Question = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_no_nul)]
Option = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul)]
Description = Annotated[str, Field(max_length=100_000), AfterValidator(_no_nul)]
SessionKey = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_no_controls)]
ProjectName = Annotated[str, AfterValidator(_project)]


class Body(BaseModel):
    """A request's body. Unknown fields are refused by name; nothing is converted from another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Override(Body):
    """Why a claim is taken that another has or was to have."""

    reason: Reason


class CreateTask(Body):
    """A new task. Priority 100 is claimed first; `key` is a short human name, given by the project if left out."""

    title: Title
    project: ProjectName = "default"
    description: Description = ""
    priority: Priority = DEFAULT_PRIORITY
    labels: Names = frozenset()
    capabilities: Names = frozenset()
    payload: Document = "{}"
    metadata: Document = "{}"
    files: Files = []
    assignee: Name | None = None
    depends_on: Annotated[list[Ref], Field(max_length=100)] = []
    not_before: Moment | None = None
    due: Moment | None = None
    max_attempts: Attempts | None = None
    key: Annotated[str, AfterValidator(_chosen_key)] | None = None


class CreateTasks(Body):
    """Up to 1,000 new tasks, made all or none; later ones may depend on earlier ones by key."""

    tasks: Annotated[list[CreateTask], Field(min_length=1, max_length=MAX_BATCH_CREATE)]


class EditTask(Body):
    """Fields to change. `version` refuses the change if the task is at another; `fence` is for its holder."""

    title: Title | None = None
    description: Description | None = None
    priority: Priority | None = None
    labels: Names | None = None
    capabilities: Names | None = None
    payload: Document = None
    metadata: Document = None
    files: Files | None = None
    depends_on: Annotated[list[Ref], Field(max_length=100)] | None = None
    not_before: Moment | None = None
    due: Moment | None = None
    max_attempts: Attempts | None = None
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
            "labels",
            "capabilities",
            "files",
            "depends_on",
            "max_attempts",
        ):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


class Claim(Body):
    """A wish for work: `task` by name, or the best `max_tasks` that the filters admit.

    `labels`: the task has all of them. `capabilities`: what the worker can do, by default what it registered
    with. `wait_seconds` lets the claim wait for work to arrive. `session`: an open session of the worker, kept with
    the claim.
    """

    worker: WorkerId
    task: Ref | None = None
    max_tasks: Annotated[int, Field(ge=1, le=MAX_BATCH_CLAIM)] = 1
    project: ProjectName | None = None
    labels: Names = frozenset()
    capabilities: Names | None = None
    lease_seconds: LeaseSeconds | None = None
    wait_seconds: Annotated[float, Field(ge=0, le=MAX_WAIT_S)] = 0
    override: Override | None = None
    session: SessionKey | None = None

    @model_validator(mode="after")
    def _override_names_a_task(self) -> Claim:
        if self.override is not None and self.task is None:
            raise ValueError("override is for a named task: give `task`")
        return self


class Heartbeat(Body):
    """A sign of life under a fence, with what the holder likes to report. `progress` is in percent.

    With `state` waiting_input it may ask a `question`, and offer `options` to choose from.
    """

    fence: Fence
    progress: Annotated[int, Field(ge=0, le=100)] | None = None
    state: WorkState | None = None
    detail: Note | None = None
    lease_seconds: LeaseSeconds | None = None
    question: Question | None = None
    options: Annotated[list[Option], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _asks_while_it_waits(self) -> Heartbeat:
        if self.question is not None and self.state is not WorkState.WAITING_INPUT:
            raise ValueError("a question goes with the state waiting_input")
        if self.options and self.question is None:
            raise ValueError("options go with a question")
        return self


class Answer(Body):
    """What the holder asked for. With `fence`, only if that is still the claim that asked."""

    answer: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_no_nul)]
    fence: Fence | None = None


class Release(Body):
    """The task given back, to be claimed again at once or after `delay_seconds`."""

    fence: Fence
    note: Note | None = None
    delay_seconds: Delay = 0


class Complete(Body):
    """The task done, with a result."""

    fence: Fence
    result: Document = None


class Fail(Body):
    """The attempt failed. `delay_seconds` overrules the project's backoff; `retry` false fails the task for good."""

    fence: Fence
    error: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_no_nul)]
    retry: bool = True
    delay_seconds: Delay | None = None


class Retry(Body):
    """Back to work. Attempts begin anew unless `reset_attempts` is false."""

    delay_seconds: Delay = 0
    reset_attempts: bool = True


class Cancel(Body):
    """Not wanted any more."""

    reason: Reason | None = None


class Assign(Body):
    """Who alone may claim it: a worker, principal or group; null for anyone."""

    assignee: Name | None


class Reprioritize(Body):
    """100 is claimed first."""

    priority: Priority


class OverrideTask(Body):
    """Exactly one of `worker` (the claim passes to it), `assignee` (it alone may have it), `release` (to the queue)."""

    reason: Reason
    worker: WorkerId | None = None
    assignee: Name | None = None
    release: Literal[True] | None = None
    lease_seconds: LeaseSeconds | None = None

    @model_validator(mode="after")
    def _one_target(self) -> OverrideTask:
        if sum(target is not None for target in (self.worker, self.assignee, self.release)) != 1:
            raise ValueError("name exactly one of worker, assignee and release")
        if self.lease_seconds is not None and self.worker is None:
            raise ValueError("lease_seconds goes with worker")
        return self


class RegisterWorker(Body):
    """A worker, or what has changed about it. Silent for two `heartbeat_seconds`, it counts as offline.

    `roles` are free words for what it offers; `capabilities` decide what it is given. `instance` names the process: a
    new one each time the worker's program starts, so that a restart is told apart. `client` is what the program is.
    """

    id: WorkerId
    kind: Kind | None = None
    capabilities: Names | None = None
    heartbeat_seconds: Annotated[float, Field(ge=1, le=MAX_LEASE_S)] | None = None
    roles: Names | None = None
    instance: Name | None = None
    client: Name | None = None


class WorkerHeartbeat(Body):
    """A worker's sign of life. It renews no lease."""

    state: WorkerState | None = None
    detail: Note | None = None


class RecordSession(Body):
    """What a worker is at, under a name of its own. `status` active opens it; any other ends it."""

    session: SessionKey
    status: SessionStatus | None = None
    client: Name | None = None
    task: Ref | None = None
    metadata: Document = "{}"


class Drain(Body):
    """Give the worker no more work; with false, give it work again."""

    draining: bool = True


class ProjectSettings(Body):
    """Defaults of a project, each left as it is if left out."""

    description: Annotated[str, Field(max_length=1_000), AfterValidator(_no_nul)] | None = None
    lease_seconds: LeaseSeconds | None = None
    max_attempts: Attempts | None = None
    backoff_seconds: Annotated[float, Field(ge=0, le=MAX_LEASE_S)] | None = None
    backoff_cap_seconds: Annotated[float, Field(ge=0, le=MAX_LEASE_S)] | None = None
    offline_claims: OfflineClaims | None = None
    max_claims: Annotated[int, Field(ge=0, le=MAX_LIMIT)] | None = None
    max_claims_per_worker: Annotated[int, Field(ge=0, le=MAX_LIMIT)] | None = None
    max_claims_per_label: (
        Annotated[dict[Name, Annotated[int, Field(ge=1, le=MAX_LIMIT)]], Field(max_length=32)] | None
    ) = None
    exclusive_files: bool | None = None

    def fields(self) -> dict[str, Any]:
        """What is set, by the names and in the units of `domain.project.Project`."""
        spans = {
            "lease_seconds": "lease_ms",
            "backoff_seconds": "backoff_ms",
            "backoff_cap_seconds": "backoff_cap_ms",
        }
        values: dict[str, Any] = {}
        for name in ProjectSettings.model_fields:
            value = getattr(self, name)
            if value is not None:
                values[spans.get(name, name)] = round(value * 1000) if name in spans else value
        return values


class CreateProject(ProjectSettings):
    """A new project. `prefix` begins its tasks' keys."""

    name: ProjectName
    prefix: Annotated[str, AfterValidator(_prefix)] | None = None


class EditProject(ProjectSettings):
    """Defaults to change; `version` refuses the change if the project is at another."""

    version: int | None = None


class Pause(Body):
    """Why nothing is to be claimed from the project."""

    reason: Reason | None = None


class Nothing(Body):
    """A body without fields."""


class CreateToken(Body):
    """A token for a principal, who is made with these rights if new. `projects` null lets it into all."""

    principal: Name
    role: Role
    projects: Annotated[frozenset[ProjectName], Field(max_length=100)] | None = None
    capabilities: Names = frozenset()
    groups: Names = frozenset()
    expires_in_seconds: Annotated[float, Field(ge=1, le=timedelta(days=3650).total_seconds())] | None = None


class Query(BaseModel):
    """What may stand behind the question mark. Numbers are written as text there."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _states(text: Any) -> Any:
    if isinstance(text, str):
        return tuple(dict.fromkeys(part for part in text.split(",") if part))
    return text


Limit = Annotated[int, Field(ge=1, le=200)]
EventLimit = Annotated[int, Field(ge=1, le=1_000)]
Seq = Annotated[int, Field(ge=0, le=2**62)]


class TaskQuery(Query):
    """Which tasks: `state` may list several; every word of `q` must be in key, title, description or labels."""

    state: Annotated[tuple[State, ...], BeforeValidator(_states, json_schema_input_type=str)] = Field(
        default_factory=tuple
    )
    project: str | None = None
    label: str | None = None
    assignee: str | None = None
    worker: str | None = None
    q: Annotated[str, Field(max_length=200)] = ""
    sort: Literal["number", "-number", "priority"] = "-number"
    cursor: str | None = None
    limit: Limit = 50
    view: Literal["full", "summary"] = "full"


class OneTaskQuery(Query):
    """A live `fence` renews the lease."""

    fence: Fence | None = None


class ExplainQuery(Query):
    """For which worker; without one, for the caller under its own name."""

    worker: WorkerId | None = None


class LeaseQuery(Query):
    cursor: str | None = None
    limit: Limit = 100


class SessionQuery(Query):
    """With `open` true, those that have not ended."""

    open: bool = False
    cursor: str | None = None
    limit: Limit = 50


class AttentionQuery(Query):
    """Of one project, or of all the caller may see."""

    project: str | None = None
    limit: Limit = 50


class EventQuery(Query):
    """Events after or before a number; with neither, from the beginning."""

    after: Seq | None = None
    before: Seq | None = None
    limit: EventLimit = 100
    type: str | None = None
    project: str | None = None


class TaskEventQuery(Query):
    """Events of one task after or before a number; with neither, from the beginning."""

    after: Seq | None = None
    before: Seq | None = None
    limit: EventLimit = 100


class StreamQuery(Query):
    """Where to begin if no `Last-Event-ID` says it: after this event, or at the present."""

    after: Seq | None = None


class NoQuery(Query):
    """Nothing behind the question mark."""
