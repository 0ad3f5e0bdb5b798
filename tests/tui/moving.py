"""A recording as a picture that plays by itself, again and again: an SVG without script, for pages without a player.

Run: `python tests/tui/moving.py [FILE]`, by default of `screenshots/override.cast`; `record.py` makes it too. Each line
of the terminal is a strip of all that stood in it, of which one is seen at a time (SMIL, `calcMode` discrete): so what
stands still costs nothing, however often something else changes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import pyte
from pictures import CELL, FONT
from pyte.screens import Char

LINE = 18.7
"""Height of a line; `CELL` is the width of a character."""
FONT_SIZE = 15.3
TICK = 0.1
"""Seconds that a picture stands at least: what is drawn in between is not seen."""
REST = 4.0
"""Seconds that the last picture stands before it begins anew."""
PAPER, INK = "0e131a", "d5dde8"
_UNDRAWN = re.compile(r"\x1b\][^\x07]*\x07|\x1b\[[?>][\d;]*\$?[a-z]|\x1b\[[\d;]*t")
"""What says nothing of the picture: titles, modes, questions to the terminal."""
_WORDS = re.compile(r"\S+(?: \S+)*")
"""What is set at a place of its own: not all that draw an SVG keep several spaces."""
_LEAVES = "\x1b[?1049l"


class Span(NamedTuple):
    """Characters in a row that look alike. Colours are six hex digits."""

    x: int
    text: str
    ink: str
    paper: str
    bold: bool


Row = tuple[Span, ...]


class Film(NamedTuple):
    """What stood in each line: when from, in seconds, and what; and how long it all lasts."""

    columns: int
    lines: Sequence[Sequence[tuple[float, Row]]]
    seconds: float


def film(file: Path) -> Film:
    """Play a recording of asciinema, version 2, up to where the program leaves the screen."""
    header, *events = map(json.loads, file.read_text("utf-8").splitlines())
    screen = pyte.Screen(header["width"], header["height"])
    stream = pyte.Stream(screen)
    lines: list[list[tuple[float, Row]]] = [[(0.0, ())] for _ in range(header["height"])]
    began = at = 0.0
    for tick, drawn in groupby(events, key=lambda event: int(event[0] / TICK)):
        text = "".join(text for _, _, text in drawn)
        stream.feed(_UNDRAWN.sub("", text.partition(_LEAVES)[0]))
        if not any(any(line.values()) for line in screen.buffer.values()):
            continue
        began = began or tick * TICK  # the blank screen before the first picture is not shown
        at = tick * TICK - began
        for y in screen.dirty:
            row = _row(screen.buffer[y][x] for x in range(screen.columns))
            if row != lines[y][-1][1]:
                lines[y] = [*(lines[y] if at else []), (at, row)]
        screen.dirty.clear()
        if _LEAVES in text:
            break
    return Film(header["width"], lines, round(at + REST, 2))


def _row(line: Iterator[Char]) -> Row:
    spans: list[Span] = []
    for x, char in enumerate(line):
        ink, paper = (INK if char.fg == "default" else char.fg), (PAPER if char.bg == "default" else char.bg)
        ink, paper = (paper, ink) if char.reverse else (ink, paper)
        last = spans[-1] if spans else None
        inked = (ink, char.bold)
        if last and last.paper == paper and (inked == (last.ink, last.bold) or char.data == " "):  # a space has no ink
            spans[-1] = last._replace(text=last.text + char.data)
        else:
            spans.append(Span(x, char.data, ink, paper, char.bold))
    return tuple(span for span in spans if span.text.strip() or span.paper != PAPER)


def moving(shown: Film, moment: float | None = None) -> str:
    """The film as SVG; or, with a `moment` in seconds, that one picture of it, which stands still."""
    looks: dict[tuple[str, bool], str] = {}
    width, height = round(shown.columns * CELL + 20), round(len(shown.lines) * LINE + 20)
    body = "".join(_strip(y, line, shown.seconds, looks, moment) for y, line in enumerate(shown.lines))
    styles = "".join(f".{name}{{fill:#{ink}{';font-weight:bold' * bold}}}" for (ink, bold), name in looks.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">'
        f"<style>text{{font:{FONT_SIZE}px '{FONT}',Menlo,Consolas,monospace}}{styles}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="#{PAPER}"/>{body}</svg>\n'
    )


def _strip(
    y: int, line: Sequence[tuple[float, Row]], seconds: float, looks: dict[tuple[str, bool], str], moment: float | None
) -> str:
    """One line: what stood in it, one below the other, behind a slit that is one line high."""
    seen = list(dict.fromkeys(row for _, row in line))
    places = [seen.index(row) for _, row in line]
    start = places[0]
    if moment is not None:
        start = [place for (at, _), place in zip(line, places, strict=True) if at <= moment][-1]
    drawn = "".join(f'<g transform="translate(0 {place * LINE:g})">{_drawn(row, looks)}</g>' for place, row in
                    enumerate(seen) if row)  # fmt: skip
    if not drawn:
        return ""
    moves = ""
    if len(line) > 1 and moment is None:
        values = ";".join(f"0 {-place * LINE:g}" for place in places)
        times = ";".join(f"{at / seconds:.4g}" for at, _ in line)
        moves = (
            f'<animateTransform attributeName="transform" type="translate" calcMode="discrete" dur="{seconds:g}s"'
            f' repeatCount="indefinite" values="{values}" keyTimes="{times}"/>'
        )
    return (
        f'<svg x="10" y="{10 + y * LINE:g}" height="{LINE:g}" overflow="hidden">'
        f'<g transform="translate(0 {-start * LINE:g})">{moves}{drawn}</g></svg>'
    )


def _drawn(row: Row, looks: dict[tuple[str, bool], str]) -> str:
    def look(colour: str, bold: bool = False) -> str:
        return looks.setdefault((colour, bold), f"c{len(looks)}")

    grounds = "".join(
        f'<rect x="{span.x * CELL:g}" width="{len(span.text) * CELL + 0.3:g}" height="{LINE + 0.3:g}"'
        f' class="{look(span.paper)}"/>'
        for span in row
        if span.paper != PAPER
    )
    words = "".join(
        f'<tspan x="{(span.x + found.start()) * CELL:g}" class="{look(span.ink, span.bold)}">{escape(found[0])}</tspan>'
        for span in row
        for found in _WORDS.finditer(span.text)
    )
    return grounds + (f'<text y="14">{words}</text>' if words else "")


def write(recording: Path) -> None:
    """Write it beside the recording, as NAME-playing.svg."""
    file = recording.with_name(f"{recording.stem}-playing.svg")
    file.write_text(moving(film(recording)), encoding="utf-8")
    file.chmod(0o644)
    print(f"{file}: {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "screenshots" / "override.cast")
