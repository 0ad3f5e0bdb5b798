"""Acts that change what a task says or asks for. All of them can be taken back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from taskdeck.client import ApiError
from taskdeck.tui.actions import BY_ID, Action
from taskdeck.tui.dialogs import editing, forms
from taskdeck.tui.dialogs.base import Values
from taskdeck.tui.format import clip, plural
from taskdeck.tui.keymap import key
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.operate import Operator, on, told

COLLATE_SECONDS = 0.4


class _Bumps:
    """Presses of `+` and `-`, collected into one write per task, sent once none came for a moment."""

    def __init__(self, op: Operator) -> None:
        self._op = op
        self._wanted: dict[str, tuple[TaskRow, int]] = {}
        self._presses = 0

    async def add(self, rows: Sequence[TaskRow], step: int) -> None:
        """Collect a press; that of the last one writes. The wait is part of the act, and ends with the dashboard."""
        for row in rows:
            known, target = self._wanted.get(row.id, (row, row.priority))
            self._wanted[row.id] = (known, max(0, min(100, target + step)))
        first, target = next(iter(self._wanted.values()))
        many = f" and {len(self._wanted) - 1} more" if len(self._wanted) > 1 else ""
        self._op.desk.tell(f"priority of {first.key}{many}: {first.priority} → {target} …")
        self._presses = press = self._presses + 1
        await asyncio.sleep(COLLATE_SECONDS)
        if press == self._presses:
            await self._send()

    async def _send(self) -> None:
        bumps, self._wanted = self._wanted, {}
        wanted = {key: target for key, (row, target) in bumps.items() if target != row.priority}
        rows = [row for row, _ in bumps.values() if row.id in wanted]
        if not rows:
            self._op.desk.tell("the priority stays as it was")
            return
        await _set_priority(self._op, rows, wanted)


async def _bump(op: Operator, rows: Sequence[TaskRow], step: int) -> None:
    bumps = op.collected = op.collected or _Bumps(op)
    await bumps.add(rows, step)


async def raise_priority(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    await _bump(op, rows, 10)


async def lower_priority(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    await _bump(op, rows, -10)


async def reprioritize(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    form = forms.priority(rows, op.model)
    values = await op.desk.ask(form)
    if values is not None:
        await _set_priority(op, rows, dict.fromkeys((row.id for row in rows), int(values["priority"])))


async def prioritize(op: Operator, rows: Sequence[TaskRow], priority: int) -> None:
    """Set the priority without a question, as `:prio 80` does."""
    if not 0 <= priority <= 100:
        op.desk.tell("a priority is a whole number from 0 to 100", "refused")
        return
    if rows:
        await _set_priority(op, rows, dict.fromkeys((row.id for row in rows), priority))


async def _set_priority(op: Operator, rows: Sequence[TaskRow], wanted: dict[str, int]) -> None:
    before = {row.id: row.priority for row in rows}
    values = sorted(set(wanted.values()))
    was = f"{rows[0].priority} → " if len(set(before.values())) == 1 else ""
    text = f"priority {was}{'…'.join(map(str, values[:1] + values[-1:][: len(values) - 1]))} on {on(rows)}"
    done = await op.each(
        BY_ID["reprioritize"], rows, lambda row: op.client.reprioritize(row.id, wanted[row.id]),
        f"{text} · {key('undo')} takes it back",
    )  # fmt: skip
    op.remember("reprioritize", text, done, before)


async def assign(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    values = await op.desk.ask(forms.assign(rows, op.model, op.given))
    if values is None:
        return
    if values["turns"]:
        turns = forms.turns_of(values["turns"])
        said = f"{on(rows)} for {clip(', then '.join(turn['assignee'] for turn in turns), 60)}"
        await op.each(action, rows, lambda row: op.client.assign_in_turn(row.id, turns, at_end=values["at_end"]), said)
        return
    whom = values["name"] or values["pick"] or None
    before = {row.id: row.assignee for row in rows}
    in_turn = {row.id for row in rows if row.turn}
    text = f"{on(rows)} for {clip(whom, 24)}" if whom else f"{on(rows)} for anyone"
    hint = "" if in_turn else f" · {key('undo')} takes it back"  # turns that were replaced are not to be had again
    done = await op.each(action, rows, lambda row: op.client.assign(row.id, whom), f"{text}{hint}")
    op.remember("assign", text, [row for row in done if row.id not in in_turn], before)


async def move(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    values = await op.desk.ask(forms.move(rows, op.model, op.given))
    if values is None:
        return
    to = values["name"] or values.get("pick", "")
    before = {row.id: {"project": row.project} for row in rows}
    text = f"{on(rows)} moved to {clip(to, 24)}"
    done = await op.each(
        action, rows, lambda row: op.client.edit(row.id, project=to), f"{text} · {key('undo')} takes it back"
    )
    op.remember("edit", text, done, before)


async def edit(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    """The fields of one task. If it changes meanwhile, who edits decides field by field."""
    row, values, wrong = rows[0], None, ""
    base = await op.client.task(row.id)
    conflicts: list[editing.Conflict] = []
    while True:
        values = await op.desk.ask(editing.edit(base, values, conflicts, wrong, op.model.now_ms))
        if values is None:
            return
        fields = editing.changed(base, values, op.model.now_ms())
        if not fields:
            op.desk.tell(f"{row.key} stays as it was")
            return
        try:
            done = op.model.learn(await op.client.edit(row.id, version=base["version"], **fields))
        except ApiError as error:
            wrong = told(error)
            if error.code == "version_conflict":
                now = await op.client.task(row.id)
                conflicts, values = editing.merged(base, now, values)
                base, wrong = now, "it was changed meanwhile: look at what is marked and save again"
            continue
        text = f"{', '.join(fields)} of {row.key}"
        op.remember("edit", text, [done], {row.id: {name: base[name] for name in fields}})
        op.desk.tell(f"✎ {text} changed · {key('undo')} takes it back")
        return


async def write(op: Operator, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None) -> None:
    """A long text of one task, in the operator's own editor."""
    row = rows[0]
    base = await op.client.task(row.id)
    values: Values | None = await op.desk.ask(editing.which(base))
    if values is None:
        return
    name = values["what"]
    plain = name == "description"
    text = base[name] or "" if plain else json.dumps(base[name], indent=2, ensure_ascii=False) + "\n"
    while True:
        written = await op.desk.write(text, ".md" if plain else ".json")
        if written is None:
            return
        if written == text:
            op.desk.tell(f"{name} of {row.key} stays as it was")
            return
        try:
            value: Any = written.rstrip("\n") if plain else json.loads(written)
            done = op.model.learn(await op.client.edit(row.id, version=base["version"], **{name: value}))
        except (ApiError, ValueError, RecursionError) as error:
            fault = told(error) if isinstance(error, ApiError) else f"that is not JSON: {error}"
            if not await op.sure(editing.again(row, fault)):
                op.desk.tell(f"{name} of {row.key} stays as it was", "refused")
                return
            text = written
            if isinstance(error, ApiError) and error.code == "version_conflict":
                base = await op.client.task(row.id)
            continue
        op.remember("edit", f"{name} of {row.key}", [done], {row.id: {name: base[name]}})
        op.desk.tell(f"✎ {name} of {row.key}, {plural(len(written), 'character')} · {key('undo')} takes it back")
        return
