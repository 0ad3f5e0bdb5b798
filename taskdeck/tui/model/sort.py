"""The orders of the queue: what each is called, how the API lists it, and where a task stands in it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from taskdeck.domain.order import Order
from taskdeck.domain.query import STATES, fold
from taskdeck.domain.sorts import LEADING, SECOND, TITLE_SORTED, keys_of
from taskdeck.tui.model.rows import ENDED, TaskRow

OrderKey = tuple[Any, ...]
_LIFE = {state: place for place, state in enumerate(STATES)}
_OPEN = tuple(state for state in STATES if state not in ENDED)


@dataclass(frozen=True, slots=True)
class Field:
    """Something to sort by.

    `column` is the head of the queue's column that shows it, `falls` whether the greatest comes first, `told` what
    comes first from either end. Where only some tasks have it, those of `states` that `has` lets through lead, and the
    others follow as they usually stand.
    """

    name: str
    listed: str
    column: str
    falls: bool
    told: tuple[str, str]
    key: Callable[[TaskRow, Order], OrderKey]
    states: tuple[str, ...] = ()
    has: Callable[[TaskRow], bool] = lambda row: True
    also: tuple[str, ...] = ()
    """Other names for it."""


def _number(row: TaskRow) -> int:
    return row.number


FIELDS = {
    field.name: field
    for field in (
        Field(
            "claim", "priority", "", True, ("what is claimed next", "what is claimed last"),
            lambda row, claims: (claims.rank(row.priority, row.queued_ms), row.number), ("ready",), also=("next",),
        ),
        Field(
            "prio", "prio", "P", True, ("the highest priority", "the lowest priority"),
            lambda row, _: (-row.priority, row.number), also=("priority", "p"),
        ),
        Field(
            "age", "number", "AGE", True, ("the oldest", "the newest"), lambda row, _: (row.number,),
            also=("created", "number"),
        ),
        Field(
            "title", "title", "TITLE", False, ("A to Z", "Z to A"),
            lambda row, _: (fold(row.title[:TITLE_SORTED]), row.number),
        ),
        Field(
            "state", "state", "STATE", False, ("backlog … cancelled, as a task lives", "cancelled … backlog"),
            lambda row, _: (_LIFE[row.state], row.number),
        ),
        Field(
            "lease", "lease", "LEASE", False, ("the soonest to end", "the longest to run"),
            lambda row, _: (row.lease.expires_ms if row.lease else 0, row.number), ("claimed",),
            lambda row: row.lease is not None and row.lease.expires_ms is not None,
        ),
        Field(
            "holder", "holder", "HOLDER", False, ("by who holds it, A to Z", "by who holds it, Z to A"),
            lambda row, _: (row.lease.worker if row.lease else "", row.number), ("claimed",), also=("worker",),
        ),
        Field(
            "attempt", "attempt", "TRY", True, ("the most tried", "the least tried of those tried again"),
            lambda row, _: (-row.attempt, row.number), STATES, lambda row: row.attempt > 1, also=("try", "tries"),
        ),
        Field(
            "due", "due", "DUE", False, ("the soonest due", "the last due"),
            lambda row, _: (row.due_ms or 0, row.number), _OPEN, lambda row: row.due_ms is not None,
        ),
    )
}  # fmt: skip
_CALLED = {word: field.name for field in FIELDS.values() for word in (field.name, *field.also)}
NAMES = ("usual", *FIELDS)
THEN = tuple(name for name, field in FIELDS.items() if field.listed in SECOND)
"""What may stand behind another."""


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of the queue: by the field of that name, perhaps from its other end.

    The empty one is the usual: what needs attention first, then what is claimed next.
    """

    field: str = ""
    turned: bool = False
    then: Sort | None = None
    """What sorts those that are alike; without it their age, turned as they are."""

    @property
    def of(self) -> Field | None:
        """What it sorts by; None for the usual order."""
        return FIELDS.get(self.field)

    @property
    def second(self) -> Sort | None:
        """What sorts those that are alike in the first; None where no two are."""
        if self.field and FIELDS[self.field].listed in LEADING:
            return self.then or Sort("age", self.turned)
        return None

    @property
    def listed(self) -> str:
        """What the API calls it."""
        behind = f",{self.then.listed}" if self.then is not None else ""
        return f"{'-' * self.turned}{FIELDS[self.field].listed}{behind}"

    @property
    def arrow(self) -> str:
        """`▼` if the greatest comes first, else `▴`: a full one up is the sign of what needs someone."""
        if not self.field:
            return ""
        return "▼" if FIELDS[self.field].falls is not self.turned else "▴"

    @property
    def told(self) -> str:
        """In a word or two, for a title."""
        if not self.field:
            return "attention, then claim order"
        return "sort " + " ".join(f"{'P' if part.field == 'prio' else part.field}{part.arrow}" for part in self._parts)

    @property
    def worded(self) -> str:
        """In words, with what sorts those that are alike."""
        return ", then ".join(f"{part.field or 'usual'} {part.arrow}".strip() for part in self._parts)

    @property
    def _parts(self) -> tuple[Sort, ...]:
        return (self,) if self.second is None else (self, self.second)

    @property
    def text(self) -> str:
        """As it is typed."""
        behind = f" {self.then.text}" if self.then is not None else ""
        return f"{self.field} {'desc' if self.arrow == '▼' else 'asc'}{behind}" if self.field else "usual"

    def reversed(self) -> Sort:
        """From the other end."""
        return Sort(self.field, not self.turned, self.then and self.then.reversed())

    def with_also(self, field: str) -> Sort:
        """This order with that field in it: as its second, or turned where it is in it already.

        Where nothing can stand behind the first, that field takes its place.

        Raises:
            ValueError: it cannot be a second; the text says what can.
        """
        second = self.second
        if second is None:
            return self.reversed() if field and field == self.field else Sort(field)
        if not field:
            return USUAL
        if field == self.field:
            return _both(Sort(field, not self.turned), second)
        return _both(Sort(self.field, self.turned), second.reversed() if field == second.field else Sort(field))

    def key(self, row: TaskRow, claims: Order) -> OrderKey:
        """Where a task stands, the least first."""
        found = FIELDS[self.field].key(row, claims)
        found = tuple(map(_turn, found)) if self.turned else found
        return found if self.then is None else (*found[:-1], *self.then.key(row, claims))


