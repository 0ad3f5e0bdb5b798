"""Runs: which attempt at a task an id names, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from taskdeck.dialects.veryfront import errors
from taskdeck.dialects.veryfront.words import NAME, named
from taskdeck.domain.claims import Claim
from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State
from taskdeck.domain.task import Task, WorkState
from taskdeck.service.extra import extra_of
from taskdeck.store import tasks
from taskdeck.store.claims import claims_of
from taskdeck.store.unit import Unit

_CANONICAL = {"waiting_for_tool": "waiting"}
"""Statuses that have another name where the whole task is meant."""
_ENDS = {
    "completed": ("completed", None, None),
    "failed": ("failed", None, "The run failed"),
    "cancelled": ("cancelled", None, None),
    "lapsed": ("failed", "LEASE_EXPIRED", "The run's lease expired"),
    "released": ("cancelled", "RELEASED", "The run was taken back"),
    "overridden": ("cancelled", "RELEASED", "The run was taken back"),
}
"""How an attempt whose claim ended so looks: status, error code and message, where its end gives none."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a run stands: `asked` is its id as the caller knows it, `claim` the attempt, None before the first one.

    `is_whole` says that the task itself is meant.
    """

    asked: str
    task: Task
    claim: Claim | None
    status: str
    code: str | None = None
    message: str | None = None
    is_whole: bool = False

    @property
    def canonical_status(self) -> str:
        """Of the whole task what its worker has completed may wait still, for its review."""
        if self.is_whole and self.task.state is State.REVIEW:
            return "waiting"
        return _CANONICAL.get(self.status, self.status)

    @property
    def ended_at(self) -> int | None:
        return None if self.claim is None else self.claim.ended_at


def the_run(unit: Unit, who: Principal, text: str) -> tuple[Task, int | None]:
    """The task that the id `text` names, and the fence of the attempt; None if the task itself is meant.

    Raises:
        Problem: there is no such run.
    """
    ref, _, _ = named(text)
    return checked(tasks.find(unit, ref), who, text)


def checked(task: Task | None, who: Principal, text: str) -> tuple[Task, int | None]:
    """`task`, found for the run id `text`, if it is that run's and `who` may see it; and the fence of the attempt.

    Raises:
        Problem: it is not.
    """
    _, fence, public = named(text)
    if (
        task is None
        or not who.sees(task.bucket.project)
        or (fence is not None and not 1 <= fence <= task.fence)
        or (public is not None and extra_of(task, NAME).get("public_id") != public)
    ):
        raise errors.unknown("run", text)
    return task, fence


def is_live(task: Task, fence: int | None, now: int) -> bool:
    """Whether that attempt goes on: its lease is the task's newest and has not ended, whoever has noticed."""
    return (
        task.state is State.CLAIMED
        and task.fence == fence
        and not task.lapsed
        and (task.expires_at is None or now < task.expires_at)
    )


def live_claim(task: Task) -> Claim:
    """The claim of a claimed task."""
    return Claim(task.fence, task.worker or "", task.principal or "", task.via or "", task.claimed_at or 0)


def ended_claim(unit: Unit, task: Task, fence: int) -> Claim:
    """The claim under `fence`, which is over."""
    return _ended(task, fence, claims_of(unit, task.number))


def attempt(asked: str, task: Task, fence: int, claims: Sequence[Claim], now: int) -> Attempt:
    """How the attempt under `fence` stands, as its task and the task's past `claims` tell."""
    if is_live(task, fence, now):
        return Attempt(asked, task, live_claim(task), _at_work(task))
    return ended(asked, task, _ended(task, fence, claims))


def ended(asked: str, task: Task, claim: Claim) -> Attempt:
    """How an attempt stands whose claim is over."""
    status, code, message = _ENDS[claim.end or "released"]
    return Attempt(asked, task, claim, status, claim.code or code, claim.message or message)


def whole(asked: str, task: Task, claims: Sequence[Claim], now: int) -> Attempt:
    """How the task itself stands, as its last attempt tells."""
    if is_live(task, task.fence, now):
        return Attempt(asked, task, live_claim(task), _at_work(task))
    last = claims[-1] if claims else None
    if task.state in (State.FAILED, State.CANCELLED):
        error = orjson.loads(task.error or "{}")
        code = error.get("code") or ("LEASE_EXPIRED" if error.get("reason") == "lapsed" else None)
        return Attempt(asked, task, last, task.state.value, code, error.get("message") or None)
    if task.state in (State.DONE, State.REVIEW):
        return Attempt(asked, task, last, "completed", is_whole=True)
    return Attempt(asked, task, None, "pending")


def _at_work(task: Task) -> str:
    return "waiting_for_tool" if task.work_state is WorkState.WAITING_INPUT else "running"


def _ended(task: Task, fence: int, claims: Sequence[Claim]) -> Claim:
    claim = next((one for one in reversed(claims) if one.fence == fence), None)
    if claim is not None and claim.end is not None:
        return claim
    return _told_by_task(task, fence) or claim or Claim(fence, "", "", "", task.created_at, task.updated_at, "released")


def _told_by_task(task: Task, fence: int) -> Claim | None:
    """The claim under `fence` as the task alone tells of its end: its event is not written yet, or not kept."""
    if fence != task.fence:
        return None
    if task.state is State.CLAIMED:
        claim = live_claim(task)
        claim.end, claim.ended_at = "lapsed", task.expires_at
        return claim
    if task.state in (State.DONE, State.REVIEW) and task.completed_by is not None:
        signed = orjson.loads(task.completed_by)
        return _claim(fence, signed, "completed")
    error = orjson.loads(task.error or "{}")
    if error.get("fence") == fence and error.get("worker") is not None:
        return _claim(fence, error, error["reason"])
    return None


def _claim(fence: int, told: dict[str, str | None], end: str) -> Claim:
    at = from_rfc3339(told["at"] or "")
    end = end if end in _ENDS else "released"
    principal, message, code = told.get("principal") or "", told.get("message") or None, told.get("code")
    return Claim(fence, told["worker"] or "", principal, "", at, at, end, message, code)
