"""The three lines at the top: is the deck there, where do the tasks stand, how fast do they move."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, cast

from textual import events
from textual.message import Message

from taskdeck.tui.format import clip, clock, count, duration, fit, moment, rate, short_count, size, spark
from taskdeck.tui.keymap import key
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.timeline import Past
from taskdeck.tui.paint import Span, Spans, sides, width_of
from taskdeck.tui.themes import STATE_GLYPHS
from taskdeck.tui.widgets.line_widget import LineWidget

TAPE = ("backlog", "ready", "claimed", "review", "scheduled", "blocked", "failed", "done")
_HATCH = "╱"
_ALWAYS = ("ready", "claimed", "done")
_LONG_WAIT_S = 900
_SKEW_MS = 2_000
"""From here on a difference between this machine's clock and the deck's is told."""
_DAY_MS = 86_400_000
_SHORT = {"scheduled": "sched", "blocked": "block", "failed": "fail", "backlog": "back", "done": ""}
_TINY = {"ready": "rdy", "claimed": "clm", "review": "rev", "scheduled": "sch", "blocked": "blk", "failed": "fail",
         "done": "", "backlog": "bkl"}  # fmt: skip
_TIGHTER: tuple[tuple[dict[str, str] | None, Callable[[int], str], str], ...] = (
    ({}, count, " "), (_SHORT, short_count, " "), (_SHORT, short_count, ""), (_TINY, short_count, ""),
    (None, short_count, ""),
)  # fmt: skip
"""Ways to write the tape, each shorter than the one before: words (None: glyphs alone), numbers, end."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment of the tape: a state, its text, and the cells it covers from `start`."""

    state: str
    text: str
    start: int
    width: int


