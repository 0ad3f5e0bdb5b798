"""From the server into the model: first load, live stream, resume after a break. The model is all it writes to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from dataclasses import replace
from typing import Any

from taskdeck.client import ApiError, Beat, Client, Unreachable
from taskdeck.tui.format import duration, plural
from taskdeck.tui.keymap import key
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.sort import USUAL
from taskdeck.tui.model.window import PAGE, Segment, Window

BACKOFF_FIRST = 0.5
BACKOFF_MOST = 10.0
GAP_MOST = 5_000
"""Behind by more events than this, loading anew is quicker than catching up."""

_FIRST = 60
"""Tasks on the first page under a filter: a screenful, for which the server looks through less than for a page."""
_WATCHED_MOST = 1_000
_BACKLOG = 200
_READS_MOST = 50
_LOOKS_MOST = 20
"""Pages of a filter of events that are read at once, until one has something."""
_STATS_MS, _WORKERS_MS, _QUIET_MS = 1_000, 1_000, 15_000
_CALLS_MS, _CALLS_QUIET_MS, _CALLS_MOST = 5_000, 30_000, 50


_log = logging.getLogger(__name__)
_PASSING = (Unreachable, ApiError, KeyError, TypeError, ValueError, AttributeError)


class _Anew(Exception):
    """Someone asked for a full reload."""


class Feed:
    """Keeps a model current until cancelled. Never raises for what the network or the server does."""

    def __init__(self, client: Client, model: DeckModel) -> None:
        self.client = client
        self.model = model
        self._wake = asyncio.Event()
        self._again = asyncio.Event()
        self._synced = False
        self._view = (0, 50)
        self._rest_s = _STATS_MS / 1000
        self._stats_ms = self._workers_ms = -_QUIET_MS
        self._calls_ms, self._calls_seq = -_CALLS_QUIET_MS, -1

    def look(self, first: int, last: int) -> None:
        """Tell which lines of the queue are in view; pages near them are loaded."""
        if (first, last) != self._view:
            self._view = (first, last)
            self._wake.set()

    def set_pace(self, tick: float) -> None:
        """Read what events cannot tell no more often than every `tick` seconds, since nobody looks in between."""
        self._rest_s = max(tick, _STATS_MS / 1000)
        self._wake.set()

    def choose(self, chosen: Filter) -> None:
        """View the queue through another filter."""
        self.model.set_filter(chosen)
        self._view = (0, 50)
        self._wake.set()

    def poke(self) -> None:
        """Look at once whether anything is to be read."""
        self._wake.set()

    def resync(self) -> None:
        """Load everything anew; while disconnected, try at once."""
        self._synced = False
        self._again.set()

    def try_now(self) -> None:
        """While disconnected: try at once, and go on behind the last event that was seen."""
        self._again.set()

    async def run(self) -> None:
        """Connect, follow, and connect again."""
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._await_again())
                    await self._connect()
                    group.create_task(self._follow())
                    group.create_task(self._tend())
            except ExceptionGroup as failures:
                first = _first(failures)
                if isinstance(first, _Anew):
                    continue
                if not isinstance(first, _PASSING):
                    raise
                await self._pause(first)

    async def _pause(self, failure: Exception) -> None:
        """Wait longer with every failed try, unless someone asks to try at once."""
        model = self.model
        if not isinstance(failure, (Unreachable, ApiError)):
            self._synced = False  # what could not be understood must not be resumed behind
        elif isinstance(failure, ApiError) and failure.status == 410:
            self._synced = False  # the log does not reach back that far any more
        pause = min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** min(model.link.tries, 6))
        pause *= random.uniform(0.85, 1.0)
        _log.warning("lost %s, try %d: %s", model.address, model.link.tries + 1, _told(failure))
        model.link.down(_told(failure), model.clock.monotonic_ms() + int(pause * 1000))
        model.changed()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._again.wait(), pause)
        self._again.clear()

    async def _await_again(self) -> None:
        await self._again.wait()
        self._again.clear()
        raise _Anew

    # -- connecting ------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        model = self.model
        before = model.claims
        await self._read_stats()
        told = int(model.stats.get("last_seq") or 0)
        if model.claims != before or not 0 <= told - model.last_seq <= GAP_MOST:
            self._synced = False
        me, projects, workers = await asyncio.gather(self.client.me(), self.client.projects(), self.client.workers())
        model.me, model.role = str(me.get("principal") or ""), str(me.get("role") or "")
        model.set_projects(projects)
        model.set_workers(workers)
        missed, resumed = told - model.last_seq, self._synced
        if not self._synced:
            await self._load_all(told)
        self._synced = True
        if model.link.state == "lost":
            broke = f"connected again after {duration(model.link.age_ms(model.clock.monotonic_ms()))}"
            meanwhile = f"{plural(missed, 'event')} meanwhile" if missed >= 0 else "the log is another one"
            model.link.back = f"{broke} · {meanwhile}{'' if resumed else ' · all was loaded anew'}"
        _log.info("live at %s, as %s (%s), event %d", model.address, model.me, model.role, model.last_seq)
        model.link.up(model.clock.monotonic_ms())
        model.changed()

    async def _load_all(self, seq: int) -> None:
        model = self.model
        model.last_seq = seq
        model.rows.clear()
        model.watch = Window(model.watch.filter)
        model.set_filter(model.window.filter)
        await asyncio.gather(*(self._load_watched(state) for state in model.watch.segments))
        await self._load_wanted()
        page = await self.client.events(before=seq + 1, limit=_BACKLOG)
        model.events.clear()
        model.remember(page["events"])

    async def load_history(self) -> int:
        """Read events older than those in view; returns how many there were, 0 at the beginning of the log."""
        return await older_events(self.client, self.model)

    async def _load_watched(self, state: str) -> None:
        segment = self.model.watch.segments[state]
        most = _WATCHED_MOST if state == "claimed" else PAGE
        while not segment.complete and len(segment.items) < most:
            await self._load_page(segment, Filter())
            self.model.mirror()

    async def _load_wanted(self) -> None:
        """Load what the view is near to, and nothing else."""
        window = self.model.window
        while window is self.model.window:
            wanted = window.wanting(*self._view)
            if not wanted:
                return
            await asyncio.gather(*(self._load_page(segment, window.filter) for segment in wanted))

    async def _load_page(self, segment: Segment, chosen: Filter) -> None:
        model = self.model
        counted = int(model.stats.get("last_seq") or 0) >= model.last_seq
        if segment.cursor is None and counted and not any(map(model.counts.get, segment.states)):
            model.load(segment, [], None)
            return
        model.begin_load()
        try:
            page = await self._page(segment, chosen)
        finally:
            touched = model.end_load()
        if page is not None:
            model.load(segment, page["tasks"], page["next_cursor"], touched)

    async def _page(self, segment: Segment, chosen: Filter) -> dict[str, Any] | None:
        """The next page of a segment; None if there are too many tasks to sort them so, and they stand as usual now."""
        model = self.model
        try:
            return await self.client.tasks(
                state=segment.states, sort=segment.listed, cursor=segment.cursor,
                limit=_FIRST if chosen.terms and segment.cursor is None else PAGE, view="summary", **chosen.params(),
            )  # fmt: skip
        except ApiError as error:
            if error.code != "too_many_to_sort" or segment is not model.window.segments.get(segment.name):
                raise
            model.fault = f"{error.detail}: narrow it with {key('filter')} or {key('saved-views')} first"
            model.set_filter(replace(chosen, sort=USUAL))
            self._wake.set()
            return None

    # -- following -------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        model = self.model
        # aclosing: a cancelled reader must not leave its connection to the garbage collector
        async with contextlib.aclosing(self.client.stream(after=model.last_seq)) as stream:  # type: ignore[type-var]
            async for item in stream:
                model.link.heard(model.clock.monotonic_ms())
                if not isinstance(item, Beat):
                    model.apply(item)

    async def _tend(self) -> None:
        """Read what events cannot tell: rates, new workers, pages, tasks told of only in part."""
        while True:
            self._wake.clear()
            self.model.trim(self._view[1])
            await self._load_wanted()
            mono = self.model.clock.monotonic_ms()
            moving = self.model.stale_stats or _moving(self.model.stats)
            if mono - self._stats_ms >= (_STATS_MS if moving else _QUIET_MS):
                await self._read_stats()
            if self.model.stale_projects:
                self.model.set_projects(await self.client.projects())
            asked = self.model.stale_workers or self.model.doubtful(mono - self._workers_ms)
            if mono - self._workers_ms >= (_WORKERS_MS if asked else _QUIET_MS):
                self._workers_ms = mono
                self.model.set_workers(await self.client.workers())
            await self._read_calls(mono)
            for task in list(self.model.stale_tasks)[:_READS_MOST]:
                if task in self.model.stale_tasks:  # it may have gone while others were read
                    await self._read_task(task)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._rest_s)

    async def _read_stats(self) -> None:
        clock = self.model.clock
        began = self._stats_ms = clock.monotonic_ms()
        stats = await self.client.stats()
        self.model.set_stats(stats, clock.monotonic_ms() - began)

    async def _read_calls(self, mono_ms: int) -> None:
        """What needs a human beyond what is loaded here; only when something has happened, or seldom."""
        seq = self.model.last_seq
        if mono_ms - self._calls_ms < (_CALLS_MS if seq != self._calls_seq else _CALLS_QUIET_MS):
            return
        self._calls_ms, self._calls_seq = mono_ms, seq
        self.model.calls = list((await self.client.attention(limit=_CALLS_MOST))["items"])

    async def _read_task(self, task: str) -> None:
        model = self.model
        model.stale_tasks.discard(task)
        model.begin_load()
        told = None
        try:
            told = await self.client.task(task)
        except ApiError as error:
            if error.status != 404:
                raise
        finally:
            touched = model.end_load()
        if told is not None and touched.get(task, told) is not None:
            model.learn(told)


async def older_events(client: Client, model: DeckModel) -> int:
    """Read events older than those in view, of those that are looked at; returns how many there were.

    Raises:
        ApiError, Unreachable: the server did not tell.
    """
    ring = model.events
    before = ring.oldest_seq if ring.view.oldest_seq is None else ring.view.oldest_seq
    if not ring.query.terms:
        return (
            model.remember((await client.events(before=before, limit=_BACKLOG))["events"]) if (before or 0) > 1 else 0
        )
    for _ in range(_LOOKS_MOST):
        if before is None or before <= 1:
            break
        page = await client.events(before=before, limit=_BACKLOG, q=ring.query.text)
        added = model.remember(page["events"], found=True)
        if added:
            return added
        before = page["next_before"]
    return 0


def _moving(stats: dict[str, Any]) -> bool:
    """Whether the rates of the last minute will look different in a second although nothing happens."""
    series = (stats.get("rates") or {}).get("series") or {}
    return any(any(values) for values in series.values())


def _first(failure: Exception) -> Exception:
    while isinstance(failure, ExceptionGroup):
        failure = failure.exceptions[0]
    return failure


def _told(error: Exception) -> str:
    if isinstance(error, (Unreachable, ApiError)):
        return error.detail
    return f"the server says something this dashboard does not know ({type(error).__name__}: {error})"
