"""The forms of the smaller acts: priority, assign, create, retry, reasons, and the way out."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from taskdeck.tui.dialogs.base import Choice, Form, Text, Values
from taskdeck.tui.format import clip, count, plural
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Span, Spans

TYPED_FROM = 20
"""Acts on more tasks than this want their number typed."""


def subject(rows: Sequence[TaskRow]) -> list[Spans]:
    """What an act is about: the task, or a summary of the marked ones by state and holder."""
    if len(rows) == 1:
        row = rows[0]
        held = f" · held by {clip(row.holder, 24)}" if row.holder else ""
        facts = f"P{row.priority} · {row.project} · {row.state}{held}"
        return [
            ((f"{clip(row.key, 14)}  ", "key bold"), (clip(row.title, 52), "strong")),
            ((clip(facts, 68), "muted"),),
        ]
    states = Counter(row.state for row in rows)
    holders = {row.holder for row in rows if row.holder}
    parts: list[Span] = [(plural(len(rows), "marked task"), "strong bold"), ("   ", "text")]
    told = " · ".join(f"{number} {state}" for state, number in states.items())
    parts.append((clip(told + (f" by {plural(len(holders), 'worker')}" if holders else ""), 56), "text"))
    keys = ", ".join(row.key for row in rows[:12]) + (" …" if len(rows) > 12 else "")
    return [tuple(parts), ((clip(keys, 68), "muted"),)]


def _number(rows: Sequence[TaskRow]) -> tuple[Text, ...]:
    if len(rows) <= TYPED_FROM:
        return ()
    return (Text("number", "how many", hint=f"type {len(rows)} to go on"),)


def _typed(values: Values, rows: Sequence[TaskRow]) -> str | None:
    if len(rows) > TYPED_FROM and values.get("number") != str(len(rows)):
        return f"type the number of tasks, {len(rows)}, to go on"
    return None


def reason(
    rows: Sequence[TaskRow],
    *,
    title: str,
    effects: Sequence[str],
    act: str,
    leave: str = "leave it",
    danger: bool = True,
    needed: bool = False,
    note: str = "",
    label: str = "reason",
) -> Form:
    """A form that asks why. Where no reason is needed the keys start on the safe choice instead."""
    lines = [
        *subject(rows),
        (),
        *(((f"  {at}  ", "accent bold"), (text, "text")) for at, text in enumerate(effects, 1)),
    ]
    asked = Text("reason", label, hint="required" if needed else "optional", limit=400)
    sure = () if needed else (Choice("sure", "", (("no", leave), ("yes", act))),)

    def check(values: Values) -> str | None:
        if needed and not values["reason"]:
            return f"the {label} is required"
        return _typed(values, rows) if values.get("sure", "yes") == "yes" else None

    return Form(
        title=title, prose=lambda: lines, fields=(*sure, *_number(rows), asked), act=act if needed else "choose",
        leave="leave it", danger=danger, note=note, check=check, focus="reason" if needed else "sure",
    )  # fmt: skip


def priority(rows: Sequence[TaskRow], model: DeckModel) -> tuple[Form, list[str]]:
    """A form for a number from 0 to 100; the list holds what is typed, for the preview."""
    typed = [str(rows[0].priority)]

    def prose() -> list[Spans]:
        return [*subject(rows), (), _place(rows, typed[0], model)]

    def check(values: Values) -> str | None:
        typed[0] = values["priority"]
        if not typed[0].isdigit() or not 0 <= int(typed[0]) <= 100:
            return "a priority is a whole number from 0 to 100; 100 goes first"
        return _typed(values, rows)

    field = Text("priority", "priority", typed[0], "0 to 100, 100 first", 3)
    form = Form(
        title="↕ Set priority", prose=prose, fields=(field, *_number(rows)), act="set it", check=check,
        note="u takes it back", focus="priority",
    )  # fmt: skip
    return form, typed


def _place(rows: Sequence[TaskRow], typed: str, model: DeckModel) -> Spans:
    segment = model.window.segments.get("ready")
    row = rows[0]
    if len(rows) > 1 or row.state != "ready" or segment is None or not typed.isdigit():
        return (("a higher number is claimed sooner; equal ones in order of creation", "muted"),)
    before = segment.index(row.id)
    target = (-int(typed), row.number)
    after = bisect_left(segment.items, (target, row.id))
    if before is None or (after >= len(segment.items) and not segment.complete):
        return (("behind what is loaded", "muted"),)
    if after > before:
        after -= 1  # its own present place is vacated
    total = max(model.counts.get("ready", 0), len(segment.items))
    return (("place ", "muted"), (f"{before + 1} → {after + 1}", "strong bold"), (f" of {count(total)} ready", "muted"))


def assign(rows: Sequence[TaskRow], model: DeckModel) -> Form:
    """A form for the one who alone may claim; the empty name lets anyone."""
    now, loads = model.now_ms(), model.loads()
    alive = [worker for worker in model.workers.values() if worker.liveness(now) != "silent" and worker.id != model.me]
    alive.sort(key=lambda worker: (loads.get(worker.id, 0), worker.id))
    options = [("", "anyone"), (model.me, f"me ({model.me})")]
    options += [(worker.id, f"{worker.id} · {loads.get(worker.id, 0)} held") for worker in alive[:2]]
    return Form(
        title="⇒ Assign",
        prose=lambda: [*subject(rows), (), (("only the one named may claim it; a running claim goes on", "muted"),)],
        fields=(
            Choice("pick", "to", options, rows[0].assignee or ""),
            Text("name", "or", hint="name of a worker, principal or group", limit=200),
            *_number(rows),
        ),
        act="assign", check=lambda values: _typed(values, rows), note="u takes it back",
    )  # fmt: skip


def create(model: DeckModel, project: str, before: Values | None = None) -> Form:
    """A form for a new task. `before` fills it with what was typed last."""
    typed = before or {}
    known = ", ".join(sorted(model.projects)[:6])
    return Form(
        title="+ New task",
        prose=lambda: [((f"projects: {clip(known or 'default', 58)}", "muted"),)],
        fields=(
            Text("title", "title", typed.get("title", ""), "what is to be done", 500),
            Text("project", "project", typed.get("project", project), "default", 64),
            Text("priority", "priority", typed.get("priority", "50"), "0 to 100", 3),
            Text("labels", "labels", typed.get("labels", ""), "with commas between", 400),
            Text("payload", "payload", typed.get("payload", ""), '{"json": true}', 20_000),
        ),
        act="create", again="create, another", leave="leave", check=_check_new, focus="title", note="X takes it away",
    )  # fmt: skip


def _check_new(values: Values) -> str | None:
    if not values["title"]:
        return "a title is required"
    if not values["priority"].isdigit() or int(values["priority"]) > 100:
        return "a priority is a whole number from 0 to 100"
    if values["payload"]:
        try:
            json.loads(values["payload"])
        except json.JSONDecodeError as error:
            return f"the payload is not JSON: {error.msg} at character {error.pos + 1}"
        except RecursionError:
            return "the payload is nested too deep"
    return None


def retry(rows: Sequence[TaskRow]) -> Form:
    """A form for queueing ended tasks again: when, and with which attempts."""
    return Form(
        title="↺ Retry",
        prose=lambda: [*subject(rows), (), (("queued again, with its last error and result set aside", "muted"),)],
        fields=(
            Choice("delay", "when", (("0", "now"), ("60", "in 1m"), ("600", "in 10m"), ("3600", "in 1h"))),
            Choice("reset", "attempts", (("yes", "from the start"), ("no", "go on counting"))),
            *_number(rows),
        ),
        act="retry", check=lambda values: _typed(values, rows),
    )  # fmt: skip


def leaving(model: DeckModel) -> Form:
    """The way out of a dashboard whose process also serves the deck."""
    now = model.now_ms()
    alive = sum(worker.liveness(now) != "silent" for worker in model.workers.values())
    held = len(model.leases())
    return Form(
        title="Quit while serving",
        prose=lambda: [
            (("This process also serves the deck.", "strong"),),
            ((f"{plural(alive, 'worker')} alive, {plural(held, 'task')} claimed. ", "text"),),
            (("If it stops, they cannot report until it is started again;", "muted"),),
            (("leases run on, and nothing stored is lost.", "muted"),),
        ],
        fields=(Choice("sure", "", (("no", "stay"), ("yes", "quit and stop serving"))),),
        act="choose", leave="stay", danger=True,
    )  # fmt: skip
