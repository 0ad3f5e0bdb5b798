"""The orders of the queue: what each is called, how the API lists it, and where a task stands in it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from taskdeck.domain.order import Order
from taskdeck.domain.query import STATES, fold
from taskdeck.domain.sorts import TITLE_SORTED
from taskdeck.domain.sorts import Sort as Listed
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


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of the queue: by the field of that name, perhaps from its other end.

    The empty one is the usual: what needs attention first, then what is claimed next.
    """

    field: str = ""
    turned: bool = False

    @property
    def of(self) -> Field | None:
        """What it sorts by; None for the usual order."""
        return FIELDS.get(self.field)

    @property
    def listed(self) -> Listed:
        """What the API calls it."""
        return cast(Listed, f"{'-' * self.turned}{FIELDS[self.field].listed}")

    @property
    def arrow(self) -> str:
        """`▼` if the greatest comes first, else `▴`: a full one up is the sign of what needs someone."""
        return "▼" if FIELDS[self.field].falls is not self.turned else "▴"

    @property
    def told(self) -> str:
        """In a word or two, for a title."""
        if not self.field:
            return "attention, then claim order"
        then = "" if self.field in ("age", "claim") else f" age{'▴' if self.turned else '▼'}"
        return f"sort {'P' if self.field == 'prio' else self.field}{self.arrow}{then}"

    @property
    def text(self) -> str:
        """As it is typed."""
        return f"{self.field} {'desc' if self.arrow == '▼' else 'asc'}" if self.field else "usual"

    def reversed(self) -> Sort:
        """From the other end."""
        return Sort(self.field, not self.turned)

    def key(self, row: TaskRow, claims: Order) -> OrderKey:
        """Where a task stands, the least first."""
        found = FIELDS[self.field].key(row, claims)
        return tuple(map(_turn, found)) if self.turned else found


def _turn(part: Any) -> Any:
    """What compares the other way round. Of texts where one begins with the other the longer one comes first."""
    return (*(-ord(char) for char in part), 1) if isinstance(part, str) else -part


USUAL = Sort()


def parse_sort(text: str) -> Sort:
    """`age desc`, `title`, `usual`.

    Raises:
        ValueError: there is no such order; the text says which there are.
    """
    name, _, way = text.strip().casefold().partition(" ")
    way = way.strip()
    if name in ("usual", "attention", "default") and not way:
        return USUAL
    field = _CALLED.get(name)
    if field is None:
        near = get_close_matches(name, [*_CALLED, "usual"], n=1)
        raise ValueError(
            f"nothing is sorted by “{name[:24]}”; " + (f"did you mean {near[0]}?" if near else ":sort lists them")
        )
    if way not in ("", "asc", "desc"):
        raise ValueError(f"“{way[:24]}” is neither asc nor desc")
    found = Sort(field)
    return found if not way or found.text.endswith(f" {way}") else found.reversed()
