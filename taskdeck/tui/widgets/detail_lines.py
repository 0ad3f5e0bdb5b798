"""One task in full, as lines: facts, lease, why, history, payload. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.via import NATIVE
from taskdeck.tui.format import clip, clock, duration, fit, fuse, fuse_cells, heat, moment, plural
from taskdeck.tui.keymap import key
from taskdeck.tui.model.events import EventLine
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.themes import HEAT_COLOURS, STATE_GLYPHS
from taskdeck.tui.widgets import detail_more as more_lines
from taskdeck.tui.widgets.detail_more import More, json_lines, section, wrap

_LABEL = 10
_TEXT_LINES = 40


def lines(
    row: TaskRow,
    full: Mapping[str, Any] | None,
    explained: Mapping[str, Any] | None,
    history: Sequence[EventLine],
    more: More,
    workers: Mapping[str, WorkerRow],
    now_ms: int,
    width: int,
    documents: Sequence[Spans] = (),
) -> list[Spans]:
    """All lines of the detail pane. All but the row and the workers come later than these, or never.

    `documents` are the lines of what `full` carries, as the function of that name writes them.
    """
    known = full or {}
    out: list[Spans] = [((text, "strong bold"),) for text in wrap(row.title, width, 4)]
    out += _facts(row, known, workers, now_ms, width)
    out += more_lines.question(row, width)
    out += more_lines.standing(known, width)
    if known.get("description"):
        out += section("description", width)
        out += [((text, "text"),) for text in wrap(str(known["description"]), width, _TEXT_LINES)]
    if row.error:
        out += section("last error", width)
        out += [((text, "failed"),) for text in wrap(row.error, width, 12)]
    if explained:
        out += _why(explained, width)
    out += more_lines.gates(more.gates, known.get("proof"), width)
    if history:
        out += section("history", width)
        out += [_event(line, width) for line in history[-60:]]
    out += more_lines.comments(more, width)
    out += more_lines.links(more, width)
    out += more_lines.chain(more.chain, row.key, width)
    out += more_lines.turns(more.assignments, width)
    if full is None:
        return [*out, (), (("loading…", "faint"),)]
    out += documents
    if (more.context or {}).get("context"):
        out += more_lines.context(more.context, width)
    return out


def documents(full: Mapping[str, Any] | None, width: int) -> list[Spans]:
    """The documents of a task, written out. A large one takes longer than a frame may: write it once."""
    out: list[Spans] = []
    for name in ("draft", "payload", "metadata", "result"):
        if full and full.get(name) not in (None, {}, []):
            out += section(name, width)
            out += json_lines(full[name], width)
    return out


def _fact(name: str, *spans: Span) -> Spans:
    return ((fit(name, _LABEL), "muted"), *spans)


def _facts(
    row: TaskRow, full: Mapping[str, Any], workers: Mapping[str, WorkerRow], now_ms: int, width: int
) -> list[Spans]:
    room = max(4, width - _LABEL)
    state: list[Span] = [(f"{STATE_GLYPHS.get(row.state, '?')} {row.state}", f"{row.state} bold")]
    state.append((f"  attempt {row.attempt} of {row.max_attempts}", "text"))
    out = [
        _fact("state", *state),
        _fact("priority", (str(row.priority), "text"), ("   project ", "muted"), (clip(row.project, 24), "text")),
    ]
    if row.labels:
        out.append(_fact("labels", (clip(", ".join(row.labels), room), "text")))
    if row.needs:
        out.append(_fact("needs", (clip(", ".join(row.needs), room), "text")))
    if row.assignee:
        out.append(_fact("assignee", (clip(row.assignee, room), "text")))
    if row.turn:
        ends = f", until {moment(from_rfc3339(full['turn_ends_at']) // 1000)}" if full.get("turn_ends_at") else ""
        out.append(_fact("turn", (f"{row.turn[0]} of {row.turn[1]}{ends}", "text")))
    if row.form:
        form = clip(f"{row.form[0]} version {row.form[1]}", room)
        out.append(_fact("form", (form, "text"), (f"  {key('fill')}", "accent bold"), (" fills it in", "muted")))
    if full.get("parent") or full.get("children"):
        above = f"from {full['parent']}" if full.get("parent") else "root"
        out.append(_fact("chain", (clip(f"{above} · {plural(full.get('children') or 0, 'child', 'children')}", room),
                         "text")))  # fmt: skip
    if full.get("kind") == "goal":
        out.append(_fact("kind", ("goal: finished with the last of its children", "text")))
    if full.get("review") not in (None, "none"):
        out.append(_fact("review", (str(full["review"]).replace("_", " "), "text")))
    if row.depends_on:
        out.append(_fact("after", (clip(", ".join(row.depends_on), room), "blocked")))
    if row.not_before_ms and row.state == "scheduled":
        told = f"in {duration(row.not_before_ms - now_ms)}, at {moment(row.not_before_ms // 1000)}"
        out.append(_fact("due to run", (told, "scheduled")))
    out += _lease(row, workers, now_ms, room)
    created = full.get("created_at")
    if created:
        by = f" by {full['created_by']}" if full.get("created_by") else ""
        out.append(_fact("created", (clip(moment(from_rfc3339(created) // 1000) + by, room), "text")))
    if full.get("due"):
        out.append(_fact("due", (moment(from_rfc3339(full["due"]) // 1000), "text")))
    out.append(_fact("in state", (f"{duration(now_ms - row.since_ms)}", "text"), ("   number ", "muted"),
                     (str(row.number), "text")))  # fmt: skip
    return out


def _lease(row: TaskRow, workers: Mapping[str, WorkerRow], now_ms: int, room: int) -> list[Spans]:
    lease = row.lease
    if lease is None:
        return []
    left = lease.left(now_ms)
    warmth = "lapsed" if row.lapsed(now_ms) else heat(left, lease.length_ms)
    colour = HEAT_COLOURS[warmth]
    worker = workers.get(lease.worker)
    holder = lease.worker if worker is None else worker.name
    out = [_fact("holder", (clip(holder, 24), "text bold"), (f"  fence {lease.fence}", "text"),
                 (f"  since {clock(lease.claimed_ms // 1000)}", "muted"))]  # fmt: skip
    if lease.via != NATIVE:
        out.append(_fact("by", (clip(lease.via, room), "text"), ("  dialect", "muted")))
    if warmth == "lapsed":
        out.append(_fact("lease", (f"╌╌╌╌ lapsed {duration(-(left or 0))} ago", "failed bold")))
        claimable = wrap(f"anyone may claim it; {holder} may still finish", room, 2)
        out += [_fact("", (text, "failed")) for text in claimable]
    elif left is None:
        out.append(_fact("lease", ("∞ no end", "muted")))
    else:
        bar = max(4, min(26, room - 10))
        burning, burnt = fuse(fuse_cells(left, lease.length_ms, bar), bar, warmth)
        time = (fit(duration(left), 8, "right"), f"{colour} bold")
        out.append(_fact("lease", (burning, colour), (burnt, "rule"), time))
    quiet = worker.liveness(now_ms) if worker else "active"
    beat = f"{duration(now_ms - lease.heartbeat_ms)} ago"
    if worker and quiet != "active":
        out.append(_fact("heartbeat", (f"{beat} · {quiet} (every {duration(worker.heartbeat_ms)})", "failed")))
    else:
        out.append(_fact("heartbeat", (beat, "text")))
    if lease.progress is not None or lease.detail:
        done = f"{lease.progress} %" if lease.progress is not None else ""
        told = " · ".join(part for part in (done, lease.detail or "") if part)
        look = "failed bold" if lease.state != "working" else "text"
        word = {"waiting_input": "asks", "errored": "error"}.get(lease.state, "progress")
        out.append(_fact(word, (clip(told, room), look)))
    return out


def _why(explained: Mapping[str, Any], width: int) -> list[Spans]:
    claimable = explained.get("claimable")
    out = section("why", width)
    out.append(
        (
            (
                "you can claim it now" if claimable else "you cannot claim it now",
                "done bold" if claimable else "accent bold",
            ),
        )
    )
    for check in explained.get("checks") or ():
        passed = bool(check.get("passed"))
        sign: Span = ("✓ ", "done") if passed else ("✗ ", "failed bold")
        told = wrap(str(check.get("detail") or check.get("rule") or ""), max(4, width - 2), 3)
        for at, text in enumerate(told):
            out.append((sign if at == 0 else ("  ", "text"), (text, "muted" if passed else "text")))
    return out


def _event(line: EventLine, width: int) -> Spans:
    verb = line.type.partition(".")[2]
    told = " ".join(part for part in (line.actor, line.text) if part)
    return (
        (f"{clock(line.at_ms // 1000)}  ", "faint"),
        (fit(verb, 13) + " ", "text"),
        (clip(told, max(1, width - 24)), "muted"),
    )
