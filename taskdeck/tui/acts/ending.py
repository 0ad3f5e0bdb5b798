"""Acts that end a task, look at what came of it, put it aside or bring it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskdeck.tui.actions import Action
from taskdeck.tui.dialogs import forms, review
from taskdeck.tui.dialogs.base import Choice
from taskdeck.tui.keymap import key
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.operate import Operator, on


async def cancel(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    effects = [f"no one can claim it any more; {key('retry')} queues it again"]
    if names := forms.holders(rows):
        effects.append(f"{names} will be refused at the next write, with the reason")
    form = forms.reason(
        rows, title="⊘ Cancel", effects=effects, act="cancel", leave="keep", note=f"{key('undo')} queues it again",
        extra=(Choice("children", "and", (("no", "it alone"), ("yes", "what was made from it too"))),),
    )  # fmt: skip
    values = await op.sure(form)
    if values is None:
        return
    why, more = values["reason"] or None, {"children": True} if values["children"] == "yes" else {}
    done = await op.each(action, rows, lambda row: op.client.cancel(row.id, why, **more))
    op.remember("cancel", f"cancelled {on(done)}" if done else "", done, {})


async def retry(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    values = await op.desk.ask(forms.retry(rows))
    if values is None:
        return
    options: dict[str, Any] = {"reset_attempts": values["reset"] == "yes"}
    if values["delay"] != "0":
        options["delay_seconds"] = int(values["delay"])
    await op.each(action, rows, lambda row: op.client.retry(row.id, **options))


async def approve(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    """What was done is shown first, and what has to be shown before it counts is asked for."""
    full = await op.client.task(rows[0].id) if len(rows) == 1 else None
    gates = await op.gates(rows[0], "approve") if full is not None else []
    values = await op.sure(review.approve(rows, full, gates))
    if values is None:
        return
    fields: dict[str, Any] = {"shown": review.shown_of(values["shown"])} if values.get("shown") else {}
    await op.each(action, rows, lambda row: op.client.approve(row.id, values["reason"] or None, **fields))


async def reject(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    full = await op.client.task(rows[0].id) if len(rows) == 1 else None
    values = await op.desk.ask(review.reject(rows, full))
    if values is not None:
        await op.each(action, rows, lambda row: op.client.reject(row.id, values["reason"], to=values["to"]))


async def judge(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    full = await op.client.task(rows[0].id) if len(rows) == 1 else None
    values = await op.desk.ask(review.judge(rows, full, op.given))
    if values is not None and values["verdict"]:
        said = f"{on(rows)} judged: {review.VERDICTS[values['verdict']]}"
        await op.each(
            action, rows, lambda row: op.client.judge(row.id, values["verdict"], values["note"] or None), said
        )


async def promote(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    said = f"{on(rows)} offered · {key('undo')} puts it back"
    done = await op.each(action, rows, lambda row: op.client.promote(row.id), said)
    op.remember("promote", f"offered {on(done)}" if done else "", done, {})


async def shelve(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    effects = [f"offered to nobody until {key('promote')} promotes it"]
    form = forms.reason(
        rows, title="□ Into the backlog", effects=effects, act="put it aside", danger=False,
        note=f"{key('undo')} takes it back",
    )  # fmt: skip
    values = await op.sure(form)
    if values is None:
        return
    said = f"{on(rows)} in the backlog · {key('undo')} takes it back"
    done = await op.each(action, rows, lambda row: op.client.shelve(row.id, values["reason"] or None), said)
    op.remember("shelve", f"put {on(done)} aside" if done else "", done, {})
