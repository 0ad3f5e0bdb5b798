"""What requests may say: one model for each body and each query, refusing what it does not know."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from taskdeck.domain.clock import MAX_MS, from_rfc3339
from taskdeck.domain.forms import MAX_SCHEMA, MAX_VERSIONS
from taskdeck.domain.gates import DEFAULT_HOOK_S, MAX_GATES, Before, Evidence, EvidenceKind, HookResult, Shown
from taskdeck.domain.principal import Role
from taskdeck.domain.project import DAY_MS, MAX_KEEP_DAYS, OfflineClaims
from taskdeck.domain.query import MAX_LENGTH
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
    Review,
    Verdict,
    WorkState,
)
from taskdeck.domain.task import Kind as TaskKind
from taskdeck.domain.turns import MAX_TURNS, AtEnd, turns_text
from taskdeck.domain.via import DIALECTS
from taskdeck.domain.worker import Kind, WorkerState
from taskdeck.service.extra import MAX_EXTRA_BYTES
from taskdeck.service.passes import DEFAULT_LIFE_S, MAX_LIFE_S

MAX_EVIDENCE = 20
MAX_DOCUMENT = 256 * 1024
"""Bytes of a payload, metadata or result."""
MAX_LIMIT = 1_000_000
YEAR_S = 366 * 24 * 3600


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character is not text")
    return text


def no_controls(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control or invisible characters are not allowed here")
    if text != text.strip():
        raise ValueError("must not begin or end with a space")
    return text


def _no_slash(text: str) -> str:
    if "/" in text:
        raise ValueError("it stands in paths and has no slash")
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


def _schema(value: Any) -> str:
    if not isinstance(value, dict):
        raise ValueError("must be an object")  # noqa: TRY004  (pydantic wants ValueError)
    text = _document(value)
    if len(text.encode()) > MAX_SCHEMA:
        raise ValueError(f"is larger than the limit of {MAX_SCHEMA} bytes")
    return text


def _small(values: dict[str, Any]) -> dict[str, Any]:
    _document(values)
    return values


def _secret(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a secret has printable ASCII characters and no spaces")
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
Line = Annotated[str, AfterValidator(no_controls)]
Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(no_controls)]
WorkerId = Annotated[Name, AfterValidator(_no_slash)]
Names = Annotated[frozenset[Name], Field(max_length=32)]
Ref = Annotated[str, Field(min_length=1, max_length=64)]
Moment = Annotated[int, BeforeValidator(_milliseconds, json_schema_input_type=str)]
Document = Annotated[Any, AfterValidator(_document)]
Schema = Annotated[Any, AfterValidator(_schema)]
Key = Annotated[str, AfterValidator(_chosen_key)]
FormName = Annotated[Name, AfterValidator(_no_slash)]
Priority = Annotated[int, Field(ge=0, le=MAX_PRIORITY)]
Attempts = Annotated[int, Field(ge=1, le=MAX_ATTEMPTS_LIMIT)]
Fence = Annotated[int, Field(ge=0, le=2**53)]
LeaseSeconds = Annotated[float, Field(ge=MIN_LEASE_S, le=MAX_LEASE_S)]
Delay = Annotated[float, Field(ge=0, le=YEAR_S)]
Days = Annotated[float, Field(ge=0, le=MAX_KEEP_DAYS)]
Reason = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_no_nul)]
Note = Annotated[str, Field(max_length=10_000), AfterValidator(_no_nul)]
FilePath = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_path)]
Files = Annotated[list[FilePath], Field(max_length=100), AfterValidator(_each_once)]
Question = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_no_nul)]
Option = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul)]
Description = Annotated[str, Field(max_length=100_000), AfterValidator(_no_nul)]
SessionKey = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(no_controls)]
ProjectName = Annotated[str, AfterValidator(_project)]


class Body(BaseModel):
    """A request's body. Unknown fields are refused by name; nothing is converted from another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Override(Body):
    """Why a claim is taken that another has or was to have."""

    reason: Reason


