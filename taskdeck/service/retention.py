"""Retention: what has ended long ago is removed, a little at a time, never in the way of a claim."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Protocol

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.events import Event
from taskdeck.domain.project import Project
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.service.unblock import BY_TIME
from taskdeck.store import dependencies, retention, tasks
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

TASKS_AT_ONCE = 8
EVENTS_AT_ONCE = 1_000
ENTRIES_AT_ONCE = 1_000
"""How many of each are removed in one unit of work: a few milliseconds, so that claims go in between.

Tasks take many statements. On the writer's thread each would have to win Python's lock back from a busy event loop, so
so few are removed at once that it may be done there.
"""
REST = 4
"""So many times as long as a unit of work took, queue and all, nothing is removed: the busier the deck, the longer."""
SHORT_LOG = 100
"""Entries of a log that goes with its task; longer ones are removed before, some at a time."""


class Write(Protocol):
    """How a unit of work gets to the writer."""

    def __call__(self, work: Callable[[Unit], Any], /, *, long: bool = False) -> Awaitable[Any]: ...


async def prune(write: Write, reader: Reader, now: int, keep_events_ms: int) -> None:
    """Remove what is past its keep at `now`, in small units of work: tasks by project, events after `keep_events_ms`.

    Raises:
        Unavailable: the deck is stopping or the disk does not answer; what was removed until then is.
    """

    async def remove(work: Callable[[Unit], Any], *, long: bool = True) -> Any:
        begun = time.perf_counter()
        removed = await write(work, long=long)
        await asyncio.sleep(REST * (time.perf_counter() - begun))
        return removed

    for state in (State.DONE, State.FAILED, State.CANCELLED):
        async for numbers in retention.past_keep(reader, state, now, TASKS_AT_ONCE):
            for number in await retention.with_long_logs(reader, numbers, SHORT_LOG):
                while await remove(partial(prune_log, number=number, now=now)):
                    pass
            await remove(partial(prune_tasks, numbers=numbers, now=now), long=False)
    while await remove(lambda unit: prune_events(unit, now - keep_events_ms)) == EVENTS_AT_ONCE:
        pass


def prune_log(unit: Unit, number: int, now: int) -> int:
    """Remove the beginning of the log of a task that is past its keep; return how many entries."""
    task = tasks.by_number(unit, number)
    if task is None or not _past_keep(unit, task, now) or _needed(unit, task):
        return 0
    return retention.drop_entries(unit, number, ENTRIES_AT_ONCE)


def prune_tasks(unit: Unit, numbers: Iterable[int], now: int) -> None:
    """Remove those of the tasks that are past their keep and that no other needs; one event for each project."""
    removed: dict[str, list[Task]] = {}
    for number in numbers:
        task = tasks.by_number(unit, number)
        if task is not None and _past_keep(unit, task, now) and not _needed(unit, task):
            tasks.delete(unit, task)
            removed.setdefault(task.bucket.project, []).append(task)
    for project, gone in removed.items():
        facts = {"counts": Counter(task.state.value for task in gone), "ids": [task.id for task in gone]}
        unit.append(Event(unit.now, "tasks.pruned", BY_TIME, project=project, facts=facts))


def _needed(unit: Unit, task: Task) -> bool:
    """Whether others depend on it, or what it was made from has not ended."""
    above = None if task.parent is None else tasks.by_key(unit, task.parent)
    return bool(dependencies.dependents(unit, task.number, 1)) or (above is not None and above.finished_at is None)


def _past_keep(unit: Unit, task: Task, now: int) -> bool:
    keep = keep_ms(unit.mirror.projects[task.bucket.project], task.state)
    return keep is not None and task.finished_at is not None and task.finished_at <= now - keep


def keep_ms(project: Project, state: State) -> int | None:
    """How long `project` keeps a task that ended in `state`; None where the task has not ended."""
    return {
        State.DONE: project.keep_done_ms,
        State.FAILED: project.keep_failed_ms,
        State.CANCELLED: project.keep_cancelled_ms,
    }.get(state)


def prune_events(unit: Unit, before: int) -> int:
    """Remove some of the log's oldest events, if they are from before that moment; return how many.

    The log loses nothing but its start: what is left has no hole.
    """
    last = retention.old_events(unit, before, EVENTS_AT_ONCE)
    if last is None:
        return 0
    count = retention.drop_events(unit, last)
    facts = {"count": count, "first_kept": last + 1, "before": rfc3339(max(0, before))}
    unit.append(Event(unit.now, "events.pruned", BY_TIME, facts=facts))
    return count
