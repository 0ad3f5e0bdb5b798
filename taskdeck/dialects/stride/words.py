"""Stride's words for the core's: columns and statuses, priorities, identifiers, people and agents, times."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_plus, unquote_plus

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State
from taskdeck.domain.task import Kind, Task

NAME = "stride"

COLUMNS = BACKLOG, READY, DOING, REVIEW, DONE = ("Backlog", "Ready", "Doing", "Review", "Done")
OPEN, IN_PROGRESS, BLOCKED, COMPLETED = ("open", "in_progress", "blocked", "completed")

_PLACES: dict[State, tuple[str, str]] = {
    State.BACKLOG: (BACKLOG, OPEN),
    State.BLOCKED: (READY, BLOCKED),
    State.SCHEDULED: (READY, BLOCKED),
    State.READY: (READY, OPEN),
    State.CLAIMED: (DOING, IN_PROGRESS),
    State.REVIEW: (REVIEW, IN_PROGRESS),
    State.DONE: (DONE, COMPLETED),
    State.FAILED: (READY, BLOCKED),
    State.CANCELLED: (DONE, COMPLETED),
}

PRIORITIES = {"low": 25, "medium": 50, "high": 75, "critical": 100}
_BANDS = ((88, "critical"), (63, "high"), (38, "medium"), (0, "low"))
COMPLEXITIES = ("small", "medium", "large")
TYPES = ("work", "defect", "goal")
SERIES = {"work": "W", "defect": "D", "goal": "G"}
_IDENTIFIER = re.compile(r"[WDG]\d+", re.ASCII)

CAPABILITIES = frozenset(
    [
        "api_design",
        "code_generation",
        "code_review",
        "database_design",
        "debugging",
        "devops",
        "documentation",
        "file_operations",
        "git",
        "performance_optimization",
        "refactoring",
        "security_analysis",
        "testing",
        "ui_design",
        "ui_implementation",
        "web_browsing",
    ]
)
"""All there are; a token that lists none has them all."""
UNKNOWN = "Unknown"
"""An agent that does not say what it is called."""
_LONGEST_WORKER = 128


class Board(NamedTuple):
    """A project as Stride sees it."""

    name: str
    number: int
    prefix: str


def column_id(board: Board, column: str) -> int:
    """The id of a column: the board's number with the column's place behind it, as 12 for Ready of board 1."""
    return board.number * 10 + COLUMNS.index(column) + 1


def column_of(board: Board, number: int) -> str | None:
    """The column of that id; None if the board has none."""
    place = number - board.number * 10 - 1
    return COLUMNS[place] if 0 <= place < len(COLUMNS) else None


def place_of(task: Task, *, waits: bool = False, below: Collection[State] = ()) -> tuple[str, str]:
    """The column and the status of `task`.

    `waits` tells of a task in the backlog whether it waits for others, `below` of a goal in which states its children
    are: it stands where the leftmost of them does.
    """
    if task.kind == Kind.GOAL and task.state not in (State.DONE, State.CANCELLED):
        return _goal_column(task, below), OPEN
    column, status = _PLACES[task.state]
    return column, BLOCKED if waits else status


def _goal_column(goal: Task, below: Collection[State]) -> str:
    columns = {_PLACES[state][0] for state in below if state is not State.CANCELLED}
    unfinished = columns - {DONE}
    if unfinished:
        return min(unfinished, key=COLUMNS.index)
    if columns:
        return DOING  # its last child is done, and it is about to be
    return BACKLOG if goal.state is State.BACKLOG else READY


def priority_word(priority: int) -> str:
    """The nearest of the four words for a priority from 0 to 100."""
    return next(word for least, word in _BANDS if priority >= least)


def identifier_of(board: Board, key: str) -> str:
    """What Stride calls the task of that key: `W21` for `T-W21` on the board with the prefix T; else the key."""
    short = key.removeprefix(f"{board.prefix}-")
    return short if _IDENTIFIER.fullmatch(short) else key


def key_of(board: Board, identifier: str) -> str:
    """The key of the task that Stride calls so."""
    return f"{board.prefix}-{identifier}" if _IDENTIFIER.fullmatch(identifier) else identifier


@lru_cache(maxsize=1024)
def person_id(name: str) -> int:
    """The number of a principal: always the same for the same name."""
    return zlib.crc32(name.encode()) & 0x7FFF_FFFF


def assignee_of(task: Task, completed_by: str | None) -> str | None:
    """Whose the task is: who holds it, who completed it, or who alone may claim it."""
    if task.state is State.CLAIMED:
        return task.principal
    return completed_by if task.state in (State.REVIEW, State.DONE) else task.bucket.assignee


def worker_of(who: Principal, agent_name: str) -> str:
    """The worker that an agent of that name is for `who`: `Claude+Sonnet+4.5@ana`; without a name, `ana` alone.

    A token that is for one worker is that worker, whatever its agent calls itself.
    """
    if agent_name == UNKNOWN or who.worker is not None:
        return who.worker or who.name
    return f"{quote_plus(agent_name)[: _LONGEST_WORKER - 1 - len(who.name)]}@{who.name}"


def agent_of(who: Principal, worker: str) -> str | None:
    """What the agent is called that is this worker of `who`; None if it has no name."""
    name = worker.removesuffix(f"@{who.name}")
    return None if name == worker else unquote_plus(name)


def model_of(who: Principal) -> str | None:
    """`ai_agent:…` for a principal in the group `model:…`."""
    model = min((group for group in who.groups if group.startswith("model:")), default=None)
    return None if model is None else f"ai_agent:{model.removeprefix('model:')}"


def stamp(ms: int | None) -> str | None:
    """A moment as Stride writes it: UTC, whole seconds."""
    return None if ms is None else f"{rfc3339(ms)[:19]}Z"


def stamp_of(text: str | None) -> str | None:
    """The same of one written as RFC 3339."""
    return None if text is None else f"{text[:19]}Z"
