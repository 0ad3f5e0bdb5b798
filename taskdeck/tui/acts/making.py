"""Acts that make a task or a child of one, and those on a project or a worker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from taskdeck.client import ApiError
from taskdeck.tui.actions import Action
from taskdeck.tui.dialogs import forms
from taskdeck.tui.dialogs.base import Values
from taskdeck.tui.format import clip
from taskdeck.tui.gate import mine
from taskdeck.tui.keymap import key
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.operate import Operator, fence, told


async def create(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    """Ask for a task until it is taken, and for another where that is wanted."""
    project, values, wrong = rows[0].project if rows else "default", None, ""
    while True:
        values = await op.desk.ask(forms.create(op.model, project, values, wrong))
        if values is None:
            return
        try:
            row = op.model.learn(await op.client.create(**_new(values)))
        except ApiError as error:
            wrong = told(error)  # what was typed must not be lost to a refusal
            continue
        op.remember("create", f"created {row.key}", [row], {})
        op.desk.tell(f"+ {row.key} created: {clip(row.title, 50)} · {key('undo')} takes it back")
        if not values.get("again"):
            return
        values, wrong = {**values, "title": ""}, ""


def _new(values: Values) -> dict[str, Any]:
    fields: dict[str, Any] = {"title": values["title"], "priority": int(values["priority"])}
    if values["project"]:
        fields["project"] = values["project"]
    if labels := forms.listed(values["labels"]):
        fields["labels"] = labels
    if values["payload"]:
        fields["payload"] = json.loads(values["payload"])
    if values["backlog"] == "yes":
        fields["backlog"] = True
    return fields


async def delegate(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    """A child of the task, which waits for it."""
    row, values, wrong = rows[0], None, ""
    while True:
        values = await op.desk.ask(forms.delegate(row, values, wrong))
        if values is None:
            return
        fields: dict[str, Any] = {"priority": int(values["priority"])}
        if values["assignee"]:
            fields["assignee"] = values["assignee"]
        if mine(row, op.model):
            fields |= {"fence": fence(row), "wait": values["wait"] == "yes"}
        try:
            made = await op.client.delegate(row.id, values["title"], **fields)
        except ApiError as error:
            wrong = told(error)
            continue
        op.model.learn(made["task"])
        child = op.model.learn(made["child"])
        op.desk.tell(f"⤷ {child.key} made from {row.key}, which waits for it")
        return


async def pause(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    name = rows[0].project
    if op.model.paused(name):
        await op.client.resume(name)
        op.desk.tell(f"▷ {name} hands out tasks again")
    else:
        effects = [f"no task of {clip(name, 30)} can be claimed; running claims go on", f"{key('pause')} resumes it"]
        form = forms.reason(rows[:1], title=f"❚❚ Pause project {clip(name, 30)}", effects=effects, act="pause")
        values = await op.sure(form)
        if values is None:
            return
        await op.client.pause(name, values["reason"] or None)
        op.desk.tell(f"❚❚ {name} is paused · {key('pause')} resumes it")
    op.model.stale_projects = True


async def drain(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    if worker is None:
        op.desk.tell("d drains the worker under the cursor of pane 3", "refused")
        return
    await op.client.drain_worker(worker.id, not worker.draining)
    op.model.stale_workers = True
    said = (
        "takes up work again"
        if worker.draining
        else f"finishes what it holds and gets nothing new · {key('drain')} ends it"
    )
    op.desk.tell(f"⇣ {clip(worker.id, 30)} {said}")
