"""Every colour of the deck, once, as theme variables; and the palette that turns style words into styles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

STATE_GLYPHS = {
    "backlog": "□",
    "blocked": "◇",
    "scheduled": "◔",
    "ready": "○",
    "claimed": "●",
    "review": "◎",
    "done": "✓",
    "failed": "✗",
    "cancelled": "⊘",
}


def _theme(name: str, *, dark: bool, colours: dict[str, str], ansi: bool = False) -> Theme:
    return Theme(
        name=name,
        ansi=ansi,
        primary=colours["ready"],
        secondary=colours["accent"],
        accent=colours["accent"],
        warning=colours["accent"],
        error=colours["failed"],
        success=colours["done"],
        foreground=colours["text"],
        background=colours["ground"],
        surface=colours["ground"],
        panel=colours["panel"],
        dark=dark,
        variables={
            **{f"deck-{word}": colour for word, colour in colours.items()},
            "scrollbar": colours["panel"],
            "scrollbar-background": colours["ground"],
            "input-cursor-background": colours["text"],
            "input-cursor-foreground": colours["ground"],
            "input-selection-background": colours["selection"],
            **({"ansi-background": "ansi_black", "ansi-foreground": "ansi_white"} if ansi else {}),
        },
    )


DECK_NIGHT = _theme(
    "deck-night",
    dark=True,
    colours={
        "ground": "#0e131a",
        "panel": "#1b2430",
        "bar": "#141b24",
        "bar-focus": "#23364d",
        "past": "#33204a",
        "past-focus": "#4c2f6e",
        "selection": "#27405f",
        "marked": "#1c2635",
        "text": "#d5dde8",
        "strong": "#ffffff",
        "muted": "#93a3b8",
        "faint": "#66758a",
        "rule": "#2b3848",
        "accent": "#f5b942",
        "on-colour": "#0e131a",
        "key": "#a9c7ea",
        "backlog": "#93a3b8",
        "blocked": "#9aa8ba",
        "scheduled": "#f7b6dd",
        "ready": "#8ac4ff",
        "claimed": "#f5b942",
        "review": "#e6e3a1",
        "done": "#4fd1a5",
        "failed": "#ff8168",
        "cancelled": "#9aa8ba",
        "veil": "#0e131a",
    },
)

DECK_DAY = _theme(
    "deck-day",
    dark=False,
    colours={
        "ground": "#fbfaf7",
        "panel": "#efece4",
        "bar": "#ece8df",
        "bar-focus": "#d3e0ef",
        "past": "#f0e6f8",
        "past-focus": "#e9dcf6",
        "selection": "#cfe0f3",
        "marked": "#f1ead6",
        "text": "#27303b",
        "strong": "#0b0f14",
        "muted": "#56616f",
        "faint": "#7a8492",
        "rule": "#d6d0c3",
        "accent": "#8f5a00",
        "on-colour": "#ffffff",
        "key": "#1f5288",
        "backlog": "#56616f",
        "blocked": "#5a6674",
        "scheduled": "#93297b",
        "ready": "#1660a8",
        "claimed": "#8f5a00",
        "review": "#6b6300",
        "done": "#0f6f4f",
        "failed": "#b3311a",
        "cancelled": "#5a6674",
        "veil": "#5a6674",
    },
)

DECK_CONTRAST = _theme(
    "deck-contrast",
    dark=True,
    colours={
        "ground": "#000000",
        "panel": "#1a1a1a",
        "bar": "#1a1a1a",
        "bar-focus": "#003a6b",
        "past": "#3a0061",
        "past-focus": "#52008a",
        "selection": "#003a6b",
        "marked": "#2b2b00",
        "text": "#ffffff",
        "strong": "#ffffff",
        "muted": "#d9d9d9",
        "faint": "#b8b8b8",
        "rule": "#8c8c8c",
        "accent": "#ffd700",
        "on-colour": "#000000",
        "key": "#9fd3ff",
        "backlog": "#d9d9d9",
        "blocked": "#c9c9c9",
        "scheduled": "#ffb8ec",
        "ready": "#8fd0ff",
        "claimed": "#ffd700",
        "review": "#f5f59a",
        "done": "#5dffb8",
        "failed": "#ff9e8a",
        "cancelled": "#c9c9c9",
        "veil": "#000000",
    },
)

DECK_ANSI = _theme(
    "deck-ansi",
    dark=True,
    ansi=True,
    colours={
        **dict.fromkeys(("ground", "panel", "bar", "marked", "text", "strong", "muted", "veil"), "ansi_default"),
        **dict.fromkeys(("bar-focus", "selection"), "ansi_blue"),
        **dict.fromkeys(("past", "past-focus"), "ansi_magenta"),
        **dict.fromkeys(("faint", "rule"), "ansi_bright_black"),
        **dict.fromkeys(("backlog", "blocked", "cancelled"), "ansi_white"),
        "accent": "ansi_yellow",
        "on-colour": "ansi_black",
        "key": "ansi_cyan",
        "scheduled": "ansi_magenta",
        "ready": "ansi_cyan",
        "claimed": "ansi_yellow",
        "review": "ansi_bright_magenta",
        "done": "ansi_green",
        "failed": "ansi_red",
    },
)
"""The terminal's own sixteen colours, on its own ground."""

