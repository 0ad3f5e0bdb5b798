"""Making tasks of what clients send."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from taskdeck.choices import StrideChoices
from taskdeck.dialects.stride.asking import as_member, named_agent
from taskdeck.dialects.stride.errors import Errors, invalid
from taskdeck.dialects.stride.fields import INVALID, NewTaskFields, TaskFields, told
from taskdeck.dialects.stride.view import PLANNING, Data
from taskdeck.dialects.stride.words import (
    NAME,
    PRIORITIES,
    SERIES,
    UNKNOWN,
    Board,
    agent_of,
    key_of,
    model_of,
    worker_of,
)
from taskdeck.domain.errors import DependencyCycle, Invalid
from taskdeck.domain.people import HUMAN
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import MAX_ATTEMPTS_LIMIT, Kind, Review, Task
from taskdeck.service.attend import attend
from taskdeck.service.awaiting import keys_of
from taskdeck.service.create import make
from taskdeck.service.edit import edit
from taskdeck.service.extra import MAX_EXTRA_BYTES, as_extra
from taskdeck.service.family import adopt
from taskdeck.service.find import the_task
from taskdeck.service.projects import edit_project
from taskdeck.service.requests import Edit, NewTask
from taskdeck.store.unit import Unit

_PAGE = "api/post_tasks.md"
MOST_TASKS = 250
"""Tasks of one goal in one request: nobody else writes while they are made."""
_OWN = frozenset({"type", "complexity", "created_by_agent", *PLANNING})
"""Fields that only Stride knows."""


def creator(unit: Unit, who: Principal, asked: Data) -> str | None:
    """Which agent creates, where the task itself does not say so: this one, or the last that the caller was."""
    agent = named_agent(asked)
    if agent != UNKNOWN:
        attend(unit, who, worker_of(who, agent))
    if (model := model_of(who)) is not None:
        return model
    return agent if agent != UNKNOWN else _last_agent(unit, who)


def _last_agent(unit: Unit, who: Principal) -> str | None:
    mine = [worker for worker in unit.mirror.workers.values() if worker.principal == who.name]
    for worker in sorted(mine, key=lambda worker: worker.last_seen_at, reverse=True):
        agent = agent_of(who, worker.id)
        if agent is not None:
            return agent
    return None


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes tasks on a board in one unit of work, in the backlog or ready to be claimed."""

    unit: Unit
    who: Principal
    board: Board
    options: StrideChoices
    agent: str | None
    backlog: bool

    def task(self, sent: Data) -> Task:
        """One task, or a goal without tasks.

        Raises:
            Refused: a field is missing or wrong.
        """
        asked = parsed(sent)
        kind = Kind.GOAL if asked.type == "goal" else Kind.TASK
        return self._make(asked, kind, self._keys(asked, []), parent=None, backlog=self.backlog)

    def goal(self, sent: Data, children: Any) -> tuple[Task, list[Task]]:
        """A goal and its tasks, in order. An integer among a task's dependencies is the place of another of them.

        Raises:
            Refused: a field is missing or wrong.
        """
        if not isinstance(children, list):
            raise invalid({"tasks": [INVALID]}, _PAGE)
        if len(children) > MOST_TASKS:
            raise invalid({"tasks": [f"should have at most {MOST_TASKS} item(s)"]}, _PAGE)
        asked = parsed(sent | {"type": "goal"})
        wishes = [_child(at, child, len(children)) for at, child in enumerate(children)]
        # with tasks it stands where they do; alone it waits for them where it was put
        backlog = self.backlog and not wishes
        goal = self._make(asked, Kind.GOAL, self._keys(asked, []), parent=None, backlog=backlog)
        made: list[Task] = []
        for wish in wishes:
            keys = self._keys(wish, made)
            made.append(self._make(wish, Kind.TASK, keys, parent=goal.key, backlog=self.backlog))
        adopt(self.unit, self.who, made)
        for wish, task in zip(wishes, made, strict=True):
            self._turn_forward(wish, task, made)
        # each as it has become since: a goal counts its children, a task may wait for those made after it
        goal, *made = [the_task(self.unit, self.who, task.id) for task in (goal, *made)]
        return goal, made

    def _turn_forward(self, wish: TaskFields, task: Task, made: list[Task]) -> None:
        """Let a task depend on those that stand behind it, now that they are there."""
        later = [
            place for place in wish.dependencies or () if isinstance(place, int) and made[place].number > task.number
        ]
        if later:
            awaits = [*task.depends_on, *keys_of(task.awaits), *(made[place].key for place in later)]
            try:
                edit(self.unit, as_member(self.who), task.id, Edit({"depends_on": (), "awaits": awaits}))
            except DependencyCycle as error:
                raise invalid({"dependencies": [error.detail]}, _PAGE) from None

    def _keys(self, asked: TaskFields, made: list[Task]) -> tuple[str, ...]:
        """The keys of what a task depends on, as far as it is there or named."""
        places = [place for place in asked.dependencies or () if isinstance(place, int)]
        names = [name for name in asked.dependencies or () if isinstance(name, str)]
        return (*(key_of(self.board, name) for name in names), *(made[at].key for at in places if at < len(made)))

    def _make(
        self, asked: NewTaskFields, kind: Kind, keys: Iterable[str], *, parent: str | None, backlog: bool
    ) -> Task:
        goal = kind is Kind.GOAL
        own = own_fields(asked)
        agent = asked.created_by_agent or self.agent
        extra = as_extra(NAME, own | ({} if agent is None else {"created_by_agent": agent}))
        if len(extra) > MAX_EXTRA_BYTES:
            raise invalid({"base": [f"takes more than {MAX_EXTRA_BYTES} bytes beside title and description"]}, _PAGE)
        files = files_of(asked)
        if files:
            keep_files_apart(self.unit, self.who, self.board)
        wish = NewTask(
            files=orjson.dumps(files).decode(),
            title=asked.title,
            project=self.board.name,
            description=asked.description or "",
            priority=PRIORITIES[asked.priority or "medium"],
            capabilities=capabilities_of(asked),
            awaits=tuple(keys),
            max_attempts=MAX_ATTEMPTS_LIMIT,
            series=SERIES["goal" if goal else asked.type or "work"],
            backlog=backlog,
            review=Review.REQUIRED if goal else review_of(asked),
            approve_after_ms=self.options.after_goal_ms if goal else None,
            kind=kind,
            parent=parent,
            extra=extra,
        )
        try:
            return make(self.unit, self.who, wish)
        except DependencyCycle as error:
            raise invalid({"dependencies": [error.detail]}, _PAGE) from None
        except Invalid as error:
            raise invalid({error.field or "base": [error.detail]}, _PAGE) from None


