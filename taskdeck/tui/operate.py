"""The acts: ask what has to be asked, send it, tell what came of it. No drawing, no keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol

from taskdeck.client import ApiError, Client, Unreachable
from taskdeck.tui.actions import BY_ID, Action
from taskdeck.tui.dialogs import forms
from taskdeck.tui.dialogs.base import Form, Values
from taskdeck.tui.dialogs.override import override
from taskdeck.tui.format import clip, plural
from taskdeck.tui.gate import mine, refusal
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.model.undo import Undo

COLLATE_SECONDS = 0.4
QUICK = frozenset({"claim", "raise", "lower", "undo", "drain"})
"""Acts that never ask, so that several may be under way."""
_PAST = {
    "claim": "claimed", "release": "released", "cancel": "cancelled", "retry": "queued again", "assign": "assigned",
    "reprioritize": "reprioritized", "complete": "completed", "fail": "failed", "override": "overridden",
}  # fmt: skip

Call = Callable[[TaskRow], Awaitable[dict[str, Any]]]
Tone = Literal["done", "refused", "failed"]


class Desk(Protocol):
    """What the acts need of the screen."""

    async def ask(self, form: Form) -> Values | None:
        """Show a dialog and wait for its values; None if it was left."""

    def tell(self, text: str, tone: Tone = "done") -> None:
        """Say what came of it. What failed stays until it is read."""


class Operator:
    """Runs the actions of the table that write."""

    def __init__(self, client: Client, model: DeckModel, desk: Desk) -> None:
        self.client = client
        self.model = model
        self.desk = desk
        self._bumps: dict[str, tuple[TaskRow, int]] = {}
        self._bumped: asyncio.Task[None] | None = None

    async def run(self, action: Action, rows: Sequence[TaskRow], worker: WorkerRow | None = None) -> None:
        """Do `action` on `rows`. The order of the queue rests while something is asked."""
        held = action.id not in QUICK
        if held:
            self.model.hold()
        try:
            match action.id:
                case "create":
                    await self._create(rows[0].project if rows else "default")
                case "pause":
                    await self._pause(rows[0])
                case "drain":
                    await self._drain(worker)
                case "undo":
                    await self._undo()
                case _:
                    await getattr(self, f"_{action.id}")(action, rows)
        except (ApiError, Unreachable) as error:
            self.desk.tell(told(error), "failed")
        finally:
            if held:
                self.model.release()

    # -- one act on each task --------------------------------------------------------------------------------

    async def _each(self, action: Action, rows: Sequence[TaskRow], call: Call, said: str = "") -> list[TaskRow]:
        """Call for every task, and tell the sum. A task whose state no longer fits is skipped, not forced."""
        done: list[TaskRow] = []
        skipped: list[str] = []
        failed: list[str] = []
        for at, known in enumerate(rows):
            row = self.model.rows.get(known.id, known)
            why = refusal(action, self.model, row)
            if why is not None:
                skipped.append(why)
                continue
            try:
                done.append(self.model.learn(await call(row)))
            except ApiError as error:
                failed.append(f"{row.key}: {told(error)}")
            if at % 50 == 49:
                self.desk.tell(f"{at + 1} of {len(rows)} …")
        past = _PAST[action.id]
        if len(rows) == 1:
            text = said or f"{rows[0].key} {past}"
            self.desk.tell(
                *((failed[0], "failed") if failed else (skipped[0], "refused") if skipped else (text, "done"))
            )
            return done
        parts = [said or f"{plural(len(done), 'task')} {past}"]
        if skipped:
            parts.append(f"{len(skipped)} skipped ({clip(skipped[0], 60)})")
        if failed:
            parts.append(f"{len(failed)} failed ({clip(failed[0], 80)})")
        self.desk.tell(" · ".join(parts), "failed" if failed else "done")
        return done

    async def _claim(self, action: Action, rows: Sequence[TaskRow]) -> None:
        async def call(row: TaskRow) -> dict[str, Any]:
            reply = await self.client.claim(self.model.me, task=row.id)
            if not reply["claims"]:
                reasons = reply.get("reasons") or [{}]
                raise ApiError(
                    409, {"code": "not_eligible", "detail": reasons[0].get("detail") or "it is not to be had"}
                )
            task: dict[str, Any] = reply["claims"][0]["task"]
            return task

        await self._each(action, rows, call, f"{rows[0].key} is yours · r releases, D completes it")

    async def _release(self, action: Action, rows: Sequence[TaskRow]) -> None:
        note = None
        if not all(mine(row, self.model) for row in rows):
            effects = [
                f"the claim of {_holders(rows)} ends; a later write by it gets 409",
                "the task is ready again at once; the attempt is not counted",
            ]
            form = forms.reason(rows, title="← Release", effects=effects, act="release", note="cannot be undone")
            values = await self._sure(form)
            if values is None:
                return
            note = values["reason"] or None

        async def call(row: TaskRow) -> dict[str, Any]:
            # another's claim is the operator's to end by override, never by knowing its fence
            if row.lease is not None and mine(row, self.model):
                return await self.client.release(row.id, row.lease.fence, **({"note": note} if note else {}))
            return await self.client.override(row.id, note or "released by the operator", release=True)

        await self._each(action, rows, call)

    async def _override(self, action: Action, rows: Sequence[TaskRow]) -> None:
        row = rows[0]
        values = await self.desk.ask(override(row, self.model))
        if values is None:
            return
        target = values["to"]
        options: dict[str, Any] = {"release": True}
        if target != "queue":
            options = {"worker": target.partition(":")[2], "lease_seconds": int(values["lease"])}
        whom = "is back in the queue" if target == "queue" else f"goes to {clip(target.partition(':')[2], 24)}"
        await self._each(
            action, rows, lambda task: self.client.override(task.id, values["reason"], **options),
            f"⚑ {row.key} {whom}",
        )  # fmt: skip

    async def _cancel(self, action: Action, rows: Sequence[TaskRow]) -> None:
        effects = ["no one can claim it any more; R queues it again"]
        if holders := _holders(rows):
            effects.append(f"{holders} will be refused at the next write, with the reason")
        values = await self._sure(forms.reason(rows, title="⊘ Cancel", effects=effects, act="cancel", leave="keep"))
        if values is not None:
            why = values["reason"] or None
            await self._each(action, rows, lambda row: self.client.cancel(row.id, why))

    async def _retry(self, action: Action, rows: Sequence[TaskRow]) -> None:
        values = await self.desk.ask(forms.retry(rows))
        if values is None:
            return
        options: dict[str, Any] = {"reset_attempts": values["reset"] == "yes"}
        if values["delay"] != "0":
            options["delay_seconds"] = int(values["delay"])
        await self._each(action, rows, lambda row: self.client.retry(row.id, **options))

    async def _complete(self, action: Action, rows: Sequence[TaskRow]) -> None:
        effects = ["the task is done; what depends on it is unblocked"]
        form = forms.reason(rows, title="✓ Complete", effects=effects, act="complete", danger=False, label="result")
        values = await self._sure(form)
        if values is not None:
            result = values["reason"] or None
            await self._each(action, rows, lambda row: self.client.complete(row.id, _fence(row), result))

    async def _fail(self, action: Action, rows: Sequence[TaskRow]) -> None:
        row = rows[0]
        last = row.attempt >= row.max_attempts
        effects = [
            f"attempt {row.attempt} of {row.max_attempts} is spent",
            "it was the last: the task fails for good" if last else "the task is tried again after a pause",
        ]
        form = forms.reason(rows, title="✗ Fail", effects=effects, act="fail it", needed=True, label="error")
        values = await self.desk.ask(form)
        if values is not None:
            await self._each(action, rows, lambda task: self.client.fail(task.id, _fence(task), values["reason"]))

    async def _sure(self, form: Form) -> Values | None:
        values = await self.desk.ask(form)
        return values if values is not None and values.get("sure") == "yes" else None

    # -- priority and assignee, which can be taken back ------------------------------------------------------

    async def _raise(self, action: Action, rows: Sequence[TaskRow]) -> None:
        self._bump(rows, 10)

    async def _lower(self, action: Action, rows: Sequence[TaskRow]) -> None:
        self._bump(rows, -10)

    def _bump(self, rows: Sequence[TaskRow], step: int) -> None:
        """Collect presses into one write per task, sent once none came for a moment."""
        for row in rows:
            known, target = self._bumps.get(row.id, (row, row.priority))
            self._bumps[row.id] = (known, max(0, min(100, target + step)))
        first, target = next(iter(self._bumps.values()))
        many = f" and {len(self._bumps) - 1} more" if len(self._bumps) > 1 else ""
        self.desk.tell(f"priority of {first.key}{many}: {first.priority} → {target} …")
        if self._bumped is not None:
            self._bumped.cancel()
        self._bumped = asyncio.create_task(self._send_bumps())

    async def _send_bumps(self) -> None:
        await asyncio.sleep(COLLATE_SECONDS)
        self._bumped = None
        bumps, self._bumps = self._bumps, {}
        wanted = {key: target for key, (row, target) in bumps.items() if target != row.priority}
        rows = [row for row, _ in bumps.values() if row.id in wanted]
        if not rows:
            self.desk.tell("the priority stays as it was")
            return
        try:
            await self._set_priority(rows, wanted)
        except Unreachable as error:
            self.desk.tell(told(error), "failed")

    async def _reprioritize(self, action: Action, rows: Sequence[TaskRow]) -> None:
        form, _ = forms.priority(rows, self.model)
        values = await self.desk.ask(form)
        if values is not None:
            await self._set_priority(rows, dict.fromkeys((row.id for row in rows), int(values["priority"])))

    async def prioritize(self, rows: Sequence[TaskRow], priority: int) -> None:
        """Set the priority without a question, as `:prio 80` does."""
        if not 0 <= priority <= 100:
            self.desk.tell("a priority is a whole number from 0 to 100", "refused")
            return
        if rows:
            await self._set_priority(rows, dict.fromkeys((row.id for row in rows), priority))

    async def _set_priority(self, rows: Sequence[TaskRow], wanted: dict[str, int]) -> None:
        before = {row.id: row.priority for row in rows}
        values = sorted(set(wanted.values()))
        was = f"{rows[0].priority} → " if len(set(before.values())) == 1 else ""
        on = rows[0].key if len(rows) == 1 else plural(len(rows), "task")
        text = f"priority {was}{'…'.join(map(str, values[:1] + values[-1:][: len(values) - 1]))} on {on}"
        done = await self._each(
            BY_ID["reprioritize"], rows, lambda row: self.client.reprioritize(row.id, wanted[row.id]),
            f"{text} · u takes it back",
        )  # fmt: skip
        self._remember("reprioritize", text, done, before)

    async def _assign(self, action: Action, rows: Sequence[TaskRow]) -> None:
        values = await self.desk.ask(forms.assign(rows, self.model))
        if values is None:
            return
        whom = values["name"] or values["pick"] or None
        before = {row.id: row.assignee for row in rows}
        on = rows[0].key if len(rows) == 1 else plural(len(rows), "task")
        text = f"{on} for {clip(whom, 24)}" if whom else f"{on} for anyone"
        done = await self._each(action, rows, lambda row: self.client.assign(row.id, whom), f"{text} · u takes it back")
        self._remember("assign", text, done, before)

    def _remember(
        self, verb: Literal["reprioritize", "assign"], text: str, done: list[TaskRow], before: dict[str, Any]
    ) -> None:
        if done:
            self.model.undo.push(Undo(verb, text, tuple((r.id, r.key, before[r.id], r.version) for r in done)))

    async def _undo(self) -> None:
        act = self.model.undo.pop()
        if act is None:
            self.desk.tell("nothing to take back: only priority and assignee of this session can be", "refused")
            return
        done, changed = 0, []
        for task, key, value, version in act.before:
            now = await self.client.task(task)
            if now["version"] != version:
                changed.append(key)
                continue
            call = self.client.reprioritize if act.verb == "reprioritize" else self.client.assign
            self.model.learn(await call(task, value))
            done += 1
        if changed:
            told = f"{', '.join(changed[:3])} changed since and stays as it is"
            self.desk.tell(f"taken back on {plural(done, 'task')} · {told}", "refused")
        else:
            self.desk.tell(f"taken back: {act.text}")

    # -- the deck --------------------------------------------------------------------------------------------

    async def _create(self, project: str) -> None:
        values: Values | None = None
        while True:
            values = await self.desk.ask(forms.create(self.model, project, values))
            if values is None:
                return
            fields: dict[str, Any] = {"title": values["title"], "priority": int(values["priority"])}
            if values["project"]:
                fields["project"] = values["project"]
            if labels := [label.strip() for label in values["labels"].split(",") if label.strip()]:
                fields["labels"] = labels
            if values["payload"]:
                fields["payload"] = json.loads(values["payload"])
            try:
                row = self.model.learn(await self.client.create(**fields))
            except ApiError as error:
                # what was typed must not be lost to a refusal
                self.desk.tell(told(error), "failed")
                continue
            self.desk.tell(f"+ {row.key} created: {clip(row.title, 50)}")
            if not values.get("again"):
                return
            values = {**values, "title": ""}

    async def _pause(self, row: TaskRow) -> None:
        name = row.project
        if self.model.paused(name):
            await self.client.resume(name)
            self.desk.tell(f"▷ {name} hands out tasks again")
        else:
            effects = [f"no task of {clip(name, 30)} can be claimed; running claims go on", "H resumes it"]
            form = forms.reason([row], title=f"❚❚ Pause project {clip(name, 30)}", effects=effects, act="pause")
            values = await self._sure(form)
            if values is None:
                return
            await self.client.pause(name, values["reason"] or None)
            self.desk.tell(f"❚❚ {name} is paused · H resumes it")
        self.model.stale_projects = True

    async def _drain(self, worker: WorkerRow | None) -> None:
        if worker is None:
            self.desk.tell("d drains the worker under the cursor of pane 3", "refused")
            return
        await self.client.drain_worker(worker.id, not worker.draining)
        self.model.stale_workers = True
        told = "takes up work again" if worker.draining else "finishes what it holds and gets nothing new · d ends it"
        self.desk.tell(f"⇣ {clip(worker.id, 30)} {told}")


def _holders(rows: Sequence[TaskRow]) -> str:
    names = sorted({row.holder for row in rows if row.holder})
    return clip(names[0], 30) if len(names) == 1 else plural(len(names), "worker") if names else ""


def _fence(row: TaskRow) -> int:
    return row.lease.fence if row.lease else 0


def told(error: ApiError | Unreachable) -> str:
    """An error in one line: what, what to do, and the code to look it up by."""
    hint = f" · {error.hint}" if error.hint else ""
    code = f" ({error.code})" if isinstance(error, ApiError) else ""
    return f"{error.detail}{hint}{code}"
