"""Which columns the queue has at a width, and one task drawn in them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from rich.cells import cell_len

from taskdeck.tui.format import Heat, fit, fit_name, fuse
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.sort import USUAL, Sort
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.themes import HEAT_COLOURS, STATE_GLYPHS

TITLE_LEAST = 20
_PRIORITY = 5
_LONG_WAIT_MS = 15 * 60_000


COLUMNS = {
    "state": "the word of its state; its sign stays", "project": "its project", "labels": "its labels",
    "try": "which attempt, of how many", "age": "since when it is in its state", "due": "until it is due",
    "holder": "who holds it, or why it waits", "fuse": "its lease as a fuse; the time left stays",
}  # fmt: skip
"""The columns that can be chosen, as they stand from left to right; key, priority, title and time left always are."""
SHOWN = frozenset(COLUMNS) - {"due"}
_WIDTHS = {"labels": 16, "project": 9, "state": 10, "try": 4, "due": 8, "fuse": 5, "holder": 13, "age": 7}
"""Cells, in the order in which the columns go where there is no room for all."""
_LABELS_FROM = 150


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of each column; 0 where there is no room for it. Of those after the key, `skip` cells are scrolled out."""

    key: int
    title: int
    state: int
    project: int
    labels: int
    attempt: int
    age: int
    due: int
    holder: int
    bar: int
    left: int
    skip: int = 0


@lru_cache(64)
def columns(width: int, key: int, chosen: frozenset[str] | None = None, sort: Sort = USUAL, shift: int = 0) -> Columns:
    """The columns for a line of `width` cells with keys of up to `key` cells; `chosen` None: the usual ones.

    Scrolled by `shift` cells they are those of a line so much wider, without as many cells after the key.

    Labels go first, then project, the state's word, attempt, due, the lease bar, the holder; the title keeps 20.
    """
    width += shift
    wanted = SHOWN if chosen is None else chosen
    if chosen is None and width < _LABELS_FROM:
        wanted = wanted - {"labels"}
    seen = sort.of.column.casefold() if sort.of else ""
    if seen == "due":
        wanted = wanted | {"due"}
    want = {name: cells if name in wanted else 0 for name, cells in _WIDTHS.items()}
    fixed = 3 + _PRIORITY + 1 + key + 1 + 8
    for name in sorted(want, key=seen.__eq__):  # what is sorted by goes last
        if width - fixed - sum(want.values()) >= TITLE_LEAST + (8 if name in ("labels", "project", "state") else 0):
            break
        want[name] = 0
    left = 8 if width - fixed - sum(want.values()) >= 0 else 0
    title = max(1, width - fixed + 8 - left - sum(want.values()))
    if title > 70 and want["holder"]:
        want["holder"] += min(7, title - 70)
        title = max(1, width - fixed - sum(want.values()))
    return Columns(
        key=key, title=title, state=want["state"], project=want["project"], labels=want["labels"],
        attempt=want["try"], age=want["age"], due=want["due"], holder=want["holder"], bar=want["fuse"], left=left,
        skip=shift,
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
    due: str = ""


def _heads(cols: Columns, sort: Sort = USUAL) -> list[tuple[str, str]]:
    """The heads of the columns, each with the text that stands for it, as wide as its column."""
    by = sort.of

    def head(name: str, cells: int, align: Literal["left", "right"] = "left", gap: str = "") -> tuple[str, str]:
        arrow = "▼" if by is None and name == "P" else ""
        for part in filter(None, (sort, sort.then)):
            arrow = part.arrow if part.of is not None and part.of.column == name else arrow
        marked = name + arrow
        return name, gap + fit(marked, cells - len(gap), align) if cells else ""

    fixed = [
        ("", "◀  " if cols.skip else "   "), head("STATE", cols.state), head("P", _PRIORITY, "right"), ("", " "),
        ("KEY", fit("KEY", cols.key, "right")), ("", " "),
    ]  # fmt: skip
    moving = [
        head("TITLE", cols.title),
        head("PROJECT", cols.project, gap=" "), head("LABELS", cols.labels, gap=" "),
        head("TRY", cols.attempt, "right"),
        head("AGE", cols.age, "right"), head("DUE", cols.due, "right"), head("HOLDER", cols.holder, gap=" "),
        head("LEASE", cols.bar + cols.left, gap=" "),
    ]  # fmt: skip
    return [*fixed, *((name, text) for text, name in _scrolled([(text, name) for name, text in moving], cols.skip))]


def _scrolled(pieces: list[Span], skip: int) -> list[Span]:
    """`pieces` without their first `skip` cells; a wide character that is cut in two leaves a space."""
    out: list[Span] = []
    for text, look in pieces:
        cells = len(text) if text.isascii() else cell_len(text)
        if skip >= cells:
            skip -= cells
            continue
        while skip > 0:
            first = cell_len(text[0])
            text, skip = text[1:], skip - first
            if skip < 0:
                text, skip = " " * -skip + text, 0
        out.append((text, look))
    return out


def header(cols: Columns, sort: Sort = USUAL) -> Spans:
    """The column names; what the queue is sorted by has an arrow and is brighter."""
    looks = {}
    for part, look in ((sort.then, "accent"), (sort, "accent bold")):
        if part is not None and part.of is not None and part.of.column:
            looks[part.of.column] = look
    return tuple((text, looks.get(name, "muted")) for name, text in _heads(cols, sort) if text)


def head_at(cols: Columns, x: int) -> str:
    """The head of the column that covers cell `x`; empty for none."""
    for name, text in _heads(cols):
        if x < len(text):
            return name
        x -= len(text)
    return ""


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
    fixed = len(out)
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
    if cols.due:
        out.append((fit(line.due, cols.due, "right"), "failed bold" if line.due.startswith("-") else "muted"))
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
    return (*out[:fixed], *_scrolled(out[fixed:], cols.skip)) if cols.skip else tuple(out)


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
