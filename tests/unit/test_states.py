"""The state table: total, and nothing allowed that a reader would not expect."""

from __future__ import annotations

import pytest

from taskdeck.domain.states import EVENT_OF, OPEN, TERMINAL, TRANSITIONS, WAITING, State, Verb, allows, waiting_state

EXPECTED: dict[Verb, set[tuple[str, str]]] = {
    Verb.CLAIM: {("ready", "claimed"), ("claimed", "claimed")},
    Verb.HEARTBEAT: {("claimed", "claimed")},
    Verb.ANSWER: {("claimed", "claimed")},
    Verb.FILL: {(a, a) for a in ("backlog", "blocked", "scheduled", "ready", "claimed")},
    Verb.LOG: {("claimed", "claimed")},
    Verb.RELEASE: {("claimed", "ready"), ("claimed", "scheduled"), ("claimed", "blocked")},
    Verb.COMPLETE: {
        (a, b) for a in ("backlog", "blocked", "scheduled", "ready", "claimed", "failed") for b in ("done", "review")
    },
    Verb.APPROVE: {("review", "done")},
    Verb.REJECT: {("review", "ready"), ("review", "claimed"), ("review", "blocked")},
    Verb.JUDGE: {("review", "review")},
    Verb.HEED: {("review", "done"), ("review", "claimed")},
    Verb.PROMOTE: {("backlog", "ready"), ("backlog", "scheduled"), ("backlog", "blocked")},
    Verb.SHELVE: {("ready", "backlog"), ("scheduled", "backlog"), ("blocked", "backlog")},
    Verb.FAIL: {("claimed", "ready"), ("claimed", "scheduled"), ("claimed", "blocked"), ("claimed", "failed")},
    Verb.LAPSE: {("claimed", "claimed"), ("claimed", "failed")},
    Verb.DUE: {("scheduled", "ready")},
    Verb.FINISH: {("blocked", "done"), ("blocked", "review")},
    Verb.PASS: {("ready", "ready"), ("ready", "failed")},
    Verb.OVERDUE: {(a, a) for a in ("backlog", "blocked", "scheduled", "ready", "claimed", "review")},
    Verb.UNBLOCK: {("blocked", "ready"), ("blocked", "scheduled")},
    Verb.RETRY: {(a, b) for a in ("done", "failed", "cancelled") for b in ("ready", "scheduled", "blocked")},
    Verb.CANCEL: {(a, "cancelled") for a in ("backlog", "blocked", "scheduled", "ready", "claimed", "review")},
}


@pytest.mark.parametrize("verb", EXPECTED)
def test_a_verb_leads_where_it_should_and_nowhere_else(verb: Verb) -> None:
    assert {(a.value, b.value) for a in State for b in State if allows(verb, a, b)} == EXPECTED[verb]


def test_every_verb_has_its_row_and_its_event() -> None:
    assert TRANSITIONS.keys() == EVENT_OF.keys() == set(Verb)
    assert len(set(EVENT_OF.values())) == len(Verb)
    assert all(event.startswith("task.") for event in EVENT_OF.values())


def test_only_create_begins_a_task() -> None:
    assert {verb for verb in Verb if None in TRANSITIONS[verb]} == {Verb.CREATE}
    assert {state for state in State if allows(Verb.CREATE, None, state)} == WAITING | {State.BACKLOG}


def test_what_has_ended_moves_only_by_retry_delete_and_a_late_completion() -> None:
    moves = {(before, after) for before in TERMINAL for after in State if after != before}
    assert {verb for verb in Verb if any(allows(verb, *move) for move in moves)} == {Verb.RETRY, Verb.COMPLETE}


def test_a_claimed_task_is_not_deleted() -> None:
    assert State.CLAIMED not in TRANSITIONS[Verb.DELETE]
    assert frozenset(State) == OPEN | TERMINAL
    assert not OPEN & TERMINAL


@pytest.mark.parametrize(
    ("blocked", "not_before", "state"),
    [
        (True, None, "blocked"), (True, 9, "blocked"), (False, None, "ready"), (False, 5, "ready"),
        (False, 4, "ready"), (False, 6, "scheduled"),
    ],
)  # fmt: skip
def test_a_waiting_state_follows_from_dependencies_and_time(blocked: bool, not_before: int | None, state: str) -> None:
    assert waiting_state(blocked=blocked, not_before=not_before, now=5) == state
