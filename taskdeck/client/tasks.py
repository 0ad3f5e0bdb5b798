"""Calls about tasks: making, claiming, holding and ending them, and the operator's verbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from taskdeck.client import paths
from taskdeck.client.transport import Json, Transport, given


class TaskCalls(Transport):
    """What is done with a task."""

    # -- tasks

    async def create(self, **fields: Any) -> Json:
        return await self._post("/v1/tasks", fields)

    async def create_many(self, tasks: Iterable[Mapping[str, Any]]) -> list[Json]:
        """All of them or none; at most 1,000."""
        reply = await self._post("/v1/tasks", {"tasks": [dict(task) for task in tasks]})
        return list(reply["tasks"])

    async def tasks(self, **filters: Any) -> Json:
        """One page: `{"tasks", "next_cursor"}`. A filter that is a list is sent joined by commas."""
        return await self._get("/v1/tasks", **filters)

    async def task(self, ref: str | int, *, fence: int | None = None) -> Json:
        return await self._get(paths.task(ref), fence=fence)

    async def duplicates(self, title: str, **filters: Any) -> list[Json]:
        """Open tasks whose title is like `title`, likest first."""
        return list((await self._get("/v1/tasks/duplicates", title=title, **filters))["duplicates"])

    async def edit(self, ref: str | int, **fields: Any) -> Json:
        return await self._patch(paths.task(ref), fields)

    async def delete(self, ref: str | int, *, detach: bool = False) -> Json:
        """Remove a task; with `detach` its children stay without it, and what depends on it does so no longer."""
        return await self._delete(f"{paths.task(ref)}?detach=true" if detach else paths.task(ref))

    async def explain(self, ref: str | int, worker: str | None = None) -> Json:
        return await self._get(f"{paths.task(ref)}/explain", worker=worker)

    async def gates(self, ref: str | int, worker: str | None = None) -> Json:
        return await self._get(f"{paths.task(ref)}/gates", worker=worker)

    async def task_events(
        self, ref: str | int, *, after: int | None = None, before: int | None = None, limit: int | None = None
    ) -> Json:
        return await self._get(f"{paths.task(ref)}/events", after=after, before=before, limit=limit)

    # -- claims

    async def claim(self, worker: str, **options: Any) -> Json:
        """`{"claims", "reasons"}`. `wait_seconds` comes on top of the timeout."""
        patience = self._timeout + float(options.get("wait_seconds") or 0)
        return await self._post("/v1/claims", {"worker": worker, **options}, timeout=patience)

    async def heartbeat(self, ref: str | int, fence: int, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/heartbeat", {"fence": fence, **fields})

    async def release(self, ref: str | int, fence: int, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/release", {"fence": fence, **fields})

    async def complete(self, ref: str | int, fence: int | None, result: Any = None, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/complete", {"fence": fence, **given(result=result), **fields})

    async def fail(self, ref: str | int, fence: int, error: str, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/fail", {"fence": fence, "error": error, **fields})

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
        return await self._post(f"{paths.task(ref)}/retry", fields)

    async def cancel(self, ref: str | int, reason: str | None = None, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/cancel", {**given(reason=reason), **fields})

    async def delegate(self, ref: str | int, title: str, **fields: Any) -> Json:
        """`{"task", "child"}`: the parent as it is left, and its new child."""
        return await self._post(f"{paths.task(ref)}/delegate", {"title": title, **fields})

    async def chain(self, ref: str | int, **options: Any) -> Json:
        return await self._get(f"{paths.task(ref)}/chain", **options)

    async def promote(self, ref: str | int, reason: str | None = None, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/promote", {**given(reason=reason), **fields})

    async def shelve(self, ref: str | int, reason: str | None = None) -> Json:
        return await self._post(f"{paths.task(ref)}/shelve", given(reason=reason))

    async def approve(self, ref: str | int, note: str | None = None, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/approve", {**given(note=note), **fields})

    async def next(self, worker: str | None = None, project: str | None = None) -> Json:
        return await self._get("/v1/claims/next", **given(worker=worker, project=project))

    async def changes(self, ref: str | int) -> Json:
        return await self._get(f"{paths.task(ref)}/changes")

    async def judge(self, ref: str | int, verdict: str, note: str | None = None) -> Json:
        return await self._post(f"{paths.task(ref)}/judge", {"verdict": verdict, **given(note=note)})

    async def heed(self, ref: str | int, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/heed", fields)

    async def reject(self, ref: str | int, note: str, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/reject", {"note": note, **fields})

    async def assign(self, ref: str | int, assignee: str | None) -> Json:
        return await self._post(f"{paths.task(ref)}/assign", {"assignee": assignee})

    async def assign_in_turn(self, ref: str | int, assignees: Iterable[Mapping[str, Any]], **fields: Any) -> Json:
        """`assignees` are `{"assignee", "seconds"}`, offered to in this order."""
        return await self._post(
            f"{paths.task(ref)}/assign", {"assignees": [dict(turn) for turn in assignees], **fields}
        )

    async def skip(self, ref: str | int, reason: str | None = None) -> Json:
        return await self._post(f"{paths.task(ref)}/skip", given(reason=reason))

    async def assignments(self, ref: str | int, **options: Any) -> Json:
        return await self._get(f"{paths.task(ref)}/assignments", **options)

    async def override(self, ref: str | int, reason: str, **fields: Any) -> Json:
        return await self._post(f"{paths.task(ref)}/override", {"reason": reason, **fields})

    async def answer(self, ref: str | int, answer: str, fence: int | None = None) -> Json:
        return await self._post(f"{paths.task(ref)}/answer", {"answer": answer, **given(fence=fence)})

    async def reprioritize(self, ref: str | int, priority: int) -> Json:
        return await self._post(f"{paths.task(ref)}/reprioritize", {"priority": priority})

    async def fill(self, ref: str | int, fence: int | None, values: Mapping[str, Any]) -> Json:
        return await self._patch(f"{paths.task(ref)}/draft", {"fence": fence, "values": dict(values)})
