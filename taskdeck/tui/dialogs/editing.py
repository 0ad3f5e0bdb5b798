"""The forms of editing a task: its fields, what to do where it changed meanwhile, and long texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.tui.dialogs.base import Choice, Form, Text, Values
from taskdeck.tui.dialogs.forms import listed
from taskdeck.tui.format import clip, moment
from taskdeck.tui.keymap import key
from taskdeck.tui.model.moment import to_come
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Spans

REVIEWS = ("none", "optional", "required", "four_eyes")
_LISTS = {"labels": "labels", "capabilities": "needs", "depends_on": "after"}
_TIMES = {"not_before": "begins", "due": "due"}
_WIDTH = 66


class Conflict(NamedTuple):
    """A field that was changed here and elsewhere: what the server has, what was typed."""

    name: str
    theirs: str
    mine: str


def _typed(base: Mapping[str, Any], name: str) -> str:
    """A field of a task as it is typed."""
    value = base[name]
    if name in _LISTS:
        return ", ".join(value)
    if name in _TIMES:
        return moment(from_rfc3339(value) // 1000) if value else ""
    return str(value)


FIELDS = ("title", "priority", *_LISTS, *_TIMES, "max_attempts", "review")


def edit(
    base: Mapping[str, Any], before: Values | None, conflicts: Sequence[Conflict], wrong: str, now_ms: Callable[[], int]
) -> Form:
    """All fields that fit into a line; `E` is for the long ones."""
    typed = {**{name: _typed(base, name) for name in FIELDS}, **(before or {})}

    def prose() -> list[Spans]:
        head: list[Spans] = [
            ((f"{clip(base['key'], 14)}  ", "key bold"), (f"{base['state']} · {clip(base['project'], 30)}", "text"))
        ]
        for name, theirs, mine in conflicts:
            head.append((("‼ ", "failed bold"), (clip(f"{name} is “{theirs}” by now; you wrote “{mine}”", _WIDTH),
                         "accent bold")))  # fmt: skip
        return head

    def check(values: Values) -> str | None:
        try:
            changed(base, values, now_ms())
        except ValueError as error:
            return str(error)
        return None

    return Form(
        title="✎ Edit", prose=prose,
        fields=(
            Text("title", "title", typed["title"], "what is to be done", 500),
            Text("priority", "priority", typed["priority"], "0 to 100", 3),
            *(Text(name, label, typed[name], "with commas between", 2_000) for name, label in _LISTS.items()),
            *(Text(name, label, typed[name], "2026-09-16 14:02, 14:02, 2h; empty: none", 40)
              for name, label in _TIMES.items()),
            Text("max_attempts", "attempts", typed["max_attempts"], "how many there may be", 4),
            Choice("review", "review", [(word, word.replace("_", " ")) for word in REVIEWS], typed["review"]),
        ),
        act="save", check=check, note=f"{key('undo')} takes it back", focus="title", wrong=wrong,
    )  # fmt: skip


def changed(base: Mapping[str, Any], values: Values, now_ms: int) -> dict[str, Any]:
    """The fields that are typed otherwise than `base` has them, as the API takes them.

    Raises:
        ValueError: one cannot be read; the text says which and what is understood.
    """
    fields: dict[str, Any] = {}
    for name in FIELDS:
        if values[name] == _typed(base, name):
            continue
        if name in _LISTS:
            fields[name] = listed(values[name])
        elif name in _TIMES:
            try:
                fields[name] = rfc3339(to_come(values[name], now_ms)) if values[name] else None
            except ValueError as error:
                raise ValueError(f"{_TIMES[name]}: {error}") from None
        elif name in ("priority", "max_attempts"):
            if not values[name].isdigit() or (name == "priority" and int(values[name]) > 100):
                raise ValueError(f"{name.replace('_', ' ')} is a whole number" + " to 100" * (name == "priority"))
            fields[name] = int(values[name])
        else:
            fields[name] = values[name]
    if "title" in fields and not fields["title"]:
        raise ValueError("a title is required")
    return fields


def merged(base: Mapping[str, Any], now: Mapping[str, Any], values: Values) -> tuple[list[Conflict], Values]:
    """What was typed over `base`, laid over `now`: fields that only the other side changed take its value."""
    conflicts, result = [], dict(values)
    for name in FIELDS:
        before, theirs, mine = _typed(base, name), _typed(now, name), values[name]
        if mine == before:
            result[name] = theirs
        elif theirs not in (before, mine):
            conflicts.append(Conflict(name, theirs, mine))
    return conflicts, result


def which(base: Mapping[str, Any]) -> Form:
    """Which long text to open in the editor."""
    sizes = {name: len(str(base.get(name) or "")) for name in ("payload", "description", "metadata")}
    return Form(
        title="✎ Write", prose=lambda: [((f"{clip(base['key'], 14)} in your editor ($VISUAL, $EDITOR)", "text"),)],
        fields=(Choice("what", "what", [(name, f"{name} ({size})") for name, size in sizes.items()]),),
        act="open", note=f"{key('undo')} takes it back",
    )  # fmt: skip


def again(row: TaskRow, fault: str) -> Form:
    """What was written could not be taken."""
    return Form(
        title=f"✗ {row.key} was not changed", prose=lambda: [((clip(fault, 200), "failed"),)],
        fields=(Choice("sure", "", (("yes", "edit it again"), ("no", "drop what was written"))),), act="choose",
        danger=True,
    )  # fmt: skip
