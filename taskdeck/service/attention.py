"""attention: what needs a human now, most urgent first, each with its reason and the best next act.

Reads beside the writer. Every kind is found by an index that holds little else, so that it costs the same on a long
queue; lists are cut and counts stop at 1,000. The next act is one to look or to help: none that would end or take
away what somebody holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from taskdeck.domain.attention import FAILED_FOR_MS, PAUSED_LONG_MS, RANK, Need
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.eligibility import Claimer, admits
from taskdeck.domain.order import Order
from taskdeck.domain.people import HUMAN
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Bucket, Task
from taskdeck.domain.worker import Kind, Liveness, Worker, heard
from taskdeck.service.find import unknown_project
from taskdeck.store import attention as places
from taskdeck.store.reader import Reader

_LOOKED_AT = 200
"""How many kinds of ready task are held against the kinds of workers."""


@dataclass(slots=True)
class Call:
    """One call for a human. `act` is a verb, a method and a path below `/v1`."""

    need: Need
    detail: str
    since: int
    act: tuple[str, str, str]
    task: Task | None = None
    project: str | None = None
    also: list[Need] = field(default_factory=list)

    def view(self) -> dict[str, Any]:
        """The public shape."""
        verb, method, path = self.act
        task, asks = self.task, self.need is Need.WAITING_INPUT
        return {
            "reason": self.need,
            "detail": self.detail,
            "since": rfc3339(self.since),
            "project": self.project if task is None else task.bucket.project,
            "task": None if task is None else {
                "id": task.id, "number": task.number, "key": task.key, "title": task.title,
                "state": task.state, "priority": task.priority, "fence": task.fence,
            },
            "worker": None if task is None else task.worker,
            "question": orjson.Fragment(task.question) if asks and task is not None and task.question else None,
            "also": self.also,
            "next": {"verb": verb, "method": method, "path": f"/v1/{path}"},
        }  # fmt: skip


async def attention(
    reader: Reader, who: Principal, order: Order, since: int, now: int, project: str | None, limit: int
) -> dict[str, Any]:
    """The `limit` most urgent calls of `project`, or of all that `who` may see, and how many there are of each reason.

    `order` is that of claims. No worker was heard before `since`. A task that calls for several reasons is listed once,
    under the most urgent.

    Raises:
        NotFound: there is no such project for `who`.
    """
    if project is not None and (not who.sees(project) or not await _exists(reader, project)):
        raise unknown_project(project)
    look = _Look(reader, frozenset({project}) if project is not None else who.projects, order, since, now, limit)
    calls = await look.calls()
    calls.sort(key=lambda call: RANK[call.need])
    counts = {need.value: look.counts[need] for need in Need}
    return {"items": [call.view() for call in _once_each(calls)[:limit]], "counts": counts}


async def _exists(reader: Reader, project: str) -> bool:
    return await reader.row("SELECT 1 FROM projects WHERE name = ?", (project,)) is not None


def _once_each(calls: list[Call]) -> list[Call]:
    first: dict[int, Call] = {}
    kept: list[Call] = []
    for call in calls:
        known = None if call.task is None else first.get(call.task.number)
        if known is None:
            kept.append(call)
            if call.task is not None:
                first[call.task.number] = call
        elif call.need is not known.need:
            known.also.append(call.need)
    return kept


class _Look:
    """One look around."""

    def __init__(
        self, reader: Reader, projects: Collection[str] | None, order: Order, since: int, now: int, limit: int
    ) -> None:
        self._reader = reader
        self._projects = projects
        self._order = order
        self._since = since
        self._now = now
        self._limit = limit
        self.counts: dict[Need, int] = {}

    async def calls(self) -> list[Call]:
        """What calls, kind by kind, and `counts` besides."""
        workers = {worker.id: worker for worker in await places.workers(self._reader)}
        offline = {w.id for w in workers.values() if heard(w, self._since, self._now) is Liveness.OFFLINE}
        found = await self._of(Need.WAITING_INPUT, places.WAITING, _asks)
        found += await self._lapsed(offline)
        found += await self._of(Need.ERRORED, places.ERRORED, _errored)
        found += await self._silent(offline, workers)
        found += await self._of(Need.LOOPING, places.LOOPING, _loops)
        found += await self._of(Need.OVERDUE, places.OVERDUE, _overdue, self._now)
        found += await self._of(Need.REVIEW, places.REVIEW, _review)
        found += await self._unservable([w for w in workers.values() if w.id not in offline and not w.draining])
        found += await self._of(Need.FAILED, places.FAILED, _failed, self._now - FAILED_FOR_MS)
        return found + await self._paused()

    async def _of(self, need: Need, place: places.Place, call: Callable[[Task], Call], *values: Any) -> list[Call]:
        tasks = await places.look(self._reader, place, values, self._projects, self._limit)
        full = len(tasks) == self._limit
        self.counts[need] = await places.count(self._reader, place, values, self._projects) if full else len(tasks)
        return [call(task) for task in tasks]

    async def _lapsed(self, offline: set[str]) -> list[Call]:
        """Those whose holder may come back, and those whose holder is gone; they are counted as they are listed."""
        calls = await self._of(Need.LAPSED, places.LAPSED, lambda task: _lapsed(task, task.worker in offline))
        gone = sum(call.need is Need.ABANDONED for call in calls)
        self.counts |= {Need.ABANDONED: gone, Need.LAPSED: self.counts[Need.LAPSED] - gone}
        return calls

    async def _silent(self, offline: set[str], workers: dict[str, Worker]) -> list[Call]:
        names = orjson.dumps(sorted(offline)).decode()
        return await self._of(Need.SILENT, places.HELD, lambda task: _silent(task, workers), names)

    async def _unservable(self, living: list[Worker]) -> list[Call]:
        """Ready work that no living worker may have, by what it asks for."""
        ready = await places.ready_buckets(self._reader, self._projects)
        claimers = await self._claimers(living, {bucket.assignee for bucket, _ in ready})
        kinds: dict[tuple[str, frozenset[str], str | None], tuple[Bucket, int]] = {}
        for bucket, count in ready:
            if HUMAN in bucket.capabilities and bucket.assignee is not None:
                continue  # offered to a person, who need not be a worker yet
            kind = (bucket.project, bucket.capabilities, bucket.assignee)
            first, before = kinds.get(kind, (bucket, 0))
            kinds[kind] = (first, before + count)
        calls = []
        for bucket, count in list(kinds.values())[:_LOOKED_AT]:
            if not any(admits(bucket, claimer, {}) for claimer in claimers):
                task = await places.head_of(self._reader, bucket.number, self._order)
                if task is not None:
                    calls.append(_unservable(task, count))
        self.counts[Need.NO_WORKER] = len(calls)
        return calls

    async def _claimers(self, living: list[Worker], assignees: Collection[str | None]) -> list[Claimer]:
        """The workers, those that nothing ready tells apart as one; a whole fleet is a few."""
        principals = await places.principals(self._reader)
        nothing = frozenset[str]()
        claimers = set()
        for worker in living:
            able, groups, projects = principals.get(worker.principal, (nothing, nothing, None))
            identities = frozenset(name for name in (*groups, worker.id, worker.principal) if name in assignees)
            human = frozenset({HUMAN}) if worker.kind is Kind.HUMAN else nothing
            claimers.add(Claimer("", identities, able | worker.capabilities | human, projects))
        return list(claimers)

    async def _paused(self) -> list[Call]:
        paused = await places.long_paused(self._reader, self._now - PAUSED_LONG_MS, self._projects)
        self.counts[Need.PAUSED_LONG] = len(paused)
        return [
            Call(
                Need.PAUSED_LONG,
                f"project {name} is paused by {by}" + (f": {why}" if why else ""),
                at,
                ("show", "GET", f"projects/{name}"),
                project=name,
            )
            for name, at, by, why in paused[: self._limit]
        ]


def _asks(task: Task) -> Call:
    question = orjson.loads(task.question) if task.question is not None else None
    text = (question and question["text"]) or task.detail or "it waits for input"
    return Call(
        Need.WAITING_INPUT,
        f"{task.worker} asks: {text}",
        task.heartbeat_at or task.updated_at,
        ("answer", "POST", f"tasks/{task.key}/answer"),
        task,
    )


def _lapsed(task: Task, gone: bool) -> Call:
    need = Need.ABANDONED if gone else Need.LAPSED
    more = ", and it is offline" if gone else ", which may still finish"
    detail = f"the lease of {task.worker} lapsed{more}; nobody has taken the task since"
    return Call(need, detail, task.expires_at or task.updated_at, ("explain", "GET", f"tasks/{task.key}/explain"), task)


def _errored(task: Task) -> Call:
    detail = f"{task.worker} reports an error: {task.detail or 'it says no more'}"
    return Call(Need.ERRORED, detail, task.heartbeat_at or 0, ("events", "GET", f"tasks/{task.key}/events"), task)


def _silent(task: Task, workers: dict[str, Worker]) -> Call:
    worker = workers[task.worker or ""]
    ends = "with no end" if task.expires_at is None else f"until {rfc3339(task.expires_at)}"
    detail = f"{worker.id} is offline and holds the task {ends}"
    return Call(Need.SILENT, detail, worker.last_seen_at, ("show", "GET", f"workers/{quote(worker.id, safe='')}"), task)


def _loops(task: Task) -> Call:
    detail = f"claimed {task.fence} times and not finished"
    return Call(Need.LOOPING, detail, task.created_at, ("events", "GET", f"tasks/{task.key}/events"), task)


def _overdue(task: Task) -> Call:
    due = task.due or 0
    detail = f"was due {rfc3339(due)} and is {task.state}"
    act = ("explain", "GET", f"tasks/{task.key}/explain")
    return Call(Need.OVERDUE, detail, due, act, task)


def _review(task: Task) -> Call:
    return Call(Need.REVIEW, "waits for review", task.updated_at, ("show", "GET", f"tasks/{task.key}"), task)


def _unservable(task: Task, count: int) -> Call:
    bucket = task.bucket
    wants = [
        f"need{'s' * (count == 1)} {', '.join(sorted(bucket.capabilities))}" if bucket.capabilities else "",
        f"{'is' if count == 1 else 'are'} for {bucket.assignee} alone" if bucket.assignee is not None else "",
    ]
    which = " and ".join(part for part in wants if part)
    detail = f"{count} ready in {bucket.project}" + (f", which {which}" if which else "") + ": no living worker may"
    since = task.ready_at or task.created_at
    return Call(Need.NO_WORKER, f"{detail} have them", since, ("explain", "GET", f"tasks/{task.key}/explain"), task)


def _failed(task: Task) -> Call:
    error = orjson.loads(task.error or "{}")
    detail = f"failed for good: {error.get('message') or 'it says no more'}"
    return Call(Need.FAILED, detail, task.finished_at or 0, ("events", "GET", f"tasks/{task.key}/events"), task)
