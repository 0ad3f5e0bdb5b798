"""The states of a task and the one table of transitions between them."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a task is in its life."""

    BACKLOG = "backlog"
    BLOCKED = "blocked"
    SCHEDULED = "scheduled"
    READY = "ready"
    CLAIMED = "claimed"
    REVIEW = "review"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Verb(StrEnum):
    """What can happen to a task. The last six are done by time or by another task, the rest by a caller."""

    CREATE = "create"
    EDIT = "edit"
    PROMOTE = "promote"
    SHELVE = "shelve"
    CLAIM = "claim"
    HEARTBEAT = "heartbeat"
    ANSWER = "answer"
    FILL = "fill"
    LOG = "log"
    RELEASE = "release"
    COMPLETE = "complete"
    APPROVE = "approve"
    REJECT = "reject"
    JUDGE = "judge"
    HEED = "heed"
    FAIL = "fail"
    RETRY = "retry"
    CANCEL = "cancel"
    ASSIGN = "assign"
    DELEGATE = "delegate"
    SKIP = "skip"
    OVERRIDE = "override"
    REPRIORITIZE = "reprioritize"
    DELETE = "delete"
    LAPSE = "lapse"
    DUE = "due"
    UNBLOCK = "unblock"
    OVERDUE = "overdue"
    FINISH = "finish"
    PASS = "pass"  # noqa: S105  (to the next assignee)


EVENT_OF: dict[Verb, str] = {
    Verb.CREATE: "task.created",
    Verb.EDIT: "task.edited",
    Verb.PROMOTE: "task.promoted",
    Verb.SHELVE: "task.shelved",
    Verb.CLAIM: "task.claimed",
    Verb.HEARTBEAT: "task.heartbeat",
    Verb.ANSWER: "task.answered",
    Verb.FILL: "task.filled",
    Verb.LOG: "task.logged",
    Verb.RELEASE: "task.released",
    Verb.COMPLETE: "task.completed",
    Verb.APPROVE: "task.approved",
    Verb.REJECT: "task.rejected",
    Verb.JUDGE: "task.judged",
    Verb.HEED: "task.heeded",
    Verb.FAIL: "task.failed",
    Verb.RETRY: "task.retried",
    Verb.CANCEL: "task.cancelled",
    Verb.ASSIGN: "task.assigned",
    Verb.DELEGATE: "task.delegated",
    Verb.SKIP: "task.skipped",
    Verb.OVERRIDE: "task.overridden",
    Verb.REPRIORITIZE: "task.reprioritized",
    Verb.DELETE: "task.deleted",
    Verb.LAPSE: "task.lapsed",
    Verb.DUE: "task.due",
    Verb.UNBLOCK: "task.unblocked",
    Verb.OVERDUE: "task.overdue",
    Verb.FINISH: "task.finished",
    Verb.PASS: "task.passed",
}
"""The event that each verb leaves."""

TERMINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED})
WAITING = frozenset({State.BLOCKED, State.SCHEDULED, State.READY})
"""States whose choice follows from dependencies and times alone."""
UNSTARTED = WAITING | {State.BACKLOG}
"""States in which the next thing to happen to a task is a claim."""
OPEN = frozenset(State) - TERMINAL

_READY_SOON = frozenset({State.READY, State.SCHEDULED})
_FINISHED = frozenset({State.DONE, State.REVIEW})


def _same(states: frozenset[State], *others: State) -> dict[State | None, frozenset[State]]:
    return {state: frozenset({state, *others}) for state in states}


TRANSITIONS: dict[Verb, dict[State | None, frozenset[State]]] = {
    Verb.CREATE: {None: WAITING | {State.BACKLOG}},
    Verb.EDIT: _same(frozenset(State)) | dict.fromkeys(WAITING, WAITING),
    Verb.PROMOTE: {State.BACKLOG: WAITING},
    Verb.SHELVE: dict.fromkeys(WAITING, frozenset({State.BACKLOG})),
    # a lapsed claim is taken over while its task is still `claimed`
    Verb.CLAIM: {State.READY: frozenset({State.CLAIMED}), State.CLAIMED: frozenset({State.CLAIMED})},
    Verb.HEARTBEAT: {State.CLAIMED: frozenset({State.CLAIMED})},
    Verb.ANSWER: {State.CLAIMED: frozenset({State.CLAIMED})},
    Verb.FILL: _same(UNSTARTED | {State.CLAIMED}),
    Verb.LOG: {State.CLAIMED: frozenset({State.CLAIMED})},
    Verb.RELEASE: {State.CLAIMED: WAITING},
    # a task that failed because its last lease lapsed may still be completed by that lease's holder
    Verb.COMPLETE: dict.fromkeys(UNSTARTED | {State.CLAIMED, State.FAILED}, _FINISHED),
    Verb.APPROVE: {State.REVIEW: frozenset({State.DONE})},
    Verb.REJECT: {State.REVIEW: frozenset({State.READY, State.CLAIMED, State.BLOCKED})},
    Verb.JUDGE: {State.REVIEW: frozenset({State.REVIEW})},
    Verb.HEED: {State.REVIEW: frozenset({State.DONE, State.CLAIMED})},
    Verb.FAIL: {State.CLAIMED: WAITING | {State.FAILED}},
    Verb.RETRY: dict.fromkeys(TERMINAL, WAITING),
    Verb.CANCEL: dict.fromkeys(OPEN, frozenset({State.CANCELLED})),
    Verb.ASSIGN: _same(OPEN),
    Verb.DELEGATE: _same(OPEN)
    | dict.fromkeys(WAITING, WAITING)
    | {State.CLAIMED: frozenset({State.CLAIMED, State.BLOCKED})},
    Verb.SKIP: _same(UNSTARTED, State.FAILED) | {State.CLAIMED: frozenset({State.READY, State.BLOCKED, State.FAILED})},
    Verb.OVERRIDE: _same(OPEN) | {State.CLAIMED: frozenset({State.CLAIMED, State.READY, State.BLOCKED})},
    Verb.REPRIORITIZE: _same(OPEN),
    Verb.DELETE: dict.fromkeys(frozenset(State) - {State.CLAIMED}, frozenset()),
    Verb.LAPSE: {State.CLAIMED: frozenset({State.CLAIMED, State.FAILED})},
    Verb.DUE: {State.SCHEDULED: frozenset({State.READY})},
    Verb.UNBLOCK: {State.BLOCKED: _READY_SOON},
    Verb.OVERDUE: _same(OPEN),
    Verb.FINISH: {State.BLOCKED: _FINISHED},
    Verb.PASS: {State.READY: frozenset({State.READY, State.FAILED})},
}
"""verb → state before → states it may lead to. Nothing else changes a state."""


def allows(verb: Verb, before: State | None, after: State) -> bool:
    """Whether `verb` may lead from `before` to `after`."""
    return after in TRANSITIONS[verb].get(before, frozenset())


def waiting_state(*, blocked: bool, not_before: int | None, now: int) -> State:
    """The state of a task that nobody holds and that has not ended."""
    if blocked:
        return State.BLOCKED
    if not_before is not None and not_before > now:
        return State.SCHEDULED
    return State.READY
