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
    """What can happen to a task. The last four are done by time or by another task, the rest by a caller."""

    CREATE = "create"
    EDIT = "edit"
    CLAIM = "claim"
    HEARTBEAT = "heartbeat"
    ANSWER = "answer"
    RELEASE = "release"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"
    CANCEL = "cancel"
    ASSIGN = "assign"
    OVERRIDE = "override"
    REPRIORITIZE = "reprioritize"
    DELETE = "delete"
    LAPSE = "lapse"
    DUE = "due"
    UNBLOCK = "unblock"


EVENT_OF: dict[Verb, str] = {
    Verb.CREATE: "task.created",
    Verb.EDIT: "task.edited",
    Verb.CLAIM: "task.claimed",
    Verb.HEARTBEAT: "task.heartbeat",
    Verb.ANSWER: "task.answered",
    Verb.RELEASE: "task.released",
    Verb.COMPLETE: "task.completed",
    Verb.FAIL: "task.failed",
    Verb.RETRY: "task.retried",
    Verb.CANCEL: "task.cancelled",
    Verb.ASSIGN: "task.assigned",
    Verb.OVERRIDE: "task.overridden",
    Verb.REPRIORITIZE: "task.reprioritized",
    Verb.DELETE: "task.deleted",
    Verb.LAPSE: "task.lapsed",
    Verb.DUE: "task.due",
    Verb.UNBLOCK: "task.unblocked",
}
"""The event that each verb leaves."""

TERMINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED})
WAITING = frozenset({State.BLOCKED, State.SCHEDULED, State.READY})
"""States whose choice follows from dependencies and times alone."""
OPEN = frozenset(State) - TERMINAL

_READY_SOON = frozenset({State.READY, State.SCHEDULED})


def _same(states: frozenset[State]) -> dict[State | None, frozenset[State]]:
    return {state: frozenset({state}) for state in states}


TRANSITIONS: dict[Verb, dict[State | None, frozenset[State]]] = {
    Verb.CREATE: {None: WAITING},
    Verb.EDIT: _same(frozenset(State)) | dict.fromkeys(WAITING, WAITING),
    # a lapsed claim is taken over while its task is still `claimed`
    Verb.CLAIM: {State.READY: frozenset({State.CLAIMED}), State.CLAIMED: frozenset({State.CLAIMED})},
    Verb.HEARTBEAT: {State.CLAIMED: frozenset({State.CLAIMED})},
    Verb.ANSWER: {State.CLAIMED: frozenset({State.CLAIMED})},
    Verb.RELEASE: {State.CLAIMED: _READY_SOON},
    # a task that failed because its last lease lapsed may still be completed by that lease's holder
    Verb.COMPLETE: {State.CLAIMED: frozenset({State.DONE}), State.FAILED: frozenset({State.DONE})},
    Verb.FAIL: {State.CLAIMED: _READY_SOON | {State.FAILED}},
    Verb.RETRY: dict.fromkeys(TERMINAL, WAITING),
    Verb.CANCEL: dict.fromkeys(OPEN, frozenset({State.CANCELLED})),
    Verb.ASSIGN: _same(OPEN),
    Verb.OVERRIDE: _same(OPEN) | {State.CLAIMED: frozenset({State.CLAIMED, State.READY})},
    Verb.REPRIORITIZE: _same(OPEN),
    Verb.DELETE: dict.fromkeys(frozenset(State) - {State.CLAIMED}, frozenset()),
    Verb.LAPSE: {State.CLAIMED: frozenset({State.CLAIMED, State.FAILED})},
    Verb.DUE: {State.SCHEDULED: frozenset({State.READY})},
    Verb.UNBLOCK: {State.BLOCKED: _READY_SOON},
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
