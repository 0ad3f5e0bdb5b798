"""Who has a say in a task: operators, its own people, and who made it for people."""

from __future__ import annotations

from typing import Final

from taskdeck.domain.errors import Forbidden
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task

HUMAN: Final = "human"
"""The capability that people have: every worker of the kind `human`, without saying so.

A task that asks for it is given to nobody else who asks for the next one; others it is meant for claim it by name.
"""

STEWARDS: Final = "stewards"
"""The group of those who direct what they made, hold or alone may claim, while nobody else holds it."""


def for_people(task: Task) -> bool:
    """Whether `task` is given to people only."""
    return HUMAN in task.bucket.capabilities


def directs(who: Principal, task: Task) -> bool:
    """Whether `who` may do to `task` what operators may: it is one, made this task for people, or is its steward."""
    return (
        who.is_operator()
        or (task.created_by == who.name and for_people(task))
        or (STEWARDS in who.groups and concerns(task, who) and not held_by_other(task, who))
    )


def has_part(who: Principal, task: Task) -> bool:
    """Whether `who` directs or made `task`, holds it, or is who it is offered to."""
    return directs(who, task) or concerns(task, who)


def concerns(task: Task, who: Principal) -> bool:
    """Whether `who` made `task`, holds it, or is who it is offered to."""
    return not {who.name, *who.groups}.isdisjoint({task.created_by, task.principal, task.bucket.assignee})


def held_by_other(task: Task, who: Principal) -> bool:
    """Whether another principal than `who` holds `task` under a lease that has not lapsed."""
    return task.principal is not None and task.principal != who.name and not task.lapsed


def require_director(task: Task, who: Principal, act: str) -> None:
    """Refuse `act` unless `who` directs `task`.

    Raises:
        Forbidden: it does not.
    """
    if not directs(who, task):
        raise Forbidden(
            f"{act} {task.key} is for operators, its stewards, and who made it if it is for people; {who.name} is none",
            hint="Claim it, ask an operator, or use a token with that role.",
        )
