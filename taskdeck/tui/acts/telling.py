"""Acts by which a human says something: a comment, a link, an answer, what a form asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskdeck.client import ApiError
from taskdeck.tui.actions import Action
from taskdeck.tui.dialogs import asking, filling
from taskdeck.tui.dialogs.base import Values
from taskdeck.tui.format import clip, plural
from taskdeck.tui.keymap import key
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.operate import Operator, fence, told


async def comment(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    row = rows[0]
    values = await op.desk.ask(asking.comment(row))
    if values is not None:
        await op.client.comment(row.id, values["text"])
        op.desk.tell(f"# {row.key}: “{clip(values['text'], 50)}”")


async def link(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    row, values, wrong = rows[0], None, ""
    while True:
        values = await op.desk.ask(asking.link(row, values, wrong))
        if values is None:
            return
        given = {name: values[name] for name in ("repository", "url") if values[name]}
        try:
            await op.client.link(row.id, values["kind"], values["target"], **given)
        except ApiError as error:
            wrong = told(error)
            continue
        op.desk.tell(f"& {row.key} names {values['kind']} {clip(values['target'], 50)}")
        return


async def answer(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    """What the holder asks. It gets the answer with its next heartbeat."""
    row = rows[0]
    values = await op.desk.ask(asking.answer(row, op.model))
    if values is None:
        return
    said = values["text"] or values.get("pick", "")
    op.model.learn(await op.client.answer(row.id, said, fence=fence(row)))
    op.desk.tell(f"✓ {row.holder} gets “{clip(said, 40)}” with its next sign of life")


async def fill(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    """The form of the task: kept as far as it was filled in, or handed in whole."""
    row = rows[0]
    if row.form is None:
        return
    form = await op.client.form(*row.form)
    fields = filling.fields_of(form["schema"], (await op.client.task(row.id)).get("draft") or {})
    values: Values | None = None
    wrong = ""
    while True:
        values = await op.desk.ask(filling.filling(row, form, fields, values, wrong))
        if values is None:
            return
        try:
            given = filling.output_of(fields, values)
            filled = await op.client.fill(row.id, fence(row), given) if given else await op.client.task(row.id)
            if values.get("again"):
                op.model.learn(filled)
                op.desk.tell(f"{row.key}: {plural(len(given), 'field')} kept · {key('fill')} goes on")
                return
            done: dict[str, Any] = await op.client.complete(row.id, fence(row))
        except (ApiError, ValueError) as error:
            wrong = told(error) if isinstance(error, ApiError) else str(error)
            continue
        op.desk.tell(f"✓ {op.model.learn(done).key} handed in")
        return
