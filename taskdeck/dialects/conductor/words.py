"""Conductor's words and the deck's: users, states, strategies, and the names a task goes by."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

import orjson
from aiohttp import web

from taskdeck.domain.states import TERMINAL, State
from taskdeck.domain.task import Task
from taskdeck.domain.turns import AtEnd
from taskdeck.http.gate import bearer
from taskdeck.service.extra import extra_of

NAME: Final = "conductor"
SYSTEM: Final = "system"
MAX_NAME: Final = 128
"""Characters of a worker's or an assignee's name here."""

User = dict[str, str]
"""`userType` and `user`."""


class UserType(StrEnum):
    """What a user is: somebody with a token here, a group of them, or known to the calling application alone."""

    USER = "CONDUCTOR_USER"
    GROUP = "CONDUCTOR_GROUP"
    OUTSIDER = "EXTERNAL_USER"
    OUTSIDE_GROUP = "EXTERNAL_GROUP"


class HumanState(StrEnum):
    """Where a human task is in its life."""

    PENDING = "PENDING"
    ASSIGNED = "ASSIGNED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    TIMED_OUT = "TIMED_OUT"
    DELETED = "DELETED"


_STATES = {
    State.BACKLOG: HumanState.PENDING,
    State.BLOCKED: HumanState.PENDING,
    State.SCHEDULED: HumanState.PENDING,
    State.READY: HumanState.ASSIGNED,
    State.CLAIMED: HumanState.IN_PROGRESS,
    State.REVIEW: HumanState.COMPLETED,
    State.DONE: HumanState.COMPLETED,
    State.FAILED: HumanState.DELETED,
    State.CANCELLED: HumanState.DELETED,
}
TERMINATE: Final = "TERMINATE"
LEAVE_OPEN: Final = "LEAVE_OPEN"
TERMINATED: Final = "Task terminated as no more assignments pending and completion strategy is TERMINATE"

# names of those outside stand apart from those of the deck's own: nobody here is taken for them
_OUTSIDE = {UserType.OUTSIDER: "external:", UserType.OUTSIDE_GROUP: "external-group:"}


def state_of(task: Task) -> HumanState:
    """Its state; of a task that has failed, whether its holder's time was over or it was not wanted any more."""
    if task.state is State.FAILED and orjson.loads(task.error or "{}").get("reason") == "lapsed":
        return HumanState.TIMED_OUT
    return HumanState.ASSIGNED if task.lapsed else _STATES[task.state]


def deck_states(states: frozenset[HumanState]) -> tuple[State, ...]:
    """The deck's states in which a task may be in one of `states`; those in which it has ended come last."""
    found = {state for state, human in _STATES.items() if human in states}
    if HumanState.ASSIGNED in states:
        found.add(State.CLAIMED)  # its lease may have lapsed
    if HumanState.TIMED_OUT in states:
        found.add(State.FAILED)
    return tuple(sorted(found, key=lambda state: (state in TERMINAL, state)))


def strategy(at_end: str | None) -> str:
    return TERMINATE if at_end == AtEnd.GIVE_UP else LEAVE_OPEN


def name_of(kind: UserType, user: str) -> str:
    """The deck's name for a user."""
    prefix = _OUTSIDE.get(kind)
    # workers' names stand in paths
    return user if prefix is None else prefix + user.replace("%", "%25").replace("/", "%2F")


def user_of(name: str, groups: frozenset[str] | set[str]) -> User:
    """The user of this name; of the deck's own, one of `groups` is a group."""
    for kind, prefix in _OUTSIDE.items():
        if name.startswith(prefix):
            return {"userType": kind, "user": name[len(prefix) :].replace("%2F", "/").replace("%25", "%")}
    return {"userType": UserType.GROUP if name in groups else UserType.USER, "user": name}


def acted_by(user: User) -> str:
    return f"{user['userType']}:{user['user']}"


def author(name: str) -> str:
    """A principal as templates name their authors."""
    return name if ":" in name else f"USER:{name}"


_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FLIP = 0x5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A


class Names:
    """What a task is called by its Conductor clients: what was given with it, else what it is called here."""

    __slots__ = ("_task", "given")

    def __init__(self, task: Task) -> None:
        self._task = task
        self.given = extra_of(task, NAME)

    def _said(self, member: str, otherwise: str) -> str:
        value = self.given.get(member)
        return value if isinstance(value, str) and value else otherwise

    @property
    def display(self) -> str:
        return self._said("displayName", self._task.title)

    @property
    def definition(self) -> str:
        return self._said("definitionName", "human")

    @property
    def reference(self) -> str:
        return self._said("taskRefName", f"{_slug(self._task.title)}_ref")

    @property
    def workflow(self) -> str:
        return self._said("workflowName", self._task.bucket.project)

    @property
    def workflow_id(self) -> str:
        """The run it belongs to, else its parent, else an id made from its own."""
        return self._task.run or self._task.parent or other_id(self._task.id)


def other_id(text: str) -> str:
    """An id made from another, and the other made from it.

    Raises:
        ValueError: it is no UUID.
    """
    if not _UUID.fullmatch(text):
        raise ValueError("not a UUID")
    other = f"{int(text.replace('-', ''), 16) ^ _FLIP:032x}"
    return f"{other[:8]}-{other[8:12]}-{other[12:16]}-{other[16:20]}-{other[20:]}"


@lru_cache(maxsize=4096)
def _slug(title: str) -> str:
    return _NOT_A_WORD.sub("_", title.lower()).strip("_") or "task"


def flag(request: web.Request, name: str) -> bool | None:
    """A boolean of the query, false if it is not there; None if it is something else."""
    return {"true": True, "false": False, "": False}.get(request.query.get(name, "false").lower())


def secret(request: web.Request) -> str:
    """The token of a request: Conductor's header has no scheme, and one is tolerated."""
    sent = request.headers.get("X-Authorization", "").strip()
    return sent.removeprefix("Bearer ").strip() if sent else bearer(request)
