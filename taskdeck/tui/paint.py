"""Spans of text with style words, and their way into a line of exactly one width."""

from __future__ import annotations

from collections.abc import Sequence

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
    return sum(cell_len(text) for text, _ in spans)


def strip(spans: Sequence[Span], width: int, palette: Palette, ground: str = "ground") -> Strip:
    """The spans as a line of exactly `width` cells: cut at the edge, filled with the ground."""
    segments: list[Segment] = []
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
            segments.append(Segment(text, palette.style(words, ground)))
            used += cells
        if used >= width:
            break
    if used < width:
        segments.append(Segment(" " * (width - used), palette.style("text", ground)))
    return Strip(segments, width)


def sides(left: Sequence[Span], right: Sequence[Span], width: int) -> list[Span]:
    """`left` and `right` at the two ends of a line; the right side gives way where there is no room."""
    room = width - width_of(left)
    end = list(right)
    while end and width_of(end) > room - 1:
        end.pop(0)
    return [*left, (" " * max(0, room - width_of(end)), "text"), *end]
