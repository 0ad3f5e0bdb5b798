"""Help: the action table, as it stands, with the reason beside each act that cannot be done now."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from taskdeck.tui.actions import TABLE, Action
from taskdeck.tui.format import clip, fit
from taskdeck.tui.paint import Spans
from taskdeck.tui.themes import Palette
from taskdeck.tui.widgets.line_list import LineList

_GROUPS = (
    ("Task", ("task",)),
    ("Deck", ("deck", "project", "worker")),
    ("Look", ("view",)),
    ("Move", ("move",)),
)


class HelpList(LineList):
    """Lines of help; scrolls, has no cursor."""

    CURSOR = False

    def __init__(
        self, refused: Callable[[Action], str], shown: Callable[[Action], str], *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.active = True
        self._lines = self._write(refused, shown)
        rule = "   upper case ends, moves or reopens something, and always asks"
        self.tab_title = (
            (("▌", "accent bold"), ("Keys", "strong bold"), (rule, "muted")),
            (("esc closes ", "muted"),),
        )

    @staticmethod
    def _write(refused: Callable[[Action], str], shown: Callable[[Action], str]) -> list[Spans]:
        out: list[Spans] = []
        for group, scopes in _GROUPS:
            out += [(), ((group, "accent bold"),)]
            for action in TABLE:
                if action.scope not in scopes:
                    continue
                why = refused(action)
                line = [(f"  {fit(shown(action), 12)}", "faint" if why else "accent bold")]
                name = action.id if action.scope in ("task", "deck") else action.word
                line.append((fit(name, 15), "text"))
                line.append((action.help, "muted" if why else "text"))
                if action.command:
                    line.append((f"  :{action.command}", "faint"))
                out.append(tuple(line))
                if why:
                    out.append(((" " * 29 + clip(f"not now: {why}", 90), "faint"),))
        return out

    def move(self, step: int) -> None:
        """Scroll."""
        self.top += step
        self.sync()

    def move_to(self, index: int) -> None:
        """Scroll to a line."""
        self.top = index
        self.sync()

    def row_count(self) -> int:
        """Lines of help."""
        return len(self._lines)

    def row_key(self, index: int) -> Hashable:
        """The drawn line."""
        return self._lines[index]

    def row_spans(self, content: Hashable, width: int, *, cursor: bool, marked: bool) -> Spans:
        """The key is the drawing."""
        return content  # type: ignore[return-value]


class HelpScreen(ModalScreen[None]):
    """The list of keys over the deck."""

    BINDINGS: ClassVar = [
        Binding("escape,q,question_mark,enter,ctrl+c", "close", show=False),
        Binding("j,down", "scroll_lines(1)", show=False),
        Binding("k,up", "scroll_lines(-1)", show=False),
        Binding("pagedown,space,ctrl+f,ctrl+d", "scroll_lines(15)", show=False),
        Binding("pageup,ctrl+b,ctrl+u", "scroll_lines(-15)", show=False),
        Binding("g,home", "scroll_lines(-999)", show=False),
        Binding("G,end", "scroll_lines(999)", show=False),
    ]

    def __init__(self, palette: Palette, refused: Callable[[Action], str], shown: Callable[[Action], str]) -> None:
        super().__init__()
        self._palette = palette
        self._list = HelpList(refused, shown, id="help")

    def compose(self) -> ComposeResult:
        """One list."""
        yield self._list

    def on_mount(self) -> None:
        """Colours and keys."""
        self._list.wear(self._palette)
        self._list.focus()

    def action_close(self) -> None:
        """Back to the deck."""
        self.dismiss(None)

    def action_scroll_lines(self, step: int) -> None:
        """Scroll."""
        self._list.move(step)