class Vitals(LineWidget):
    """Always on screen. A click on the tape filters by that state, one on the chip goes to the next problem."""

    class StateClicked(Message):
        """A state of the tape was clicked."""

        def __init__(self, state: str) -> None:
            super().__init__()
            self.state = state

    class ChipClicked(Message):
        """The attention chip was clicked."""

    class Scrubbed(Message):
        """A moment of the scrubber was clicked."""

        def __init__(self, at_ms: int) -> None:
            super().__init__()
            self.at_ms = at_ms

    def __init__(self, model: DeckModel, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.model = model
        self.read_only = False

    def line_key(self, y: int) -> Hashable:
        """The drawn spans: three short lines, cheap enough to compare as they are."""
        width = self.extent.width
        draw = (self._first, self._tape, self._rates if self.model.past is None else self._scrubber)
        return (y, draw[y](width) if y < len(draw) else ())

    def line_spans(self, key: Hashable, width: int) -> tuple[Spans, str]:
        """The key is the drawing."""
        y, spans = cast(tuple[int, Spans], key)
        return spans, "panel" if y == 0 else "ground"

    # -- line 1 ----------------------------------------------------------------------------------------------

    def _first(self, width: int) -> Spans:
        model = self.model
        left: list[Span] = [(" ▚ ", "accent bold"), ("taskdeck" if width >= 40 else "", "strong bold"), ("  ", "text")]
        left += self._connection()
        left += self._breaker()
        if width >= 100 and model.link.state == "lost":
            left.append((clip(model.link.reason, width - width_of(left) - 12), "failed"))
        right: list[Span] = []
        if width >= 160:
            if model.me:
                right.append((f"  you: {clip(model.me, 20)} ({model.role})", "muted"))
            up = int((model.stats.get("uptime_seconds") or 0) // 60 * 60_000)
            if up:
                right.append((f"  up {duration(up)}" if up >= 60_000 else "", "faint"))
        needing = len(model.problems)
        chip: list[Span] = []
        if model.past is not None:
            if needing:
                chip.append((f" ▲ {needing} needed you ", "on-colour bold on failed"))
            now = model.past.needed_now
            chip.append((f"  now ▲ {now} " if now else " ", "failed bold"))
            left += self._beside(width - width_of([*left, *chip]) - 1, usual=width >= 100)
            return tuple(sides(left, chip, width))
        if self.read_only:
            chip.append((" READ-ONLY ", "on-colour bold on muted"))
        if needing and model.link.state != "lost":
            verb = "needs" if needing == 1 else "need"
            chip += [(f" ▲ {needing} {verb} you ", "on-colour bold on failed"), (f" {key('problem')} ", "accent bold")]
        elif model.link.state == "live" and width >= 60:
            chip.append(("  nothing needs you", "faint"))
        time = (f"  {clock(model.now_ms() // 1000)} ", "text bold" if model.link.state == "live" else "faint")
        left += self._beside(width - width_of([*left, *chip, time]) - 1, usual=width >= 100)
        return tuple(sides(left, [*right, *chip, time], width))

    def _beside(self, room: int, *, usual: bool) -> list[Span]:
        """What the first line says besides, as far as there is room: first what is amiss, then what is `usual`."""
        model, address = self.model, clip(self.model.address, 48)
        octets = (model.stats.get("database") or {}).get("bytes")
        usual = usual and model.link.state != "lost"
        paused = clip(", ".join(sorted(name for name, wire in model.projects.items() if wire.get("paused"))), 24)
        skew = (
            duration(abs(model.skew_ms))
            if model.past is None and model.link.state == "live" and abs(model.skew_ms) >= _SKEW_MS
            else ""
        )
        how = "behind" if model.skew_ms > 0 else "ahead"
        parts = [
            (f"  {address}" if address and usual else "", "muted"),
            (f"  {size(octets)}" if octets and usual else "", "faint"),
            (f"  this clock is {skew} {how}" if skew else "", "accent bold"),
            (f"  ❚❚ {paused} paused" if paused else "", "accent bold"),
            ("  throw-away deck" if model.throwaway else "", "accent bold"),
        ]
        told: dict[int, Span] = {}
        for at in (4, 3, 2, 0, 1):
            if width_of([parts[at]]) <= room:
                told[at] = parts[at]
                room -= width_of([parts[at]])
        return [told[at] for at in sorted(told) if told[at][0]]

    def _connection(self) -> list[Span]:
        model = self.model
        link, mono = model.link, model.clock.monotonic_ms()
        if model.past is not None:
            return self._then(model.past)
        if link.state == "lost":
            wait = max(0, link.next_try_ms - mono + 999) // 1000
            again = f"next try in {wait}s" if wait else "trying"
            return [
                (f" ✗ RECONNECTING #{link.tries} ", "on-colour bold on failed"),
                (f"  data {duration(link.age_ms(mono))} old · actions off · {again} ", "failed bold"),
            ]
        if link.state == "starting":
            return [("◌ connecting" if not link.tries else f"✗ no answer, try #{link.tries}", "muted")]
        if model.frozen_ms is not None:
            waiting = f"{count(len(model.pending))} changes waiting"
            return [
                (f" ❚❚ FROZEN {duration(mono - model.frozen_ms)} ", "on-colour bold on accent"),
                (f"  {waiting}", "accent bold"),
            ]
        if link.slow(mono):
            return [(f"◐ slow {duration(link.age_ms(mono))}", "accent bold")]
        return [("● ", "done"), ("live", "done bold")]

    def _breaker(self) -> list[Span]:
        """Whether the store takes no writes at present."""
        breaker = self.model.stats.get("breaker") or {}
        if self.model.past is not None or self.model.link.state != "live" or breaker.get("state", "closed") == "closed":
            return []
        again = breaker.get("retry_after_seconds")
        told = "being tried" if breaker["state"] == "half_open" or not again else f"tried again in {again:.0f}s"
        return [("  ", "text"), (f" ‼ STORE FAILS · writes refused · {told} ", "on-colour bold on failed")]

    def _then(self, past: Past) -> list[Span]:
        """Which moment of the past this is, how far on the way to it, or what is missing of it."""
        when = f" ◀ PAST {moment(past.at_ms // 1000)} "
        told = f"  event {count(past.seq)} of {count(past.last_seq)}"
        if past.to_do:
            told = f"  reading {count(past.done)} of {count(past.to_do)} events …"
        elif not past.whole:
            told = f"  read from {moment(past.read_from_ms // 1000)} on"
        return [(when, "on-colour bold on accent"), (told, "accent bold" if past.to_do else "muted")]

    # -- line 2 ----------------------------------------------------------------------------------------------

    def pieces(self, width: int) -> list[Piece]:
        """The tape: every state that has tasks, its width by the logarithm of their number."""
        counts = self.model.counts
        shown = [state for state in TAPE if counts.get(state) or state in _ALWAYS]
        room = width - 2
        texts: list[str] = []
        for words, number, gap in _TIGHTER:
            texts = []
            for state in shown:
                word = words.get(state, state) if words is not None else ""
                texts.append(
                    " ".join(filter(None, (f" {STATE_GLYPHS[state]}", word, number(counts.get(state, 0))))) + gap
                )
            if sum(map(len, texts)) <= room:
                break
        spare = max(0, room - sum(map(len, texts)))
        weights = [math.log2(counts.get(state, 0) + 1) for state in shown]
        total = sum(weights) or 1
        found, at = [], 1
        for order, (state, text) in enumerate(zip(shown, texts, strict=True)):
            cells = len(text) + int(spare * weights[order] / total)
            if order == len(shown) - 1:
                cells = max(len(text), room + 1 - at)
            found.append(Piece(state, text, at, cells))
            at += cells
        return found

    def _tape(self, width: int) -> Spans:
        if not self.model.counts:
            return ((" ", "text"), ("┄" * (width - 2), "rule"))
        spans: list[Span] = [(" ", "text")]
        chosen = self.model.window.filter
        named = set(chosen.states) if chosen.names_states else set()
        for piece in self.pieces(width):
            text = piece.text.ljust(piece.width, " ")
            if piece.state == "ready":
                text = self._hatched(piece, text)
            if not self.model.counts.get(piece.state):
                spans.append((text, "faint on panel"))
            elif piece.state in named:
                spans.append((text, f"on-colour bold underline on {piece.state}"))
            else:
                spans.append((text, f"on-colour bold on {piece.state}"))
        return tuple(spans)

    def _hatched(self, piece: Piece, text: str) -> str:
        """The end of the segment in strokes, as far as the tasks of paused projects go."""
        paused = (wire for wire in self.model.projects.values() if wire.get("paused"))
        resting = sum(int((wire.get("counts") or {}).get(piece.state) or 0) for wire in paused)
        if not resting:
            return text
        share = min(1.0, resting / max(1, self.model.counts.get(piece.state, 0)))
        bare = min(max(1, round(share * piece.width)), piece.width - len(piece.text))
        return text[: len(text) - bare] + _HATCH * bare if bare > 0 else text

    # -- line 3 ----------------------------------------------------------------------------------------------

    def _rates(self, width: int) -> Spans:
        stats = self.model.stats
        if not stats:
            return ()
        rates: dict[str, Any] = stats.get("rates") or {}
        series: dict[str, list[int]] = rates.get("series") or {}
        claims, done, failed = (
            float(rates.get(f"{name}_per_second") or 0) for name in ("claims", "completions", "failures")
        )
        bars = 6 if width < 60 else 8 if width < 110 else 15 if width < 160 else 24
        share = failed / (done + failed) * 100 if done + failed else 0.0
        oldest = stats.get("oldest_ready_seconds")
        parts: list[list[Span]] = [
            [
                ("claim ", "muted"),
                (f"{rate(claims)}/s ", "text bold"),
                (spark(series.get("claims", []), bars), "claimed"),
            ],
            [
                ("done ", "muted"),
                (f"{rate(done)}/s ", "text bold"),
                (spark(series.get("completions", []), bars), "done"),
            ],
        ]
        fail: list[Span] = [("fail ", "muted"), (f"{share:.1f}%", "failed bold" if failed else "text bold")]
        if width >= 110:
            fail += [(" ", "text"), (spark(series.get("failures", []), bars // 2), "failed" if failed else "faint")]
        old: list[Span] = []
        if oldest is not None:
            look = "accent bold" if oldest >= _LONG_WAIT_S else "text bold"
            old = [("oldest ", "muted"), (duration(int(oldest * 1000)), look)]
        wait, run = (self._spread(word, stats.get(f"{word}_seconds"), width) for word in ("wait", "run"))
        parts += [fail, old, wait, run] if width >= 110 else [old, wait, fail, run]
        if width >= 160 and self.model.api_p95_ms:
            parts.append([("api p95 ", "muted"), (f"{self.model.api_p95_ms}ms", "text bold")])
        ready = self.model.counts.get("ready", 0)
        if width >= 160 and claims > 0 and ready:
            parts.append([("drain ", "muted"), (f"~{duration(int(ready / claims * 1000))}", "text bold")])
        line: list[Span] = [(" ", "text")]
        for part in parts:
            if part and width_of(line) + width_of(part) + 2 <= width:
                line += [*part, ("  ", "text")]
        return tuple(line)

    # -- line 3 in the past ----------------------------------------------------------------------------------

    def _stretch(self, width: int) -> tuple[int, int, int, int]:
        """The scrubber: first cell, number of cells, and the times of its two ends."""
        past = self.model.past or Past()
        begin, end = past.timeline.span(past.at_ms, past.end_ms)
        named = 10 if width >= 40 else 1
        return named, max(1, width - 2 * named), begin, end

    def _scrubber(self, width: int) -> Spans:
        """How dense the log is from the left to now, and where in it this is."""
        past = self.model.past or Past()
        first, cells, begin, end = self._stretch(width)
        density = past.timeline.density(begin, end, cells)
        bars = spark([math.log1p(number) for number in density], cells)
        at = min(cells - 1, max(0, (past.at_ms - begin) * cells // (end - begin)))
        name = moment if end - begin > _DAY_MS else clock
        left = name(begin // 1000)[5:10] if name is moment else name(begin // 1000)
        return (
            (fit(f" {left}", first), "muted"), (bars[:at], "ready"), ("┃", "accent bold"), (bars[at + 1 :], "ready"),
            (fit("now ", first, "right"), "muted"),
        )  # fmt: skip

    @staticmethod
    def _spread(word: str, spread: dict[str, Any] | None, width: int) -> list[Span]:
        if not spread or not spread.get("count"):
            return []
        half, most = (_seconds(spread.get(name)) for name in ("p50", "p95"))
        if width < 110:
            return [(f"{word} ", "muted"), (half, "text bold")]
        return [(f"{word} p50 ", "muted"), (half, "text bold"), (" p95 ", "muted"), (most, "text bold")]

    def on_click(self, event: events.Click) -> None:
        """The tape filters, the chip leads to the next problem."""
        if event.y == 0 and self.model.problems and event.x > self.extent.width // 2:
            self.post_message(self.ChipClicked())
        if event.y == 2 and self.model.past is not None:
            first, cells, begin, end = self._stretch(self.extent.width)
            at = min(cells - 1, max(0, event.x - first))
            self.post_message(self.Scrubbed(begin + (end - begin) * (2 * at + 1) // (2 * cells)))
        if event.y == 1:
            for piece in self.pieces(self.extent.width):
                if piece.start <= event.x < piece.start + piece.width:
                    self.post_message(self.StateClicked(piece.state))


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value * 1000:.0f}ms" if value < 1 else f"{value:.1f}s" if value < 10 else duration(int(value * 1000))
