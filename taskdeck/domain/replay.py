"""From the event log back to the state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taskdeck.domain.clock import from_rfc3339, rfc3339


def replay(events: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The tasks that a log, read from its start, leaves behind: id → public shape.

    `events` are public events in order. Each task's fields are those its events last left there.
    """
    tasks: dict[str, dict[str, Any]] = {}
    for event in events:
        if event["type"] == "clock.jumped":
            _shift(tasks.values(), event["facts"])
        if event["type"] == "tasks.pruned":
            for pruned in event["facts"]["ids"]:
                tasks.pop(pruned, None)
        if event["task"] is None:
            continue
        task_id = event["task"]["id"]
        if event["type"] == "task.deleted":
            tasks.pop(task_id, None)
        else:
            tasks.setdefault(task_id, {}).update(event["changes"])
    return tasks


def _shift(tasks: Iterable[dict[str, Any]], jump: dict[str, Any]) -> None:
    """After a jump of the wall clock every running lease, turn and review ends after the time it had left."""
    by_ms = round(jump["by_seconds"] * 1000)
    for task in tasks:
        claim = task["claim"]
        if claim is not None and not claim["lapsed"] and claim["expires_at"] is not None:
            task["claim"] = claim | {"expires_at": rfc3339(from_rfc3339(claim["expires_at"]) + by_ms)}
        for field, what in (("turn_ends_at", "turns"), ("review_ends_at", "reviews")):
            if task.get(field) is not None and what in jump:  # once they did not follow
                task[field] = rfc3339(from_rfc3339(task[field]) + by_ms)
