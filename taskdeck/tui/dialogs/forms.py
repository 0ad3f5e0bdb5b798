"""The forms of the smaller acts: priority, assign, create, retry, reasons, and the way out."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from taskdeck.tui.dialogs.base import Choice, Form, Text, Values
from taskdeck.tui.format import clip, count, duration, plural, size
from taskdeck.tui.keymap import key
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.moment import seconds_of
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Span, Spans

_PICKED_MOST = 4
"""Most projects that are offered by name."""
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
    parts: list[Span] = [(plural(len(rows), "task"), "strong bold"), ("   ", "text")]
    told = " · ".join(f"{number} {state}" for state, number in states.items())
    parts.append((clip(told + (f" by {plural(len(holders), 'worker')}" if holders else ""), 56), "text"))
    keys = ", ".join(row.key for row in rows[:12]) + (" …" if len(rows) > 12 else "")
    return [tuple(parts), ((clip(keys, 68), "muted"),)]


def holders(rows: Sequence[TaskRow]) -> str:
    """Who holds them: the one name, or how many; empty if nobody does."""
    names = sorted({row.holder for row in rows if row.holder})
    return clip(names[0], 30) if len(names) == 1 else plural(len(names), "worker") if names else ""


def number(rows: Sequence[TaskRow], *, above: int = TYPED_FROM) -> tuple[Text, ...]:
    """The field for how many there are; none for `above` or fewer."""
    if len(rows) <= above:
        return ()
    return (Text("number", "how many", hint=f"type {len(rows)} to go on"),)


def typed_number(values: Values, rows: Sequence[TaskRow], *, above: int = TYPED_FROM) -> str | None:
    """What is wrong with the number that was typed."""
    if len(rows) > above and values.get("number") != str(len(rows)):
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
    before: Sequence[Spans] = (),
    extra: tuple[Choice, ...] = (),
) -> Form:
    """A form that asks why. Where no reason is needed the keys start on the safe choice instead.

    `before` are lines about the task, `effects` what will happen, `extra` further choices.
    """
    lines: list[Spans] = [
        *subject(rows),
        *before,
        (),
        *(((f"  {at}  ", "accent bold"), (text, "text")) for at, text in enumerate(effects, 1)),
    ]
    asked = Text("reason", label, hint="required" if needed else "optional", limit=400)
    sure = () if needed else (Choice("sure", "", (("no", leave), ("yes", act))),)

    def check(values: Values) -> str | None:
        if needed and not values["reason"]:
            return f"the {label} is required"
        return typed_number(values, rows) if values.get("sure", "yes") == "yes" else None

    return Form(
        title=title, prose=lambda: lines, fields=(*sure, *extra, *number(rows), asked), act=act if needed else "choose",
        leave="leave it", danger=danger, note=note, check=check, focus="reason" if needed else "sure",
    )  # fmt: skip


def priority(rows: Sequence[TaskRow], model: DeckModel) -> Form:
    """A form for a number from 0 to 100, with the place in the queue that what is typed leads to."""
    typed = [str(rows[0].priority)]

    def prose() -> list[Spans]:
        return [*subject(rows), (), _place(rows, typed[0], model)]

    def follow(values: Values) -> None:
        typed[0] = values["priority"]

    def check(values: Values) -> str | None:
        if not values["priority"].isdigit() or not 0 <= int(values["priority"]) <= 100:
            return "a priority is a whole number from 0 to 100; 100 goes first"
        return typed_number(values, rows)

    field = Text("priority", "priority", typed[0], "0 to 100, 100 first", 3, replaced=True)
    return Form(
        title="↕ Set priority", prose=prose, fields=(field, *number(rows)), act="set it", check=check, follow=follow,
        note=f"{key('undo')} takes it back", focus="priority",
    )  # fmt: skip


def _place(rows: Sequence[TaskRow], typed: str, model: DeckModel) -> Spans:
    segment = model.window.segments.get("ready")
    row = rows[0]
    if len(rows) > 1 or row.state != "ready" or segment is None or not typed.isdigit():
        return (("a higher number is claimed sooner; equal ones in order of creation", "muted"),)
    before = segment.index(row.id)
    target = (model.claims.rank(int(typed), row.queued_ms), row.number)
    after = bisect_left(segment.items, (target, row.id))
    if before is None or (after >= len(segment.items) and not segment.complete):
        return (("behind what is loaded", "muted"),)
    if after > before:
        after -= 1  # its own present place is vacated
    total = max(model.counts.get("ready", 0), len(segment.items))
    return (("place ", "muted"), (f"{before + 1} → {after + 1}", "strong bold"), (f" of {count(total)} ready", "muted"))


def move(rows: Sequence[TaskRow], model: DeckModel, given: str = "") -> Form:
    """Into which project, and what that means for who may have it. `given`: the one that is named already."""
    there = {row.project for row in rows}
    others = [name for name in sorted(model.projects) if {name} != there]
    options = [(name, clip(name, 16)) for name in others[:_PICKED_MOST]]
    held = sum(row.state == "claimed" for row in rows)

    def prose() -> list[Spans]:
        effects = ["its key stays; the way back is the same act" if len(rows) == 1 else "the keys stay"]
        effects.append("the other project's pause and limits hold from now on")
        effects.append("only who is let into that project sees it and may claim it")
        if held:
            effects.append("a running claim goes on, and counts in the other project")
        numbered: list[Spans] = [((f"  {at}  ", "accent bold"), (text, "text")) for at, text in enumerate(effects, 1)]
        origin: Spans = (("from ", "muted"), (clip(", ".join(sorted(there)), 60), "strong bold"))
        return [*subject(rows), (), origin, *numbered]

    def check(values: Values) -> str | None:
        to = values["name"] or values.get("pick", "")
        if to not in model.projects:
            near = get_close_matches(to, model.projects, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; {key('projects')} lists them"
            return f"there is no project “{clip(to, 24)}”{hint}" if to else "say into which project"
        if there == {to}:
            return f"it is in {clip(to, 24)} already"
        return typed_number(values, rows)

    pick = (Choice("pick", "to", options),) if options else ()
    more = Text("name", "or" if pick else "to", given, "name of a project", 64)
    return Form(
        title="⇄ Move", prose=prose, fields=(*pick, more, *number(rows)), act="move", check=check,
        note=f"{key('undo')} takes it back", focus="pick" if pick and not given else "name",
    )  # fmt: skip


def assign(rows: Sequence[TaskRow], model: DeckModel, given: str = "") -> Form:
    """A form for the one who alone may claim; the empty name lets anyone. `given`: the one who is named already."""
    now, loads = model.now_ms(), model.loads()
    alive = [worker for worker in model.workers.values() if worker.liveness(now) != "silent" and worker.id != model.me]
    alive.sort(key=lambda worker: (loads.get(worker.id, 0), worker.id))
    options = [("", "anyone"), (model.me, f"me ({model.me})")]
    options += [(worker.id, f"{worker.id} · {loads.get(worker.id, 0)} held") for worker in alive[:2]]

    def check(values: Values) -> str | None:
        try:
            turns_of(values["turns"])
        except ValueError as error:
            return str(error)
        return typed_number(values, rows)

    return Form(
        title="⇒ Assign",
        prose=lambda: [*subject(rows), (), (("only the one named may claim it; a running claim goes on", "muted"),)],
        fields=(
            Choice("pick", "to", options, rows[0].assignee or ""),
            Text("name", "or", given, "name of a worker, principal or group", 200),
            Text("turns", "or in turn", hint="maria 2h, bob 30m, team-ops", limit=1_000),
            Choice("at_end", "then", (("open", "open to all"), ("stay", "stays with the last"), ("give_up", "fails"))),
            *number(rows),
        ),
        act="assign", check=check, note=f"{key('undo')} takes it back",
    )  # fmt: skip


def turns_of(text: str) -> list[dict[str, Any]]:
    """Assignees in turn, from `maria 2h, bob 30m, ops`: each a name and how long it has; without a span as long as it
    takes.

    Raises:
        ValueError: a part is neither; the text says which.
    """
    turns: list[dict[str, Any]] = []
    for part in listed(text):
        name, _, span = part.partition(" ")
        turns.append({"assignee": name, "seconds": seconds_of(span) if span.strip() else None})
    return turns


def listed(text: str) -> list[str]:
    """What is typed with commas between."""
    return [part.strip() for part in text.split(",") if part.strip()]


def create(model: DeckModel, project: str, before: Values | None = None, wrong: str = "") -> Form:
    """A form for a new task. `before` fills it with what was typed last, `wrong` says why that was refused."""
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
            Choice("backlog", "offer it", (("no", "now"), ("yes", "later: into the backlog")), typed.get("backlog")),
        ),
        act="create", again="create, another", leave="leave", check=_check_new, focus="title",
        note=f"{key('undo')} takes it back", wrong=wrong,
    )  # fmt: skip


def delegate(row: TaskRow, before: Values | None, wrong: str) -> Form:
    """A form for a child of a task."""
    typed = before or {}
    waits = "the task waits for it: it cannot be completed before"

    def check(values: Values) -> str | None:
        if not values["title"]:
            return "a title is required"
        return None if values["priority"].isdigit() and int(values["priority"]) <= 100 else "a priority is 0 to 100"

    return Form(
        title="⤷ Delegate", prose=lambda: [*subject([row]), (), ((waits, "muted"),)],
        fields=(
            Text("title", "title", typed.get("title", ""), "what is to be done for it", 500),
            Text("priority", "priority", typed.get("priority", str(row.priority)), "0 to 100", 3),
            Text("assignee", "for", typed.get("assignee", ""), "who alone may claim it; empty: anyone", 200),
            Choice("wait", "my claim", (("no", "goes on"), ("yes", "ends until it is done")), typed.get("wait")),
        ),
        act="make it", check=check, focus="title", wrong=wrong,
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
            *number(rows),
        ),
        act="retry", check=lambda values: typed_number(values, rows),
    )  # fmt: skip


def going_over(path: Path, octets: int, age_ms: int) -> Form:
    """Whether to write over a file that is there."""
    return Form(
        title="There is such a file",
        prose=lambda: [
            ((clip(str(path), 70), "strong"),),
            ((f"It holds {size(octets)}, written {duration(age_ms)} ago.", "text"),),
            (("What is in it is gone once the new file is whole.", "muted"),),
        ],
        fields=(Choice("sure", "", (("no", "keep it"), ("yes", "write over it"))),),
        act="choose", leave="keep it", danger=True,
    )  # fmt: skip


def leaving(model: DeckModel, home: str = "") -> Form:
    """The way out of a dashboard whose process also serves a deck: that of `model`, or another, at `home`."""
    now = model.now_ms()
    alive = sum(worker.liveness(now) != "silent" for worker in model.workers.values())
    crew = f"{plural(alive, 'worker')} alive, {plural(len(model.leases()), 'task')} claimed. "
    if home:
        crew = "Its workers are not seen from here."
    return Form(
        title="Quit while serving",
        prose=lambda: [
            ((f"This process also serves {f'the deck at {clip(home, 44)}' if home else 'the deck'}.", "strong"),),
            ((crew, "text"),),
            (("If it stops, they cannot report until it is started again;", "muted"),),
            (("leases run on, and nothing stored is lost.", "muted"),),
        ],
        fields=(Choice("sure", "", (("no", "stay"), ("yes", "quit and stop serving"))),),
        act="choose", leave="stay", danger=True, insist={"sure": "yes"},
    )  # fmt: skip
