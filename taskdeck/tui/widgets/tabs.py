"""The title line where panes are tabs: all five, with their numbers and alarms. Pure."""

from __future__ import annotations

from taskdeck.tui.format import clip, short_count
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.paint import Span, Spans, width_of

_TIGHTER = ((True, True, True, 24), (True, True, True, 16), (True, False, True, 24), (True, False, True, 12),
            (True, False, False, 12), (False, True, True, 24))  # fmt: skip
"""Whether names, counts and the order are shown, and how much of the filter, from the widest to the tightest."""


def tab_title(
    active: int, width: int, model: DeckModel, *, hot: int, troubled: int, more: Spans = ()
) -> tuple[Spans, Spans]:
    """Left and right part of the line. Where there is no room first the filter gives way, then counts, then names.

    `hot` leases and `troubled` workers are alarms beside the counts, `more` is what the active pane has to say.
    """
    panes = (
        (1, "Queue", short_count(model.listed()[0]), 0),
        (2, "Leases", short_count(max(len(model.leases()), model.counts.get("claimed", 0))), hot),
        (3, "Workers", short_count(len(model.workers)), troubled),
        (4, "Events", "", 0),
        (5, "Task", "", 0),
    )
    for words, counts, order, filtered in _TIGHTER:
        left: list[Span] = []
        for number, name, count, alarms in panes:
            chosen = number == active
            left.append((("▌" if chosen else " ") + str(number), "accent bold" if chosen else "muted"))
            if words or chosen:
                left.append((f" {name}", "strong bold" if chosen else "text"))
            if count and (counts or chosen):
                left.append((f" {count}", "text" if chosen else "muted"))
            if alarms:
                left.append((f" ▲{alarms}", "failed bold"))
            left.append((" ", "text"))
        right = _right(active, model, more, filtered, order=order)
        if width_of(left) + width_of(right) <= width:
            break
    return tuple(left), tuple(right)


def _right(active: int, model: DeckModel, more: Spans, filtered: int, *, order: bool) -> list[Span]:
    """What the active pane has to say, the filter in so many cells, the order, the marks."""
    right: list[Span] = [*more, (" ", "text")] if more else []
    query = model.events.query if active == 4 and model.events.query.terms else model.window.filter
    if query.terms:
        right.append((f"{clip(query.text, filtered)} ", "accent"))
    sort = model.window.filter.sort
    if sort.field and order:  # the heads of the columns tell it too
        right.append((f"{sort.told.removeprefix('sort ')} ", "accent"))
    if model.marks:
        right.append((f"{len(model.marks)} marked ", "accent bold"))
    return right


def tab_at(spans: Spans, x: int) -> int | None:
    """The pane whose tab covers cell `x` of a title made by `tab_title`."""
    found, edge = None, 0
    for text, _ in spans:
        if len(text) == 2 and text[0] in " ▌" and text[1].isdigit():
            found = int(text[1])
        edge += len(text)
        if x < edge:
            return found
    return None
