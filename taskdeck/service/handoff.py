"""Handing off: what a holder leaves to whoever has the task next."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.task import Task
from taskdeck.store.unit import Unit


def handed_off(unit: Unit, task: Task, note: str | None = None) -> dict[str, Any]:
    """The field of what the present holder leaves: its `note`, else what it last reported.

    Nothing, so that what an earlier holder left stands, when it says neither or nobody holds the task.
    """
    said = note or task.detail
    if task.worker is None or not said:
        return {}
    document = {
        "note": said,
        "worker": task.worker,
        "principal": task.principal,
        "state": task.work_state,
        "progress": task.progress,
        "attempt": task.attempt,
        "at": rfc3339(unit.now),
    }
    return {"handoff": orjson.dumps(document).decode()}
