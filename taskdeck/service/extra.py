"""What only one dialect knows of a task, kept beside it for that dialect alone."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.domain.errors import Invalid
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import Verb
from taskdeck.domain.task import Json, Task
from taskdeck.service.change import change
from taskdeck.store.unit import Unit

MAX_EXTRA_BYTES = 65_536


def extra_of(task: Task, dialect: str) -> dict[str, Any]:
    """What `dialect` keeps of `task`; empty if nothing."""
    if task.extra is None:
        return {}
    kept: dict[str, Any] = orjson.loads(task.extra).get(dialect, {})
    return kept


def as_extra(dialect: str, document: dict[str, Any]) -> Json:
    """`document` as the `extra` of a new task."""
    return orjson.dumps({dialect: document}).decode()


def keep(unit: Unit, who: Principal, task: Task, document: dict[str, Any]) -> Task:
    """Keep `document` as what the dialect that `who` speaks knows of `task`; what it kept before is replaced.

    Whether `who` may do so is for the verb to say that it goes with. Nothing is written if it is kept already.

    Raises:
        Invalid: the task would carry more than 64 KiB of extra fields.
    """
    whole = {} if task.extra is None else orjson.loads(task.extra)
    if whole.get(who.via, {}) == document:
        return task
    text = orjson.dumps(whole | {who.via: document}).decode()
    if len(text) > MAX_EXTRA_BYTES:
        raise Invalid(
            f"{task.key} would carry more than {MAX_EXTRA_BYTES} bytes of fields of other systems",
            hint="Keep long texts in its context, or as an attachment.",
        )
    return change(unit, task, Verb.EDIT, who.name, {"extra": text})