def _turn(part: Any) -> Any:
    """What compares the other way round. Of texts where one begins with the other the longer one comes first."""
    return (*(-ord(char) for char in part), 1) if isinstance(part, str) else -part


USUAL = Sort()


def parse_sort(text: str) -> Sort:
    """`age desc`, `title`, `prio desc age asc`, `usual`.

    Raises:
        ValueError: there is no such order; the text says which there are.
    """
    words = text.replace(",", " ").casefold().split()
    if words in (["usual"], ["attention"], ["default"]):
        return USUAL
    first, left = _one(words)
    if not left:
        return first
    second, left = _one(left)
    if left:
        raise ValueError(f"two orders at most: what is “{left[0][:24]}” for?")
    return _both(first, second)


def _both(first: Sort, second: Sort) -> Sort:
    if first.listed not in LEADING:
        raise ValueError(f"by {first.field} no two tasks are alike: nothing comes behind it")
    if second.field not in THEN or second.field == first.field:
        raise ValueError(
            f"behind {first.field} stands one of {', '.join(name for name in THEN if name != first.field)}"
        )
    both = Sort(first.field, first.turned, second)
    return both if len(keys_of(both.listed)) > 1 else first


def _one(words: list[str]) -> tuple[Sort, list[str]]:
    """The first order that is named, and the words behind it."""
    name, way, *left = [*words, "", ""]
    if way in _CALLED:
        way, left = "", words[1:]
    left = [word for word in left if word]
    field = _CALLED.get(name)
    if field is None:
        near = get_close_matches(name, [*_CALLED, "usual"], n=1)
        raise ValueError(
            f"nothing is sorted by “{name[:24]}”; " + (f"did you mean {near[0]}?" if near else ":sort lists them")
        )
    if way not in ("", "asc", "desc"):
        raise ValueError(f"“{way[:24]}” is neither asc nor desc")
    found = Sort(field)
    return (found if not way or found.text.endswith(f" {way}") else found.reversed()), left
