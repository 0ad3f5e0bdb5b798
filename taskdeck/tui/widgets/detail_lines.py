"""One task in full, as lines: facts, lease, why, history, payload. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, chop_cells

from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.text import visible
from taskdeck.tui.format import clip, clock, duration, fit, fuse, fuse_cells, heat, moment
from taskdeck.tui.model.events import EventLine
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.themes import HEAT_COLOURS, STATE_GLYPHS

_LABEL = 10
_TEXT_LINES = 40
_JSON_LINES = 200
_LINE_LIMIT = 4_000


def lines(
    row: TaskRow,
    full: Mapping[str, Any] | None,
    explained: Mapping[str, Any] | None,
    history: Sequence[EventLine],
    workers: Mapping[str, WorkerRow],
    now_ms: int,
    width: int,
) -> list[Spans]:
    """All lines of the detail pane. `full`, `explained` and `history` come later than the row, or never."""
    out: list[Spans] = [((text, "strong bold"),) for text in wrap(row.title, width, 4)]
    out += _facts(row, full or {}, workers, now_ms, width)
    if full and full.get("description"):
        out += _section("description", width)
        out += [((text, "text"),) for text in wrap(str(full["description"]), width, _TEXT_LINES)]
    if row.error:
        out += _section("last error", width)
        out += [((text, "failed"),) for text in wrap(row.error, width, 12)]
    if explained:
        out += _why(explained, width)
    if history:
        out += _section("history", width)
        out += [_event(line, width) for line in history[-60:]]
    if full:
        for name in ("payload", "metadata", "result"):
            if full.get(name) not in (None, {}, []):
                out += _section(name, width)
                out += _json(full[name], width)
    elif full is None:
        out += [(), (("loading…", "faint"),)]
    return out


def wrap(text: str, width: int, most: int) -> list[str]:
    """`text` harmless and broken into lines of `width` cells, `most` of them at most."""
    found: list[str] = []
    for paragraph in visible(text[:_LINE_LIMIT], keep_newlines=True).split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if cell_len(longer) <= width:
                line = longer
                continue
            if line:
                found.append(line)
            *broken, line = chop_cells(word, max(2, width)) or [""]
            found += broken
        found.append(line)
        if len(found) > most:
            return [*found[: most - 1], "…"]
    return found


def _section(name: str, width: int) -> list[Spans]:
    return [(), ((f"{name} ", "accent bold"), ("─" * max(0, width - len(name) - 1), "rule"))]


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
    out = [_fact("holder", (clip(lease.worker, 24), "text bold"), (f"  fence {lease.fence}", "text"),
                 (f"  since {clock(lease.claimed_ms // 1000)}", "muted"))]  # fmt: skip
    if warmth == "lapsed":
        out.append(_fact("lease", (f"╌╌╌╌ lapsed {duration(-(left or 0))} ago", "failed bold")))
        out.append(_fact("", (clip(f"anyone may claim it; {lease.worker} may still finish", room), "failed")))
    elif left is None:
        out.append(_fact("lease", ("∞ no end", "muted")))
    else:
        bar = max(4, min(26, room - 10))
        burning, burnt = fuse(fuse_cells(left, lease.length_ms, bar), bar, warmth)
        time = (fit(duration(left), 8, "right"), f"{colour} bold")
        out.append(_fact("lease", (burning, colour), (burnt, "rule"), time))
    worker = workers.get(lease.worker)
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
    out = _section("why", width)
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


def _json(value: object, width: int) -> Iterable[Spans]:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    found: list[Spans] = []
    for line in text[: _LINE_LIMIT * 4].split("\n")[:_JSON_LINES]:
        name, colon, rest = line.partition('": ')
        shown = clip(visible(line), width)
        head = visible(name + '":')
        if colon and shown.startswith(head):
            found.append(((head, "key"), (shown[len(head) :], "done" if rest.lstrip().startswith('"') else "claimed")))
        else:
            found.append(((shown, "text"),))
    return found
