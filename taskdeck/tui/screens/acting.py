"""From a key to an act: what it is done on, whether it can be done now, and what is asked before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events

from taskdeck.tui.actions import BY_ID, Action
from taskdeck.tui.acts.changing import prioritize
from taskdeck.tui.dialogs.base import Form, FormDialog, Values
from taskdeck.tui.dialogs.forms import leaving
from taskdeck.tui.editor import EditorError, edited
from taskdeck.tui.gate import closed, refusal
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.operate import QUICK, Operator, Tone
from taskdeck.tui.screens.sheet import Lines, SheetScreen

if TYPE_CHECKING:
    from taskdeck.tui.screens.deck import DeckScreen


class Acting:
    """Does the actions of the table that write, one dialog at a time. What is typed early is kept for the dialog."""

    def __init__(self, screen: DeckScreen) -> None:
        self._screen = screen
        self.operator = Operator(screen.client, screen.live, self)
        self._asking = False
        self._early: list[str] | None = None
        self._dialog: FormDialog | None = None

    def targets(self, action: Action) -> Sequence[TaskRow]:
        """What an act is done on: all marked tasks if there are any and the act allows, else the one at hand."""
        screen = self._screen
        worker = screen.worker_list.current
        if action.id == "override" and screen.active == 3 and worker is not None:
            return [row for row in screen.model.leases() if row.holder == worker.id]
        if action.many and screen.model.marks:
            return list(screen.model.marks)
        row = screen.current()
        return [row] if row is not None else []

    @property
    def asking(self) -> bool:
        """Whether a dialog is about to open, so that what is typed is meant for it."""
        return self._early is not None

    def take(self, event: events.Key) -> None:
        """What is typed while a dialog opens is kept for it; `enter` is not: nobody agrees to what is not shown yet."""
        if self._early is not None and event.is_printable and event.character:
            self._early.append(event.character)
            if self._dialog is not None:
                self._dialog.take_early()
            event.stop()

    def act(self, name: str, given: str = "") -> None:
        """Do an action: views at once, writes through the gate and in a worker. `given` stood behind its command."""
        screen, model, action = self._screen, self._screen.model, BY_ID[name]
        if not action.writes:
            screen.views.run(name)
            return
        rows = self.targets(action)
        shut = closed(action, model)
        resting = model.frozen and any(row.id in model.stirred for row in rows)  # it is read anew first
        if shut is None and not resting and len(rows) <= 1 and action.scope in ("task", "project"):
            shut = refusal(action, model, rows[0] if rows else None)
        if shut is not None:
            screen.tell(shut, "refused")
            return
        worker = screen.worker_list.current if screen.active == 3 else None
        if action.id not in QUICK:
            if self._asking:  # the key was hit twice: one dialog is enough
                return
            self._asking = True
            self._early = []
        screen.run_worker(self._do(action, rows, worker, given), group="acts", exit_on_error=False)

    async def _do(self, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None, given: str) -> None:
        try:
            await self.operator.run(action, rows, worker, given)
        finally:
            self._screen.feed.poke()
            if action.id not in QUICK:
                self._asking, self._early = False, None

    def set_priority(self, priority: int) -> None:
        """`:prio 80`."""
        rows = self.targets(BY_ID["reprioritize"])
        self._screen.run_worker(prioritize(self.operator, rows, priority), exit_on_error=False)

    async def ask(self, form: Form) -> Values | None:
        """Show a dialog; where another's act takes tasks from under it, it says so."""
        prose = form.prose
        form = replace(form, prose=lambda: [*prose(), *self.operator.moved()])
        self._dialog = FormDialog(form, self._screen.frame.palette_of(), self._early if self._early is not None else [])
        try:
            return await self._screen.app.push_screen_wait(self._dialog)
        finally:
            self._dialog = self._early = None

    async def pick(self, name: str, note: str, source: Callable[[], Lines]) -> str | None:
        """Show a list to choose from."""
        self._early = None
        return await self._screen.app.push_screen_wait(SheetScreen(self._screen.frame.palette_of(), name, note, source))

    async def write(self, text: str, suffix: str) -> str | None:
        """Have a text edited in the operator's editor, the deck out of the way meanwhile."""
        try:
            return await edited(self._screen.app, text, suffix)
        except EditorError as error:
            self.tell(str(error), "failed")
            return None

    def tell(self, text: str, tone: Tone = "done") -> None:
        """Say it on the screen."""
        self._screen.tell(text, tone)

    def leave(self) -> None:
        """Quit: at once where the deck is served elsewhere, after a question where it is served in here."""
        if not self._screen.serving:
            self._screen.app.exit(0)
            return
        if self._asking:
            return
        self._asking = True
        self._screen.run_worker(self._ask_to_leave(), group="acts", exit_on_error=False)

    async def _ask_to_leave(self) -> None:
        screen = self._screen
        try:
            values = await self.ask(leaving(screen.live, screen.moving.home if screen.moving else ""))
        finally:
            self._asking = False
        if values is not None and values["sure"] == "yes":
            self._screen.app.exit(0)