class HookGate(Body):
    """A hook to be run before the verb, and its result shown; one that does not block is only asked for."""

    before: Before
    hook: Name
    timeout_seconds: Annotated[float, Field(ge=1, le=MAX_LEASE_S)] = DEFAULT_HOOK_S
    blocking: bool = True


class EvidenceGate(Body):
    """Evidence to be given before the verb: at least so many pieces of these kinds."""

    before: Before
    evidence: Annotated[frozenset[EvidenceKind], Field(min_length=1)]
    least: Annotated[int, Field(ge=1, le=MAX_EVIDENCE)] = 1


def _kind_of_gate(gate: Any) -> str:
    asks = gate if isinstance(gate, dict) else gate.__dict__ if isinstance(gate, Body) else {}
    return "hook" if "hook" in asks else "evidence"


Gate = Annotated[
    Annotated[HookGate, Tag("hook")] | Annotated[EvidenceGate, Tag("evidence")], Discriminator(_kind_of_gate)
]


def _gates(gates: list[HookGate | EvidenceGate] | None) -> Any:
    if gates is None:
        return None
    documents = [gate.model_dump(mode="json") for gate in gates]
    for document in documents:
        if "evidence" in document:
            document["evidence"].sort()
    return orjson.dumps(documents).decode() if documents else None


Gates = Annotated[Annotated[list[Gate], Field(max_length=MAX_GATES)] | None, AfterValidator(_gates)]
"""In the service's form: JSON text, or None for no gates."""


class HookRun(Body):
    """How a hook ended."""

    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**32)]
    output: Note
    duration_ms: Annotated[int, Field(ge=0, le=2**53)]


class EvidenceItem(Body):
    """A pointer to what shows that the work was done."""

    kind: EvidenceKind
    ref: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_no_nul)]
    summary: Annotated[str, Field(max_length=500), AfterValidator(_no_nul)] | None = None


class ShowGates(Body):
    """What is shown to the gates before a verb: results of hooks by name, and evidence."""

    hooks: Annotated[dict[Name, HookRun], Field(max_length=MAX_GATES)] = {}
    evidence: Annotated[list[EvidenceItem], Field(max_length=MAX_EVIDENCE)] = []

    def service(self) -> Shown:
        """In the service's form."""
        return Shown(
            {name: HookResult(run.exit_code, run.output, run.duration_ms) for name, run in self.hooks.items()},
            tuple(Evidence(item.kind, item.ref, item.summary) for item in self.evidence),
        )


def shown(asked: ShowGates | None) -> Shown | None:
    """What a request shows, in the service's form."""
    return None if asked is None else asked.service()


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


class FormRef(Body):
    """A form by name; its newest version if none is named."""

    name: FormName
    version: Annotated[int, Field(ge=1, le=MAX_VERSIONS)] | None = None


class SaveForm(FormRef):
    """A form: a JSON Schema of draft 7, and how it is laid out. Without `version` it becomes the next one."""

    schema_: Schema = Field(alias="schema")
    layout: Schema = "{}"


class FormTags(Body):
    """What a form is filed under; a null value takes the key away."""

    tags: Annotated[
        dict[Name, Annotated[str, Field(max_length=500), AfterValidator(_no_nul)] | None],
        Field(min_length=1, max_length=100),
    ]


