"""What the sheets say: saved views, projects, metrics. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskdeck.tui.format import clip, count, duration, fit, plural, rate, size, spark
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.saved import View
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.screens.sheet import Lines

KEYED = 8
"""Views that have a function key."""
_COUNTED = ("ready", "claimed", "review", "scheduled", "blocked", "failed", "done")


def views(found: Sequence[View], model: DeckModel) -> Lines:
    """The saved views; the one in use has a sign."""
    now = model.window.filter.text
    return [
        (
            view.name,
            (
                (fit(f" F{at}" if at <= KEYED else "", 5), "accent bold"),
                ("● " if view.query == now else "  ", "done"),
                (fit(view.name, 26), "strong" if view.query == now else "text"),
                (clip(view.query, 200) or "everything that is open", "muted"),
            ),
        )
        for at, view in enumerate(found, 1)
    ]


def projects(model: DeckModel) -> Lines:
    """Every project: how its tasks stand, and whether it hands out any."""
    head = "".join(fit(state, 10, "right") for state in _COUNTED)
    lines: list[tuple[str | None, Spans]] = [(None, ((fit(" PROJECT", 18) + head + "  PAUSED", "muted"),))]
    for name, wire in sorted(model.projects.items()):
        counts = wire.get("counts") or {}
        row: list[Span] = [(" " + fit(name, 17), "key")]
        for state in _COUNTED:
            number = counts.get(state, 0)
            row.append((fit(count(number), 10, "right"), state if number else "faint"))
        row.append((f"  {_paused(wire.get('paused'))}", "accent bold"))
        lines.append((name, tuple(row)))
    return lines


def _paused(paused: Any) -> str:
    if not paused:
        return ""
    reason = f"{paused['reason']} · " if paused.get("reason") else ""
    return clip(f"❚❚ {reason}{paused.get('by')}", 60)


def metrics(model: DeckModel) -> Lines:
    """Throughput, waiting and running, the crew, and the server, as the deck last said."""
    stats = model.stats
    rates: dict[str, Any] = stats.get("rates") or {}
    series = rates.get("series") or {}
    lines: list[Spans] = [(), ((" throughput, the last minute", "accent bold"),)]
    for name, word, look in (
        ("claims", "claimed", "claimed"), ("completions", "done", "done"), ("failures", "failed", "failed"),
    ):  # fmt: skip
        per_second = float(rates.get(f"{name}_per_second") or 0)
        lines.append(
            (
                (f"  {fit(word, 14)}", "text"), (fit(f"{rate(per_second)}/s", 9, "right"), "text bold"),
                (fit(f"{rate(per_second * 60)}/m", 11, "right") + "  ", "muted"),
                (spark(series.get(name, []), 60), look),
            )
        )  # fmt: skip
    lines += [(), ((" how long", "accent bold"),)]
    for name, word in (("wait_seconds", "until claimed"), ("run_seconds", "until done")):
        spread = stats.get(name) or {}
        told = f"half under {_span(spread.get('p50'))}, 95 in 100 under {_span(spread.get('p95'))}"
        many = f"   of the last {count(spread['count'])}" if spread.get("count") else ""
        lines.append(((f"  {fit(word, 14)} ", "text"), (told if many else "nothing yet", "text bold"), (many, "muted")))
    oldest, ready = stats.get("oldest_ready_seconds"), model.counts.get("ready", 0)
    claims = float(rates.get("claims_per_second") or 0)
    lines.append(_fact("oldest ready", "none waits" if oldest is None else _span(oldest)))
    drained = f"{_span(ready / claims)} at this rate" if ready and claims else "–"
    lines.append(_fact("queue empty in", drained))
    crew = model.stats.get("workers") or {}
    alive = ", ".join(f"{crew.get(kind, 0)} {kind}" for kind in ("active", "late", "silent") if crew.get(kind))
    lines += [(), ((" crew and server", "accent bold"),), _fact("workers", alive or "none yet")]
    lines.append(_fact("claims waiting", count(int(stats.get("waiting_claims") or 0))))
    lines.append(_fact("lapsed leases", count(int(stats.get("lapsed") or 0))))
    database = stats.get("database") or {}
    lines.append(
        _fact(
            "database",
            f"{size(int(database.get('bytes') or 0))} and {size(int(database.get('wal_bytes') or 0))} of log ahead",
        )
    )
    lines.append(_fact("events", plural(int(stats.get("last_seq") or 0), "event")))
    up = duration(int(float(stats.get("uptime_seconds") or 0) * 1000))
    lines.append(_fact("server", f"taskdeck {clip(str(stats.get('version') or '?'), 20)}, up {up}"))
    return [(None, line) for line in lines]


def _fact(name: str, told: str) -> Spans:
    return ((f"  {fit(name, 14)} ", "text"), (told, "text bold"))


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return (
        f"{seconds * 1000:.0f}ms"
        if seconds < 1
        else f"{seconds:.1f}s"
        if seconds < 10
        else duration(int(seconds * 1000))
    )
