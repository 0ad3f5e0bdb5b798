"""Calls about tasks: making, claiming, holding and ending them, and the operator's verbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from taskdeck.client import paths
from taskdeck.client.holding import HolderCalls
from taskdeck.client.transport import Json, Transport, given


class TaskCalls(HolderCalls, Transport):
    """What is done with a task."""

    # -- tasks

    async def create(self, **fields: Any) -> Json:
        """The new task. `fields` as in `POST /v1/tasks`: `title`, and what else is wanted."""
        return await self._post("/v1/tasks", fields)

    async def create_many(self, tasks: Iterable[Mapping[str, Any]]) -> list[Json]:
        """All of them or none; at most 1,000."""
        reply = await self._post("/v1/tasks", {"tasks": [dict(task) for task in tasks]})
        return list(reply["tasks"])

    async def tasks(self, **filters: Any) -> Json:
        """One page: `{"tasks", "next_cursor"}`. A filter that is a list is sent joined by commas."""
        return await self._get("/v1/tasks", **filters)

    async def task(self, ref: str | int, *, fence: int | None = None) -> Json:
        """The task; with `fence`, its holder's lease is renewed."""
        return await self._get(paths.task(ref), fence=fence)

    async def duplicates(self, title: str, **filters: Any) -> list[Json]:
        """Open tasks whose title is like `title`, likest first."""
        return list((await self._get("/v1/tasks/duplicates", title=title, **filters))["duplicates"])

    async def edit(self, ref: str | int, **fields: Any) -> Json:
        """The task as it is then. `fields` as in `PATCH /v1/tasks/{ref}`; `version` is a condition."""
        return await self._patch(paths.task(ref), fields)

    async def delete(self, ref: str | int, *, detach: bool = False) -> Json:
        """Remove a task; with `detach` its children stay without it, and what depends on it does so no longer."""
        return await self._delete(f"{paths.task(ref)}?detach=true" if detach else paths.task(ref))

    async def explain(self, ref: str | int, worker: str | None = None) -> Json:
        """`{"task", "worker", "claimable", "checks"}`: whether that worker may claim it, rule by rule."""
        return await self._get(f"{paths.task(ref)}/explain", worker=worker)

    async def gates(self, ref: str | int, worker: str | None = None) -> Json:
        """`{"task", "gates"}`: what must be shown before which verb, each by example."""
        return await self._get(f"{paths.task(ref)}/gates", worker=worker)

    async def task_events(
        self, ref: str | int, *, after: int | None = None, before: int | None = None, limit: int | None = None
    ) -> Json:
        """Its history, a page: `{"events", "next_after"}`, oldest first."""
        return await self._get(f"{paths.task(ref)}/events", after=after, before=before, limit=limit)

    # -- claims

    async def _hold(self, verb: str, ref: str | int | None, fields: Mapping[str, Any], wait_seconds: float = 0) -> Json:
        path = "/v1/claims" if ref is None else f"{paths.task(ref)}/{verb}"
        return await self._post(path, fields, timeout=self._timeout + wait_seconds)

    async def append_log(
        self, ref: str | int, fence: int, entries: Sequence[Mapping[str, Any]], after: int | None = None
    ) -> Json:
        """`{"entries", "sequence", "added"}`: how the log stands then."""
        document = {"fence": fence, "entries": [dict(entry) for entry in entries], **given(after=after)}
        return await self._post(f"{paths.task(ref)}/log", document)

    async def log(self, ref: str | int, **filters: Any) -> Json:
        """One page: `{"entries", "next_after"}`."""
        return await self._get(f"{paths.task(ref)}/log", **filters)

    async def claims_of(self, ref: str | int) -> list[Json]:
        """Who has held the task, oldest first."""
        return list((await self._get(f"{paths.task(ref)}/claims"))["claims"])

    # -- the operator's verbs

    async def retry(self, ref: str | int, **fields: Any) -> Json:
        """The task, back to work. `fields`: `delay_seconds`, `reset_attempts`."""
        return await self._post(f"{paths.task(ref)}/retry", fields)

    async def cancel(self, ref: str | int, reason: str | None = None, **fields: Any) -> Json:
        """The task, cancelled. `fields`: `fence` of its holder, `children`."""
        return await self._post(f"{paths.task(ref)}/cancel", {**given(reason=reason), **fields})

    async def delegate(self, ref: str | int, title: str, **fields: Any) -> Json:
        """`{"task", "child"}`: the parent as it is left, and its new child."""
        return await self._post(f"{paths.task(ref)}/delegate", {"title": title, **fields})

    async def chain(self, ref: str | int, **options: Any) -> Json:
        """`{"root", "done", "total", "counts", "tasks", "next_after"}` of all that were made from one another."""
        return await self._get(f"{paths.task(ref)}/chain", **options)

    async def promote(self, ref: str | int, reason: str | None = None, **fields: Any) -> Json:
        """The task, offered. `fields`: `children`."""
        return await self._post(f"{paths.task(ref)}/promote", {**given(reason=reason), **fields})

    async def shelve(self, ref: str | int, reason: str | None = None) -> Json:
        """The task, in the backlog."""
        return await self._post(f"{paths.task(ref)}/shelve", given(reason=reason))

    async def approve(self, ref: str | int, note: str | None = None, **fields: Any) -> Json:
        """The task, done. `fields`: `shown`."""
        return await self._post(f"{paths.task(ref)}/approve", {**given(note=note), **fields})

    async def next(self, worker: str | None = None, project: str | None = None) -> Json:
        """`{"task"}`: what a claim would give now, left as it is; or None in it."""
        return await self._get("/v1/claims/next", **given(worker=worker, project=project))

    async def changes(self, ref: str | int) -> Json:
        """`{"task", "files"}`: the files that its work is said to have changed."""
        return await self._get(f"{paths.task(ref)}/changes")

    async def judge(self, ref: str | int, verdict: str, note: str | None = None) -> Json:
        """The task, still in review; `verdict` is `approved`, `changes_requested` or `rejected`."""
        return await self._post(f"{paths.task(ref)}/judge", {"verdict": verdict, **given(note=note)})

    async def heed(self, ref: str | int, **fields: Any) -> Json:
        """The task, done or its worker's again. `fields`: `shown`, `lease_seconds`."""
        return await self._post(f"{paths.task(ref)}/heed", fields)

    async def reject(self, ref: str | int, note: str, **fields: Any) -> Json:
        """The task, sent back. `fields`: `to` (`queue` or `worker`)."""
        return await self._post(f"{paths.task(ref)}/reject", {"note": note, **fields})

    async def assign(self, ref: str | int, assignee: str | None) -> Json:
        """The task; None lets anyone claim it."""
        return await self._post(f"{paths.task(ref)}/assign", {"assignee": assignee})

    async def assign_in_turn(self, ref: str | int, assignees: Iterable[Mapping[str, Any]], **fields: Any) -> Json:
        """`assignees` are `{"assignee", "seconds"}`, offered to in this order."""
        return await self._post(
            f"{paths.task(ref)}/assign", {"assignees": [dict(turn) for turn in assignees], **fields}
        )

    async def skip(self, ref: str | int, reason: str | None = None) -> Json:
        """The task, offered to its next assignee."""
        return await self._post(f"{paths.task(ref)}/skip", given(reason=reason))

    async def assignments(self, ref: str | int, **options: Any) -> Json:
        """`{"task", "assignments", "next_after"}`: to whom it was offered, who took it and who gave it back."""
        return await self._get(f"{paths.task(ref)}/assignments", **options)

    async def override(self, ref: str | int, reason: str, **fields: Any) -> Json:
        """The task. `fields`: one of `worker` (the claim passes to it), `assignee` and `release`."""
        return await self._post(f"{paths.task(ref)}/override", {"reason": reason, **fields})

    async def answer(self, ref: str | int, answer: str, fence: int | None = None) -> Json:
        """The task, its holder's question answered; with `fence`, of that claim alone."""
        return await self._post(f"{paths.task(ref)}/answer", {"answer": answer, **given(fence=fence)})

    async def reprioritize(self, ref: str | int, priority: int) -> Json:
        """The task."""
        return await self._post(f"{paths.task(ref)}/reprioritize", {"priority": priority})

    async def fill(self, ref: str | int, fence: int | None, values: Mapping[str, Any]) -> Json:
        """The task. `values` are put over what was filled in before; without a fence, of what nobody has begun."""
        return await self._patch(f"{paths.task(ref)}/draft", {"fence": fence, "values": dict(values)})
