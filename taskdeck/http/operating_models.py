"""What operators may say to step in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from taskdeck.domain.task import Verdict
from taskdeck.domain.turns import AtEnd
from taskdeck.http.gate_models import ShowGates
from taskdeck.http.models import Body, Delay, Fence, LeaseSeconds, Name, Note, Priority, Reason, WorkerId, no_nul
from taskdeck.http.task_models import Turns


class Answer(Body):
    """What the holder asked for. With `fence`, only if that is still the claim that asked."""

    answer: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(no_nul)]
    fence: Fence | None = None


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

    note: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(no_nul)]
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