class Fill(Body):
    """Fields of the task's form or of its result, put over what was filled in before.

    A null `fence` is for who directs a task that nobody has begun.
    """

    fence: Fence | None
    values: Annotated[dict[str, Any], Field(min_length=1, max_length=1_000), AfterValidator(_small)]


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
    approves a completion that nobody has judged for so long. With `backlog` it is offered to nobody until it is
    promoted. While a task of the project under the same `unique_key` has not ended, `if_exists` says whether it is
    returned or the wish refused. `run` names the run of work outside that it belongs to;
    `extra` has, by dialect, fields that only that dialect knows.
    """

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
    key: Key | None = None
    series: Annotated[str, AfterValidator(_prefix)] | None = None
    awaits: Annotated[list[Key], Field(max_length=100)] = []
    backlog: bool = False
    review: Review | None = None
    approve_after_seconds: Delay | None = None
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


class Claim(Body):
    """A wish for work: `task` by name, or the best `max_tasks` that the filters admit.

    `labels`: the task has all of them. `capabilities`: what the worker can do, by default what it registered
    with. `wait_seconds` lets the claim wait for work to arrive. `on_behalf_of` are those it is claimed for: its
    assignee may be one of them in place of the worker, if an operator or the maker of a task for people says so.
    `session`: an open session of the worker, kept with the claim.
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
    on_behalf_of: Names = frozenset()
    shown: ShowGates | None = None
    session: SessionKey | None = None

    @model_validator(mode="after")
    def _override_names_a_task(self) -> Claim:
        for name in ("override", "on_behalf_of"):
            if getattr(self, name) and self.task is None:
                raise ValueError(f"{name} is for a named task: give `task`")
        return self


class Heartbeat(Body):
    """A sign of life under a fence, with what the holder likes to report. `progress` is in percent.

    With `renew` false it only reports, and the lease stays as it is.
    With `state` waiting_input it may ask a `question`, and offer `options` to choose from.
    """

    fence: Fence
    progress: Annotated[int, Field(ge=0, le=100)] | None = None
    state: WorkState | None = None
    detail: Note | None = None
    lease_seconds: LeaseSeconds | None = None
    question: Question | None = None
    options: Annotated[list[Option], Field(max_length=20)] = []
    renew: bool = True

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
    """The task given back, to be claimed again at once or after `delay_seconds`; `note` is for its next holder."""

    fence: Fence
    note: Note | None = None
    delay_seconds: Delay = 0


class Complete(Body):
    """The task done, with a result. `review` asks for one where the task leaves that to who completes it.

    A null `fence` is for who directs a task that nobody has begun.
    """

    fence: Fence | None
    result: Document = None
    review: bool = False
    leave_children: bool = False
    shown: ShowGates | None = None


class Delegate(CreateTask):
    """A child of the task, made by its holder under `fence` or by an operator.

    The task waits for it from then on. Its claim goes on, and it is blocked only once it is given back; or, with
    `wait`, at once.
    """

    fence: Fence | None = None
    wait: bool = False


class Promote(Body):
    """Out of the backlog into the queue; with `children`, all of its own that are there too."""

    reason: Reason | None = None
    children: bool = False


class Shelve(Body):
    """Out of the queue into the backlog."""

    reason: Reason | None = None


class Approve(Body):
    """What was completed is accepted."""

    note: Note | None = None
    shown: ShowGates | None = None


class Reject(Body):
    """What was completed is not accepted: `note` says what is wrong, `to` who is to mend it."""

    note: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_no_nul)]
    to: Literal["queue", "worker"] = "queue"


class Judge(Body):
    """What the review of a completion comes to; `note` says why, which all but an approval need."""

    verdict: Verdict
    note: Note | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Judge:
        if self.verdict is not Verdict.APPROVED and not self.note:
            raise ValueError("say in `note` what is wrong")
        return self


class Heed(Body):
    """What is shown before the verdict is followed; how long the claim lasts, if it comes to one."""

    shown: ShowGates | None = None
    lease_seconds: LeaseSeconds | None = None


class Fail(Body):
    """The attempt failed. `delay_seconds` overrules the project's backoff; `retry` false fails the task for good.

    `note` is for the task's next holder, `code` for programs that read the error.
    """

    fence: Fence
    error: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_no_nul)]
    code: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    retry: bool = True
    delay_seconds: Delay | None = None
    note: Note | None = None


class Retry(Body):
    """Back to work. Attempts begin anew unless `reset_attempts` is false."""

    delay_seconds: Delay = 0
    reset_attempts: bool = True


class Cancel(Body):
    """Not wanted any more; with `children`, nor is what was delegated from it. Its holder gives its `fence`."""

    fence: Fence | None = None
    reason: Reason | None = None
    children: bool = False


