"""What `:at` understands: a time of day, a date and time, a while ago, an event's number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
EXAMPLES = "14:02, 14:02:31, 2026-09-16 14:02, 5m (ago), #1234 (an event) or now"

_AGO = re.compile(r"-?\s*((?:\d+\s*[smhd]\s*)+)(?:ago)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_EVENT = re.compile(r"#\s*(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A moment asked for: by time or by an event's number; with neither, the present."""

    at_ms: int | None = None
    seq: int | None = None


def wanted(text: str, now_ms: int) -> Wanted:
    """Read a moment. A time of day is the last such time before now; times are those of this machine's zone.

    Raises:
        ValueError: it is none; the text says what is understood.
    """
    text = text.strip()
    if text.lower() in ("now", "live", ""):
        return Wanted()
    if found := _EVENT.fullmatch(text):
        return Wanted(seq=int(found[1]))
    try:
        if found := _AGO.fullmatch(text):
            parts = re.findall(r"(\d+)\s*([smhd])", found[1].lower())
            return Wanted(at_ms=max(0, now_ms - 1000 * sum(int(number) * UNITS[unit] for number, unit in parts)))
        if found := _CLOCK.fullmatch(text):
            now = datetime.fromtimestamp(now_ms / 1000).astimezone()
            hour, minute, second = (int(part or 0) for part in found.groups())
            then = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
            return Wanted(at_ms=_ms(then if then <= now else then - timedelta(days=1)))
        return Wanted(at_ms=_ms(datetime.fromisoformat(text)))
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"“{text[:40]}” is no moment; say {EXAMPLES}") from None


def seconds_of(text: str) -> int:
    """A span such as `90s`, `5m`, `2h`, `1h30m`, `3d`, in seconds.

    Raises:
        ValueError: it is none.
    """
    if not (found := _AGO.fullmatch(text.strip())):
        raise ValueError(f"“{text[:40]}” is no span of time; say 90s, 5m, 2h or 3d")
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)\s*([smhd])", found[1].lower()))


def to_come(text: str, now_ms: int) -> int:
    """A time that is to come: `2h` from now, the next `14:02`, or a date and time, in the zone of this machine.

    Raises:
        ValueError: it is none; the text says what is understood.
    """
    text = text.strip()
    try:
        if _AGO.fullmatch(text):
            return now_ms + 1000 * seconds_of(text)
        if found := _CLOCK.fullmatch(text):
            now = datetime.fromtimestamp(now_ms / 1000).astimezone()
            hour, minute, second = (int(part or 0) for part in found.groups())
            then = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
            return _ms(then if then > now else then + timedelta(days=1))
        return _ms(datetime.fromisoformat(text))
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"“{text[:40]}” is no time; say 2h, 14:02 or 2026-09-16 14:02") from None


def _ms(then: datetime) -> int:
    return max(0, round(then.timestamp() * 1000))
