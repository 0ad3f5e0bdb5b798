"""Marks on events: how those that one call left are told to the clients of this dialect.

A method of this dialect may be several changes to the deck, each with its event. The facts of these events then carry,
under the dialect's name, what is to be told of them: nothing, or something beside what the event itself says.
"""

from __future__ import annotations

from typing import Any

from taskdeck.dialects.claudebench.words import NAME
from taskdeck.domain.task import Task
from taskdeck.store.unit import Unit


def tell_once(unit: Unit, since: int, task: Task, **more: Any) -> None:
    """Let only the last of the events of `task` from number `since` on be told of, with `more` beside."""
    events = [event for event in unit.events[since:] if event.task is task]
    for event in events[:-1]:
        event.facts[NAME] = None
    if events and more:
        events[-1].facts[NAME] = more