THEMES = (DECK_NIGHT, DECK_DAY, DECK_CONTRAST, DECK_ANSI)

_BARS_THEN = {"panel": "past", "bar": "past", "bar-focus": "past-focus"}
_GROUND = Color(0, 0, 0)
"""For filters that blend with the ground of a widget; drawn lines bring their own."""
_FLAGS = frozenset({"bold", "underline", "reverse", "italic"})
HEAT_COLOURS = {"calm": "done", "warm": "claimed", "hot": "failed", "lapsed": "failed", "endless": "muted"}


class Palette:
    """Styles by words: `"failed bold"`, `"text on selection"`. Colour words are those of the themes.

    Styles are made once and shared, which is what makes drawing a line cheap. A faded palette gives every
    colour but `failed` the muted tone: data that is no longer current must not look alive. In the past every bar has
    the colour of the past.
    """

    def __init__(
        self, variables: Mapping[str, str], *, faded: bool = False, past: bool = False, ascii: bool = False,
        filters: Sequence[LineFilter] = (),
    ) -> None:  # fmt: skip
        """`filters`: what the application does to colours, for a terminal that has none, say."""
        self._colours = {
            name.removeprefix("deck-"): value for name, value in variables.items() if name.startswith("deck-")
        }
        if past:
            self._colours |= {bar: self._colours[then] for bar, then in _BARS_THEN.items()}
        self.faded = faded
        self.ascii = ascii
        """Whether lines drawn with it have ASCII characters alone."""
        self._filters = tuple(filters)
        self._styles: dict[tuple[str, str], Style] = {}

    def style(self, words: str, ground: str = "ground") -> Style:
        """The style for `words` on the colour `ground`, unless the words name another ground after `on`."""
        found = self._styles.get((words, ground))
        if found is None:
            found = self._styles[words, ground] = self._filtered(self._make(words, ground))
        return found

    def _filtered(self, style: Style) -> Style:
        """A style as the terminal is to get it: here once, instead of in every line that has it."""
        for filter in self._filters:
            style = filter.apply([Segment(" ", style)], _GROUND)[0].style or style
        return style

    def _make(self, words: str, ground: str) -> Style:
        front, flags = "text", {}
        parts = iter(words.split())
        for word in parts:
            if word == "on":
                ground = next(parts)
            elif word in _FLAGS:
                flags[word] = True
            else:
                front = word
        if self.faded and front not in ("failed", "on-colour"):
            front = "faint"
        if ground in ("selection", "bar-focus") and front in ("muted", "faint"):
            front = "text"
        if self._colours.get("ground") == DECK_ANSI.variables["deck-ground"]:
            return self._of_terminal(front, ground, flags)
        return Style(
            color=self._colours.get(front), bgcolor=self._colours.get(ground),
            bold=flags.get("bold"), underline=flags.get("underline"),
            reverse=flags.get("reverse"), italic=flags.get("italic"),
        )  # fmt: skip

    def _of_terminal(self, front: str, ground: str, flags: dict[str, bool]) -> Style:
        """A style in the terminal's own colours.

        What its foreground and background are is not known: on a coloured ground the front is white or black, and a bar
        is the two the other way round, which can be read in any of them.
        """
        back = self._colours[ground].removeprefix("ansi_")
        colour = self._colours[front].removeprefix("ansi_")
        if ground == "bar" and back == "default":
            return Style(color="default", bgcolor="default", reverse=True, bold=flags.get("bold"))
        if back in ("blue", "magenta") and front != "on-colour":
            colour = "bright_white"
        elif back == "default" and colour in ("white", "black"):
            colour = "default"  # white on a white terminal, black on a black one
        return Style(color=colour, bgcolor=back, **flags)  # type: ignore[arg-type]
