"""Waiting for tasks that are not there yet: by their keys, until they are made."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from taskdeck.domain.errors import TooMany
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import Verb
from taskdeck.domain.task import Json, Task
from taskdeck.service.change import change
from taskdeck.service.cycles import refuse_cycle
from taskdeck.store import dependencies, tasks
from taskdeck.store.unit import Unit

BY_TIME = "deck"
MOST_WAITING = 1_000
"""How many tasks may wait for one key: all of them are told when it comes."""


def sorted_out(unit: Unit, who: Principal, keys: Sequence[str]) -> tuple[list[str], Json | None]:
    """Which of `keys` are tasks that `who` may see, and those that are none, as a task's `awaits`.

    Raises:
        TooMany: as many tasks as may be wait for one of these already.
    """
    if not keys:
        return [], None
    there, missing = [], []
    for key in dict.fromkeys(keys):
        task = tasks.by_key(unit, key)
        if task is not None and who.sees(task.bucket.project):
            there.append(key)
            continue
        missing.append(key)
        if len(unit.mirror.missing.get(key, ())) >= MOST_WAITING:
            raise TooMany(f"{MOST_WAITING:,} tasks wait for {key} already", hint="Make that task first.")
    return there, orjson.dumps(missing).decode() if missing else None


def keys_of(awaits: Json | None) -> list[str]:
    """The keys of a task's `awaits`."""
    keys: list[str] = [] if awaits is None else orjson.loads(awaits)
    return keys


def arrive(unit: Unit, task: Task) -> None:
    """Let those that waited for the key of the new `task` depend on it.

    Raises:
        DependencyCycle: it depends on one of them itself.
    """
    for number in sorted(unit.mirror.missing[task.key]):
        waiting = tasks.by_number(unit, number)
        if waiting is None:
            raise RuntimeError(f"task {number} is said to wait for {task.key}, and is not there")
        refuse_cycle(unit, waiting, [task])
        before = keys_of(waiting.awaits)
        rest = [key for key in before if key != task.key]
        dependencies.await_missing(unit, number, before, rest)
        dependencies.add(unit, number, task.number)
        fields = {
            "awaits": orjson.dumps(rest).decode() if rest else None,
            "depends_on": (*waiting.depends_on, task.key),
        }
        change(unit, waiting, Verb.EDIT, BY_TIME, fields)
    task.awaited = True
