"""What rules do to tasks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson

from taskdeck.domain.comment import MAX_COMMENT
from taskdeck.domain.errors import Invalid
from taskdeck.domain.events import Event
from taskdeck.domain.gates import MAX_GATES, gates_from
from taskdeck.domain.people import held_by_other
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task
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
_PLACES = re.compile(r"\{(?:key|title|project)\}")


def do(unit: Unit, who: Principal, act: dict[str, Any], task: Task, origin: dict[str, Any]) -> None:
    """Do `act` to `task` as `who`; what is so already is left alone. `origin` is told in the metadata of new tasks.

    With `unless_held` an act spares a task that is held.

    Raises:
        DeckError: the act is refused by the task's state or its project.
    """
    if act.get("unless_held") and held_by_other(task, who):
        return
    ref = task.id
    match act["act"]:
        case "create":
            create(unit, who, [_wish(act, act["project"] or task.bucket.project, task, unit.now, origin)])
        case "delegate":
            delegate(unit, who, ref, _wish(act, task.bucket.project, task, unit.now, origin), fence=None)
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
            facts = {"message": filled(act["message"], task)[:MAX_MESSAGE], "key": task.key}
            unit.append(Event(unit.now, "rule.notified", who.name, project=task.bucket.project, facts=facts))
        case "comment":
            comment(unit, who, ref, filled(act["text"], task)[:MAX_COMMENT])
        case other:
            raise RuntimeError(f"no rule does {other!r}")


def _wish(act: dict[str, Any], project: str, task: Task, now: int, origin: dict[str, Any]) -> NewTask:
    """The task that `act` describes, with what its texts say of `task` put in."""
    wish = from_template(from_json(orjson.dumps(act["task"]).decode()), project, now)
    return replace(
        wish,
        title=filled(wish.title, task)[:MAX_TITLE],
        description=filled(wish.description, task)[:MAX_DESCRIPTION],
        metadata=with_origin(wish.metadata, "rule", origin),
    )


def _require(unit: Unit, who: Principal, task: Task, wanted: list[dict[str, Any]]) -> None:
    """Add those of the gates that `task` does not have; none is ever taken away."""
    gates = [] if task.gates is None else orjson.loads(task.gates)
    known = set(gates_from(orjson.dumps(gates).decode()))
    added = [one for one in wanted if not known.issuperset(gates_from(orjson.dumps([one]).decode()))]
    if len(gates) + len(added) > MAX_GATES:
        raise Invalid(f"{task.key} would have more than {MAX_GATES} gates", field="gates")
    if added:
        edit(unit, who, task.id, Edit({"gates": orjson.dumps(gates + added).decode()}))


def filled(text: str, task: Task) -> str:
    """`text` with what it says of the task in braces put in: `{key}`, `{title}`, `{project}`."""
    # one pass: what a title brings in is not looked into again
    known = {"{key}": task.key, "{title}": task.title, "{project}": task.bucket.project}
    return _PLACES.sub(lambda place: known[place[0]], text)
