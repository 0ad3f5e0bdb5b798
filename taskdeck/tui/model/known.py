"""The tasks that a dashboard knows: those in view, watched or marked; kept current by pages, replies and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from taskdeck.domain.clock import Clock
from taskdeck.domain.order import USUAL
from taskdeck.tui.model.filter import Filter, parse
from taskdeck.tui.model.marks import Marks
from taskdeck.tui.model.rows import TaskRow, Wire
from taskdeck.tui.model.sort import OrderKey
from taskdeck.tui.model.window import Segment, Window

STALE_MOST = 500
"""Most tasks waiting to be read one by one; the rest of a flood is seen when its page is."""


class Known:
    """Tasks by id, and the lists they stand in. `revision` grows with every change, so a frame without one is free."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.revision = 0
        self.skew_ms = 0
        self.me = ""
        self.claims = USUAL
        """In which order the deck hands out."""
        self.rows: dict[str, TaskRow] = {}
        self.window = Window(Filter())
        self.watch = Window(parse("state:claimed,failed"))
        self.marks = Marks()
        self.stale_tasks: set[str] = set()
        """Tasks told of only in part, to be read."""
        self._touched: dict[str, TaskRow | None] = {}
        self._loads = 0

    # -- time ------------------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The server's time: this machine's clock, corrected by what the server last said."""
        return self.clock.now_ms() + self.skew_ms

    def asked(self) -> tuple[int, str]:
        """When, and by whom, a filter is asked: for conditions on time and for `is:mine`."""
        return self.now_ms(), self.me

    def changed(self) -> None:
        """Something the screen may show is different."""
        self.revision += 1

    # -- what is looked at -----------------------------------------------------------------------------------

    def set_filter(self, chosen: Filter) -> Window:
        """Start a window under another filter; what is known already is put in at once."""
        self.window = Window(chosen, self.asked, self.claims)
        for row in self.rows.values():
            self.window.put(row)
        self.mirror()
        self._prune()
        self.changed()
        return self.window

    def mirror(self) -> None:
        """Without a filter the view needs no second load of what is watched anyway."""
        if self.window.filter.terms or self.window.filter.sort.field:
            return
        for state, watched in self.watch.segments.items():
            segment = self.window.segments[state]
            segment.complete, segment.cursor, segment.pages = watched.complete, watched.cursor, watched.pages

    def row_at(self, index: int) -> TaskRow | None:
        """The task of a line of the queue, None for a line without one."""
        entry = self.window.at(index)
        return self.rows.get(entry.task) if entry and entry.task else None

    def trim(self, last: int) -> None:
        """Let go of what events have piled up beyond the view, whose last line is `last`."""
        if self.window.trim(last) | self.watch.trim(0):
            self._prune()
            self.changed()

    def _prune(self) -> None:
        inside = {*self.window.tasks(), *self.watch.tasks()}
        self.rows = {key: row for key, row in self.rows.items() if key in inside or key in self.marks}

    # -- pages, replies, events ------------------------------------------------------------------------------

    def begin_load(self) -> None:
        """From now on remember which tasks events touch: a page asked for earlier must not overwrite them."""
        if not self._loads:
            self._touched = {}
        self._loads += 1

    def end_load(self) -> dict[str, TaskRow | None]:
        """A page is here; returns what events made of tasks since it was asked for or before.

        None: deleted, or out of view without ever having been known.
        """
        self._loads -= 1
        return dict(self._touched)

    def load(
        self,
        segment: Segment,
        tasks: Iterable[Wire],
        cursor: str | None,
        touched: Mapping[str, TaskRow | None] = MappingProxyType({}),
    ) -> None:
        """The next page of a segment. Tasks that were `touched` meanwhile take their newer form."""
        segment.cursor = cursor
        segment.complete = cursor is None
        segment.pages += 1
        mine = segment is self.window.segments.get(segment.name)
        chosen = bool(self.window.filter.sort.field)
        last: OrderKey = ()
        for wire in tasks:
            told = TaskRow.of(wire)
            if chosen:
                last = max(last, segment.key(told))
            row = touched.get(told.id, told)
            if row is None:
                continue
            known = self.rows.get(row.id)
            newest = known if known is not None and known.version > row.version else row
            # in a chosen order what other lists bring may stand far behind what this one has come to
            self._keep(newest, loaded=segment if chosen else True, searched=mine)
        if last and mine and not (segment.complete or segment.trimmed):
            segment.end_at(last)
        self.changed()

    def learn(self, wire: Wire) -> TaskRow:
        """A task as a reply to an act or a read told it."""
        row = TaskRow.of(wire)
        known = self.rows.get(row.id)
        if known is not None and known.version > row.version:
            return known
        self.stale_tasks.discard(row.id)
        if self._loads:
            self._touched[row.id] = row
        self._keep(row)
        self.changed()
        return row

    def _after(self, task: str, event: Wire) -> TaskRow | None:
        """The task as the event leaves it; None if it is not known here, and asked for where it matters."""
        changes = event.get("changes") or {}
        known = self.rows.get(task)
        if known is None and event["type"] == "task.created":
            return TaskRow.of(changes)
        if known is None:
            # only a change of state can bring an unknown task into view
            if "state" in changes:
                self._want(task, changes["state"])
            return None
        if changes.get("version", known.version) < known.version:
            return None
        return known.updated(changes)

    def _want(self, task: str, state: str) -> None:
        """An unknown task is in this state now: it is to be read, or need not be any more."""
        if state not in self.window.filter.states and state not in self.watch.segments:
            self.stale_tasks.discard(task)
            if self._loads:  # what is being read of it is older
                self._touched[task] = None
            return
        self._touched.pop(task, None)
        if len(self.stale_tasks) < STALE_MOST:
            self.stale_tasks.add(task)

    def _keep(self, row: TaskRow, *, loaded: Segment | bool = False, searched: bool = False) -> None:
        watched = self.watch.put(row, loaded=True)
        inside = self.window.put(row, loaded=loaded, searched=searched)
        self.marks.update(row)
        if inside or watched or row.id in self.marks or self.window.held:
            self.rows[row.id] = row
        else:
            self.rows.pop(row.id, None)

    def _forget(self, task: str) -> None:
        if self._loads:
            self._touched[task] = None
        self.window.remove(task)
        self.watch.remove(task)
        self.marks.drop(task)
        if not self.window.held:
            self.rows.pop(task, None)
