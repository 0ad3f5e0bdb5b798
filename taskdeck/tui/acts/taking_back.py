"""Taking back: the newest act, or one chosen of the list, as far as its tasks have not changed since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskdeck.client import one_act
from taskdeck.tui import sheets
from taskdeck.tui.actions import Action
from taskdeck.tui.format import plural
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.model.undo import Before, Undo
from taskdeck.tui.operate import Operator

WHY = "taken back"


async def undo(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    act = op.model.undo.pop()
    if act is None:
        op.desk.tell("nothing to take back: no act of this session that could be", "refused")
        return
    await _take_back(op, act)


async def undo_list(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    acts = op.model.undo.newest_first()
    chosen = await op.desk.pick(
        "Undo", "enter takes one back · where a task changed since, it stays",
        lambda: sheets.undos(acts, op.model.now_ms()),
    )  # fmt: skip
    if chosen is not None and op.model.undo.take(acts[int(chosen)]):
        await _take_back(op, acts[int(chosen)])


async def _take_back(op: Operator, act: Undo) -> None:
    done, changed = 0, []
    with one_act():
        for before in act.before:
            now = await op.client.task(before.task)
            if now["version"] != before.version:
                changed.append(before.key)
                continue
            op.model.learn(await _reverse(op, act, before))
            done += 1
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        stay = "stays as it is" if len(changed) == 1 else "stay as they are"
        told = f"{', '.join(changed[:3])}{more} changed since and {stay}"
        op.desk.tell(f"taken back on {plural(done, 'task')} · {told}", "refused")
    else:
        op.desk.tell(f"taken back: {act.text}")


async def _reverse(op: Operator, act: Undo, before: Before) -> dict[str, Any]:
    client, task, value = op.client, before.task, before.value
    match act.verb:
        case "reprioritize":
            return await client.reprioritize(task, value)
        case "assign":
            return await client.assign(task, value)
        case "edit":
            return await client.edit(task, version=before.version, **value)
        case "create":
            return await client.cancel(task, WHY)
        case "promote":
            return await client.shelve(task, WHY)
        case "shelve":
            return await client.promote(task, WHY)
        case "cancel":
            return await client.retry(task, reset_attempts=False)
