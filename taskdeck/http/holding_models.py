"""What holders may say: to claim, to go on and to end a claim."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from taskdeck.domain.task import MAX_BATCH_CLAIM, MAX_WAIT_S, WorkState
from taskdeck.http.gate_models import ShowGates
from taskdeck.http.models import (
    Body,
    Delay,
    Document,
    Fence,
    LeaseSeconds,
    Line,
    Names,
    Note,
    ProjectName,
    Query,
    Reason,
    Ref,
    SessionKey,
    WorkerId,
    no_nul,
)

Question = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(no_nul)]
Option = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(no_nul)]


class Override(Body):
    """Why a claim is taken that another has or was to have."""

    reason: Reason


class Wish(Body):
    """A wish for work: the best `max_tasks` that the filters admit.

    `labels`: the task has all of them. `capabilities`: what the worker can do, by default what it registered
    with. `session`: an open session of the worker, kept with the claim.
    """

    max_tasks: Annotated[int, Field(ge=1, le=MAX_BATCH_CLAIM)] = 1
    project: ProjectName | None = None
    labels: Names = frozenset()
    capabilities: Names | None = None
    lease_seconds: LeaseSeconds | None = None
    shown: ShowGates | None = None
    session: SessionKey | None = None


class Claim(Wish):
    """A worker's wish for work: `task` by name, or the best `max_tasks` that the filters admit.

    `labels`: the task has all of them. `capabilities`: what the worker can do, by default what it registered
    with. `wait_seconds` lets the claim wait for work to arrive. `on_behalf_of` are those it is claimed for: its
    assignee may be one of them in place of the worker, if an operator or the maker of a task for people says so.
    `session`: an open session of the worker, kept with the claim.
    """

    worker: WorkerId
    task: Ref | None = None
    wait_seconds: Annotated[float, Field(ge=0, le=MAX_WAIT_S)] = 0
    override: Override | None = None
    on_behalf_of: Names = frozenset()

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
    options: Annotated[list[Option], Field(max_length=20)] = Field(default_factory=list)
    renew: bool = True

    @model_validator(mode="after")
    def _asks_while_it_waits(self) -> Heartbeat:
        if self.question is not None and self.state is not WorkState.WAITING_INPUT:
            raise ValueError("a question goes with the state waiting_input")
        if self.options and self.question is None:
            raise ValueError("options go with a question")
        return self


class Release(Body):
    """The task given back, to be claimed again at once or after `delay_seconds`; `note` is for its next holder."""

    fence: Fence
    note: Note | None = None
    delay_seconds: Delay = 0


class Complete(Body):
    """The task done, with a result. `review` asks for one where the task leaves that to who completes it.

    A null `fence` is for who directs a task that nobody has begun. `next` claims what comes next for the same worker.
    """

    fence: Fence | None
    result: Document = None
    review: bool = False
    leave_children: bool = False
    shown: ShowGates | None = None
    next: Wish | None = None

    @model_validator(mode="after")
    def _next_is_for_who_held_it(self) -> Complete:
        if self.next is not None and self.fence is None:
            raise ValueError("next claims for the worker that held the task: give its `fence`")
        return self


class Fail(Body):
    """The attempt failed. `delay_seconds` overrules the project's backoff; `retry` false fails the task for good.

    `note` is for the task's next holder, `code` for programs that read the error. `next` claims what comes next for
    the same worker.
    """

    fence: Fence
    error: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(no_nul)]
    code: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    retry: bool = True
    delay_seconds: Delay | None = None
    note: Note | None = None
    next: Wish | None = None


class NextQuery(Query):
    """For which worker, without one for the caller under its own name; of one project, or of all it is let into."""

    worker: WorkerId | None = None
    project: ProjectName | None = None
