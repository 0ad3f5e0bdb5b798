"""The orders in which tasks are listed: what each is made of, what leads to it, and where a page goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from taskdeck.domain.order import Order
from taskdeck.domain.query import fold
from taskdeck.domain.sorts import TITLE_SORTED, Sort
from taskdeck.domain.states import State
from taskdeck.domain.task import Task

Key = tuple[int | str, ...]
SORTED_MOST = 50_000
"""Tasks that are sorted for a page where no index has the order."""
LIFE = {state: place for place, state in enumerate(State)}
"""Where a state stands in the life of a task."""


@dataclass(frozen=True, slots=True)
class Way:
    """One order: its columns, each with whether the greatest comes first, and what leads to it.

    `kind` `number` and `claims`: an index has it, for some states alone; `life`: state by state; `own`: `index` has it
    for the tasks that are in such a list at all, which `only` names; `free`: few tasks are sorted, many are walked
    along `index` or, without one, refused.
    """

    kind: Literal["number", "claims", "life", "own", "free"]
    columns: tuple[tuple[str, bool], ...]
    key: Callable[[Task, Order], Key]
    only: str = ""
    index: str = ""
    texts: int = 0
    """How many of the columns, from the first, are text."""

    def turned(self) -> Way:
        """The same from its other end."""
        return replace(self, columns=tuple((name, not falls) for name, falls in self.columns))

    def unled(self) -> Way:
        """The same, but no index is taken for the sake of the order."""
        return replace(self, columns=tuple((f"+{name}", falls) for name, falls in self.columns))

    def order_by(self) -> str:
        """The columns for ORDER BY."""
        return ", ".join(f"{name} DESC" if falls else name for name, falls in self.columns)

    def behind(self, after: Sequence[Any]) -> tuple[str, list[Any]]:
        """What is true of the tasks that come behind the key `after`."""
        clause, values = "", list[Any]()
        for (name, falls), value in reversed(list(zip(self.columns, after, strict=True))):
            sign = "<" if falls else ">"
            # with two values at once it would not use an index on an expression
            clause = f"{name} {sign}= ? AND ({name} {sign} ? OR {clause})" if clause else f"{name} {sign} ?"
            values = [value, value, *values] if values else [value]
        return clause, values


_NUMBER = ("t.number", False)
_WAYS: dict[str, Way] = {
    "number": Way("number", (_NUMBER,), lambda task, order: (task.number,)),
    "priority": Way(
        "claims", ((":rank", False), _NUMBER),
        lambda task, order: (order.rank(task.priority, task.queued_at), task.number),
    ),
    "state": Way("life", (("place", False), _NUMBER), lambda task, order: (LIFE[task.state], task.number)),
    "prio": Way(
        "free", (("t.priority", True), _NUMBER), lambda task, order: (task.priority, task.number),
        index="tasks_by_priority",
    ),
    "title": Way(
        "free", ((f"lower(substr(b.title, 1, {TITLE_SORTED}))", False), _NUMBER),
        lambda task, order: (fold(task.title[:TITLE_SORTED]), task.number), texts=1,
    ),
    "due": Way(
        "own", (("t.due", False), _NUMBER), lambda task, order: (task.due or 0, task.number),
        only="t.due IS NOT NULL AND t.finished_at IS NULL", index="tasks_by_due",
    ),
    "lease": Way(
        "own", (("t.lapsed", True), ("t.expires_at", False), _NUMBER),
        lambda task, order: (int(task.lapsed), task.expires_at or 0, task.number),
        only="t.state = 'claimed' AND t.expires_at IS NOT NULL", index="tasks_leases",
    ),
    "holder": Way(
        "own", (("t.worker", False), _NUMBER), lambda task, order: (task.worker or "", task.number),
        only="t.state = 'claimed'", index="tasks_held", texts=1,
    ),
    "attempt": Way(
        "own", (("t.attempt", True), _NUMBER), lambda task, order: (task.attempt, task.number),
        only="t.attempt >= 2", index="tasks_tried",
    ),
}  # fmt: skip


def way_of(sort: Sort) -> Way:
    """What leads to the order `sort`; one with a dash is the same from its other end."""
    found = _WAYS[sort.removeprefix("-")]
    return found.turned() if sort.startswith("-") else found
