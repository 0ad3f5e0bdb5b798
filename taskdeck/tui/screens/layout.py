"""Which panes are on screen at which size, and where the keys go. Pure."""

from __future__ import annotations

from dataclasses import dataclass

WIDE, EXTRA = 110, 160
TINY, SHORT = 16, 30
PANES = {1: "queue", 2: "leases", 3: "workers", 4: "events", 5: "detail"}


@dataclass(frozen=True, slots=True)
class Layout:
    """The panes that are shown, by id, and the one that carries the tabs (0: none does)."""

    shown: frozenset[str]
    tabs: int
    vitals: int
    events: int
    side: int
    detail: int
    """Cells or lines; 0 takes all there is."""


def layout(width: int, height: int, active: int, zoomed: bool, task_open: bool) -> Layout:
    """The layout for a screen of this size with this pane active.

    Narrow: one pane, the others are tabs. Wide: queue, leases and workers, the task in their place when opened.
    Extra: the task beside them always.
    """
    vitals = 3 if height >= 10 else 2 if height >= 7 else 1
    name = PANES[active]
    if zoomed or height < TINY:
        return Layout(frozenset({name}), 0 if zoomed and width >= WIDE else active, vitals, 0, 0, 0)
    lines = 5 if height < SHORT else max(9, min(16, height // 4))
    if width < WIDE:
        if active == 4:
            return Layout(frozenset({name}), active, vitals, 0, 0, 0)
        return Layout(frozenset({name, "events"}), active, vitals, lines, 0, 0)
    side = 52 if width >= EXTRA else 42
    if width >= EXTRA:
        return Layout(frozenset(PANES.values()), 0, vitals, lines, side, 50)
    if task_open:
        return Layout(frozenset({"queue", "detail", "events"}), 0, vitals, lines, 0, 52)
    return Layout(frozenset({"queue", "leases", "workers", "events"}), 0, vitals, lines, side, 0)
