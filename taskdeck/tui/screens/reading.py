"""Reading for the deck what it does not keep: a task in full while it is looked at, machinery, all that match."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.timer import Timer
from textual.worker import WorkType

from taskdeck.client import ApiError, Unreachable
from taskdeck.domain.replay import replay
from taskdeck.tui import sheets
from taskdeck.tui.format import clip, plural
from taskdeck.tui.matching import matching
from taskdeck.tui.model.events import line_of
from taskdeck.tui.model.past import PastModel
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.operate import told
from taskdeck.tui.widgets.detail import Dossier
from taskdeck.tui.widgets.detail_more import More

if TYPE_CHECKING:
    from taskdeck.tui.screens.deck import DeckScreen

FIRST_DELAY, NEXT_DELAY = 0.12, 1.0
"""Seconds: who walks down a list must not ask for every task, nor for a busy one at every change."""
_HISTORY = 200
_COMMENTS = 50
_CHAIN = 100
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
        elif read.version != row.version or read.beside != model.beside.get(row.id, 0):
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

    def mark_all(self) -> None:
        """Mark whatever the filter matches, on the server too, as far as marks go."""
        self._start_reading(self._mark_all, "marks")

    def copy(self, row: TaskRow, way: str) -> None:
        """Put something of a task on the clipboard."""
        self._start_reading(partial(self._copy, row, way), "copy")

    def read_hour(self) -> None:
        """Read the last hour of each project."""
        self._start_reading(self._read_hour, "hour")

    def show_machinery(self) -> None:
        """Read what works by itself, and show it."""
        self._start_reading(self._show_machinery, "machinery")

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
        read = Dossier(row.id, row.version, model.beside.get(row.id, 0))
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
        client, before = self._screen.client, self._screen.detail.dossier
        full, page, read.explained = await asyncio.gather(
            client.task(row.id),
            client.task_events(row.id, limit=_HISTORY),
            client.explain(row.id, self._screen.model.me),
        )
        read.full, read.history = full, [line_of(event, row.title) for event in page["events"]]
        if before is not None and before.task == read.task and before.beside == read.beside:
            read.more = before.more
        else:
            read.more = await self._beside(row)
        await self._around(read.more, row, full)

    async def _beside(self, row: TaskRow) -> More:
        """What stands beside the task, which does not change with its version."""
        client = self._screen.client
        comments, links, attachments, context = await asyncio.gather(
            client.comments(row.id, limit=_COMMENTS),
            client.links(row.id),
            client.attachments(row.id),
            client.context(row.id),
        )
        return More(comments["comments"], bool(comments["next_cursor"]), links, attachments, context)

    async def _around(self, more: More, row: TaskRow, full: Mapping[str, Any]) -> None:
        """What few tasks have: gates, turns, a chain."""
        client = self._screen.client
        if full.get("gates"):
            more.gates = list((await client.gates(row.id, self._screen.model.me))["gates"])
        if full.get("assignees"):
            more.assignments = list((await client.assignments(row.id, limit=_HISTORY))["assignments"])
        if full.get("parent") or full.get("children") or full.get("kind") == "goal":
            more.chain = await client.chain(row.id, limit=_CHAIN)

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

    async def _mark_all(self) -> None:
        screen, model = self._screen, self._screen.model
        whole = model.past is None or model.marks.add(model.rows[task] for task in model.window.tasks())
        try:
            if model.past is None:
                async for page in matching(screen.client, model.window.filter, model.claims, view="summary"):
                    whole = model.marks.add(TaskRow.of(wire) for wire in page)
                    if not whole:
                        break
        except (ApiError, Unreachable) as error:
            screen.tell(told(error), "failed")
        model.changed()
        number = plural(len(model.marks), "task")
        screen.tell(f"{number} marked" + ("" if whole else ", and no more can be"), "done" if whole else "refused")
        screen.redraw()

    async def _copy(self, row: TaskRow, way: str) -> None:
        screen = self._screen
        texts = {"key": row.key, "id": row.id, "title": row.title, "show": f"taskdeck show {row.key}"}
        try:
            if way == "json":
                text = json.dumps(await screen.client.task(row.id), indent=2, ensure_ascii=False)
            else:
                text = texts.get(way) or sheets.curl(row, screen.model.address)
        except (ApiError, Unreachable) as error:
            screen.tell(told(error), "failed")
            return
        screen.app.copy_to_clipboard(text)
        screen.tell(f"{way} of {clip(row.key, 40)} is on the clipboard, where the terminal allows it")

    async def _read_hour(self) -> None:
        try:
            self._screen.live.hour = (await self._screen.client.stats(hour=True)).get("hour") or {}
        except (ApiError, Unreachable) as error:
            self._screen.tell(told(error), "failed")

    async def _show_machinery(self) -> None:
        screen = self._screen
        found: dict[str, Any] = {}
        for name in ("schedules", "rules", "webhooks", "sources"):
            try:
                found[name] = await getattr(screen.client, name)()
            except ApiError as error:
                found[name] = told(error)  # webhooks and sources are for an administrator alone
            except Unreachable as error:
                screen.tell(told(error), "failed")
                return
        lines = sheets.machinery(found, screen.live.stats, screen.live.now_ms())
        screen.show_sheet("Machinery", "what works by itself, as it was just now", lambda: lines, lambda _: None)
