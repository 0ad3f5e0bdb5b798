"""The one dialog: prose that says what will happen, fields, and two ways out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.scrollbar import ScrollBarRender
from textual.widgets import Input
from textual.widgets.input import Selection

from taskdeck.domain.text import visible
from taskdeck.tui.format import fit
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.plain import plain
from taskdeck.tui.themes import Palette
from taskdeck.tui.widgets.choice_row import ChoiceRow
from taskdeck.tui.widgets.detail_more import wrap
from taskdeck.tui.widgets.field import Field
from taskdeck.tui.widgets.line_widget import LineWidget
from taskdeck.tui.widgets.prose import Prose

_LABEL = 10
_WRONG_LINES = 4
_WIDTH = 70
INSIST = 2.0
Values = dict[str, str]


@dataclass(frozen=True)
class Choice:
    """A field with a few possible values, as pairs of value and label."""

    id: str
    label: str
    options: Sequence[tuple[str, str]]
    chosen: str | None = None


@dataclass(frozen=True)
class Text:
    """A field to type in."""

    id: str
    label: str
    value: str = ""
    hint: str = ""
    limit: int = 500
    secret: bool = False
    """Whether what is typed is not to be seen."""
    replaced: bool = False
    """Whether what is typed takes the place of the value, where this field has the keys first."""


Asked = Choice | Text


@dataclass(frozen=True)
class Form:
    """What a dialog says and asks.

    `prose` is asked again every second. `check` names what is wrong with the values, or None. `focus` is the id
    of the field that has the keys first: the safe one.
    """

    title: str
    prose: Callable[[], list[Spans]]
    fields: tuple[Asked, ...] = ()
    act: str = "do it"
    leave: str = "leave it"
    danger: bool = False
    note: str = ""
    check: Callable[[Values], str | None] = lambda _values: None
    follow: Callable[[Values], None] = lambda _values: None
    """Is told what the fields hold whenever something is typed or chosen: what `prose` says may depend on it."""
    focus: str = ""
    again: str = ""
    """What `ctrl+enter` does, if it does anything: the result then carries `again`."""
    wrong: str = ""
    """What was wrong with these values the last time."""
    insist: Values | None = None
    """What a `ctrl+c` answers within `INSIST` seconds; without, and later, it leaves."""
    label: int = _LABEL
    """Cells for the names of the fields; more where one of them is longer."""


def _label(text: str, width: int) -> Prose:
    line: Spans = ((fit(text, width - 1), "muted"),)
    label = Prose(lambda: [line])
    label.styles.width = width
    return label


class _BareBars(ScrollBarRender):
    """A scroll bar of colour alone."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * len(ScrollBarRender.VERTICAL_BARS)


