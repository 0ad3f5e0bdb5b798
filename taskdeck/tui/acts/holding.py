"""Acts on a claim: to have it, to give it back, to take it over, to report on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskdeck.client import ApiError
from taskdeck.tui.actions import Action
from taskdeck.tui.dialogs import claiming, forms, review
from taskdeck.tui.dialogs.override import override as override_form
from taskdeck.tui.dialogs.override import takeover
from taskdeck.tui.format import clip, plural, span
from taskdeck.tui.gate import mine
from taskdeck.tui.keymap import key
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.operate import Operator, fence


async def claim(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    await _claim(op, action, rows, {})


async def claim_for(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    """With a lease of the length that is asked for."""
    values = await op.desk.ask(claiming.claiming(rows[0], op.model, op.given))
    if values is None:
        return
    lease = claiming.lease_of(values)
    seconds = lease.get("lease_seconds")
    await _claim(op, action, rows, lease, f" for {span(seconds)}" if seconds else " without end" * len(lease))


async def _claim(
    op: Operator, action: Action, rows: Sequence[TaskRow], lease: dict[str, Any], lasting: str = ""
) -> None:
    async def call(row: TaskRow) -> dict[str, Any]:
        reply = await op.client.claim(op.model.me, task=row.id, **lease)
        if not reply["claims"]:
            reasons = reply.get("reasons") or [{}]
            raise ApiError(409, {"code": "not_eligible", "detail": reasons[0].get("detail") or "it is not to be had"})
        task: dict[str, Any] = reply["claims"][0]["task"]
        return task

    fills = f", {key('fill')} fills in its form" if rows[0].form else ""
    await op.each(
        action,
        rows,
        call,
        f"{rows[0].key} is yours{lasting} · {key('release')} releases, {key('complete')} completes it{fills}",
    )


async def release(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    note = None
    if not all(mine(row, op.model) for row in rows):
        effects = [
            f"the claim of {forms.holders(rows)} ends; a later write by it gets 409",
            "the task is ready again at once; the attempt is not counted",
        ]
        form = forms.reason(rows, title="← Release", effects=effects, act="release", note="cannot be undone")
        values = await op.sure(form)
        if values is None:
            return
        note = values["reason"] or None

    async def call(row: TaskRow) -> dict[str, Any]:
        # another's claim is the operator's to end by override, never by knowing its fence
        if row.lease is not None and mine(row, op.model):
            return await op.client.release(row.id, row.lease.fence, **({"note": note} if note else {}))
        return await op.client.override(row.id, note or "released by the operator", release=True)

    await op.each(action, rows, call)


async def override(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    """Of one task in full; of several, such as all that a worker holds, as far as they are held."""
    values = await op.desk.ask(override_form(rows[0], op.model) if len(rows) == 1 else takeover(rows, op.model))
    if values is None:
        return
    target = values["to"]
    options: dict[str, Any] = {"release": True}
    if target != "queue":
        options = {"worker": target.partition(":")[2], "lease_seconds": int(values["lease"])}
    many = len(rows) > 1
    goes, is_back = ("go", "are") if many else ("goes", "is")
    to = f"{is_back} back in the queue" if target == "queue" else f"{goes} to {clip(target.partition(':')[2], 24)}"
    whom = plural(len(rows), "task") if many else rows[0].key
    await op.each(action, rows, lambda task: op.client.override(task.id, values["reason"], **options), f"⚑ {whom} {to}")


async def complete(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    row = rows[0]
    values = await op.sure(review.complete(row, await op.gates(row, "complete")))
    if values is None:
        return
    fields: dict[str, Any] = {"shown": review.shown_of(values["shown"])} if values.get("shown") else {}
    result = values.get("reason") or None
    await op.each(action, rows, lambda task: op.client.complete(task.id, fence(task), result, **fields))


async def fail(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    row = rows[0]
    last = row.attempt >= row.max_attempts
    effects = [
        f"attempt {row.attempt} of {row.max_attempts} is spent",
        "it was the last: the task fails for good" if last else "the task is tried again after a pause",
    ]
    form = forms.reason(rows, title="✗ Fail", effects=effects, act="fail it", needed=True, label="error")
    values = await op.desk.ask(form)
    if values is not None:
        await op.each(action, rows, lambda task: op.client.fail(task.id, fence(task), values["reason"]))


async def skip(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    effects = ["the turn of the present assignee ends; the next one's begins now"]
    if any(row.turn and row.turn[0] == row.turn[1] for row in rows):
        effects.append("after the last turn the task goes on as it was told to when it was made")
    if names := forms.holders(rows):
        effects.append(f"the claim of {names} is taken back")
    form = forms.reason(rows, title="⇥ Pass on to the next", effects=effects, act="pass on", note="cannot be undone")
    values = await op.sure(form)
    if values is not None:
        await op.each(action, rows, lambda row: op.client.skip(row.id, values["reason"] or None))
