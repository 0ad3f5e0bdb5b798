"""What rules do to tasks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson

from taskdeck.domain.comment import MAX_COMMENT
from taskdeck.domain.events import Event
from taskdeck.domain.people import held_by_other
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task
from taskdeck.domain.template import from_json, with_origin
from taskdeck.service.comments import comment
from taskdeck.service.create import create
from taskdeck.service.edit import edit
from taskdeck.service.operate import assign, cancel, reprioritize, retry
from taskdeck.service.requests import Edit, from_template
from taskdeck.store.unit import Unit

MAX_TITLE, MAX_DESCRIPTION, MAX_MESSAGE = 500, 100_000, 10_000
"""Characters that are left of a text when what it says of the task has been put in."""
_PLACES = re.compile(r"\{(?:key|title|project)\}")


def do(unit: Unit, who: Principal, act: dict[str, Any], task: Task, origin: dict[str, Any]) -> None:
    """Do `act` to `task` as `who`; what is so already is left alone. With `unless_held` an act spares a task that somebody else holds. `origin` is told in the metadata of new tasks.

    Raises:
        DeckError: the act is refused by the task's state or its project.
    """
    if act.get("unless_held") and held_by_other(task, who):
        return
    ref = task.id
    match act["act"]:
        case "create":
            _create(unit, who, act, task, origin)
        case "reprioritize":
            if task.priority != act["priority"]:
                reprioritize(unit, who, ref, act["priority"])
        case "assign":
            if task.bucket.assignee != act["assignee"]:
                assign(unit, who, ref, act["assignee"])
        case "label":
            labels = (task.bucket.labels | set(act["add"])) - set(act["remove"])
            if labels != task.bucket.labels:
                edit(unit, who, ref, Edit({"labels": labels}))
        case "cancel":
            cancel(unit, who, ref, reason=act["reason"])
        case "retry":
            retry(unit, who, ref, delay_ms=round(act["delay_seconds"] * 1000), reset_attempts=act["reset_attempts"])
        case "notify":
            facts = {"message": filled(act["message"], task)[:MAX_MESSAGE], "key": task.key}
            unit.append(Event(unit.now, "rule.notified", who.name, project=task.bucket.project, facts=facts))
        case "comment":
            comment(unit, who, ref, filled(act["text"], task)[:MAX_COMMENT])
        case other:
            raise RuntimeError(f"no rule does {other!r}")


def _create(unit: Unit, who: Principal, act: dict[str, Any], task: Task, origin: dict[str, Any]) -> None:
    template = from_json(orjson.dumps(act["task"]).decode())
    wish = from_template(template, act["project"] or task.bucket.project, unit.now)
    told = replace(
        wish,
        title=filled(wish.title, task)[:MAX_TITLE],
        description=filled(wish.description, task)[:MAX_DESCRIPTION],
        metadata=with_origin(wish.metadata, "rule", origin),
    )
    create(unit, who, [told])


def filled(text: str, task: Task) -> str:
    """`text` with what it says of the task in braces put in: `{key}`, `{title}`, `{project}`."""
    # one pass: what a title brings in is not looked into again
    known = {"{key}": task.key, "{title}": task.title, "{project}": task.bucket.project}
    return _PLACES.sub(lambda place: known[place[0]], text)
