"""The override dialog: who holds it, how alive they are, what will happen, to whom it goes, and why."""

from __future__ import annotations

from collections.abc import Sequence

from taskdeck.tui.dialogs.base import Choice, Form, Text, Values
from taskdeck.tui.dialogs.forms import holders, number, subject, typed_number
from taskdeck.tui.format import clip, duration, fuse, fuse_cells, heat
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.paint import Span, Spans, width_of
from taskdeck.tui.themes import HEAT_COLOURS

LEASES = (("300", "5m"), ("900", "15m"), ("3600", "1h"))
_WIDTH = 70


def override(row: TaskRow, model: DeckModel) -> Form:
    """The form for taking `row` over. Its values: `to` (`worker:NAME` or `queue`), `lease`, `reason`."""
    me = model.me or "me"
    options = [(f"worker:{me}", f"me ({me})")]
    options += [(f"worker:{worker.id}", f"{worker.id} · idle") for worker in _idle(model, me)]
    options.append(("queue", "back to queue"))
    return Form(
        title="⚑ Override lease" if row.lease else "⚑ Override assignment",
        prose=lambda: _prose(row, model),
        fields=(
            Choice("to", "give to", options),
            Choice("lease", "lease", LEASES),
            Text("reason", "reason", hint="why? it is kept with the event", limit=400),
        ),
        act="take it over",
        leave="leave it alone",
        danger=True,
        note="cannot be undone",
        check=lambda values: _check(values, row, model),
        focus="reason",
    )


def takeover(rows: Sequence[TaskRow], model: DeckModel) -> Form:
    """The form for taking over several claims at once, such as all of a worker. However few: their number is typed."""
    me = model.me or "me"
    options = [(f"worker:{me}", f"me ({me})")]
    options += [(f"worker:{worker.id}", f"{worker.id} · idle") for worker in _idle(model, me)]
    effects = (
        f"the claims of {holders(rows)} end; a later write gets 409",
        "attempts and progress stay; each leaves a task.overridden event",
        "what is neither held nor assigned by then is left as it is",
    )
    lines = [
        *subject(rows),
        (),
        *(((f"  {at}  ", "accent bold"), (told, "text")) for at, told in enumerate(effects, 1)),
    ]

    def check(values: Values) -> str | None:
        return typed_number(values, rows, above=1) or (None if values["reason"] else "a reason is required")

    return Form(
        title="⚑ Take over", prose=lambda: lines,
        fields=(
            Choice("to", "give to", [("queue", "back to queue"), *options]),
            Choice("lease", "lease", LEASES),
            *number(rows, above=1),
            Text("reason", "reason", hint="why? it is kept with each event", limit=400),
        ),
        act="take them over", leave="leave them alone", danger=True, note="cannot be undone", check=check,
        focus="number",
    )  # fmt: skip


def _idle(model: DeckModel, me: str) -> list[WorkerRow]:
    now, loads = model.now_ms(), model.loads()
    free = [
        worker
        for worker in model.workers.values()
        if worker.id != me and not loads.get(worker.id) and not worker.draining and worker.liveness(now) == "active"
    ]
    return sorted(free, key=lambda worker: (-worker.last_seen_ms, worker.id))[:1]


def changed(row: TaskRow, model: DeckModel) -> str | None:
    """What has happened to `row` since the dialog opened that takes the ground from under it, None if nothing."""
    now = model.rows.get(row.id, row)
    if now.state != row.state:
        return f"{row.key} is {now.state} by now: leave, and look again"
    if now.lease and row.lease and now.lease.fence != row.lease.fence:
        return f"{row.key} is held by {clip(now.lease.worker, 24)} by now: leave, and look again"
    return None


def _check(values: Values, row: TaskRow, model: DeckModel) -> str | None:
    moved = changed(row, model)
    if moved:
        return f"‼ {moved}"
    return None if values["reason"] else "a reason is required: the one who loses the task will read it"


def _prose(row: TaskRow, model: DeckModel) -> list[Spans]:
    facts = f"P{row.priority} · {row.project} · attempt {row.attempt}/{row.max_attempts}"
    head: Spans = (
        (f"{clip(row.key, 14)}  ", "key bold"), (f"{clip(row.title, 34)}   ", "strong"), (clip(facts, 40), "muted"),
    )  # fmt: skip
    moved = changed(row, model)
    if row.lease is None:
        held: Spans = (
            ("for       ", "muted"),
            (clip(row.assignee or "anyone", 30), "strong bold"),
            ("  not claimed", "muted"),
        )
        effects: list[list[Span]] = [
            [("the task goes to whom you choose, past its assignee", "text")],
            [("attempt and progress are kept", "text")],
        ]
    else:
        held = _held(model.rows.get(row.id, row), model)
        fence = row.lease.fence
        who = clip(row.lease.worker, 24)
        effects = [
            [("the lease moves to the new holder, fence ", "text"), (f"{fence} → {fence + 1}", "strong bold")],
            [(f"a write by {who} with fence {fence} gets 409 and your name", "text")],
            [(f"the attempt counter stays {row.attempt}/{row.max_attempts}; its progress note is kept", "text")],
        ]
    effects.append([("one ", "text"), ("task.overridden", "strong bold"), (" event holds who, why, from, to", "text")])
    lines: list[Spans] = [
        head,
        (),
        held,
        ((f"‼ {moved}", "failed bold"),) if moved else (),
        (("What would have happened" if moved else "What will happen", "muted"),),
    ]
    for at, effect in enumerate(effects, 1):
        told = tuple((text, "faint") for text, _ in effect) if moved else effect
        lines.append(((f"  {at}  ", "faint" if moved else "accent bold"), *told))
    return lines


def _held(row: TaskRow, model: DeckModel) -> Spans:
    lease = row.lease
    if lease is None:
        return (("nobody holds it any more", "failed bold"),)
    now = model.now_ms()
    worker = model.workers.get(lease.worker)
    life, look = "● alive", "done"
    if worker is not None:
        liveness = worker.liveness(now)
        age = duration(now - worker.last_seen_ms)
        life, look = {
            "silent": (f"✗ silent {age}", "failed"),
            "late": (f"◐ late {age}", "claimed"),
        }.get(liveness, ("● alive", "done"))
    left = lease.left(now)
    warmth = "lapsed" if row.lapsed(now) else heat(left, lease.length_ms)
    colour = HEAT_COLOURS[warmth]
    out: list[Span] = [("held by   ", "muted"), (clip(lease.worker, 20), "strong bold"), (f"  {life}", look)]
    if left is None:
        return (*out, ("   lease ", "muted"), ("no end", "text"))
    if warmth == "lapsed":
        return (*out, ("   lease ", "muted"), (f"lapsed {duration(-left)} ago", "failed bold"))
    bar = max(3, min(26, _WIDTH - width_of(out) - 9 - 8))
    burning, burnt = fuse(fuse_cells(left, lease.length_ms, bar), bar, warmth)
    return (*out, ("   lease ", "muted"), (burning, colour), (burnt, "faint"), (f" {duration(left)}", f"{colour} bold"))
