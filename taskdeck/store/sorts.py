"""The orders in which tasks are listed: what each is made of, what leads to it, and where a page goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from taskdeck.domain.order import Order
from taskdeck.domain.query import fold
from taskdeck.domain.sorts import TITLE_SORTED, keys_of
from taskdeck.domain.states import OPEN, TERMINAL, State
from taskdeck.domain.task import Task
from taskdeck.store.order import RANKED

Key = tuple[int | str, ...]
SORTED_MOST = 50_000
"""Tasks that are sorted for a page where no index has the order."""
_RANKED = dict.fromkeys(RANKED, "tasks_by_rank") | {State.READY: "tasks_claimable"}
"""What has the tasks of a state in the order of claims; those that are held are sorted."""
LIFE = {state: place for place, state in enumerate(State)}
"""Where a state stands in the life of a task."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Tasks that `index` has in some order: those of which `only` is true. Without an index, by number."""

    only: str = ""
    index: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One order: its columns, each with whether the greatest comes first, and what leads to it.

    `kind` `number` and `rank`: an index has it for each state; `parts`: it is some lists one after the other, each of
    the states and by the way that `parts` says, and a key begins with the place of its part; `own`: `index` has it for
    the tasks that are in such a list at all, which `only` names; `free`: `index` has it for all; without one, few tasks
    are sorted and many refused.
    """

    kind: Literal["number", "rank", "parts", "own", "free"]
    columns: tuple[tuple[str, bool], ...]
    key: Callable[[Task, Order], Key]
    only: str = ""
    index: str = ""
    states: frozenset[State] = frozenset(State)
    """The states of what is in such a list."""
    texts: frozenset[int] = frozenset()
    """The places of the columns that are text."""
    parts: tuple[tuple[frozenset[State], Way], ...] = ()
    within: Way | None = None
    """Where it goes priority by priority, the way through those of one, which an index has from either end."""

    @property
    def by_state(self) -> bool:
        """Whether each state is walked by itself."""
        return self.kind in ("number", "rank")

    @property
    def reads_later(self) -> bool:
        """Whether texts are needed only where tasks are alike by its first column, which is none."""
        return "b." in self.key_of() and "b." not in self.columns[0][0]

    def arms(self, states: Collection[State]) -> list[Arm]:
        """What leads to the order for tasks in these states, or in any; nothing if no index does."""
        if self.within is not None:
            return self.of_priority(0).arms(states)
        if not self.by_state:
            return [Arm(self.only, self.index)] if self.index else []
        if self.kind == "number" and len(states) == len(State):
            return [Arm()]
        if self.kind == "number":
            return [Arm(f"t.state = '{state}'", "tasks_by_state") for state in sorted(states)]
        return [Arm(f"t.state = '{state}'", _RANKED.get(state, "tasks_by_state")) for state in sorted(states)]

    def of_priority(self, priority: int) -> Way:
        """The way through the tasks of one priority, of a way that goes through one after the other."""
        way = self.within or _BY_NUMBER
        return replace(way, kind="own", only=f"t.priority = {priority}", index="tasks_by_priority")

    def then(self, second: Way) -> Way:
        """The same, but what is alike by the way `second`, which every task has. Few are sorted so, as a rule."""
        ahead = self.columns[:-1]
        if self.parts:
            return replace(
                self, columns=(*ahead, *second.columns), key=_both(self.key, second.key),
                texts=self.texts | {len(ahead) + at for at in second.texts},
                parts=tuple((states, second) for states, _ in self.parts),
            )  # fmt: skip
        return replace(
            self, kind="free", columns=(*ahead, *second.columns), key=_both(self.key, second.key), index="",
            texts=self.texts | {len(ahead) + at for at in second.texts},
        )  # fmt: skip

    def turned(self) -> Way:
        """The same from its other end."""
        parts = tuple((states, way.turned()) for states, way in self.parts)
        return replace(self, columns=tuple((name, not falls) for name, falls in self.columns), parts=parts)

    def ranked(self, rank: str) -> Way:
        """The same, with what a rank is in SQL."""
        parts = tuple((states, way.ranked(rank)) for states, way in self.parts)
        columns = tuple((name.replace(":rank", rank), falls) for name, falls in self.columns)
        return replace(self, columns=columns, parts=parts)

    def unled(self) -> Way:
        """The same, but no index is taken for the sake of the order; by number they lie anyway."""
        if self.kind == "number":
            return self
        return replace(self, columns=tuple((f"+{name}", falls) for name, falls in self.columns))

    def key_of(self) -> str:
        """What is to be selected of a task: its sort key, the number last."""
        return ", ".join(name for name, _ in self.columns)

    def places(self) -> str:
        """The places of the columns in `key_of`, for ORDER BY."""
        return ", ".join(f"{at} DESC" if falls else str(at) for at, (_, falls) in enumerate(self.columns, 1))

    def edges(self, after: Sequence[Any]) -> list[tuple[str, list[Any]]]:
        """The same as `behind` in parts, of which each is one stretch of an index."""
        if self.kind == "rank":  # by an expression it is one stretch alone, and hardly two tasks have the same rank
            return [self.behind(after)]
        parts = []
        for at, (name, falls) in enumerate(self.columns):
            alike = [f"{other} = ?" for other, _ in self.columns[:at]]
            clause = " AND ".join([*alike, f"{name} {'<' if falls else '>'} ?"])
            parts.append((clause, list(after[: at + 1])))
        return parts

    def behind(self, after: Sequence[Any]) -> tuple[str, list[Any]]:
        """What is true of the tasks that come behind the key `after`."""
        clause, values = "", list[Any]()
        for (name, falls), value in reversed(list(zip(self.columns, after, strict=True))):
            sign = "<" if falls else ">"
            clause = f"{name} {sign}= ? AND ({name} {sign} ? OR {clause})" if clause else f"{name} {sign} ?"
            values = [value, value, *values] if values else [value]
        return clause, values


def _both(first: Callable[[Task, Order], Key], second: Callable[[Task, Order], Key]) -> Callable[[Task, Order], Key]:
    """The key of both, of the first without the number."""
    return lambda task, order: (*first(task, order)[:-1], *second(task, order))


_HELD = frozenset({State.CLAIMED})
_NUMBER, _RANK = ("t.number", False), (":rank", False)
_BY_NUMBER = Way("number", (_NUMBER,), lambda task, order: (task.number,))
_BY_RANK = Way("rank", (_RANK, _NUMBER), lambda task, order: (order.rank(task.priority, task.queued_at), task.number))
_WAYS: dict[str, Way] = {
    "number": _BY_NUMBER,
    "priority": Way(
        "parts", (("part", False), _RANK, _NUMBER),
        lambda task, order: (1, 0, task.number) if task.state in TERMINAL else (0, *_BY_RANK.key(task, order)),
        parts=((OPEN, _BY_RANK), (TERMINAL, _BY_NUMBER)),
    ),
    "state": Way(
        "parts", (("part", False), _NUMBER), lambda task, order: (LIFE[task.state], task.number),
        parts=tuple((frozenset({state}), _BY_NUMBER) for state in LIFE),
    ),
    "prio": Way(
        "free", (("t.priority", True), _NUMBER), lambda task, order: (task.priority, task.number),
        index="tasks_by_priority",
    ),
    "title": Way(
        "free", ((f"lower(substr(b.title, 1, {TITLE_SORTED}))", False), _NUMBER),
        lambda task, order: (fold(task.title[:TITLE_SORTED]), task.number), texts=frozenset({0}),
    ),
    "due": Way(
        "own", (("t.due", False), _NUMBER), lambda task, order: (task.due or 0, task.number),
        only="t.due IS NOT NULL AND t.finished_at IS NULL", index="tasks_by_due", states=OPEN,
    ),
    "lease": Way(
        "own", (("t.lapsed", True), ("t.expires_at", False), _NUMBER),
        lambda task, order: (int(task.lapsed), task.expires_at or 0, task.number),
        only="t.state = 'claimed' AND t.expires_at IS NOT NULL", index="tasks_leases",
        states=_HELD,
    ),
    "holder": Way(
        "own", (("t.worker", False), _NUMBER), lambda task, order: (task.worker or "", task.number),
        only="t.state = 'claimed'", index="tasks_held", states=_HELD, texts=frozenset({0}),
    ),
    "attempt": Way(
        "own", (("t.attempt", True), _NUMBER), lambda task, order: (task.attempt, task.number),
        only="t.attempt >= 2", index="tasks_tried",
    ),
}  # fmt: skip


_SECOND = _WAYS | {"attempt": replace(_WAYS["attempt"], kind="free", only="", index="")}
"""What tasks are sorted by within what is alike: of all of them, had it or not."""


@lru_cache(256)
def way_of(sort: str) -> Way:
    """What leads to the order `sort`; a key with a dash is the same from its other end."""
    first, *behind = keys_of(sort)
    way = _turned(_WAYS, first)
    if not behind:
        return way
    both = way.then(_turned(_SECOND, behind[0]))
    if first.endswith("prio") and behind[0].endswith("number"):
        return replace(both, within=_turned(_WAYS, behind[0]))
    return both


def _turned(ways: Mapping[str, Way], name: str) -> Way:
    found = ways[name.removeprefix("-")]
    return found.turned() if name.startswith("-") else found