def parsed(sent: Data) -> NewTaskFields:
    """The fields of a new task.

    Raises:
        Refused: one is missing or wrong.
    """
    try:
        asked = NewTaskFields.model_validate(sent)
    except ValidationError as error:
        raise invalid(told(error), _PAGE) from None
    if any(isinstance(name, int) for name in asked.dependencies or ()):  # only tasks of one goal have places
        raise invalid({"dependencies": [INVALID]}, _PAGE)
    return asked


def _child(at: int, sent: Any, count: int) -> NewTaskFields:
    """The fields of the task at that place of `count` in a goal."""
    if not isinstance(sent, dict):
        raise invalid({"tasks": [INVALID]}, _PAGE)
    try:
        asked = NewTaskFields.model_validate(sent)
    except ValidationError as error:
        raise invalid(_within(at, told(error)), _PAGE) from None
    places = [place for place in asked.dependencies or () if isinstance(place, int)]
    if asked.type == "goal" or not all(0 <= place < count and place != at for place in places):
        field = "type" if asked.type == "goal" else "dependencies"
        raise invalid(_within(at, {field: [INVALID]}), _PAGE)
    return asked


def _within(at: int, wrong: Errors) -> Errors:
    """What is wrong with the task at that place, where clients look for it."""
    return {"tasks": [*({} for _ in range(at)), wrong]}


def own_fields(asked: TaskFields) -> Data:
    """What of the fields only Stride knows, as it is kept: what is null is left out."""
    fields = asked.model_dump(include=set(_OWN & asked.model_fields_set), exclude_none=True)
    fields.pop("created_by_agent", None)
    if fields.get("type") == "goal":  # that the core knows
        del fields["type"]
    return fields


def files_of(asked: TaskFields) -> list[str]:
    """The files that the work is about, each once."""
    return list(dict.fromkeys(posixpath.normpath(one.file_path) for one in asked.key_files or ()))


def keep_files_apart(unit: Unit, who: Principal, board: Board) -> None:
    """Let no two tasks of the board that name the same file be handed out side by side."""
    if not unit.mirror.projects[board.name].exclusive_files:
        edit_project(unit, as_member(who), board.name, {"exclusive_files": True}, None)


def capabilities_of(asked: TaskFields) -> frozenset[str]:
    """What a claimer must be able to do; `human` if it is a task for people."""
    return frozenset(asked.required_capabilities or ()) | ({HUMAN} if asked.human_task else frozenset())


def review_of(asked: TaskFields) -> str | None:
    """Whether it is reviewed; None leaves it to the project."""
    if asked.needs_review is None:
        return None
    return Review.REQUIRED if asked.needs_review else Review.NONE
