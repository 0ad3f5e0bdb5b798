"""The deck: its panes, which of them have the keys, and what each message of theirs means."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.worker import Worker, WorkerState

from taskdeck.client import Client
from taskdeck.tui.actions import BY_ID, FOOTER, FOOTER_KEYS, FOOTER_PAST, PAST_WORDS, TABLE, Action
from taskdeck.tui.feed import Feed
from taskdeck.tui.format import clip
from taskdeck.tui.gate import closed, refusal
from taskdeck.tui.keymap import key
from taskdeck.tui.model.attention import NAMED
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.moment import Wanted
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.saved import View
from taskdeck.tui.model.saved import Views as SavedViews
from taskdeck.tui.operate import Tone
from taskdeck.tui.paint import Spans, width_of
from taskdeck.tui.preferences import Preferences
from taskdeck.tui.screens.acting import Acting
from taskdeck.tui.screens.frame import LINES_AT_ONCE, Frame
from taskdeck.tui.screens.help import HelpScreen
from taskdeck.tui.screens.layout import PANES, layout
from taskdeck.tui.screens.looking import Looking
from taskdeck.tui.screens.outside import Moving, Outside
from taskdeck.tui.screens.reading import Reading
from taskdeck.tui.screens.sheet import ChecksScreen, Lines, SheetScreen
from taskdeck.tui.screens.travel import Travel
from taskdeck.tui.screens.typed import TypedLine
from taskdeck.tui.screens.views import Views
from taskdeck.tui.themes import THEMES
from taskdeck.tui.widgets.covered import Below, Beside, Kept
from taskdeck.tui.widgets.detail import Detail
from taskdeck.tui.widgets.event_list import EventList
from taskdeck.tui.widgets.key_hints import Hint, KeyHints
from taskdeck.tui.widgets.lease_list import LeaseList
from taskdeck.tui.widgets.line_list import LineList
from taskdeck.tui.widgets.line_widget import ALL
from taskdeck.tui.widgets.prompt import Prompt
from taskdeck.tui.widgets.queue_table import QueueTable
from taskdeck.tui.widgets.tabs import tab_at
from taskdeck.tui.widgets.vitals import Vitals
from taskdeck.tui.widgets.worker_list import WorkerList

_log = logging.getLogger(__name__)
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
        self.acting = Acting(self)
        self.reading = Reading(self)
        self.frame = Frame(self)
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
        self._note_until = 0
        self._kept = Kept()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The ground below all panes, which cover it."""
        return self._kept.lines(self, crop, super().render_lines)

    def compose(self) -> ComposeResult:
        """Vitals, body, events, one line for keys or typing."""
        yield self.vitals
        with Beside(id="body"):
            yield self.queue
            yield self.detail
            with Below(id="side"):
                yield self.leases
                yield self.worker_list
        yield self.events
        yield self.hints
        yield self.prompt

    def on_mount(self) -> None:
        """Begin to tick."""
        self.prompt.display = False
        self.place_panes()
        self.frame.begin()
        if faults := self.preferences.faults:
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            self.call_after_refresh(self.tell, f"{faults[0]}{more}", "failed")

    def redraw(self, most: int = ALL) -> None:
        """Have what differs from the model drawn, see `Frame.redraw`."""
        self.frame.redraw(most)

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
        self.frame.tabs = plan.tabs
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
        """Another size, another layout; what a list over it says of that is asked anew behind it."""
        self.place_panes()
        self.call_after_refresh(self._ask_lists_anew)

    def _ask_lists_anew(self) -> None:
        for screen in self.app.screen_stack:
            if isinstance(screen, SheetScreen):
                screen.list.sync()

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
        return action != "act" or not (self.prompt.display or self.acting.asking)

    def on_key(self, event: events.Key) -> None:
        """What is typed while a dialog opens."""
        self.acting.take(event)

    def action_act(self, action: str) -> None:
        """A key of the table."""
        self.act(action)

    def act(self, name: str, given: str = "") -> None:
        """Do an action of the table; `given` stood behind its command."""
        self.acting.act(name, given)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """An act that broke must not look like one that was done."""
        if event.state is WorkerState.ERROR and event.worker.group != "feed":
            _log.error("%s broke", event.worker.group, exc_info=event.worker.error)
            self.tell(f"this went wrong in the dashboard: {event.worker.error!r}", "failed")

    def tell(self, text: str, tone: Tone = "done") -> None:
        """A line for the operator. A failure stays until escape; all else goes by itself."""
        sign = {"done": "✓ ", "refused": "", "failed": "✗ "}[tone]
        keys: Spans = (
            (f"   {key('why')}", "accent bold"), (" all", "muted"),
            (f"  {key('peel')}", "accent bold"), (" read", "muted"),
        )  # fmt: skip
        tail = keys if tone == "failed" else ()
        self.failure = text if tone == "failed" else ""
        room = max(10, self.size.width - 3 - width_of(tail))
        self.hints.say(((clip(f"{sign}{text}", room), _TONES[tone]), *tail))
        self._note_until = 0 if tone == "failed" else self.model.clock.monotonic_ms() + _NOTE_MS

    def let_note_go(self) -> None:
        """Take a message off that has stood long enough."""
        if self._note_until and self.model.clock.monotonic_ms() > self._note_until:
            self._note_until = 0
            self.hints.say(())

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
        self.app.push_screen(SheetScreen(self.frame.palette_of(), name, note, source, at=at, text=text), chosen)

    def show_checks(self, name: str, note: str, source: Callable[[], Lines], turn: Callable[[str], None]) -> None:
        """Show a list over the deck whose lines are turned on and off one by one."""
        self.app.push_screen(ChecksScreen(self.frame.palette_of(), name, note, source, turn))

    def show_help(self) -> None:
        """The list of keys."""
        self.app.push_screen(HelpScreen(self.frame.palette_of(), self.refusal_of, self.keys.shown))

    def refusal_of(self, action: Action) -> str:
        """Why an action cannot be done now, empty if it can."""
        return (
            closed(action, self.model) if action.scope != "task" else refusal(action, self.model, self.current())
        ) or ""
