"""The deck: panes, the frame tick, and the way from a key to an act."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.theme import Theme
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from taskdeck.client import Client
from taskdeck.tui.actions import BY_ID, FOOTER, FOOTER_KEYS, FOOTER_PAST, PAST_WORDS, TABLE, Action
from taskdeck.tui.acts.changing import prioritize
from taskdeck.tui.calling import Calling
from taskdeck.tui.dialogs.base import Form, FormDialog, Values
from taskdeck.tui.dialogs.forms import leaving
from taskdeck.tui.editor import EditorError, edited
from taskdeck.tui.feed import Feed
from taskdeck.tui.format import clip
from taskdeck.tui.gate import closed, refusal
from taskdeck.tui.model.attention import NAMED
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.moment import Wanted
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.model.saved import View
from taskdeck.tui.model.saved import Views as SavedViews
from taskdeck.tui.operate import QUICK, Operator, Tone
from taskdeck.tui.paint import Spans, width_of
from taskdeck.tui.preferences import Preferences
from taskdeck.tui.screens.help import HelpScreen
from taskdeck.tui.screens.layout import PANES, layout
from taskdeck.tui.screens.looking import Looking
from taskdeck.tui.screens.outside import Moving, Outside
from taskdeck.tui.screens.reading import Reading
from taskdeck.tui.screens.sheet import ChecksScreen, Lines, SheetScreen
from taskdeck.tui.screens.travel import Travel
from taskdeck.tui.screens.typed import TypedLine
from taskdeck.tui.screens.views import Views
from taskdeck.tui.terminal import OnTerminal
from taskdeck.tui.themes import THEMES, Palette
from taskdeck.tui.widgets.detail import Detail
from taskdeck.tui.widgets.event_list import EventList
from taskdeck.tui.widgets.key_hints import Hint, KeyHints
from taskdeck.tui.widgets.lease_list import LeaseList
from taskdeck.tui.widgets.line_list import LineList
from taskdeck.tui.widgets.line_widget import ALL, LineWidget
from taskdeck.tui.widgets.prompt import Prompt
from taskdeck.tui.widgets.queue_table import QueueTable
from taskdeck.tui.widgets.tabs import tab_at, tab_title
from taskdeck.tui.widgets.vitals import Vitals
from taskdeck.tui.widgets.worker_list import WorkerList

_log = logging.getLogger(__name__)
TICK = 0.2
"""Seconds between looks at the model; a look that finds nothing new draws nothing."""
LINES_AT_ONCE = 32
"""Lines drawn in one turn of the loop, about two milliseconds' worth."""
_UNFOCUSED_TICK = 2.0
_NOTE_MS = 6_000
_TONES = {"done": "done bold", "refused": "accent bold", "failed": "failed bold"}


def bindings() -> list[Binding]:
    """The bindings of the action table.

    They have priority, so that each key is done before the next one is looked at: what is typed fast after `/` must
    find the line open and not be taken for keys of the deck.
    """
    return [
        Binding(
            ",".join(action.keys),
            f"act('{action.id}')",
            action.word,
            show=False,
            priority=True,
            id=f"deck.{action.id}",
        )
        for action in TABLE
        if action.keys
    ]


