"""Reviews that end by themselves: when the deck approves what nobody has judged."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.states import State
from taskdeck.domain.task import Review, Task


def review_clock(task: Task, after: State, now: int) -> dict[str, Any]:
    """The field by which the time for a review begins or ends with a change to the state `after`; none if neither.

    It does not run where the deck may not decide: with four eyes, and where gates want something shown.
    """
    if after is State.REVIEW:
        waits = task.approve_after_ms is None or task.review == Review.FOUR_EYES or task.gates is not None
        return {} if waits else {"review_ends_at": now + (task.approve_after_ms or 0)}
    return {} if task.review_ends_at is None else {"review_ends_at": None}
