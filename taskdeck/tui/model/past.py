"""The model behind the dashboard while it shows a moment of the past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from taskdeck.domain.clock import Clock
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.replay import Replay
from taskdeck.tui.model.rows import TaskRow, Wire, WorkerRow
from taskdeck.tui.model.timeline import Past
from taskdeck.tui.model.window import PAGES_MOST, Window

SLICE = 50
"""Rows placed before others have their turn."""


class MomentClock:
    """A wall clock that stands at a moment, while real time goes on passing."""

    def __init__(self, running: Clock) -> None:
        self.moment_ms = running.now_ms()
        self._running = running

    def now_ms(self) -> int:
        """The moment."""
        return self.moment_ms

    def monotonic_ms(self) -> int:
        """Real time."""
        return self._running.monotonic_ms()


class PastModel(DeckModel):
    """The deck at one moment. Nothing in it changes but by going to another one; there is nothing to act on."""

    def __init__(self, live: DeckModel) -> None:
        self.moment = MomentClock(live.clock)
        super().__init__(self.moment, address=live.address)
        self.live = live
        self.me, self.role = live.me, live.role
        self.past: Past = Past()
        self.replay = Replay()
        self.stale_stats = self.stale_workers = self.stale_projects = False
        self.link.up(self.clock.monotonic_ms())

    def set_filter(self, chosen: Filter) -> Window:
        """An empty window under another filter: it has to be filled from the replay."""
        self.window = Window(chosen, self.asked, self.live.claims)
        self.changed()
        return self.window

    def filled(self) -> Iterator[None]:
        """Show the replay as it stands, in bites: each step of the iterator places some rows, the last shows all."""
        window, watch = Window(self.window.filter, self.asked, self.live.claims), Window(self.watch.filter)
        shown: dict[str, TaskRow] = {}
        for at, row in enumerate(list(self.replay.rows.values()), 1):
            if window.put(row, loaded=True) | watch.put(row, loaded=True):
                shown[row.id] = row
            if at % SLICE == 0:
                yield
        self.rows, self.window, self.watch = shown, window, watch
        self._show()

    def lay(self, changed: Iterable[str]) -> None:
        """Show what one event, laid or taken off, has changed."""
        for task in changed:
            row = self.replay.rows.get(task)
            if row is None:
                self._forget(task)
            else:
                self._keep(row, loaded=True)
        self._show()

    def remember_title(self, event: Wire) -> str:
        """The title of an event's task as the replay knows it."""
        subject = event.get("task")
        known = self.replay.rows.get(subject["id"]) if subject else None
        return known.title if known else ""

    def _title_of(self, event: Wire) -> str:
        return self.remember_title(event)

    def _show(self) -> None:
        replay = self.replay
        self.counts = replay.counts
        self.workers = {name: self._as_known(row) for name, row in replay.workers.items()}
        self.projects = dict(replay.projects)
        for segment in (*self.window.segments.values(), *self.watch.segments.values()):
            segment.complete = all(self.counts.get(state, 0) <= replay.kept[state] for state in segment.states)
            segment.pages = 1 if segment.complete else PAGES_MOST
        self.changed()

    def _as_known(self, row: WorkerRow) -> WorkerRow:
        """How often a worker promised to be heard of is not in the log: its present promise is taken."""
        now = self.live.workers.get(row.id)
        return row._replace(heartbeat_ms=now.heartbeat_ms) if now else row
