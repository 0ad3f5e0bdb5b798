"""What the sheets say: saved views, projects, metrics, acts, problems, results. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskdeck.domain.attention import RANK, Need
from taskdeck.domain.clock import from_rfc3339
from taskdeck.tui.actions import TABLE
from taskdeck.tui.format import clip, clock, count, duration, fit, plural, rate, size, spark
from taskdeck.tui.gate import refusal
from taskdeck.tui.keymap import Keymap
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.logfile import LogFile
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.saved import View
from taskdeck.tui.model.sort import FIELDS, Sort
from taskdeck.tui.model.undo import Undo
from taskdeck.tui.operate import Outcome
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.screens.sheet import Lines
from taskdeck.tui.widgets.detail_more import wrap
from taskdeck.tui.widgets.queue_columns import COLUMNS, SHOWN

_CALM = RANK[Need.LOOPING]
"""Problems from here on have time."""
KEYED = 8
"""Views that have a function key."""
_COUNTED = ("ready", "claimed", "review", "scheduled", "blocked", "failed", "done")


def views(found: Sequence[View], model: DeckModel) -> Lines:
    """The saved views; the one in use has a sign."""
    now = (model.window.filter.text, model.window.filter.sort)
    return [
        (
            view.name,
            (
                (fit(f" F{at}" if at <= KEYED else "", 5), "accent bold"),
                ("● " if (view.query, view.sort) == now else "  ", "done"),
                (fit(view.name, 26), "strong" if (view.query, view.sort) == now else "text"),
                (clip(view.query, 200) or "everything that is open", "muted"),
                (f"  {view.sort.told}" if view.sort.field else "", "accent"),
            ),
        )
        for at, view in enumerate(found, 1)
    ]


def sorts(now: Sort) -> Lines:
    """The orders of the queue, each with what comes first; the one in use has a sign, of two each its place."""
    second = now.second
    lines: list[tuple[str | None, Spans]] = []
    for name in ("", *FIELDS):
        first, behind = name == now.field, second is not None and name == second.field
        shown = Sort(name, now.turned) if first else second if second is not None and behind else Sort(name)
        by = shown.of
        told = "what needs attention first, then what is claimed next" if by is None else by.told[shown.turned]
        rest = "; then the others" if by is not None and by.states else ""
        sign = " ● " if first and second is None else " 1 " if first else " 2 " if behind else "   "
        used = first or behind
        lines.append(
            (
                name,
                (
                    (sign, "done bold"),
                    (fit(name or "usual", 10), "strong bold" if used else "text bold"),
                    (fit(shown.arrow, 3), "accent bold"),
                    (f"{'of those alike ' if behind else ''}{told}{rest}", "text" if used else "muted"),
                ),
            )
        )
    return lines


def columns(chosen: frozenset[str] | None, shown: frozenset[str]) -> Lines:
    """The columns of the queue: wanted or not, and whether there is room."""
    wanted = SHOWN if chosen is None else chosen
    return [
        (
            name,
            (
                (" [x] " if name in wanted else " [ ] ", "done bold" if name in wanted else "faint"),
                (fit(name, 10), "text bold" if name in wanted else "muted"),
                (fit(told, 46), "muted"),
                ("no room now" if name in wanted and name not in shown else "", "accent"),
            ),
        )
        for name, told in COLUMNS.items()
    ]


def turned(chosen: frozenset[str] | None, name: str) -> frozenset[str] | None:
    """The wanted columns with one of them turned on or off; None where that gives the usual ones."""
    found = (SHOWN if chosen is None else chosen) ^ {name}
    return None if found == SHOWN else found


def actions(row: TaskRow | None, model: DeckModel, keys: Keymap) -> Lines:
    """What can be done with a task; what cannot be is there too, with the reason."""
    lines: list[tuple[str | None, Spans]] = []
    for action in TABLE:
        if action.scope not in ("task", "project"):
            continue
        why = refusal(action, model, row)
        look = "faint" if why else "accent bold"
        told = clip(why, 90) if why else action.help
        spans: Spans = ((f" {fit(keys.shown(action), 5)}", look), (fit(action.id, 14), "muted" if why else "text bold"),
                        (told, "faint" if why else "muted"))  # fmt: skip
        lines.append((None if why else action.id, spans))
    return lines


def undos(acts: Sequence[Undo], now_ms: int) -> Lines:
    """The acts that can be taken back, newest first."""
    if not acts:
        return [(None, (("  no act of this session can be taken back", "muted"),))]
    return [
        (
            str(at),
            (
                (f" {clock(act.at_ms // 1000)} ", "faint"),
                (fit(act.verb, 14), "accent bold"),
                (act.text, "text"),
                (f"  {duration(now_ms - act.at_ms)} ago", "faint"),
            ),
        )
        for at, act in enumerate(acts)
    ]


def results(outcomes: Sequence[Outcome]) -> Lines:
    """What came of an act on each of several tasks: what failed first."""
    if not outcomes:
        return [(None, (("  nothing was done on several tasks yet", "muted"),))]
    looks = {"failed": ("✗", "failed bold"), "refused": ("–", "accent"), "done": ("✓", "done")}
    ordered = sorted(outcomes, key=lambda outcome: tuple(looks).index(outcome.tone))
    return [
        (key, ((f" {looks[tone][0]} ", looks[tone][1]), (fit(key, 10) + " ", "key"), (clip(text, 200), "text")))
        for key, tone, text in ordered
    ]


def problems(model: DeckModel) -> Lines:
    """Everything that needs a human, most urgent first."""
    if not model.problems:
        return [(None, (("  nothing needs you", "done bold"),))]
    return [
        (
            problem.task,
            (
                ("  ▲ " if problem.rank < _CALM else "  △ ", "failed bold" if problem.rank < _CALM else "accent"),
                (fit(problem.key, 12) + " ", "key"),
                (clip(problem.reason, 200), "text"),
            ),
        )
        for problem in model.problems
    ]


def copies(row: TaskRow, address: str) -> Lines:
    """What of a task can be copied, and what that is."""
    ways = (
        ("key", row.key), ("id", row.id), ("title", row.title), ("show", f"taskdeck show {row.key}"),
        ("curl", curl(row, address)), ("json", ""),
    )  # fmt: skip
    return [
        (
            name,
            ((f" {fit(name, 8)}", "accent bold"), (clip(text, 200) or "the whole task, as the API gives it", "text")),
        )
        for name, text in ways
    ]


def curl(row: TaskRow, address: str) -> str:
    """The call that shows a task, for a shell."""
    url = address if address.startswith("http") else "http://localhost:7337"
    return f'curl -H "Authorization: Bearer $TASKDECK_TOKEN" {url}/v1/tasks/{row.id}'


def machinery(found: Mapping[str, Any], stats: Mapping[str, Any], now_ms: int) -> Lines:
    """What works by itself: each kind a list of the API, or the text that says why it may not be seen."""
    lines: list[Spans] = [(), *_breaker(stats.get("breaker") or {})]
    for kind, line in (("schedules", _schedule), ("rules", _rule), ("webhooks", _webhook), ("sources", _source)):
        each = found.get(kind) or []
        lines += [(), ((f" {kind}", "accent bold"), (f"  {len(each)}" if isinstance(each, list) else "", "muted"))]
        if isinstance(each, str):
            lines.append(((f"  {clip(each, 100)}", "faint"),))
        elif not each:
            lines.append((("  none", "faint"),))
        else:
            lines += [line(wire, now_ms) for wire in each]
    return [(None, spans) for spans in lines]


def _breaker(breaker: Mapping[str, Any]) -> list[Spans]:
    state = str(breaker.get("state") or "closed")
    word = {"closed": "works", "open": "DOES NOT ANSWER: writes are refused", "half_open": "is being tried"}
    told = f"  {breaker['reason']}" if breaker.get("reason") else ""
    look = "done" if state == "closed" else "failed bold"
    return [((" store", "accent bold"), (f"  {word.get(state, state)}", look), (clip(told, 80), "muted"))]


def _line(name: str, on: bool, told: str, more: str, fault: str = "") -> Spans:
    return (
        ("  ● " if on else "  ❚ ", "done" if on else "accent bold"),
        (fit(name, 24) + " ", "text bold"),
        (fit(told, 34) + " ", "text"),
        (clip(more, 50), "muted"),
        (f"  {clip(fault, 80)}" if fault else "", "failed bold"),
    )


def _schedule(wire: Mapping[str, Any], now_ms: int) -> Spans:
    following = wire.get("next_at")
    when = f"next in {duration(max(0, from_rfc3339(following) - now_ms))}" if following else ""
    paused = wire.get("paused")
    return _line(wire["name"], not paused, str(wire.get("when") or ""), when, "paused" if paused else "")


def _rule(wire: Mapping[str, Any], now_ms: int) -> Spans:
    paused = wire.get("paused")
    acts = ", ".join(str(act.get("verb") or act.get("act") or "") for act in wire.get("acts") or ())
    fault = f"paused: {paused.get('reason') or 'by hand'}" if paused else ""
    told = f"{acts} · {plural(wire.get('runs') or 0, 'run')}, {wire.get('failures') or 0} failed"
    return _line(wire["name"], not paused, f"on {', '.join(wire.get('events') or ())}", told, fault)


def _webhook(wire: Mapping[str, Any], now_ms: int) -> Spans:
    fault = wire.get("disabled_reason") or ""
    if not fault and wire.get("failures"):
        fault = f"failed {wire['failures']} times in a row"
    return _line(str(wire.get("description") or wire["url"]), bool(wire.get("active")), str(wire["url"]),
                 ", ".join(wire.get("events") or ()), fault)  # fmt: skip


def _source(wire: Mapping[str, Any], now_ms: int) -> Spans:
    told = f"into {wire.get('project')} · {plural(wire.get('deliveries') or 0, 'event')}"
    return _line(wire["name"], bool(wire.get("active")), str(wire.get("scheme")), told)


def failure(text: str, width: int) -> Lines:
    """A failure in full, with what to do about it on lines of its own."""
    lines: list[Spans] = [()]
    for at, part in enumerate(text.split(" · ")):
        lines += [((f"  {line}", "failed bold" if at == 0 else "text"),) for line in wrap(part, width, 40)]
    return [(None, line) for line in [*lines, (), (("  :log", "accent bold"), (" shows the log", "muted"))]]


def log(file: LogFile, width: int) -> Lines:
    """The end of the dashboard's log, under its days, for a sheet `width` cells wide."""
    looks = {"warning": "accent", "error": "failed bold", "critical": "failed bold"}
    lines: list[Spans] = []
    today = ""
    for record in file.records():
        day, _, time = record.at.partition("T")
        if day != today:
            lines.append(((f" {clip(day, 10)}", "accent bold"), ("  times in UTC", "faint")))
            today = day
        look = looks.get(record.level, "text")
        first, *more = wrap(record.text, max(20, width - 19), 20) or [""]
        lines.append(((f" {fit(time[:8], 8)} ", "faint"), (fit(record.level, 8), look), (first, look)))
        lines += [((" " * 18 + line, look),) for line in more]
        lines += [((f"   {clip(line, 400)}", "muted"),) for line in record.more]
    if file.fault:
        lines.append(((f" {file.fault}", "failed bold"),))
    elif not lines:
        lines.append(((" nothing was worth telling yet", "muted"),))
    return [(None, line) for line in lines]


