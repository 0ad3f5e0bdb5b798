"""The way to a past moment: read the log from the server, lay it event by event, show what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Any

from taskdeck.client import Client
from taskdeck.domain.clock import from_rfc3339
from taskdeck.tui.feed import older_events
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.events import line_of
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.moment import Wanted
from taskdeck.tui.model.past import PastModel
from taskdeck.tui.model.replay import WAY_BACK, Mark, Replay

PAGE = 100
"""Events read at once: as many as are parsed and laid without the screen standing still."""
SLICE = 25
"""Events laid before others have their turn."""
READ_MOST = 250_000
"""Most events laid for one moment; of a longer log what lies before them is not read, and the screen says so."""
MARKS_MOST = 12
MARK_EVERY = 10_000
PROBES = 48
_BACKLOG = 200

Event = dict[str, Any]


class NoPast(Exception):
    """There is nothing to show of that moment; the text says why."""


class TimeMachine:
    """Puts a `PastModel` at moments of the log. One journey at a time; one that is cancelled leaves a whole model."""

    def __init__(self, client: Client, live: DeckModel) -> None:
        self.client = client
        self.model = PastModel(live)
        self._live = live
        self._first = 0
        self._marks: list[Mark] = []
        self._every = MARK_EVERY
        self._next: deque[Event] = deque()
        self._probed: tuple[int, int] | None = None
        self._lock = asyncio.Lock()

    async def go(self, wanted: Wanted, arrived: Callable[[], None] = lambda: None) -> bool:
        """Go to a moment. False: it lies before the log, whose beginning is shown instead.

        `arrived` is called as soon as the model shows it; how dense the log is around it is found out after that.

        Raises:
            NoPast: the log is empty, or has no such event.
            ApiError, Unreachable: the server did not tell.
        """
        async with self._lock:
            await self._find_ends()
            past, in_log = self.model.past, True
            if wanted.seq is not None:
                seq = min(max(wanted.seq, self._first), past.last_seq)
                in_log = self._first <= wanted.seq
                at_ms = None
            else:
                at_ms = self._live.now_ms() if wanted.at_ms is None else min(wanted.at_ms, self._live.now_ms())
                in_log = at_ms >= past.timeline.first_ms
                seq = await self._last_before(at_ms) if in_log else self._first
            await self._travel(seq, at_ms if in_log else None)
        await asyncio.sleep(0)  # the new screen costs enough by itself
        arrived()
        await asyncio.sleep(0)
        await self._probe()
        return in_log

    async def step(self, by: int) -> bool:
        """One event on or back. False at either end of the log.

        Raises:
            ApiError, Unreachable: the server did not tell.
        """
        async with self._lock:
            return await (self._on() if by > 0 else self._back())

    async def choose(self, chosen: Filter) -> None:
        """View the moment through another filter."""
        async with self._lock:
            self.model.set_filter(chosen)
            await self._fill()

    async def look_back(self) -> int:
        """Read events older than those in view; returns how many there were."""
        return await older_events(self.client, self.model)

    # -- finding ---------------------------------------------------------------------------------------------

    async def _find_ends(self) -> None:
        past = self.model.past
        stats = await self.client.stats()
        past.last_seq, past.end_ms = int(stats["last_seq"]), self._live.now_ms()
        first = await self._at_or_after(1)
        last = (await self.client.events(before=past.last_seq + 1, limit=1))["events"]
        if first is None or not last:
            raise NoPast("the log is empty: nothing has happened yet")
        self._first, past.last_seq = first["seq"], last[0]["seq"]
        past.timeline.add(past.last_seq, from_rfc3339(last[0]["at"]))

    async def _at_or_after(self, seq: int) -> Event | None:
        """The first event from `seq` on that may be seen; its time is remembered."""
        found = (await self.client.events(after=seq - 1, limit=1))["events"]
        if not found:
            return None
        event: Event = found[0]
        self.model.past.timeline.add(event["seq"], from_rfc3339(event["at"]))
        return event

    async def _last_before(self, at_ms: int) -> int:
        """The number of the last event at or before a time, by halving."""
        timeline = self.model.past.timeline
        low, high = timeline.between(at_ms)
        while high and high - low > 1:
            middle = await self._at_or_after((low + high) // 2)
            if middle is None or middle["seq"] >= high:
                high = (low + high) // 2  # only events that may not be seen are there
            elif from_rfc3339(middle["at"]) <= at_ms:
                low = middle["seq"]
            else:
                high = middle["seq"]
        return low

    async def _probe(self) -> None:
        """Ask when events were, evenly over the stretch that the scrubber shows, so that it can tell their density."""
        past = self.model.past
        span = past.timeline.span(past.at_ms, past.end_ms)
        if self._probed is not None and abs(span[0] - self._probed[0]) < (span[1] - span[0]) / 20:
            return
        self._probed = span
        begin = max(self._first, await self._last_before(span[0]))
        step = max(1, (past.last_seq - begin) // PROBES)
        for seq in range(begin, past.last_seq, step):
            await self._at_or_after(seq)
        self.model.changed()

    # -- travelling ------------------------------------------------------------------------------------------

    async def _travel(self, seq: int, at_ms: int | None) -> None:
        """Lay the log up to `seq`, from the nearest place before it where that was done already."""
        model, past = self.model, self.model.past
        replay = self._nearest(seq)
        self._next.clear()
        past.done, past.to_do = 0, seq - max(replay.seq, self._first - 1)
        while replay.seq < seq:
            page = (await self.client.events(after=replay.seq, limit=min(PAGE, seq - replay.seq)))["events"]
            page = [event for event in page if event["seq"] <= seq]
            if not page:
                break
            for start in range(0, len(page), SLICE):
                for event in page[start : start + SLICE]:
                    replay.apply(event, back=event["seq"] > seq - WAY_BACK)
                await asyncio.sleep(0)
            gc.freeze()  # rows hold no cycle: a search for garbage among thousands of them would stall the screen
            past.done += len(page)
            self._mark(replay)
            model.changed()
        past.to_do = 0
        model.replay = replay
        await self._fill()
        page = (await self.client.events(before=replay.seq + 1, limit=_BACKLOG))["events"]
        model.events.clear()
        model.remember(page)
        await asyncio.sleep(0)
        self._arrive(at_ms)

    def _nearest(self, seq: int) -> Replay:
        """A replay at the nearest known place before `seq`; without one, at the beginning of what is read."""
        places = [mark.seq for mark in self._marks]
        at = bisect_right(places, seq)
        here, floor = self.model.replay, seq - READ_MOST
        if here.at_ms and here.seq <= seq and here.seq >= max(floor, places[at - 1] if at else 0):
            return here
        if at and places[at - 1] >= floor:
            return Replay(self._marks[at - 1])
        fresh = Replay()
        fresh.seq = max(self._first - 1, floor)
        self._marks.clear()
        self.model.past.whole = floor < self._first
        self.model.past.read_from_ms = 0
        return fresh

    def _mark(self, replay: Replay) -> None:
        """Remember some places on the way; where they are many, every other one is let go."""
        if self.model.past.read_from_ms == 0:
            self.model.past.read_from_ms = replay.at_ms
        last = self._marks[-1].seq if self._marks else self._first
        if replay.seq - last < self._every:
            return
        self._marks.append(replay.mark())
        if len(self._marks) > MARKS_MOST:
            self._marks = self._marks[1::2]
            self._every *= 2

    async def _fill(self) -> None:
        for _ in self.model.filled():
            await asyncio.sleep(0)

    def _arrive(self, at_ms: int | None = None) -> None:
        """Set the clock: to the time asked for, or that of the event."""
        model = self.model
        model.past.seq = model.replay.seq
        model.past.at_ms = model.moment.moment_ms = model.replay.at_ms if at_ms is None else at_ms
        model.refresh_problems()
        model.changed()

    # -- stepping --------------------------------------------------------------------------------------------

    async def _on(self) -> bool:
        model = self.model
        if not self._next:
            self._next.extend((await self.client.events(after=model.replay.seq, limit=50))["events"])
        if not self._next:
            return False
        event = self._next.popleft()
        model.lay(model.replay.apply(event))
        model.events.add(line_of(event, model.remember_title(event)))
        model.past.last_seq = max(model.past.last_seq, event["seq"])
        self._arrive()
        return True

    async def _back(self) -> bool:
        model = self.model
        if model.replay.seq <= self._first:
            return False
        self._next.clear()
        changed = model.replay.back()
        if changed is None or not model.replay.at_ms:
            behind = model.replay.seq if changed is None else model.replay.seq + 1
            before = (await self.client.events(before=behind, limit=1))["events"]
            if not before:
                return False
            await self._travel(before[0]["seq"], None)
            return True
        model.lay(changed)
        model.events.cut(model.replay.seq)
        self._arrive()
        return True
