"""Automations in Delega's words, and as rules of the deck."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import orjson

from taskdeck.dialects.delega.letters import EVENTS
from taskdeck.dialects.delega.sourcing import LABEL
from taskdeck.dialects.delega.task import content_of
from taskdeck.dialects.delega.words import (
    POLICY,
    PRIORITY,
    SPAN,
    due_said,
    priority_said,
    project_said,
    task_id,
)
from taskdeck.domain.errors import Invalid
from taskdeck.domain.events import Event
from taskdeck.domain.places import paths_in, refuse_odd
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.rule import SOURCE, Condition, Op, Rule
from taskdeck.domain.states import State
from taskdeck.domain.task import MAX_ATTEMPTS_LIMIT, Task
from taskdeck.domain.template import Template, from_json

Said = dict[str, Any]

_ONLY: Final = {
    "task.completed": Condition("state", Op.EQ, State.DONE.value),
    "task.state_changed": Condition("facts.from_state", Op.NOT_NULL),
}
"""What the deck's event must say to be Delega's."""
_FROM_OUTSIDE: Final = Condition(SOURCE, Op.NOT_NULL)
_FROM_INSIDE: Final = Condition(SOURCE, Op.IS_NULL)
_SOURCES: Final = {
    ("source", "eq", "ingress"): _FROM_OUTSIDE,
    ("source", "neq", "ingress"): _FROM_INSIDE,
}
"""The one source that Delega tells from all others."""
_FIELDS = {
    "label": "labels",
    "project_id": "project",
    "assigned_to_agent_id": "assignee",
    "created_by_agent_id": "created_by",
}
_FIELD_SAID = {field: word for word, field in _FIELDS.items()}
SPARING: Final = {"unless_held": True}
"""An automation changes nothing of a task that is held."""
_OPS = {
    "has": Op.HAS,
    "not_has": Op.HAS_NOT,
    "eq": Op.EQ,
    "neq": Op.NEQ,
    "is_null": Op.IS_NULL,
    "not_null": Op.NOT_NULL,
}
_OP_SAID = {op: word for word, op in _OPS.items()}
_OF_IDS = ("eq", "neq", "is_null", "not_null")
_ALLOWED = {
    "label": ("has", "not_has"),
    "priority": ("eq", "neq", "gte", "lte"),
    "source": ("eq", "neq"),
    "project_id": _OF_IDS,
    "assigned_to_agent_id": _OF_IDS,
    "created_by_agent_id": _OF_IDS,
}
"""What each field is compared by."""
_PRIORITIES = {
    **{("priority", "eq", step): Condition("priority", Op.WITHIN, list(span)) for step, span in SPAN.items()},
    **{("priority", "neq", step): Condition("priority", Op.OUTSIDE, list(span)) for step, span in SPAN.items()},
    **{("priority", "gte", step): Condition("priority", Op.GTE, least) for step, (least, _) in SPAN.items()},
    **{("priority", "lte", step): Condition("priority", Op.LTE, most) for step, (_, most) in SPAN.items()},
}
_NAMED = {(field, op, str(value)): known for (field, op, value), known in (_PRIORITIES | _SOURCES).items()}
"""By values as text, for clients may send numbers so."""
_PLACES = {"event", "task.id", "task.content", "task.priority", "task.project_id", "task.labels", "task.due_date"}


def telling(rule: Rule, task: Task, _: Event) -> Said:
    """What places in the texts of an automation stand for."""
    return {
        "event": event_said(rule),
        "task": {
            "id": task_id(task.id),
            "content": content_of(task),
            "priority": priority_said(task.priority),
            "project_id": project_said(task.bucket.project),
            "labels": ", ".join(sorted(task.bucket.labels)),
            "due_date": due_said(task.due),
        },
    }


def parts_of(name: str, event: str, conditions: Iterable[Said], actions: Iterable[Said]) -> Said:
    """The fields of the deck's rule `name` for what Delega says of an automation.

    Raises:
        Invalid: no such condition or action can be.
    """
    when = _conditions_of(name, event, conditions)
    acts = tuple(_act_of(action, outside=_FROM_OUTSIDE in when) for action in actions)
    return {"events": EVENTS[event], "conditions": when, "acts": acts}


def _conditions_of(name: str, event: str, asked: Iterable[Said]) -> tuple[Condition, ...]:
    """The deck's conditions for Delega's, and behind them what these imply.

    An automation heeds what came from outside only if it says so, and never what it made itself.
    """
    found = [_condition(one["field"], one["op"], one["value"]) for one in asked]
    implied = [_own(name)]
    if event in _ONLY:
        implied.append(_ONLY[event])
    if _FROM_OUTSIDE not in found and _FROM_INSIDE not in found:
        implied.append(_FROM_INSIDE)
    return (*found, *implied)


def _own(name: str) -> Condition:
    return Condition("created_by", Op.NEQ, f"rule:{name}")


def _condition(field: str, op: str, value: Any) -> Condition:
    if op not in _ALLOWED[field]:
        raise Invalid(f"the condition {field} takes {', '.join(_ALLOWED[field])}, not {op}")
    if (value is None) != (op in ("is_null", "not_null")):
        raise Invalid(f"the condition {field} {op} {'needs a' if value is None else 'takes no'} value")
    if field in ("priority", "source"):
        found = _NAMED.get((field, op, str(value)))
        if found is None:
            raise Invalid("a condition on priority names 1 to 4" if field == "priority" else "the source is ingress")
        return found
    if field == "project_id" and value is None:
        return Condition("project", Op.EQ if op == "is_null" else Op.NEQ, DEFAULT_PROJECT)
    return Condition(_FIELDS[field], _OPS[op], None if value is None else str(value))


def _act_of(asked: Said, *, outside: bool) -> Said:
    """The deck's act for one of Delega's actions, of a rule that heeds what came from `outside` or not."""

    def needed(name: str) -> Any:
        if asked[name] is None:
            raise Invalid(f"the action {asked['type']} needs {name}")
        return asked[name]

    match asked["type"]:
        case "assign":
            return SPARING | {"act": "assign", "assignee": needed("agent_id")}
        case "set_priority":
            return SPARING | {"act": "reprioritize", "priority": PRIORITY[needed("priority")]}
        case "add_label":
            return SPARING | {"act": "label", "add": [needed("label")], "remove": []}
        case "add_comment":
            return {"act": "comment", "text": _placed(needed("content"))}
        case "create_task":
            needed("content")
            return {"act": "create", "project": asked["project_id"], "task": _task_of(asked, outside)}
        case "delegate":
            needed("content")
            asked = asked | {"assigned_to_agent_id": asked["assigned_to_agent_id"] or asked["agent_id"]}
            return SPARING | {"act": "delegate", "project": asked["project_id"], "task": _task_of(asked, outside)}
        case "set_evidence_policy":
            needed("evidence_policy")
            return SPARING | {"act": "require", "gates": [POLICY]}
        case other:
            raise RuntimeError(f"no automation does {other!r}")


def _task_of(asked: Said, outside: bool) -> Said:
    """The document of the task that an action makes; what is made of what came from outside is known by its label."""
    template = Template(
        _placed(asked["content"]),
        description=_placed(asked["description"] or ""),
        priority=PRIORITY[asked["priority"] or 1],
        labels=frozenset(asked["labels"] or ()) | ({LABEL} if outside else set()),
        assignee=asked["assigned_to_agent_id"],
        max_attempts=MAX_ATTEMPTS_LIMIT,
    )
    document: Said = orjson.loads(orjson.dumps(template.view()))
    return document


def _placed(text: str) -> str:
    """`text`, whose places all name something.

    Raises:
        Invalid: one does not.
    """
    try:
        refuse_odd(text)
    except ValueError as error:
        raise Invalid(f"the text {error}") from None
    for path in paths_in(text):
        if path not in _PLACES:
            raise Invalid(f"there is no placeholder {{{{{path}}}}}; there are {', '.join(sorted(_PLACES))}")
    return text


def event_said(rule: Rule) -> str:
    """The event that an automation waits for."""
    return next(word for word, kinds in EVENTS.items() if rule.events == kinds)


def conditions_said(rule: Rule) -> list[Said]:
    """The conditions of an automation; what is implied stands behind them and is not told."""
    implied = [at for at, one in enumerate(rule.conditions) if one == _own(rule.name)][-1]
    return [_condition_said(one) for one in rule.conditions[:implied]]


def _condition_said(one: Condition) -> Said:
    for (field, op, value), known in (_PRIORITIES | _SOURCES).items():
        if one == known:
            return {"field": field, "op": op, "value": value}
    word: Said = {"field": _FIELD_SAID[one.field], "op": _OP_SAID[one.op], "value": one.value}
    if one.field == "project" and one.value == DEFAULT_PROJECT:
        word |= {"op": "is_null" if one.op is Op.EQ else "not_null", "value": None}
    return word


def actions_said(rule: Rule) -> list[Said]:
    """What an automation does."""
    return [_action_said(act, outside=_FROM_OUTSIDE in rule.conditions) for act in rule.acts]


def _action_said(act: Said, *, outside: bool) -> Said:
    match act["act"]:
        case "assign":
            return {"type": "assign", "agent_id": act["assignee"]}
        case "reprioritize":
            return {"type": "set_priority", "priority": priority_said(act["priority"])}
        case "label":
            return {"type": "add_label", "label": act["add"][0]}
        case "comment":
            return {"type": "add_comment", "content": act["text"]}
        case "create":
            return {"type": "create_task"} | _task_said(act, outside)
        case "delegate":
            said = _task_said(act, outside)
            return {"type": "delegate", "agent_id": said["assigned_to_agent_id"]} | said
        case "require":
            return {"type": "set_evidence_policy", "evidence_policy": "required"}
        case other:
            raise RuntimeError(f"no automation does {other!r}")


def _task_said(act: Said, outside: bool) -> Said:
    template = from_json(orjson.dumps(act["task"]).decode())
    return {
        "content": template.title,
        "description": template.description or None,
        "priority": priority_said(template.priority),
        "project_id": None if act["project"] is None else project_said(act["project"]),
        "labels": sorted(template.labels - ({LABEL} if outside else set())),
        "assigned_to_agent_id": template.assignee,
    }
