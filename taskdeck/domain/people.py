"""People: what is meant for them, and who has a say in it."""

from __future__ import annotations

from typing import Final

from taskdeck.domain.errors import Forbidden
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task

HUMAN: Final = "human"
"""The capability that people have: every worker of the kind `human`, without saying so.

A task that asks for it is given to nobody else who asks for the next one; others it is meant for claim it by name.
"""


def for_people(task: Task) -> bool:
    """Whether `task` is given to people only."""
    return HUMAN in task.bucket.capabilities


def directs(who: Principal, task: Task) -> bool:
    """Whether `who` may do to `task` what operators may: it is one, or it made this task for people."""
    return who.is_operator() or (task.created_by == who.name and for_people(task))


def has_part(who: Principal, task: Task) -> bool:
    """Whether `who` directs or made `task`, holds it, or is who it is offered to."""
    names = {who.name, *who.groups}
    return directs(who, task) or not names.isdisjoint({task.created_by, task.principal, task.bucket.assignee})


def require_director(task: Task, who: Principal, act: str) -> None:
    """Refuse `act` unless `who` directs `task`.

    Raises:
        Forbidden: it does not.
    """
    if not directs(who, task):
        raise Forbidden(
            f"{act} {task.key} is for operators, and for who made it if it is for people; {who.name} is neither",
            hint="Ask an operator, or use a token with that role.",
        )
