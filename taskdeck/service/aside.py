"""What happens beside a task: said, linked, attached or noted about it. Its own fields and version stay as they are."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.errors import NotFound, TooMany
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task
from taskdeck.store.unit import Unit


def leave_event(unit: Unit, who: Principal, task: Task, kind: str, facts: dict[str, Any]) -> None:
    """Leave the event of something that happened beside `task`; all there is to know of it stands in `facts`."""
    unit.append(Event(unit.now, kind, who.name, task, task.bucket.project, facts=facts))


def refuse_more(task: Task, count: int, most: int, what: str) -> None:
    """Refuse one more of `what` (a plural) than `most` on a task that has `count`.

    Raises:
        TooMany: it would be.
    """
    if count >= most:
        raise TooMany(
            f"{task.key} has {count} {what}; {most} is the most",
            hint=f"Remove {what} that are of no use any more, or create another task.",
        )


def unknown(task: Task, what: str, name: object, code: str) -> NotFound:
    """The refusal, under `code`, of a `what` (a comment, link, attachment) that `task` does not have."""
    return NotFound(
        f"{task.key} has no {what} {str(name)[:80]!r}",
        hint=f"GET /v1/tasks/{task.key}/{what}s lists what it has.",
        code=code,
    )