class DeckScreen(Screen[None]):
    """Everything at one glance. Holds no data of its own beyond what the operator is looking at."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    def __init__(
        self, client: Client, model: DeckModel, feed: Feed, *, serving: bool, saved: SavedViews | None = None,
        log_file: Path | None = None, preferences: Preferences | None = None, moving: Moving | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.client, self.feed, self.serving, self.log_file = client, feed, serving, log_file
        self.moving = moving
        self.preferences = preferences or Preferences()
        self.keys = self.preferences.keys
        self.live = model
        """The present, which the feed keeps current whatever is on screen."""
        self.model = model
        """What is on screen: the present, or a moment of the past."""
        self.saved = saved or SavedViews()
        self.views = Views(self)
        self.travel = Travel(self)
        self.outside = Outside(self)
        self.operator = Operator(client, model, self)
        self.reading = Reading(self)
        self.vitals = Vitals(model, id="vitals")
        self.queue = QueueTable(model, id="queue")
        self.leases = LeaseList(model, id="leases")
        self.worker_list = WorkerList(model, id="workers")
        self.events = EventList(model, id="events")
        self.detail = Detail(model, id="detail")
        self.hints = KeyHints(self._hint_list, id="hints")
        self.looking = Looking(self)
        self.typed_line = TypedLine(self)
        self.prompt = Prompt(self.typed_line.notes, self.typed_line.complete, id="prompt")
        self.panes: dict[int, LineList] = {
            1: self.queue, 2: self.leases, 3: self.worker_list, 4: self.events, 5: self.detail,
        }  # fmt: skip
        self.active, self.before_task = 1, 1
        self.zoomed = self.task_open = False
        self.problem: str | None = None
        self.failure = ""
        """What went wrong, while the message of it stands."""
        self._tabs = 0
        self._asking = False
        self._early: list[str] | None = None
        self._dialog: FormDialog | None = None
        self._drawn = (-1, -1)
        self._undrawn: list[LineWidget] = []
        self._second = 0
        self._ticker: Timer | None = None
        self._note_until = 0
        self._calling: Calling | None = None
        self._palettes: dict[tuple[str, bool, bool], Palette] = {}

    def compose(self) -> ComposeResult:
        """Vitals, body, events, one line for keys or typing."""
        yield self.vitals
        with Horizontal(id="body"):
            yield self.queue
            yield self.detail
            with Vertical(id="side"):
                yield self.leases
                yield self.worker_list
        yield self.events
        yield self.hints
        yield self.prompt

    def on_mount(self) -> None:
        """Begin to tick."""
        self.prompt.display = False
        self.place_panes()
        self.watch(self.app, "app_focus", self._set_pace)
        self.app.theme_changed_signal.subscribe(self, self._recolour)
        app = self.app
        self._calling = Calling(
            lambda: app.terminal if isinstance(app, OnTerminal) else None,
            bell=self.preferences.bell, notice=self.preferences.notice, ascii=app.has_class("-ascii"),
        )  # fmt: skip
        if faults := self.preferences.faults:
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            self.call_after_refresh(self.tell, f"{faults[0]}{more}", "failed")

    def _set_pace(self, focused: bool) -> None:
        """Look at the model less often while nobody looks at the screen."""
        if self._ticker is not None:
            self._ticker.stop()
        self._ticker = self.set_interval(TICK if focused else _UNFOCUSED_TICK, self.tick)

    # -- the frame -------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """One frame: a new second or a changed model is drawn, all else costs nothing."""
        second = self.live.now_ms() // 1000
        if second != self._second:
            self._second = second
            self.live.refresh_problems()
            if self._calling is not None:
                state, settled = self.live.link.state, self.live.calls is not None
                self._calling.report(self.live.problems, settled=settled, lost=state == "lost")
            self.travel.report()
            if self.live.link.back:
                self.tell(self.live.link.back)
                self.live.link.back = ""
            if self._note_until and self.model.clock.monotonic_ms() > self._note_until:
                self._note_until = 0
                self.hints.say(())
        if (self.model.revision, second) != self._drawn:
            self.redraw(LINES_AT_ONCE)
        if self.live.fault:
            self.tell(self.live.fault, "failed")
            self.live.fault = ""

    def redraw(self, most: int = ALL) -> None:
        """Have every visible line compared with the model, and the differing ones drawn.

        At most so many lines are drawn at once: the server may live on the same loop, and is let in between.
        """
        if not self.is_mounted:
            return
        self._drawn = (self.model.revision, self.live.now_ms() // 1000)
        self.vitals.read_only = self.model.role == "reader"
        self.queue.before_sync()
        self.detail.show(self.current())
        self._set_tabs()
        self._undrawn = list(dict.fromkeys((self.pane, self.vitals, self.hints, *self.panes.values())))
        self._draw(most)
        for prose in self.prompt.query(LineWidget):
            prose.wear(self.palette_of(past=self.model.past is not None))
        if self.prompt.display:
            self.prompt.sync()
        if self.model is self.live:
            self.feed.look(self.queue.top, self.queue.top + self.queue.room)
        self.reading.refresh()

    def _draw(self, most: int) -> None:
        """Draw so many lines, and the rest when these are on screen; a pane in new colours is drawn as a whole."""
        faded, past = self.model.link.state == "lost", self.model.past is not None
        lines = 0
        while self._undrawn and lines < most:
            widget = self._undrawn[0]
            if widget.wear(self.palette_of(faded=faded and isinstance(widget, LineList), past=past)):
                lines += max(widget.sync(), widget.extent.height)
            else:
                lines += widget.sync(most - lines)
            if not widget.behind:
                del self._undrawn[0]
        if self._undrawn:
            self.call_after_refresh(self._draw, most)

    def palette_of(self, *, faded: bool = False, past: bool = False) -> Palette:
        """The palette of the present theme."""
        slot = (self.app.theme, faded, past)
        if slot not in self._palettes:
            self._palettes[slot] = Palette(
                self.app.theme_variables, faded=faded, past=past, ascii=self.app.has_class("-ascii"),
                filters=self.get_line_filters(),
            )  # fmt: skip
        return self._palettes[slot]

    def _recolour(self, theme: Theme) -> None:
        self._palettes.clear()
        self.redraw()

    def _set_tabs(self) -> None:
        for number, pane in self.panes.items():
            pane.tab_title = None
            if number == self._tabs:
                hot, troubled = self.leases.hot(), self.worker_list.troubled()
                more = self.events.short_title() if number == 4 else ()
                pane.tab_title = tab_title(number, self.size.width, self.model, hot=hot, troubled=troubled, more=more)

    def show_model(self, model: DeckModel) -> None:
        """Draw another model: the present, or a moment of the past. The cursor stays with its task."""
        if model.events.query != self.model.events.query:
            model.events.choose(self.model.events.query)
        self.model = model
        for widget in (self.vitals, self.queue, self.leases, self.worker_list, self.events, self.detail):
            widget.model = model
        self.events.following = True
        self.detail.dossier = None
        self.redraw(LINES_AT_ONCE)

    def place_panes(self) -> None:
        """Show the panes that this size and the active pane ask for."""
        width, height = self.app.size
        plan = layout(width, height, self.active, self.zoomed, self.task_open or self.active == 5)
        self._tabs = plan.tabs
        for number, pane in self.panes.items():
            pane.display = PANES[number] in plan.shown
            pane.active = number == self.active
        self.query_one("#body").display = plan.shown != {"events"}
        side = self.query_one("#side")
        side.display = bool(plan.shown & {"leases", "workers"})
        side.styles.width = plan.side or "1fr"
        self.detail.styles.width = plan.detail or "1fr"
        side.set_class(bool(plan.side), "-beside")
        self.detail.set_class(bool(plan.detail), "-beside")
        self.events.styles.height = plan.events or "1fr"
        self.vitals.styles.height = plan.vitals
        if self.focused is None or not self.prompt.display:
            # at once: `focus` would take the keys away from a line that is opened meanwhile
            self.set_focus(self.panes[self.active], scroll_visible=False)
        self.call_after_refresh(self.redraw)

    def on_resize(self, event: events.Resize) -> None:
        """Another size, another layout."""
        self.place_panes()

    # -- panes -----------------------------------------------------------------------------------------------

    @property
    def pane(self) -> LineList:
        """The pane the keys go to."""
        return self.panes[self.active]

    def show_pane(self, number: int) -> None:
        """Give the keys to a pane, and show it if it is not on screen."""
        if number != self.active:
            self.looking.leave()
        if number == 5 and self.active != 5:
            self.before_task = self.active
        if number != 5:
            self.task_open = self.task_open and number == 1
        self.active = number
        self.place_panes()

    def step_pane(self, step: int) -> None:
        """The next or the previous pane, round and round."""
        self.show_pane((self.active - 1 + step) % len(self.panes) + 1)

    def current(self) -> TaskRow | None:
        """The task the acts mean: under the cursor of queue or leases, or the one shown in detail."""
        if self.active == 2:
            return self.leases.current
        if self.active == 5 and self.detail.row is not None:
            return self.model.rows.get(self.detail.row.id, self.detail.row)
        return self.queue.current

    def targets(self, action: Action) -> Sequence[TaskRow]:
        """What an act is done on: all marked tasks if there are any and the act allows, else the one at hand."""
        if action.id == "override" and self.active == 3 and self.worker_list.current is not None:
            return [row for row in self.model.leases() if row.holder == self.worker_list.current.id]
        if action.many and self.model.marks:
            return list(self.model.marks)
        row = self.current()
        return [row] if row is not None else []

    def open_task(self, row: TaskRow) -> None:
        """Show a task in full."""
        self.detail.show(row)
        self.show_pane(5)

    def go_to(self, task: str) -> None:
        """Put the cursor on a task, whatever the filter; one that is not listed is opened. Of a project: its tasks."""
        if task.startswith(NAMED):
            self.views.show_view(View(task, f'project:"{task[1:]}"'))
            return
        if not self.queue.select(task):
            # the filter hides it: what was asked for outweighs what was being looked at
            self.looking.unfilter()
            if not self.queue.select(task):
                self.reading.look_up(task)
                return
        if self.active not in (1, 5):
            self.show_pane(1)

    def on_line_list_moved(self, message: LineList.Moved) -> None:
        """The cursor moved: the detail follows."""
        self.redraw(LINES_AT_ONCE)

    def on_line_list_opened(self, message: LineList.Opened) -> None:
        """A double click opens."""
        self.act("show-detail")

    def on_queue_table_head_clicked(self, message: QueueTable.HeadClicked) -> None:
        """The head of a column sorts by it; again: the other way round."""
        self.looking.sort_by_head(message.head)

    def on_line_list_title_clicked(self, message: LineList.TitleClicked) -> None:
        """A tab was clicked."""
        number = tab_at(message.pane.tab_title[0], message.x) if message.pane.tab_title else None
        if number is not None:
            self.show_pane(number)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click gives a pane the keys, also those of a line that was being typed."""
        if self.prompt.display and isinstance(event.widget, LineList) and event.widget.has_focus:
            self.typed_line.close()
        for number, pane in self.panes.items():
            if event.widget is pane and pane.has_focus and number != self.active:
                self.show_pane(number)

    # -- keys and acts ---------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, or a dialog is about to open, keys are letters."""
        return action != "act" or not (self.prompt.display or self._early is not None)

    def on_key(self, event: events.Key) -> None:
        """What is typed while a dialog opens is kept for it; `enter` is not: nobody agrees to what is not shown yet."""
        if self._early is not None and event.is_printable and event.character:
            self._early.append(event.character)
            if self._dialog is not None:
                self._dialog.take_early()
            event.stop()

    def action_act(self, action: str) -> None:
        """A key of the table."""
        self.act(action)

    def act(self, name: str, given: str = "") -> None:
        """Do an action: views at once, writes through the gate and in a worker. `given` stood behind its command."""
        action = BY_ID[name]
        if not action.writes:
            self.views.run(name)
            return
        rows = self.targets(action)
        shut = closed(action, self.model)
        resting = self.model.frozen and any(row.id in self.model.stirred for row in rows)  # it is read anew first
        if shut is None and not resting and len(rows) <= 1 and action.scope in ("task", "project"):
            shut = refusal(action, self.model, rows[0] if rows else None)
        if shut is not None:
            self.tell(shut, "refused")
            return
        worker = self.worker_list.current if self.active == 3 else None
        if action.id not in QUICK:
            if self._asking:  # the key was hit twice: one dialog is enough
                return
            self._asking = True
            self._early = []
        self.run_worker(self._do(action, rows, worker, given), group="acts", exit_on_error=False)

    async def _do(self, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None, given: str) -> None:
        try:
            await self.operator.run(action, rows, worker, given)
        finally:
            self.feed.poke()
            if action.id not in QUICK:
                self._asking, self._early = False, None

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """An act that broke must not look like one that was done."""
        if event.state is WorkerState.ERROR and event.worker.group != "feed":
            _log.error("%s broke", event.worker.group, exc_info=event.worker.error)
            self.tell(f"this went wrong in the dashboard: {event.worker.error!r}", "failed")

    def set_priority(self, priority: int) -> None:
        """`:prio 80`."""
        rows = self.targets(BY_ID["reprioritize"])
        self.run_worker(prioritize(self.operator, rows, priority), exit_on_error=False)

    async def ask(self, form: Form) -> Values | None:
        """Show a dialog."""
        self._dialog = FormDialog(form, self.palette_of(), self._early if self._early is not None else [])
        try:
            return await self.app.push_screen_wait(self._dialog)
        finally:
            self._dialog = self._early = None

    async def pick(self, name: str, note: str, source: Callable[[], Lines]) -> str | None:
        """Show a list to choose from."""
        self._early = None
        return await self.app.push_screen_wait(SheetScreen(self.palette_of(), name, note, source))

    async def write(self, text: str, suffix: str) -> str | None:
        """Have a text edited in the operator's editor, the deck out of the way meanwhile."""
        try:
            return await edited(self.app, text, suffix)
        except EditorError as error:
            self.tell(str(error), "failed")
            return None

    def tell(self, text: str, tone: Tone = "done") -> None:
        """A line for the operator. A failure stays until escape; all else goes by itself."""
        sign = {"done": "✓ ", "refused": "", "failed": "✗ "}[tone]
        keys: Spans = (("   w", "accent bold"), (" all", "muted"), ("  esc", "accent bold"), (" read", "muted"))
        tail = keys if tone == "failed" else ()
        self.failure = text if tone == "failed" else ""
        room = max(10, self.size.width - 3 - width_of(tail))
        self.hints.say(((clip(f"{sign}{text}", room), _TONES[tone]), *tail))
        self._note_until = 0 if tone == "failed" else self.model.clock.monotonic_ms() + _NOTE_MS

    def _hint_list(self) -> list[Hint]:
        row, past = self.current(), self.model.past is not None
        out: list[Hint] = []
        for name in FOOTER_PAST if past else FOOTER:
            action = BY_ID[name]
            possible = refusal(action, self.model, row) is None if action.writes else True
            word = PAST_WORDS.get(name, action.word) if past else action.word
            out.append((self._shown(action), word, possible, name))
        return out

    def _shown(self, action: Action) -> str:
        usual = action.id in FOOTER_KEYS and not {"raise", "lower"} & self.keys.own.keys()
        return FOOTER_KEYS[action.id] if usual else self.keys.shown(action)

    def on_key_hints_clicked(self, message: KeyHints.Clicked) -> None:
        """A hint is a button."""
        self.act(message.action)

    def on_vitals_state_clicked(self, message: Vitals.StateClicked) -> None:
        """The tape filters; the same state again takes it off."""
        text = f"state:{message.state}"
        self.typed_line.filter("" if self.model.window.filter.text == text else text, final=True)

    def on_vitals_chip_clicked(self, message: Vitals.ChipClicked) -> None:
        """The chip is `!`."""
        self.act("problem")

    def on_vitals_scrubbed(self, message: Vitals.Scrubbed) -> None:
        """A moment of the scrubber."""
        self.travel.go(Wanted(at_ms=message.at_ms))

    # -- typing ----------------------------------------------------------------------------------------------

    def on_prompt_typed(self, message: Prompt.Typed) -> None:
        """A filter or a command."""
        self.typed_line.typed(message)

    def on_prompt_left(self, message: Prompt.Left) -> None:
        """Escape."""
        self.typed_line.left(message)

    # -- themes, help, leaving -------------------------------------------------------------------------------

    def choose_theme(self, name: str) -> None:
        """A theme by its name, or the next one."""
        names = [theme.name for theme in THEMES]
        if name and name not in names:
            self.tell(f"no theme “{clip(name, 24)}”; there are {', '.join(names)}", "refused")
            return
        at = names.index(self.app.theme) if self.app.theme in names else -1
        self.app.theme = name or names[(at + 1) % len(names)]

    def show_sheet(
        self, name: str, note: str, source: Callable[[], Lines], chosen: Callable[[str | None], None], *, at: int = 0,
        text: str = "",
    ) -> None:  # fmt: skip
        """Show a list over the deck; `chosen` gets what is chosen of it. `text` is what `y` copies."""
        self.app.push_screen(SheetScreen(self.palette_of(), name, note, source, at=at, text=text), chosen)

    def show_checks(self, name: str, note: str, source: Callable[[], Lines], turn: Callable[[str], None]) -> None:
        """Show a list over the deck whose lines are turned on and off one by one."""
        self.app.push_screen(ChecksScreen(self.palette_of(), name, note, source, turn))

    def show_help(self) -> None:
        """The list of keys."""
        self.app.push_screen(HelpScreen(self.palette_of(), self.refusal_of, self.keys.shown))

    def refusal_of(self, action: Action) -> str:
        """Why an action cannot be done now, empty if it can."""
        return (
            closed(action, self.model) if action.scope != "task" else refusal(action, self.model, self.current())
        ) or ""

    def leave(self) -> None:
        """Quit: at once where the deck is served elsewhere, after a question where it is served in here."""
        if not self.serving:
            self.app.exit(0)
            return
        if self._asking:
            return
        self._asking = True
        self.run_worker(self._ask_to_leave(), group="acts", exit_on_error=False)

    async def _ask_to_leave(self) -> None:
        try:
            values = await self.ask(leaving(self.live, self.moving.home if self.moving else ""))
        finally:
            self._asking = False
        if values is not None and values["sure"] == "yes":
            self.app.exit(0)
