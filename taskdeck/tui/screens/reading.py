"""Reading one task in full for the detail pane: not for every row on the way, and anew when it has changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.timer import Timer
from textual.worker import WorkType

from taskdeck.client import ApiError, Unreachable
from taskdeck.domain.replay import replay
from taskdeck.tui.model.events import line_of
from taskdeck.tui.model.past import PastModel
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.operate import told
from taskdeck.tui.widgets.detail import Dossier

if TYPE_CHECKING:
    from taskdeck.tui.screens.deck import DeckScreen

FIRST_DELAY, NEXT_DELAY = 0.12, 1.0
"""Seconds: who walks down a list must not ask for every task, nor for a busy one at every change."""
_HISTORY = 200
_EVENTS_MOST = 5_000
"""Most events of one task that are read to show it as it was."""


class Reading:
    """Keeps the detail pane supplied while it is on screen."""

    def __init__(self, screen: DeckScreen) -> None:
        self._screen = screen
        self._timer: Timer | None = None
        self._section = ""

    def refresh(self) -> None:
        """Read the task shown, soon, if what is known of it is another or an older one."""
        detail, model = self._screen.detail, self._screen.model
        row = detail.row
        if row is None or not detail.display or model.link.state != "live" or self._timer is not None:
            return
        read = detail.dossier
        if read is None or read.task != row.id:
            self._timer = self._screen.set_timer(FIRST_DELAY, self._start)
        elif read.version != row.version:
            self._timer = self._screen.set_timer(NEXT_DELAY, self._start)

    def show(self, section: str) -> None:
        """Scroll to a section of the detail now, and once more when it was read."""
        self._section = section
        self._screen.detail.jump(section)

    def look_up(self, task: str) -> None:
        """Open a task that is not in the window."""
        self._start_reading(partial(self._open, task), "dossier")

    def look_back(self) -> None:
        """Read older events; they stand above those known."""
        self._start_reading(self._look_back, "history")

    def _start_reading(self, work: WorkType[None], group: str) -> None:
        """In place of what is being read already. `work` is a function: one replaced before it began is never made."""
        self._screen.run_worker(work, group=group, exclusive=True, exit_on_error=False)

    async def _look_back(self) -> None:
        try:
            if not await (self._screen.travel.look_back() or self._screen.feed.load_history()):
                self._screen.tell("nothing older is kept here", "refused")
        except (ApiError, Unreachable) as error:
            self._screen.tell(told(error), "failed")
        self._screen.redraw()

    def _start(self) -> None:
        self._timer = None
        row = self._screen.detail.row
        if row is not None:
            self._start_reading(partial(self._read, row), "dossier")

    async def _read(self, row: TaskRow) -> None:
        model, detail = self._screen.model, self._screen.detail
        read = Dossier(row.id, row.version)
        try:
            await (self._as_it_was(read, row, model.past.seq) if model.past else self._as_it_is(read, row))
        except (ApiError, Unreachable) as error:
            read.explained = {"claimable": False, "checks": [{"passed": False, "detail": told(error)}]}
        if model is not self._screen.model:
            return
        detail.dossier = read
        detail.sync()
        if self._section:
            detail.jump(self._section)
            self._section = ""

    async def _as_it_is(self, read: Dossier, row: TaskRow) -> None:
        client = self._screen.client
        read.full = await client.task(row.id)
        page = await client.task_events(row.id, limit=_HISTORY)
        read.history = [line_of(event, row.title) for event in page["events"]]
        read.explained = await client.explain(row.id, self._screen.model.me)

    async def _as_it_was(self, read: Dossier, row: TaskRow, seq: int) -> None:
        """The task's own events up to a moment, laid over each other, are the task as it was, documents and all."""
        events: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None and len(events) < _EVENTS_MOST:
            page = await self._screen.client.task_events(row.id, after=after, limit=_HISTORY)
            events += [event for event in page["events"] if event["seq"] <= seq]
            after = page["next_after"] if page["events"] and page["events"][-1]["seq"] < seq else None
        read.full = replay(events).get(row.id, {})
        read.history = [line_of(event, row.title) for event in events[-_HISTORY:]]

    async def _open(self, task: str) -> None:
        model = self._screen.model
        if isinstance(model, PastModel):
            then = model.replay.rows.get(task)
            if then is None:
                self._screen.tell("that task was not there any more, or ended too long before", "refused")
            else:
                self._screen.open_task(then)
            return
        try:
            row = TaskRow.of(await self._screen.client.task(task))
        except (ApiError, Unreachable) as error:
            self._screen.tell(told(error), "failed")
            return
        self._screen.open_task(row)
