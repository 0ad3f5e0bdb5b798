"""Spans of text with style words, and their way into a line of exactly one width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from taskdeck.domain.text import visible
from taskdeck.tui.format import fit
from taskdeck.tui.plain import plain
from taskdeck.tui.themes import Palette

Span = tuple[str, str]
"""A piece of harmless text and its style words; see `Palette.style`."""

Spans = tuple[Span, ...]


def width_of(spans: Sequence[Span]) -> int:
    """Cells a line of spans takes."""
    return sum(len(text) if text.isascii() else cell_len(text) for text, _ in spans)


class Line(Strip):
    """A strip that costs nothing where no other widget covers a part of it."""

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """The pieces between `cuts`.

        A strip remembers its pieces, and a line in one piece would remember itself: a circle that only a search for
        garbage ends, and with some dozen lines a second such searches become long.
        """
        ends = list(cuts)
        return [self] if ends == [self.cell_length] else super().divide(ends)


def strip(spans: Sequence[Span], width: int, palette: Palette, ground: str = "ground") -> Strip:
    """The spans as a line of exactly `width` cells: cut at the edge, filled with the ground."""
    segments: list[Segment] = []
    style = palette.style
    used = 0
    for text, words in spans:
        if not text.isprintable():  # every text should be harmless by now; this is the last door
            text = visible(text)
        if palette.ascii:
            text = plain(text)
        cells = len(text) if text.isascii() else cell_len(text)
        if used + cells > width:
            text, cells = fit(text, width - used), width - used
            text = plain(text) if palette.ascii else text
        if cells > 0:
            segments.append(Segment(text, style(words, ground)))
            used += cells
        if used >= width:
            break
    if used < width:
        segments.append(Segment(" " * (width - used), style("text", ground)))
    return Line(segments, width)


def sides(left: Sequence[Span], right: Sequence[Span], width: int) -> list[Span]:
    """`left` and `right` at the two ends of a line; the right side gives way where there is no room."""
    room = width - width_of(left)
    end = list(right)
    while end and width_of(end) > room - 1:
        end.pop(0)
    return [*left, (" " * max(0, room - width_of(end)), "text"), *end]