class FormDialog(ModalScreen[Values | None]):
    """Shows a form; its result is the values, or None if it was left."""

    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        # without priority: a key with it overtakes those before it, which wait for their field
        Binding("enter", "act", show=False),
        Binding("ctrl+s,ctrl+enter", "act_again", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    def __init__(self, form: Form, palette: Palette, early: list[str]) -> None:
        super().__init__()
        self._early = early
        self.form = form
        self._palette = palette
        self._wrong = form.wrong
        self._opened = 0.0
        self._faulty: Values = {}
        """The values that were wrong."""

    def compose(self) -> ComposeResult:
        """Prose, fields, the fault if there is one, the keys."""
        with VerticalScroll(id="frame", classes="-danger" if self.form.danger else "", can_focus=False) as frame:
            frame.border_title = Content(self._worded(self.form.title))
            frame.border_subtitle = Content(self._worded(self.form.note))
            yield Prose(self.form.prose, grows=True)
            if self.form.fields:
                yield Prose(lambda: [()])
            names = max([self.form.label, *(cell_len(field.label) + 2 for field in self.form.fields)])
            for field in self.form.fields:
                with Horizontal(classes="field"):
                    yield _label(field.label, names)
                    if isinstance(field, Choice):
                        yield ChoiceRow(field.options, chosen=field.chosen, id=f"f-{field.id}")
                    else:
                        yield Field(
                            field.value, placeholder=self._worded(field.hint), id=f"f-{field.id}", compact=True,
                            select_on_focus=False, max_length=field.limit, password=field.secret,
                        )  # fmt: skip
            yield Prose(self._fault, grows=True, id="wrong")
            yield Prose(lambda: [self._keys()], id="keys")

    def _fault(self) -> list[Spans]:
        """What is wrong, if anything is."""
        return [((line, "failed bold"),) for line in wrap(self._wrong, _WIDTH, _WRONG_LINES)]

    def _worded(self, text: str) -> str:
        """What is not drawn line by line is made harmless here, and put into ASCII where that is wanted."""
        text = visible(text)
        return plain(text) if self._palette.ascii else text

    def _keys(self) -> Spans:
        accent = "failed bold" if self.form.danger else "accent bold"
        keys: list[Span] = [("enter", accent), (f" {self.form.act}   ", "text")]
        if len(self.form.fields) > 1:
            keys += [("tab", accent), (" next field   ", "text")]
        if self.form.again:
            keys += [("ctrl+s", accent), (f" {self.form.again}   ", "text")]
        return (*keys, ("esc", accent), (f" {self.form.leave}", "text"))

    def on_mount(self) -> None:
        """Colours, the focus on the safe field, and a slow beat for what counts down."""
        for widget in self.query(LineWidget):
            widget.wear(self._palette)
        if self._palette.ascii:
            self.query_one("#frame").vertical_scrollbar.renderer = _BareBars  # type: ignore[misc]  # of this one alone
        first = self.form.focus or (self.form.fields[0].id if self.form.fields else "")
        if first:
            self.set_focus(self.query_one(f"#f-{first}"))
            if isinstance(self.focused, Input) and any(
                isinstance(field, Text) and field.replaced and field.id == first for field in self.form.fields
            ):
                self.focused.selection = Selection(0, len(self.focused.value))
        self._faulty = self.values()
        self._opened = asyncio.get_running_loop().time()
        self.take_early()
        self.set_interval(1.0, self._beat)

    def on_key(self, event: events.Key) -> None:
        """What was typed before a field had the focus comes here."""
        if event.is_printable and event.character:
            self._early.append(event.character)
            self.take_early()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Keys typed fast behind a `tab` overtake it."""
        self.take_early()

    def take_early(self) -> None:
        """Put what was typed before the dialog stood into its field, once there is one."""
        if isinstance(self.focused, Input):
            while self._early:
                self.focused.replace(self._early.pop(0), *self.focused.selection)

    def _beat(self) -> None:
        for widget in self.query(LineWidget):
            widget.sync()

    def values(self) -> Values:
        """What the fields hold now."""
        found: Values = {}
        for field in self.form.fields:
            widget = self.query_one(f"#f-{field.id}")
            if isinstance(widget, (ChoiceRow, Input)):
                found[field.id] = widget.value.strip()
        return found

    def _right(self) -> Values | None:
        """The values, if nothing is wrong with them; else that is said."""
        values = self.values()
        self._wrong, self._faulty = self.form.check(values) or "", values
        self._beat()
        return None if self._wrong else values

    def action_act(self) -> None:
        """Check, and close with the values."""
        values = self._right()
        if values is not None:
            self.dismiss(values)

    def action_act_again(self) -> None:
        """As `act`, and ask for another."""
        if not self.form.again:
            self.action_act()
            return
        values = self._right()
        if values is not None:
            self.dismiss({**values, "again": "yes"})

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)

    def action_interrupt(self) -> None:
        """A second `ctrl+c` means what the first one asked for."""
        insists = asyncio.get_running_loop().time() - self._opened <= INSIST
        self.dismiss(self.form.insist if insists else None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field of text."""
        event.stop()
        self.action_act()

    def on_input_changed(self, event: Input.Changed) -> None:
        """A preview may depend on what is typed."""
        event.stop()
        self._follow()

    def on_choice_row_changed(self, event: ChoiceRow.Changed) -> None:
        """Or on what is chosen."""
        event.stop()
        self._follow()

    def _follow(self) -> None:
        values = self.values()
        if values != self._faulty:
            self._wrong = ""
        self.form.follow(values)
        self._beat()

    def on_click(self, event: events.Click) -> None:
        """A click beside the dialog leaves it unless it is a dangerous one or holds typed text."""
        if (
            event.widget is self
            and not self.form.danger
            and not any(isinstance(field, Text) for field in self.form.fields)
        ):
            self.dismiss(None)
