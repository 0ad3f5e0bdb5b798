"""Values of the filter language that have an order: numbers, lengths of time, moments, and ranges of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_SPAN = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MOST = 2**53


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, either of which may be None for no bound, or `*_open`: not itself among them.

    Spans and moments are in milliseconds; `relative` moments count from now.
    """

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    relative: bool = False

    def holds(self, value: float) -> bool:
        """Whether `value` lies in it."""
        if self.low is not None and (value < self.low or (self.low_open and value == self.low)):
            return False
        return self.high is None or value < self.high or (value == self.high and not self.high_open)


Read = tuple[float, float, bool]
"""First and last value that is meant (a day has both), and whether they count from now."""


def parse_number(text: str) -> Read:
    """A number.

    Raises:
        ValueError: it is none.
    """
    try:
        value = float(text) if re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", text) else None
    except ValueError:  # pragma: no cover - the pattern lets nothing else through
        value = None
    if value is None:
        raise ValueError(f"“{text[:40]}” is no number")
    return value, value, False


def parse_span(text: str) -> Read:
    """A length of time, such as 90s, 5m, 1h30m or 3d.

    Raises:
        ValueError: it is none, or longer than anything here lasts.
    """
    if not _SPAN.fullmatch(text.lower()):
        raise ValueError(f"“{text[:40]}” is no length of time; write 90s, 5m, 2h or 3d")
    value = sum(float(number) * _UNITS_MS[unit] for number, unit in _PART.findall(text.lower()))
    if value > MOST:
        raise ValueError("that is too long")
    return value, value, False


def parse_moment(text: str) -> Read:
    """A day or a time, in UTC unless it says otherwise, or a length of time from now.

    Raises:
        ValueError: it is none of these.
    """
    try:
        if _DAY.fullmatch(text):
            begin = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return _ms(begin), _ms(begin + timedelta(days=1)) - 1, False
        if _SPAN.fullmatch(text.lower().removeprefix("-")):
            value = parse_span(text.removeprefix("-"))[0]
            value = -value if text.startswith("-") else value
            return value, value, True
        then = datetime.fromisoformat(text)
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return _ms(then), _ms(then), False
    except (ValueError, OverflowError):
        raise ValueError(f"“{text[:40]}” is no time; write 2026-11-20, 2026-11-20T14:02 (UTC) or 2h") from None


def _ms(then: datetime) -> float:
    return float(round(then.timestamp() * 1000))


def number_range(op: str, text: str, read: Callable[[str], Read], *, future: bool, exact: bool) -> Range:
    """The range that `op` and a value (or `a..b`) mean. `exact`: one value alone is a question worth asking.

    Raises:
        ValueError: the value cannot be read, counts from now although it may not (`future`), or its range is empty.
    """
    if op in (":", "=") and ".." in text:
        lower, _, upper = text.partition("..")
        low, high = (read(lower) if lower else None), (read(upper) if upper else None)
        if low is None and high is None:
            raise ValueError("a range needs an end")
        if low is not None and high is not None and (low[0] > high[1] or low[2] != high[2]):
            raise ValueError(f"“{text[:40]}” is an empty range")
        relative = bool((low and low[2]) or (high and high[2]))
        found = Range(low[0] if low else None, high[1] if high else None, relative=relative)
    else:
        first, last, relative = read(text)
        if op in (":", "=") and not (exact or relative):
            raise ValueError("write < or >, or a range such as 5m..1h")
        found = {
            ">": Range(first if first == last else last, None, low_open=True, relative=relative),
            ">=": Range(first, None, relative=relative),
            "<": Range(None, first, high_open=True, relative=relative),
            "<=": Range(None, last, relative=relative),
        }.get(op, Range(first, last, relative=relative))
    if found.relative and not future:
        raise ValueError("write a day or a time; age:, wait: and lease: take lengths of time")
    return found
