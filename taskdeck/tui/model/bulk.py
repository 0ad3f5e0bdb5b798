"""The events of one act as one line, which opens: an act on several tasks is told once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from taskdeck.tui.format import plural
from taskdeck.tui.model.events import EventLine, EventRing

_NAMED = 3
"""How many different facts of the events of one act are named."""
Mark = tuple[str, str]
"""An act and the type of its events that are told together."""


@dataclass(frozen=True)
class Bulk:
    """Several events of the same type that one act left, oldest first; `open` while they are listed below it."""

    lines: tuple[EventLine, ...]
    open: bool = False
    more: bool = False
    """Whether earlier ones may not be here."""

    @property
    def mark(self) -> Mark:
        """What they have in common."""
        return self.lines[0].act, self.lines[0].type

    @cached_property
    def told(self) -> EventLine:
        """All of them in one: when it began, on how many tasks, and what is said of each or else of some."""
        first = self.lines[0]
        tasks = len({line.task for line in self.lines})
        number = f"{tasks}+ tasks" if self.more else plural(tasks, "task")
        return EventLine(
            first.seq, first.at_ms, first.type, number, None, None, first.actor, self._parts(), act=first.act
        )

    def _parts(self) -> tuple[str, ...]:
        first, *others = self.lines
        common = tuple(part for part in first.parts if all(part in line.parts for line in others))
        if common:
            return common
        facts = list(dict.fromkeys(line.parts[0] for line in self.lines if line.parts))
        before, after = zip(*(fact.rpartition(" → ")[::2] for fact in facts), strict=True) if facts else ((), ())
        if len(set(after)) == 1 and all(map(str.isdecimal, before)):  # priorities, all changed to the same one
            return (f"{min(before, key=int)}…{max(before, key=int)} → {after[0]}",)
        return (", ".join(facts[:_NAMED]) + (" …" if len(facts) > _NAMED else ""),)


class Part(NamedTuple):
    """One of the events of a bulk that is open."""

    line: EventLine


Row = EventLine | Bulk | Part


class Folded:
    """The rows of a ring of events: those of one act are one row, until it is opened."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._opened: set[Mark] = set()
        self._places: dict[Mark, int] = {}
        self._ring: EventRing | None = None
        self._turns = self._first = self._end = 0

    def follow(self, ring: EventRing, known: int | None = None) -> bool:
        """Take in what has come; True if rows may stand elsewhere than before.

        `known`: the number of the first event that would be in the ring, if that looks at some events alone.
        """
        gone = ring.first - self._first
        anew = ring is not self._ring or ring.turns != self._turns or not self._let_go(gone)
        if not anew:
            for position in range(max(self._end, ring.first), ring.end):
                line = ring.at(position)
                # a row among the others moves those behind it
                anew = line is not None and not self._add(line)
                if anew:
                    break
        if anew:
            self._fold(ring, min(filter(None, (known, ring.oldest_seq)), default=1))
        self._ring, self._turns, self._first, self._end = ring, ring.turns, ring.first, ring.end
        return anew or gone > 0

    def turn(self, mark: Mark) -> None:
        """Open a bulk, or fold it."""
        self._opened ^= {mark}
        self._turns = -1

    def fold(self) -> bool:
        """Fold all that is open here; False if nothing is."""
        opened, self._opened = self._opened & self._places.keys(), set()
        self._turns = -1
        return bool(opened)

    def find(self, row: Row | None) -> int | None:
        """Where a row stands that may have changed since; an event that was folded stands where its act does."""
        if row is None:
            return None
        line = row.lines[0] if isinstance(row, Bulk) else row.line if isinstance(row, Part) else row
        if isinstance(row, Part):
            inside = (at for at, each in enumerate(self.rows) if isinstance(each, Part) and each.line.seq == line.seq)
            if (at := next(inside, None)) is not None:
                return at
        if line.act and (line.act, line.type) in self._places:
            return self._places[line.act, line.type]
        return next(
            (at for at, each in enumerate(self.rows) if isinstance(each, EventLine) and each.seq == line.seq), None
        )

    def _fold(self, ring: EventRing, known: int) -> None:
        bulks: dict[Mark, list[EventLine]] = {}
        for line in ring:
            if line.act:
                bulks.setdefault((line.act, line.type), []).append(line)
        self.rows, self._places = [], {}
        for line in ring:
            mark = (line.act, line.type)
            if not line.act:
                self.rows.append(line)
            elif mark not in self._places:
                self._places[mark] = len(self.rows)
                lines = bulks[mark]
                cut = 1 < line.seq <= known
                self.rows.append(line if len(lines) == 1 else Bulk(tuple(lines), mark in self._opened, cut))
                if len(lines) > 1 and mark in self._opened:
                    self.rows += map(Part, lines)

    def _let_go(self, number: int) -> bool:
        """Take so many events from the front; False if one is of an act, as what is left of that tells of it too."""
        if not all(isinstance(row, EventLine) and not row.act for row in self.rows[:number]):
            return False
        del self.rows[:number]
        if number:
            self._places = {mark: at - number for mark, at in self._places.items()}
        return True

    def _add(self, line: EventLine) -> bool:
        """Put an event at the end, or to the others of its act; False if these are open."""
        mark = (line.act, line.type)
        if not line.act or mark not in self._places:
            if line.act:
                self._places[mark] = len(self.rows)
            self.rows.append(line)
            return True
        at = self._places[mark]
        known = self.rows[at]
        if mark in self._opened:
            return False
        before = known.lines if isinstance(known, Bulk) else (known,) if isinstance(known, EventLine) else ()
        self.rows[at] = Bulk((*before, line), more=isinstance(known, Bulk) and known.more)
        return True
