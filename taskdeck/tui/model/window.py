"""The queue as a sequence of lines: sorted segments, each loaded only as far as it was looked at.

Usually each state is a segment. In an order that was chosen all tasks are one, or those that have what it sorts by are
one, before the others.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from taskdeck.domain.order import USUAL, Order
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.sort import OrderKey

PAGE = 200
PAGES_MOST = 25
"""Most pages read of one state; beyond them a (narrower) filter is the way to find a task."""

ROWS_MOST = PAGE * PAGES_MOST
"""Most tasks kept of one state, however they came."""
_ENDLESS = 1 << 62
_LISTED = {
    "ready": "priority", "review": "priority", "blocked": "number", "scheduled": "number", "backlog": "number",
}  # fmt: skip
"""How the API lists a state; others newest first."""


def order_key(row: TaskRow, claims: Order = USUAL) -> OrderKey:
    """Where a task stands within its state: soonest lease, next in the order of `claims`, newest failure, next due."""
    match row.state:
        case "claimed":
            end = row.lease.expires_ms if row.lease else None
            return (_ENDLESS if end is None else end, row.number)
        case "ready" | "review":
            return (claims.rank(row.priority, row.queued_ms), row.number)
        case "failed" | "done" | "cancelled":
            return (-row.since_ms, -row.number)
        case "scheduled":
            return (row.not_before_ms or 0, row.number)
        case _:
            return (row.number,)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the queue: a task, or the rest of a segment that is not loaded (`task` None)."""

    segment: str
    task: str | None = None


@dataclass
class Segment:
    """The loaded head of a list of the API, in order. `complete`: nothing of it is left on the server.

    `name` is its state, or what its tasks are sorted by; `states` are those its tasks can be in, `has` says which of
    those it has, and `key` where they stand.
    """

    name: str
    states: tuple[str, ...]
    listed: str
    key: Callable[[TaskRow], OrderKey]
    has: Callable[[TaskRow], bool] = lambda row: True
    complete: bool = False
    cursor: str | None = None
    pages: int = 0
    trimmed: bool = False
    """Whether its tail was let go, so that what is behind the last item is not known although no page says so."""
    items: list[tuple[OrderKey, str]] = field(default_factory=list)
    keys: dict[str, OrderKey] = field(default_factory=dict)

    def place(self, row: TaskRow, *, loaded: bool) -> bool:
        """Put a task where it belongs; False if that is behind what is loaded (it comes with a later page)."""
        key = self.key(row)
        if self.keys.get(row.id) == key:
            return True
        self.drop(row.id)
        past_end = not self.items or (key, row.id) > self.items[-1]
        if not loaded and past_end and (self.cursor is not None or self.trimmed):
            return False
        insort(self.items, (key, row.id))
        self.keys[row.id] = key
        return True

    def trim(self, keep: int) -> bool:
        """Let go of all but the first `keep` tasks; pages begin anew. False if there is nothing to let go."""
        if len(self.items) <= keep:
            return False
        self._cut(keep)
        self.complete, self.cursor, self.pages, self.trimmed = False, None, 0, True
        return True

    def end_at(self, key: OrderKey) -> None:
        """What lies behind `key`, the last of a page, comes with the next one: what is known of it has gaps."""
        self._cut(bisect_left(self.items, ((*key, _ENDLESS),)))

    def _cut(self, keep: int) -> None:
        for _, task in self.items[keep:]:
            del self.keys[task]
        del self.items[keep:]

    def drop(self, task: str) -> bool:
        """Take a task out; False if it was not here."""
        key = self.keys.pop(task, None)
        if key is None:
            return False
        del self.items[bisect_left(self.items, (key, task))]
        return True

    def index(self, task: str) -> int | None:
        """The place of a task within this state."""
        key = self.keys.get(task)
        return None if key is None else bisect_left(self.items, (key, task))

    @property
    def full(self) -> bool:
        """Whether no further page may be loaded."""
        return self.complete or self.pages >= PAGES_MOST

    def __len__(self) -> int:
        """Lines: the tasks, and one more while some are not loaded."""
        return len(self.items) + (not self.complete)


def segments_of(chosen: Filter, claims: Order) -> Iterator[Segment]:
    """The segments of a filter, in the order of the queue."""
    by, left = chosen.sort.of, chosen.states
    if by is not None:
        states = tuple(state for state in chosen.states if state in by.states) if by.states else chosen.states
        if states:
            yield Segment(by.name, states, chosen.sort.listed, partial(chosen.sort.key, claims=claims), by.has)
        if not by.states:
            return
        if by.name in ("claim", "holder"):  # every task of such a state has it
            left = tuple(state for state in chosen.states if state not in states)
    for state in left:
        yield Segment(state, (state,), _LISTED.get(state, "-number"), partial(order_key, claims=claims))


def home_of(segments: Iterable[Segment], row: TaskRow) -> Segment | None:
    """The segment in which a task stands, None if in none of them."""
    return next((each for each in segments if row.state in each.states and each.has(row)), None)