def projects(model: DeckModel) -> Lines:
    """Every project: how its tasks stand, and whether it hands out any."""
    widths = [max(6, len(state) + 2) for state in _COUNTED]
    paused = "  PAUSED" if any(wire.get("paused") for wire in model.projects.values()) else ""
    head = "".join(fit(state, width, "right") for state, width in zip(_COUNTED, widths, strict=True))
    lines: list[tuple[str | None, Spans]] = [(None, ((fit("   PROJECT", 16) + head + paused, "muted"),))]
    for name, wire in sorted(model.projects.items()):
        counts = wire.get("counts") or {}
        row: list[Span] = [("❚❚ " if wire.get("paused") else "   ", "accent bold"), (fit(name, 13), "key")]
        for state, width in zip(_COUNTED, widths, strict=True):
            number = counts.get(state, 0)
            row.append((fit(count(number), width, "right"), state if number else "faint"))
        row.append((f"  {_paused(wire.get('paused'))}", "accent bold"))
        lines.append((name, tuple(row)))
    return lines


def _paused(paused: Any) -> str:
    if not paused:
        return ""
    reason = f"{paused['reason']} · " if paused.get("reason") else ""
    return clip(f"{reason}{paused.get('by')}", 60)


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
    kinds = ("active", "idle", "late", "offline", "draining")
    alive = ", ".join(f"{crew[kind]} {kind}" for kind in kinds if crew.get(kind))
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
    lines.append(_fact("events", count(int(stats.get("last_seq") or 0))))
    up = duration(int(float(stats.get("uptime_seconds") or 0) * 1000))
    lines.append(_fact("server", f"taskdeck {clip(str(stats.get('version') or '?'), 20)}, up {up}"))
    return [(None, line) for line in [*lines, *_hour(model)]]


def _hour(model: DeckModel) -> list[Spans]:
    """The last hour, project by project, the busiest first."""
    busy = sorted(model.hour.items(), key=lambda item: (-item[1]["completions"], item[0]))
    head = "".join(fit(word, 9, "right") for word in ("CLAIMED", "DONE", "FAILED", "WAIT", "RUN"))
    lines: list[Spans] = [(), ((" the last hour, by project", "accent bold"), (fit(f" {head}", 46), "muted"))]
    for name, hour in busy:
        wait, run = (_span((hour.get(f"{word}_seconds") or {}).get("p50")) for word in ("wait", "run"))
        failed = int(hour["failures"])
        lines.append(
            (
                (f"  {fit(name, 24)} ", "key"), (fit(count(hour["claims"]), 9, "right"), "claimed"),
                (fit(count(hour["completions"]), 9, "right"), "done"),
                (fit(count(failed), 9, "right"), "failed bold" if failed else "faint"), (fit(wait, 9, "right"), "text"),
                (fit(run, 9, "right") + "  ", "text"), (spark(hour.get("completions_by_minute") or [], 30), "done"),
            )
        )  # fmt: skip
    return lines


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
