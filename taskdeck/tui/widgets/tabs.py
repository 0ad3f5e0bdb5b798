"""The title line where panes are tabs: all five, with their numbers and alarms. Pure."""

from __future__ import annotations

from taskdeck.tui.format import short_count
from taskdeck.tui.paint import Span, Spans, width_of


def tab_title(
    active: int, width: int, *, queue: int, leases: int, hot: int, workers: int, troubled: int, marked: int, filtered: str
) -> tuple[Spans, Spans]:
    """Left and right part. Names shorten to numbers where there is no room."""
    panes = (
        (1, "Queue", short_count(queue), 0),
        (2, "Leases", short_count(leases), hot),
        (3, "Workers", short_count(workers), troubled),
        (4, "Events", "", 0),
        (5, "Task", "", 0),
    )
    for words in (True, False):
        left: list[Span] = []
        for number, name, count, alarms in panes:
            chosen = number == active
            left.append((("▌" if chosen else " ") + str(number), "accent bold" if chosen else "muted"))
            if words or chosen:
                left.append((f" {name}", "strong bold" if chosen else "text"))
            if count:
                left.append((f" {count}", "text" if chosen else "muted"))
            if alarms:
                left.append((f" ▲{alarms}", "failed bold"))
            left.append((" ", "text"))
        if width_of(left) <= width:
            break
    right: list[Span] = []
    if filtered:
        right.append((filtered + " ", "accent"))
    if marked:
        right.append((f"{marked} marked ", "accent bold"))
    return tuple(left), tuple(right)