class Assign(Body):
    """Who alone may claim it: `assignee`, a worker, principal or group, or null for anyone; or `assignees` in turn."""

    assignee: Name | None = None
    assignees: Turns = None
    at_end: AtEnd = AtEnd.OPEN

    @model_validator(mode="after")
    def _says_whom(self) -> Assign:
        if ("assignee" in self.model_fields_set) == ("assignees" in self.model_fields_set):
            raise ValueError("name either `assignee` or `assignees`")
        if "assignees" in self.model_fields_set and self.assignees is None:
            raise ValueError("assignees cannot be null; `assignee` can")
        return self


class Skip(Body):
    """On to the next assignee."""

    reason: Reason | None = None


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
    `label` is what people call it.
    """

    id: WorkerId
    label: Annotated[Line, Field(min_length=1, max_length=128)] | None = None
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
    review: Review | None = None
    gates: Gates = None
    keep_done_days: Days | None = None
    keep_failed_days: Days | None = None
    keep_cancelled_days: Days | None = None
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
            "lease_seconds": ("lease_ms", 1_000),
            "backoff_seconds": ("backoff_ms", 1_000),
            "backoff_cap_seconds": ("backoff_cap_ms", 1_000),
            "keep_done_days": ("keep_done_ms", DAY_MS),
            "keep_failed_days": ("keep_failed_ms", DAY_MS),
            "keep_cancelled_days": ("keep_cancelled_ms", DAY_MS),
        }
        values: dict[str, Any] = {}
        for name in ProjectSettings.model_fields:
            value = getattr(self, name)
            if value is not None and name in spans:
                field, unit = spans[name]
                values[field] = round(value * unit)
            elif value is not None:
                values[name] = value
        if "gates" in self.model_fields_set:
            values["gates"] = self.gates
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


class CreatePass(Body):
    """For how long a pass is to hold."""

    life_seconds: Annotated[int, Field(ge=1, le=MAX_LIFE_S)] = DEFAULT_LIFE_S


class CreateToken(Body):
    """A token for a principal, who is made with these rights if new. `projects` null lets it into all.

    `secret` takes over one that clients have from elsewhere.
    """

    principal: Name
    role: Role
    projects: Annotated[frozenset[ProjectName], Field(max_length=100)] | None = None
    capabilities: Names = frozenset()
    groups: Names = frozenset()
    expires_in_seconds: Annotated[float, Field(ge=1, le=timedelta(days=3650).total_seconds())] | None = None
    secret: Annotated[str, Field(min_length=32, max_length=255), AfterValidator(_secret)] | None = None


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
    """Which tasks: `state` may list several; `q` is a filter such as `prio>=70 -label:nightly invoice`.

    `sort=due` lists those that have a due date and have not ended, soonest due first.
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
    q: Annotated[str, Field(max_length=MAX_LENGTH), AfterValidator(_no_nul)] = ""
    overdue: bool | None = None
    due_after: Moment | None = None
    due_before: Moment | None = None
    sort: Literal["number", "-number", "priority", "due"] = "-number"
    cursor: str | None = None
    limit: Limit = 50
    view: Literal["full", "summary"] = "full"


class DuplicateQuery(Query):
    """Tasks that have not ended and whose title is like `title`; `threshold` 1 means the same words."""

    title: Title
    project: str | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.6
    limit: Annotated[int, Field(ge=1, le=20)] = 5


class StatsQuery(Query):
    """With `hour`, how each project has done in the last 60 minutes."""

    hour: bool = False


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


class FormQuery(Query):
    """All versions of the form `name`; without it all forms whose name comes behind `after`."""

    name: FormName | None = None
    after: Annotated[str, Field(max_length=128)] = ""
    limit: Limit = 50


class GatesQuery(Query):
    """Whose environment to show; without one, the caller's under its own name."""

    worker: WorkerId | None = None


class NextQuery(Query):
    """For which worker, without one for the caller under its own name; of one project, or of all it is let into."""

    worker: WorkerId | None = None
    project: ProjectName | None = None


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
