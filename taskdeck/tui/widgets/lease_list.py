"""Pane 2: leases as burning fuses, soonest to end first."""

from __future__ import annotations

from collections.abc import Hashable

from taskdeck.domain.via import NATIVE
from taskdeck.tui.format import count, duration, fit, fit_name, fuse, fuse_cells, heat
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.themes import HEAT_COLOURS
from taskdeck.tui.widgets.line_list import LineList


class LeaseList(LineList):
    """All claims. A lapsed one stays on top until someone takes it or its holder finishes."""

    NUMBER, NAME = 2, "Leases"

    def __init__(self, model: DeckModel, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.model = model
        self.task_id: str | None = None
        self._rows: list[TaskRow] = []
        self._now = 0

    def before_sync(self) -> None:
        """Take the leases in order; the cursor stays with its task. Without the keys the pane shows its top."""
        self._now = self.model.now_ms()
        self._rows = self.model.leases()
        if self.active and self.task_id is not None:
            self.index = next((at for at, row in enumerate(self._rows) if row.id == self.task_id), self.index)
        if not self.active:
            self.index = 0
            super().before_sync()
            return
        super().before_sync()
        self.task_id = self._rows[self.index].id if self.index < len(self._rows) else None

    def move_to(self, index: int) -> None:
        """Put the cursor on a lease."""
        index = max(0, min(index, len(self._rows) - 1))
        self.task_id = self._rows[index].id if self._rows else None
        super().move_to(index)

    @property
    def current(self) -> TaskRow | None:
        """The task under the cursor."""
        return self.model.rows.get(self.task_id) if self.task_id else None

    def hot(self) -> int:
        """How many are hot or lapsed."""
        now = self.model.now_ms()
        leases = [row.lease for row in self.model.leases() if row.lease]
        return sum(heat(lease.left(now), lease.length_ms) in ("hot", "lapsed") for lease in leases)

    def title(self) -> tuple[Spans, Spans]:
        """How many."""
        total = max(len(self.model.leases()), self.model.counts.get("claimed", 0))
        return ((count(total), "muted"),), (("soonest first", "muted"),)

    def row_count(self) -> int:
        """One row a claim."""
        return len(self._rows)

    def row_key(self, index: int) -> Hashable:
        """The drawn row itself: it is short, and says all."""
        width = self.extent.width - 2
        row = self._rows[index]
        lease = row.lease
        if lease is None:
            return ()
        left = lease.left(self._now)
        warmth = "lapsed" if row.lapsed(self._now) else heat(left, lease.length_ms)
        colour = HEAT_COLOURS[warmth]
        alarmed = warmth in ("hot", "lapsed")
        sure = "~" if self.model.link.state == "lost" else ""  # without the server's word it is only a guess
        told = (
            "no end" if left is None else f"lapsed {duration(-left)}" if warmth == "lapsed" else sure + duration(left)
        )
        time_cells = 13 if warmth == "lapsed" else 8
        key_cells = 8 if width >= 46 else 7
        holder_cells = 14 if width >= 46 else 13
        via = f" {lease.via}" if lease.via != NATIVE and width >= 46 else ""
        holder_cells += len(via)
        bar = width - 2 - key_cells - holder_cells - time_cells
        out: list[Span] = [
            ("▲ " if alarmed else "  ", "failed bold"),
            (fit(row.key, key_cells - 1) + " ", "failed bold" if alarmed else "key"),
            (fit_name(self.model.called(lease.worker), holder_cells - 1 - len(via)), "text"),
            (f"{via} ", "scheduled"),
        ]
        if bar >= 3:
            halves = fuse_cells(left, lease.length_ms, bar) if left is not None else 0
            burning, burnt = fuse(halves, bar, warmth)
            out += [(burning, colour), (burnt, "rule")]
        else:
            time_cells += bar
        look = "failed bold" if alarmed else "muted" if left is None else "text"
        out.append((fit(told, time_cells, "right"), look))
        return tuple(out)

    def row_spans(self, content: Hashable, width: int, *, cursor: bool, marked: bool) -> Spans:
        """The key is the drawing."""
        return content  # type: ignore[return-value]

    def empty_rows(self) -> list[Spans]:
        """Nobody holds anything."""
        if self.model.link.state == "starting":
            return []
        return [(("  no task is claimed", "muted"),)]
