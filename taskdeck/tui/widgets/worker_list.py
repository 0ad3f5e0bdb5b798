"""Pane 3: workers, how alive they are and what they hold."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache

from taskdeck.domain.via import NATIVE
from taskdeck.tui.format import duration, fit, fit_name, rate, spark
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.rows import MINUTE_MS, WorkerRow, per_minute
from taskdeck.tui.paint import Span, Spans, width_of
from taskdeck.tui.widgets.line_list import LineList

GONE_AFTER_MS = 3_600_000
_STEP_MS = 10_000
"""How often a worker's pace is reckoned anew although nothing has happened."""
_WIDE = 80
"""From here on every minute has a bar of its own."""

_LOOKS = {
    "works": ("●", "done"),
    "idle": ("○", "muted"),
    "late": ("◐", "claimed"),
    "silent": ("✗", "failed"),
    "asks": ("▲", "failed"),
    "error": ("‼", "failed"),
    "drains": ("⇣", "scheduled"),
}
_ORDER = {"asks": 0, "error": 0, "works": 0, "late": 0, "silent": 0, "drains": 1, "idle": 2}


class WorkerList(LineList):
    """Workers that hold something first, then idle ones; those long gone are folded into one line."""

    NUMBER, NAME = 3, "Workers"

    def __init__(self, model: DeckModel, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.model = model
        self._rows: list[tuple[WorkerRow, str, int]] = []
        self._gone = 0
        self._now = 0
        self._most = 0
        """The most that anyone completed in a minute."""
        self.worker_id: str | None = None
        """The worker under the cursor."""

    def before_sync(self) -> None:
        """Take the workers in order; the cursor stays with its worker. Without the keys the pane shows its top."""
        self._now = self.model.now_ms()
        self._rows = self._ordered()
        self._most = max((max(row[0].done, default=0) for row in self._rows), default=0)
        if not self.active:
            self.index = 0
            super().before_sync()
            return
        self.index = next((at for at, row in enumerate(self._rows) if row[0].id == self.worker_id), self.index)
        super().before_sync()
        self._remember()

    def _remember(self) -> None:
        self.worker_id = self._rows[self.index][0].id if self.index < len(self._rows) else None

    def move_to(self, index: int) -> None:
        """Put the cursor on a worker."""
        self.index = max(0, min(index, self.row_count() - 1))
        self._remember()
        super().move_to(index)

    def _ordered(self) -> list[tuple[WorkerRow, str, int]]:
        loads = self.model.loads()
        asking: dict[str, str] = {}
        for row in self.model.leases():
            if row.lease and row.lease.state != "working":
                asking[row.lease.worker] = row.lease.state
        rows, self._gone = [], 0
        for worker in self.model.workers.values():
            held = loads.get(worker.id, 0)
            if not held and self._now - worker.last_seen_ms > GONE_AFTER_MS:
                self._gone += 1
                continue
            rows.append((worker, condition(worker, held, asking.get(worker.id, "working"), self._now), held))
        rows.sort(key=lambda row: (_ORDER[row[1]] if row[2] or row[1] != "silent" else 3, row[0].name))
        return rows

    @property
    def current(self) -> WorkerRow | None:
        """The worker under the cursor, in its newest form."""
        if self.index >= len(self._rows):
            return None
        known = self._rows[self.index][0]
        return self.model.workers.get(known.id, known)

    def troubled(self) -> int:
        """How many ask, report an error, or are silent while they hold something."""
        self._now = self.model.now_ms()
        return sum(state in ("asks", "error") or (state == "silent" and held > 0) for _, state, held in self._ordered())

    def title(self) -> tuple[Spans, Spans]:
        """How many, and how many of them need a look."""
        left: list[Span] = [(str(len(self.model.workers)), "muted")]
        states = [state for _, state, _ in self._rows]
        for state, look in (
            ("asks", "failed bold"),
            ("error", "failed bold"),
            ("late", "claimed"),
            ("silent", "failed"),
        ):
            if number := states.count(state):
                left.append((f"  {number} {state}", look))
        return tuple(left), ()

    def row_count(self) -> int:
        """One row a worker, and one for those gone."""
        return len(self._rows) + (self._gone > 0)

    def row_key(self, index: int) -> Hashable:
        """The drawn row itself."""
        width = self.extent.width - 2
        if index >= len(self._rows):
            return ((f"  +{self._gone} gone", "faint"),)
        worker, state, held = self._rows[index]
        glyph, colour = _LOOKS[state]
        age = self._now - worker.last_seen_ms
        # seconds would redraw every worker every second and tell nothing: a beat is due twice a minute or so
        beat = duration(age) if age >= 10_000 or state in ("late", "silent") else "now"
        name = max(6, width - 2 - 7 - 8 - 9)
        foreign = worker.via != NATIVE
        pace = self._paced(worker) if worker.done and name >= (42 if foreign else 24) else ()
        name -= width_of(pace) - bool(pace)
        via = f" {worker.via}" if foreign and name >= 16 else ""
        alarmed = state in ("asks", "error", "silent")
        return (
            (f"{glyph} ", f"{colour} bold" if alarmed else colour),
            (fit_name(worker.name, name - 1 - len(via)), "text"),
            (f"{via} ", "scheduled"),
            (fit(state, 7), f"{colour} bold" if alarmed else colour),
            (fit(f"{held} held", 7 if pace else 8, "right"), "text" if held else "faint"),
            *pace,
            (fit(f"♥ {beat}", 9, "right"), colour if state in ("late", "silent") else "muted"),
        )

    def _paced(self, worker: WorkerRow) -> Spans:
        now = worker.by(self._now)
        return _pace(now.done, self._now % MINUTE_MS // _STEP_MS, self._most, self.extent.width >= _WIDE)

    def row_spans(self, content: Hashable, width: int, *, cursor: bool, marked: bool) -> Spans:
        """The key is the drawing."""
        return content  # type: ignore[return-value]

    def empty_rows(self) -> list[Spans]:
        """How a worker comes to be here."""
        if self.model.link.state == "starting":
            return []
        return [(("  none yet", "muted"),), (("  a worker registers by its first claim", "faint"),)]


@lru_cache(1024)
def _pace(done: tuple[int, ...], step: int, most: int, wide: bool) -> Spans:
    """How much was completed of late, and how fast that is, `step` steps into the running minute."""
    a_minute, quarter = per_minute(done, step * _STEP_MS), sum(done)
    if a_minute >= 1 or not quarter:
        told = f"{rate(a_minute) if a_minute < 10 else round(a_minute)}/m" if quarter else "0/m"
    else:
        told = f"{quarter * 60 // len(done)}/h"
    shown, cells = (done, len(done)) if wide else (done[-12:], 4)
    return (f" {spark(shown, cells, most)}", "faint"), (fit(told, 6, "right"), "muted" if quarter else "faint")


def condition(worker: WorkerRow, held: int, claim_state: str, now_ms: int) -> str:
    """One word for how a worker is: silence outweighs what it last said of itself."""
    liveness = worker.liveness(now_ms)
    if liveness == "silent":
        return "silent"
    if "waiting_input" in (claim_state, worker.state):
        return "asks"
    if "errored" in (claim_state, worker.state):
        return "error"
    if liveness == "late":
        return "late"
    if worker.draining:
        return "drains"
    return "works" if held else "idle"
