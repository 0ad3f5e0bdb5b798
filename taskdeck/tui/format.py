"""Durations, counts, bars and cell-exact text: the small words of the screen. Pure functions."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, chop_cells

from taskdeck.domain.text import visible

Heat = Literal["calm", "warm", "hot", "lapsed", "endless"]

_SPARKS = "▁▂▃▄▅▆▇█"
HOT_SHARE = 0.2
HOT_CAP_MS = 300_000
"""A lease is hot in its last fifth, but never earlier than five minutes before its end."""


@lru_cache(4096)
def duration(ms: int) -> str:
    """A length of time in at most two units: `16s`, `1m18s`, `2h05m`, `3d04h`. Below zero counts as zero."""
    seconds = max(0, ms) // 1000
    if seconds < 60:
        return f"{seconds}s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}m{seconds:02}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02}h" if days < 1000 else f"{days}d"


def count(number: int) -> str:
    """`48211` as `48,211`."""
    return f"{number:,}"


def short_count(number: int) -> str:
    """A count in at most four cells: `950`, `1284`, `48k`, `3M`."""
    if number < 10_000:
        return str(number)
    return f"{number // 1000}k" if number < 1_000_000 else f"{number // 1_000_000}M"


def size(octets: int) -> str:
    """`41 MB`, in powers of 1000."""
    for unit, bound in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)):
        if octets >= bound:
            value = octets / bound
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{octets} B"


def rate(per_second: float) -> str:
    """A rate with three figures at most: `0.2`, `12.4`, `340`."""
    return f"{per_second:.1f}" if per_second < 100 else f"{per_second:.0f}"


def span(seconds: float) -> str:
    """A length that was chosen, without what is nought at its end: `45s`, `15m`, `1h30m`."""
    return re.sub(r"(?<=\D)00\D$", "", duration(int(seconds * 1000)))


@lru_cache(2048)
def clock(second: int) -> str:
    """The local time of day of a Unix second, `14:02:31`."""
    return time.strftime("%H:%M:%S", time.localtime(second))


@lru_cache(256)
def moment(second: int) -> str:
    """The local date and time of a Unix second, `2026-11-20 14:02:31`."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


@lru_cache(8192)
def fit(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """`text`, made harmless, in exactly `width` cells: cut with `…`, or filled with spaces.

    Wide characters count as two cells; one that would straddle the end is left out and filled.
    """
    if width <= 0:
        return ""
    # a title may be enormous: nothing past a few cells per column can be seen anyway
    shown = visible(text[: width * 6 + 16])
    length = cell_len(shown)
    if length > width:
        head = chop_cells(shown, width - 1)[0] if width > 1 else ""
        shown = head + "…"
        length = cell_len(shown)
    space = " " * (width - length)
    return space + shown if align == "right" else shown + space


@lru_cache(4096)
def fit_name(name: str, width: int) -> str:
    """A name in exactly `width` cells. Cut in its middle: what tells names apart is mostly at their end."""
    shown = visible(name[:200])
    if cell_len(shown) <= width or width < 8 or not shown.isascii():
        return fit(name, width)
    return f"{shown[: width - 4]}…{shown[-3:]}"


@lru_cache(4096)
def clip(text: str, width: int) -> str:
    """`text`, made harmless, in at most `width` cells, without filling."""
    return fit(text, width).rstrip() if width > 0 else ""


def heat(left_ms: int | None, length_ms: int) -> Heat:
    """How near a lease is to its end: calm over a half, warm below, hot in the last fifth, lapsed after."""
    if left_ms is None:
        return "endless"
    if left_ms <= 0:
        return "lapsed"
    if left_ms <= min(length_ms * HOT_SHARE, HOT_CAP_MS):
        return "hot"
    return "warm" if left_ms * 2 <= length_ms else "calm"


@lru_cache(4096)
def fuse_cells(left_ms: int, length_ms: int, width: int) -> int:
    """How many half cells of a fuse of `width` cells still burn (1 to 2·width while any time is left)."""
    if left_ms <= 0 or length_ms <= 0:
        return 0
    return max(1, min(width * 2, round(left_ms / length_ms * width * 2)))


@lru_cache(1024)
def fuse(halves: int, width: int, heat: Heat) -> tuple[str, str]:
    """The burning and the burnt part of a fuse, together `width` cells. Its shape alone tells hot from calm."""
    if heat == "lapsed":
        return "╌" * width, ""
    if heat == "endless":
        return "∞", " " * (width - 1)
    full, half = divmod(halves, 2)
    if heat == "hot":
        full = min(full, width - 1)
        return "━" * full + "◆", "┄" * (width - full - 1)
    return "━" * full + "╸" * half, "┄" * (width - full - half)


def spark(values: Sequence[float], width: int, most: float = 0) -> str:
    """The newest of `values` as bars, `width` cells; a flat nothing is a flat low line.

    The highest value fills its cell, or one of `most` would, where several sparklines are to be compared.
    """
    if width <= 0:
        return ""
    step = max(1, -(-len(values) // width))
    start = len(values) % step if len(values) > step else 0
    sums = [sum(values[at : at + step]) for at in range(start, len(values), step)][-width:]
    top = max(most * step, max(sums, default=0))
    bars = "".join(_SPARKS[min(7, round(value / top * 7))] if top else _SPARKS[0] for value in sums)
    return bars.rjust(width, _SPARKS[0])


def plural(number: int, word: str, words: str = "") -> str:
    """`1 task`, `12 tasks`; `words` where an s does not make it many."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {words or f'{word}s'}"
