"""Replaying a log: changes laid over each other, deletions, and clocks that jumped."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.replay import replay


def _event(type_: str, task: str | None, changes: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {"type": type_, "task": None if task is None else {"id": task}, "changes": changes, "facts": facts}


CLAIM = {"worker": "w", "lapsed": False, "expires_at": "2026-01-01T00:05:00.000Z"}


def test_changes_are_laid_over_each_other() -> None:
    log = [
        _event("task.created", "a", {"id": "a", "state": "ready", "claim": None}),
        _event("task.created", "b", {"id": "b", "state": "ready", "claim": None}),
        _event("project.paused", None, {"name": "p"}),
        _event("task.claimed", "a", {"state": "claimed", "claim": CLAIM}),
        _event("task.deleted", "b", {}),
    ]
    assert replay(log) == {"a": {"id": "a", "state": "claimed", "claim": CLAIM}}


def test_a_jump_moves_running_leases_alone() -> None:
    def after(claim: dict[str, Any] | None, by: float) -> Any:
        log = [_event("task.created", "a", {"claim": claim}), _event("clock.jumped", None, {}, by_seconds=by)]
        return replay(log)["a"]["claim"]

    assert after(CLAIM, 3600)["expires_at"] == "2026-01-01T01:05:00.000Z"
    assert after(CLAIM, -300.5)["expires_at"] == "2025-12-31T23:59:59.500Z"
    lapsed = CLAIM | {"lapsed": True}
    assert after(lapsed, 3600) == lapsed
    endless = CLAIM | {"expires_at": None}
    assert after(endless, 3600) == endless
    assert after(None, 3600) is None


def test_a_jump_moves_what_its_event_says_it_moved() -> None:
    ends = {"claim": None, "turn_ends_at": "2026-01-01T00:00:00.000Z", "review_ends_at": "2026-01-01T00:00:00.000Z"}

    def after(**facts: int) -> Any:
        log = [_event("task.created", "a", ends), _event("clock.jumped", None, {}, by_seconds=60, **facts)]
        return replay(log)["a"]

    assert after(leases=0) == ends
    assert after(leases=0, turns=1) == ends | {"turn_ends_at": "2026-01-01T00:01:00.000Z"}
    assert after(leases=0, turns=1, reviews=1) == after(turns=1) | {"review_ends_at": "2026-01-01T00:01:00.000Z"}


def test_no_log_is_no_state() -> None:
    assert replay([]) == {}
