"""The order of claims: the highest priority first, where waiting raises a priority."""

from __future__ import annotations

from dataclasses import dataclass

from taskdeck.domain.project import DAY_MS
from taskdeck.domain.task import MAX_PRIORITY

DEFAULT_AGEING_DAYS = 7.0
MAX_AGEING_DAYS = 3_650.0


@dataclass(frozen=True, slots=True)
class Order:
    """In which order claimable tasks are claimed.

    Every `step_ms` of waiting raises a priority by one; 0: none ever. All priorities rise alike, so which of two tasks
    goes first never changes while they wait, and each has a `rank` that stays.

    With `in_turn`, claims that name no project take in turn from those whose first task has, at least, the priority of
    the one that stands before all others.
    """

    step_ms: int = round(DEFAULT_AGEING_DAYS * DAY_MS / MAX_PRIORITY)
    in_turn: bool = False

    @classmethod
    def of_days(cls, days: float, *, in_turn: bool = False) -> Order:
        """The order in which a task of the lowest priority stands behind newer ones of the highest for `days`."""
        return cls(max(1, round(days * DAY_MS / MAX_PRIORITY)) if days else 0, in_turn)

    @property
    def days(self) -> float:
        """How long a task may stand behind newer ones, at most; 0 for without end."""
        return self.step_ms * MAX_PRIORITY / DAY_MS

    def rank(self, priority: int, queued_at: int) -> int:
        """Where a task stands: the least is claimed first, and among equals the lowest number."""
        return queued_at - priority * self.step_ms if self.step_ms else -priority

    def raised(self, waited_ms: int) -> int:
        """By how much waiting so long has raised a priority, in whole points."""
        return max(0, waited_ms) // self.step_ms if self.step_ms else 0


USUAL = Order()
