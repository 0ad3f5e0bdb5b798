"""What rules do to tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from taskdeck.domain.comment import MAX_COMMENT
from taskdeck.domain.errors import Invalid
from taskdeck.domain.events import Event
from taskdeck.domain.gates import MAX_GATES, gates_from
from taskdeck.domain.people import held_by_other
from taskdeck.domain.principal import Principal
from taskdeck.domain.source import UNTRUSTED, source_of
from taskdeck.domain.task import Json, Task
from taskdeck.domain.template import from_json, with_origin
from taskdeck.service.comments import comment
from taskdeck.service.create import create
from taskdeck.service.delegate import delegate
from taskdeck.service.edit import edit
from taskdeck.service.operate import assign, cancel, reprioritize, retry
from taskdeck.service.requests import Edit, NewTask, from_template
from taskdeck.store.unit import Unit

MAX_TITLE, MAX_DESCRIPTION, MAX_MESSAGE = 500, 100_000, 10_000
"""Characters that are left of a text when what it says of the task has been put in."""

Filler = Callable[[str, int], str]
"""Fills in the places of a text, and cuts it to so many characters."""


def do(unit: Unit, who: Principal, act: dict[str, Any], task: Task, origin: dict[str, Any], filled: Filler) -> None:
    """Do `act` to `task` as `who`; what is so already is left alone. `origin` is told in the metadata of new tasks.

    With `unless_held` an act spares a task that is held. What is made of a task that somebody outside has worded is
    marked as that is.

    Raises:
        DeckError: the act is refused by the task's state or its project.
    """
    if act.get("unless_held") and held_by_other(task, who):
        return
    ref = task.id
    match act["act"]:
        case "create":
            create(unit, who, [_wish(act, task, unit.now, origin, filled)])
        case "delegate":
            delegate(unit, who, ref, _wish(act, task, unit.now, origin, filled), fence=None)
        case "require":
            _require(unit, who, task, act["gates"])
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
            facts = {"message": filled(act["message"], MAX_MESSAGE), "key": task.key}
            unit.append(Event(unit.now, "rule.notified", who.name, project=task.bucket.project, facts=facts))
        case "comment":
            if text := filled(act["text"], MAX_COMMENT):
                comment(unit, who, ref, text)
        case other:
            raise RuntimeError(f"no rule does {other!r}")


def _wish(act: dict[str, Any], task: Task, now: int, origin: dict[str, Any], filled: Filler) -> NewTask:
    """The task that `act` describes, in the project of `task` unless it names another."""
    wish = from_template(from_json(orjson.dumps(act["task"]).decode()), act.get("project") or task.bucket.project, now)
    labels, metadata = wish.labels, with_origin(wish.metadata, "rule", origin)
    source = source_of(task)
    if source is not None:
        labels, metadata = labels | {UNTRUSTED}, _worded_by(source, metadata)
    return replace(
        wish,
        title=filled(wish.title, MAX_TITLE) or f"of {task.key}",
        description=filled(wish.description, MAX_DESCRIPTION),
        labels=labels,
        metadata=metadata,
    )


def _worded_by(source: str, metadata: Json) -> Json:
    """`metadata` with the mark of the source, so that what is made of the task is known by it too."""
    return with_origin(with_origin(metadata, "source", source), UNTRUSTED, True)


def _require(unit: Unit, who: Principal, task: Task, wanted: list[dict[str, Any]]) -> None:
    """Add those of the gates that `task` does not have; none is ever taken away."""
    gates = [] if task.gates is None else orjson.loads(task.gates)
    known = set(gates_from(orjson.dumps(gates).decode()))
    added = [one for one in wanted if not known.issuperset(gates_from(orjson.dumps([one]).decode()))]
    if len(gates) + len(added) > MAX_GATES:
        raise Invalid(f"{task.key} would have more than {MAX_GATES} gates", field="gates")
    if added:
        edit(unit, who, task.id, Edit({"gates": orjson.dumps(gates + added).decode()}))
