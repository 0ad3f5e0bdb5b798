"""Which columns the queue has at a width, and one task drawn in them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from taskdeck.tui.format import Heat, fit, fit_name, fuse
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.themes import HEAT_COLOURS, STATE_GLYPHS

TITLE_LEAST = 20
_PRIORITY = 5
_LONG_WAIT_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of each column; 0 where there is no room for it."""

    key: int
    title: int
    state: int
    project: int
    labels: int
    attempt: int
    age: int
    holder: int
    bar: int
    left: int


def columns(width: int, key: int) -> Columns:
    """The columns for a line of `width` cells with keys of up to `key` cells.

    Labels go first, then project, the state's word, attempt, the lease bar, the holder; the title keeps 20.
    """
    want = {"labels": 16, "project": 9, "state": 10, "attempt": 4, "bar": 5, "holder": 13, "age": 7}
    fixed = 3 + _PRIORITY + 1 + key + 1 + 8
    if width < 150:
        want["labels"] = 0
    for name in ("labels", "project", "state", "attempt", "bar", "holder", "age"):
        if width - fixed - sum(want.values()) >= TITLE_LEAST + (8 if name in ("labels", "project", "state") else 0):
            break
        want[name] = 0
    left = 8 if width - fixed - sum(want.values()) >= 0 else 0
    title = max(1, width - fixed + 8 - left - sum(want.values()))
    if title > 70:
        want["holder"] += min(7, title - 70)
        title = max(1, width - fixed - sum(want.values()))
    return Columns(
        key=key, title=title, state=want["state"], project=want["project"], labels=want["labels"],
        attempt=want["attempt"], age=want["age"], holder=want["holder"], bar=want["bar"], left=left,
    )  # fmt: skip


class Line(NamedTuple):
    """The changing parts of a task's line, ready to draw. `note` stands where a holder would."""

    row: TaskRow
    age: str
    age_ms: int
    note: str
    note_look: str
    left: str
    halves: int
    heat: Heat
    next_up: bool
    stirred: bool


def header(cols: Columns) -> Spans:
    """The column names."""
    parts = ["   "]
    parts.append(fit("STATE", cols.state) if cols.state else "")
    parts.append(fit("P▼", _PRIORITY, "right") + " " + fit("KEY", cols.key, "right") + " ")
    parts.append(fit("TITLE", cols.title))
    parts.append(" " + fit("PROJECT", cols.project - 1) if cols.project else "")
    parts.append(" " + fit("LABELS", cols.labels - 1) if cols.labels else "")
    parts.append(fit("TRY", cols.attempt, "right") if cols.attempt else "")
    parts.append(fit("AGE", cols.age, "right") if cols.age else "")
    parts.append(" " + fit("HOLDER", cols.holder - 1) if cols.holder else "")
    parts.append(fit(" LEASE", cols.bar + cols.left))
    return (("".join(parts), "muted"),)


def spans(line: Line, cols: Columns, *, cursor: bool, marked: bool) -> Spans:
    """One task."""
    row = line.row
    state = row.state
    urgent = row.priority >= 70
    sign = "‼" if row.priority >= 90 else "↑" if urgent else "•" if line.stirred else ""
    look = "failed bold" if row.priority >= 90 else "accent bold" if urgent else "text"
    if state in ("done", "cancelled"):
        look = "muted"
    out: list[Span] = [
        ("▶" if line.next_up else " ", "ready"),
        ("+" if marked else " ", "accent bold"),
        (STATE_GLYPHS.get(state, "?"), state),
    ]
    if cols.state:
        out.append((fit(f" {state}", cols.state), state))
    out.append((fit(f"{sign}{row.priority}", _PRIORITY, "right"), look))
    out.append((" " + fit(row.key, cols.key, "right") + " ", "key"))
    out.append((fit(row.title, cols.title), "strong bold" if cursor else "text"))
    if cols.project:
        out.append((" " + fit(row.project, cols.project - 1), "muted"))
    if cols.labels:
        out.append((" " + fit(" ".join(row.labels), cols.labels - 1), "faint"))
    if cols.attempt:
        tried = fit(f"{row.attempt}/{row.max_attempts}", cols.attempt, "right")
        out.append((tried, "failed" if row.attempt > 1 else "muted"))
    if cols.age:
        long = line.age_ms >= _LONG_WAIT_MS and state in ("ready", "claimed", "review")
        out.append((fit(line.age, cols.age, "right"), "accent" if long else "muted"))
    tail = cols.bar + cols.left
    if state == "claimed":
        if cols.holder:
            out.append((" " + fit_name(line.note, cols.holder - 1), line.note_look))
        out.extend(_lease(line, cols))
    elif state == "failed" and cols.holder:
        out.append((" " + fit(line.note, cols.holder + tail - 1), line.note_look))
    else:
        if cols.holder:
            out.append((" " + fit(line.note, cols.holder - 1), line.note_look))
        out.append((fit(line.left, tail, "right"), "scheduled"))
    return tuple(out)


def _lease(line: Line, cols: Columns) -> list[Span]:
    colour = HEAT_COLOURS[line.heat]
    if line.heat == "lapsed":
        # without the bar there is no room for the word; the sign of the lapsed event stands for it
        told = line.left if cols.bar else line.left.replace("lapsed", "◌")
        return [(fit(told, cols.bar + cols.left, "right"), "failed bold")]
    out: list[Span] = []
    if cols.bar:
        burning, burnt = fuse(line.halves, cols.bar - 1, line.heat)
        out += [(" ", "text"), (burning, colour), (burnt, "rule" if line.heat != "endless" else colour)]
    out.append((fit(line.left, cols.left, "right"), f"{colour} bold" if line.heat == "hot" else "text"))
    return out
