"""Times for people: how long ago, how long yet, and the hour on their own clock."""

from __future__ import annotations

from datetime import datetime

from taskdeck.domain.clock import Clock, SystemClock, from_rfc3339


def span(seconds: float) -> str:
    """A length of time in at most two units: `8s`, `4m 05s`, `3h 20m`, `2d 4h`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def ago(time: str | None, clock: Clock | None = None) -> str:
    """How long ago `time` was."""
    return f"{span(-_seconds_until(time, clock))} ago" if time else ""


def left(time: str | None, clock: Clock | None = None) -> str:
    """How long until `time`; past ones are marked."""
    if not time:
        return ""
    rest = _seconds_until(time, clock)
    return span(rest) if rest >= 0 else f"{span(-rest)} past"


def hour(time: str) -> str:
    """The time of day on the reader's own clock."""
    try:
        return f"{datetime.fromisoformat(time).astimezone():%H:%M:%S}"
    except (ValueError, OverflowError):
        return time


def _seconds_until(time: str, clock: Clock | None) -> float:
    try:
        return (from_rfc3339(time) - (clock or SystemClock()).now_ms()) / 1000
    except ValueError:
        return 0.0
