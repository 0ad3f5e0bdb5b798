"""What only one dialect knows of a task or a worker, kept beside it for that dialect alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from taskdeck.domain.errors import Invalid
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import Verb
from taskdeck.domain.task import Json, Task
from taskdeck.domain.worker import Worker
from taskdeck.service.change import change
from taskdeck.store.unit import Unit

MAX_EXTRA_BYTES = 65_536


def extra_of(kept: Task | Worker, dialect: str) -> dict[str, Any]:
    """What `dialect` keeps of a task or worker; empty if nothing. Not to be changed."""
    return {} if kept.extra is None else _read(kept.extra).get(dialect, {})


@lru_cache(maxsize=1024)
def _read(extra: Json) -> dict[str, dict[str, Any]]:
    """Read once: a worker is asked for at each of its calls."""
    document: dict[str, dict[str, Any]] = orjson.loads(extra)
    return document


def as_extra(dialect: str, document: dict[str, Any]) -> Json:
    """`document` as the `extra` of a new task."""
    return orjson.dumps({dialect: document}).decode()


def keep(unit: Unit, who: Principal, task: Task, document: dict[str, Any]) -> Task:
    """Keep `document` as what the dialect that `who` speaks knows of `task`; what it kept before is replaced.

    Whether `who` may do so is for the verb to say that it goes with. Nothing is written if it is kept already.

    Raises:
        Invalid: the task would carry more than 64 KiB of extra fields.
    """
    if extra_of(task, who.via) == document:
        return task
    return change(unit, task, Verb.EDIT, who.name, {"extra": with_extra(task, who.via, document)})


def with_extra(kept: Task | Worker, dialect: str, document: dict[str, Any]) -> Json:
    """The `extra` of a task or worker once `dialect` keeps `document` there.

    Raises:
        Invalid: it would be larger than 64 KiB.
    """
    whole = {} if kept.extra is None else orjson.loads(kept.extra)
    text = orjson.dumps(whole | {dialect: document}).decode()
    if len(text) > MAX_EXTRA_BYTES:
        name = kept.key if isinstance(kept, Task) else kept.label or kept.id
        raise Invalid(
            f"{name} would carry more than {MAX_EXTRA_BYTES} bytes of fields of other systems",
            hint="Keep long texts in the context of a task, or as an attachment.",
        )
    return text
