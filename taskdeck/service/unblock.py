"""Unblocking what waited for a task that is done, some at a time."""

from __future__ import annotations

from taskdeck.domain.states import State, Verb, waiting_state
from taskdeck.domain.task import Task
from taskdeck.service.change import change
from taskdeck.store import dependencies, tasks
from taskdeck.store.unit import Unit

AT_ONCE = 64
"""How many children are looked at in one unit of work; the rest follow in later batches."""
BY_TIME = "deck"
"""The actor of what no caller did."""


def unblock_children(unit: Unit, parent: Task) -> None:
    """Let the first children of `parent` go on; if there are more, remember it for later batches."""
    if parent.awaited and _unblock_some(unit, parent.number, parent.key) == AT_ONCE:
        dependencies.remember(unit, parent.number)
        unit.mirror.due_by(0)


def unblock_remembered(unit: Unit) -> None:
    """Go on with a parent whose children are not all unblocked yet."""
    number = dependencies.remembered(unit)
    parent = None if number is None else tasks.by_number(unit, number)
    if parent is not None and _unblock_some(unit, parent.number, parent.key) < AT_ONCE:
        dependencies.forget(unit, parent.number)


def _unblock_some(unit: Unit, parent: int, key: str) -> int:
    children = dependencies.waiting_on(unit, parent, AT_ONCE)
    for number in children:
        dependencies.close(unit, number, parent)
        child = tasks.by_number(unit, number)
        if child is not None and child.state is State.BLOCKED and not dependencies.has_open(unit, number):
            state = waiting_state(blocked=False, not_before=child.not_before, now=unit.now)
            change(unit, child, Verb.UNBLOCK, BY_TIME, {"state": state}, facts={"by": key})
    return len(children)