class Window:
    """The lines of the queue under one filter. While held, lines stay where they are, whatever changes."""

    def __init__(
        self, chosen: Filter, asked: Callable[[], tuple[int, str]] = lambda: (0, ""), claims: Order = USUAL
    ) -> None:
        """`asked`: the time, and who asks, when a task is looked at. `claims`: in which order the deck hands out."""
        self.filter = chosen
        self._asked = asked
        self.segments = {segment.name: segment for segment in segments_of(chosen, claims)}
        self._held: list[Entry] | None = None
        self._held_at: dict[str, int] = {}

    def put(self, row: TaskRow, *, loaded: Segment | bool = False, searched: bool = False) -> bool:
        """Place `row` where it belongs, or take it out if it no longer does. Returns whether it is in the window.

        `loaded`: it comes from a page (of that segment, if it says so), so nothing before it is missing. `searched`:
        from a page of this filter.
        """
        searched = searched or self.contains(row.id)
        home = home_of(self.segments.values(), row)
        for other in self.segments.values():
            if other is not home:
                other.drop(row.id)
        if home is None:
            return False
        if not self.filter.admits(row, *self._asked(), searched=searched):
            home.drop(row.id)
            return False
        return home.place(row, loaded=loaded is True or loaded is home)

    def remove(self, task: str) -> None:
        """Take a task out wherever it is."""
        for segment in self.segments.values():
            segment.drop(task)

    def hold(self) -> None:
        """Let order rest: until `release`, lines neither move, come nor go."""
        if self._held is None:
            self._held = list(self._lines())
            self._held_at = {entry.task: at for at, entry in enumerate(self._held) if entry.task}

    def release(self) -> None:
        """Let order follow the tasks again."""
        self._held = None
        self._held_at = {}

    @property
    def held(self) -> bool:
        """Whether order rests."""
        return self._held is not None

    def contains(self, task: str) -> bool:
        """Whether `task` is among the loaded ones."""
        return any(task in segment.keys for segment in self.segments.values())

    def __len__(self) -> int:
        return len(self._held) if self._held is not None else sum(map(len, self.segments.values()))

    def at(self, index: int) -> Entry | None:
        """The entry of a line, None past the end."""
        if index < 0:
            return None
        if self._held is not None:
            return self._held[index] if index < len(self._held) else None
        for name, segment in self.segments.items():
            if index < len(segment):
                in_list = index < len(segment.items)
                return Entry(name, segment.items[index][1] if in_list else None)
            index -= len(segment)
        return None

    def lines(self, first: int, number: int) -> list[Entry]:
        """The entries of so many lines from `first` on; fewer at the end."""
        if self._held is not None:
            return self._held[first : first + number]
        found: list[Entry] = []
        for name, segment in self.segments.items():
            size = len(segment)
            if first < size:
                loaded = segment.items[first : first + number - len(found)]
                found += [Entry(name, task) for _, task in loaded]
                if len(found) < number and not segment.complete:
                    found.append(Entry(name))
                if len(found) == number:
                    break
            first = max(0, first - size)
        return found

    def find(self, task: str) -> int | None:
        """The line of a task, None if it has none."""
        if self._held is not None:
            return self._held_at.get(task)
        offset = 0
        for segment in self.segments.values():
            at = segment.index(task)
            if at is not None:
                return offset + at
            offset += len(segment)
        return None

    def wanting(self, first: int, last: int) -> list[Segment]:
        """Segments whose next page is near the lines `first` to `last`, so worth loading now."""
        offset, near = 0, []
        for segment in self.segments.values():
            end = offset + len(segment.items)
            offset += len(segment)
            # what was known before its first page was known in another order
            begun = segment.pages or not self.filter.sort.field
            if not segment.full and first <= end + PAGE // 4 and (last >= end - PAGE // 4 or not begun):
                near.append(segment)
        return near

    def trim(self, last: int) -> bool:
        """Let go of the tails of states that grew past what pages would bring; lines up to `last` stay."""
        if self.held:
            return False
        trimmed, offset = False, 0
        for segment in self.segments.values():
            keep = max(2 * PAGE, last - offset + PAGE)
            offset += len(segment)
            if len(segment.items) > max(ROWS_MOST, keep + PAGE):
                trimmed = segment.trim(keep) or trimmed
        return trimmed

    def tasks(self) -> Iterator[str]:
        """The ids of all loaded tasks, in order."""
        for segment in self.segments.values():
            for _, task in segment.items:
                yield task

    def known(self) -> tuple[int, bool]:
        """How many tasks are loaded, and whether that is all there are."""
        segments: Iterable[Segment] = self.segments.values()
        return sum(len(s.items) for s in segments), all(s.complete for s in self.segments.values())

    def _lines(self) -> Iterator[Entry]:
        for name, segment in self.segments.items():
            for _, task in segment.items:
                yield Entry(name, task)
            if not segment.complete:
                yield Entry(name)
