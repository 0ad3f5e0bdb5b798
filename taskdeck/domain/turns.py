"""Turns: a task offered to one assignee after another, each for a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson

from taskdeck.domain.states import State
from taskdeck.domain.task import Json, Task

MAX_TURNS = 20


class AtEnd(StrEnum):
    """What becomes of a task when the last turn is over."""

    OPEN = "open"
    """Anyone may claim it."""
    STAY = "stay"
    """It stays with the last assignee."""
    GIVE_UP = "give_up"
    """It has failed."""


NO_TURNS: dict[str, Any] = {"assignees": None, "turn": None, "turn_ends_at": None, "at_end": None}
"""The fields of a task that is offered to nobody in turn."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One assignee and how long the task is offered to it, in seconds; None for as long as it takes.

    `group` tells that the name is a group's, where it was said.
    """

    assignee: str
    seconds: float | None = None
    group: bool = False

    def ends_at(self, begun: int) -> int | None:
        """When a turn that began at `begun` ends, both in milliseconds."""
        return None if self.seconds is None else begun + round(self.seconds * 1000)


@lru_cache(maxsize=1024)
def turns_from(text: Json) -> tuple[Turn, ...]:
    """The turns of their public JSON form."""
    return tuple(Turn(turn["assignee"], turn.get("seconds"), turn.get("group", False)) for turn in orjson.loads(text))


def turns_text(turns: Iterable[tuple[str, float | None, bool]]) -> Json:
    """The public JSON form of turns: of each the assignee, its seconds, and whether it is a group."""
    return orjson.dumps(
        [{"assignee": name, "seconds": seconds} | ({"group": True} if group else {}) for name, seconds, group in turns]
    ).decode()


def clock(task: Task, fields: dict[str, Any], now: int) -> dict[str, Any]:
    """The field by which the running turn's time begins or stops with a change of `fields`; none if it does not.

    It runs while the task is ready: a claim stops it, and whoever gives the task back begins it anew.
    """
    after = fields.get("state", task.state)
    if after is task.state or "turn_ends_at" in fields or task.assignees is None:
        return {}
    if after is State.READY:
        turn = fields.get("turn", task.turn)
        return {} if turn is None else {"turn_ends_at": turns_from(task.assignees)[turn].ends_at(now)}
    return {} if task.turn_ends_at is None else {"turn_ends_at": None}
