"""Automations in Delega's words, and as rules of the deck."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from taskdeck.dialects.delega.letters import EVENTS
from taskdeck.dialects.delega.words import POLICY, PRIORITY, SPAN, priority_said, project_said
from taskdeck.domain.errors import Invalid
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.rule import EVENTS as HEEDED
from taskdeck.domain.rule import Condition, Op, Rule
from taskdeck.domain.states import State
from taskdeck.domain.task import MAX_ATTEMPTS_LIMIT
from taskdeck.domain.template import Template, from_json

Said = dict[str, Any]

_ONLY: Final = {
    "task.completed": Condition("state", Op.EQ, State.DONE.value),
    "task.state_changed": Condition("facts.from_state", Op.NOT_NULL),
}
"""What the deck's event must say to be Delega's."""
_FIELDS = {
    "label": "labels",
    "priority": "priority",
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
_PLACES = {"{{task.id}}": "{key}", "{{task.content}}": "{title}", "{{task.project_id}}": "{project}"}
_ANY_PLACE = re.compile(r"\{\{[^}]*\}\}")


def _not_here(what: str) -> Invalid:
    return Invalid(f"{what} is not available in automations of this server", code="not_available")


def events_of_rule(event: str) -> tuple[str, ...]:
    """The deck's events that a rule for this one of Delega's waits for.

    Raises:
        Invalid: no rule waits for those.
    """
    heeded = tuple(kind for kind in EVENTS[event] if kind in HEEDED)
    if not heeded:
        raise _not_here(f"the event {event}")
    return heeded


def conditions_of(event: str, asked: Iterable[Said]) -> tuple[Condition, ...]:
    """The deck's conditions for Delega's.

    Raises:
        Invalid: there is no such condition here.
    """
    found = [_ONLY[event]] if event in _ONLY else []
    for one in asked:
        found += _condition(one["field"], one["op"], one["value"])
    return tuple(found)


def _condition(field: str, op: str, value: Any) -> list[Condition]:
    if field == "priority" and op in ("eq", "gte", "lte") and value in SPAN:
        least, most = SPAN[value]
        low, high = Condition("priority", Op.GTE, least), Condition("priority", Op.LTE, most)
        return {"eq": [low, high], "gte": [low], "lte": [high]}[op]
    allowed = ("has", "not_has") if field == "label" else ("eq", "neq", "is_null", "not_null")
    if field in ("priority", "source") or op not in allowed:
        raise _not_here(f"the condition {field} {op} {value if value is not None else ''}".strip())
    if (value is None) != (op in ("is_null", "not_null")):
        raise Invalid(f"the condition {field} {op} {'needs a' if value is None else 'takes no'} value")
    if field == "project_id" and value is None:
        return [Condition("project", Op.EQ if op == "is_null" else Op.NEQ, DEFAULT_PROJECT)]
    return [Condition(_FIELDS[field], _OPS[op], None if value is None else str(value))]


def act_of(asked: Said) -> Said:
    """The deck's act for one of Delega's actions.

    Raises:
        Invalid: there is no such action here, or it lacks what it needs.
    """

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
            return {"act": "comment", "text": _filled_here(needed("content"))}
        case "create_task":
            needed("content")
            return {"act": "create", "project": asked["project_id"], "task": _task_of(asked)}
        case "delegate":
            needed("content")
            if asked["project_id"] is not None:
                raise _not_here("the project_id of the action delegate")
            return SPARING | {"act": "delegate", "task": _task_of(asked)}
        case "set_evidence_policy":
            needed("evidence_policy")
            return SPARING | {"act": "require", "gates": [POLICY]}
        case other:
            raise _not_here(f"the action {other}")


def _task_of(asked: Said) -> Said:
    """The document of the task that an action makes."""
    template = Template(
        _filled_here(asked["content"]),
        description=_filled_here(asked["description"] or ""),
        priority=PRIORITY[asked["priority"] or 1],
        labels=frozenset(asked["labels"] or ()),
        assignee=asked["assigned_to_agent_id"],
        max_attempts=MAX_ATTEMPTS_LIMIT,
    )
    document: Said = orjson.loads(orjson.dumps(template.view()))
    return document


def _filled_here(text: str) -> str:
    for theirs, ours in _PLACES.items():
        text = text.replace(theirs, ours)
    if left := _ANY_PLACE.search(text):
        raise _not_here(f"the placeholder {left[0]}")
    return text


def _filled_there(text: str) -> str:
    for theirs, ours in _PLACES.items():
        text = text.replace(ours, theirs)
    return text


def event_said(rule: Rule) -> str | None:
    """Delega's event that a rule waits for; None if it has no word for it."""
    return next((word for word, kinds in EVENTS.items() if rule.events == tuple(k for k in kinds if k in HEEDED)), None)


def conditions_said(conditions: Sequence[Condition]) -> list[Said] | None:
    """The conditions of a rule in Delega's words; None if there is none for one of them."""
    told: list[Said] = []
    for at, one in enumerate(conditions):
        if one in _ONLY.values():
            continue
        if one.field == "priority":
            said = _priority_said(one, conditions[at + 1] if at + 1 < len(conditions) else None, told)
        else:
            said = _said(one)
        if said is None:
            return None
        told += said
    return told


def _said(one: Condition) -> list[Said] | None:
    if one.field not in _FIELD_SAID or one.op not in _OP_SAID:
        return None
    word: Said = {"field": _FIELD_SAID[one.field], "op": _OP_SAID[one.op], "value": one.value}
    if one.field == "project" and one.value == DEFAULT_PROJECT:
        word |= {"op": "is_null" if one.op is Op.EQ else "not_null", "value": None}
    return [word]


def _priority_said(one: Condition, after: Condition | None, told: list[Said]) -> list[Said] | None:
    """A bound of a priority; both bounds of one step are said as that step, at the first of them."""
    bounds = {(Op.GTE, least): step for step, (least, _) in SPAN.items()} | {
        (Op.LTE, most): step for step, (_, most) in SPAN.items()
    }
    step = bounds.get((one.op, one.value))
    if step is None:
        return None
    if one.op is Op.LTE and told and told[-1] == {"field": "priority", "op": "eq", "value": step}:
        return []
    both = after is not None and (after.field, after.op, after.value) == ("priority", Op.LTE, SPAN[step][1])
    return [{"field": "priority", "op": "eq" if one.op is Op.GTE and both else one.op.value, "value": step}]


def action_said(act: Said) -> Said | None:
    """An act in Delega's words; None if it has none for it."""
    match act["act"]:
        case "assign" if act["assignee"] is not None:
            return {"type": "assign", "agent_id": act["assignee"]}
        case "reprioritize":
            return {"type": "set_priority", "priority": priority_said(act["priority"])}
        case "label" if len(act["add"]) == 1 and not act["remove"]:
            return {"type": "add_label", "label": act["add"][0]}
        case "comment":
            return {"type": "add_comment", "content": _filled_there(act["text"])}
        case "create":
            project = None if act["project"] is None else project_said(act["project"])
            return {"type": "create_task", "project_id": project} | _task_said(act["task"])
        case "delegate":
            return {"type": "delegate"} | _task_said(act["task"])
        case "require" if act["gates"] == [POLICY]:
            return {"type": "set_evidence_policy", "evidence_policy": "required"}
    return None


def _task_said(document: Said) -> Said:
    template = from_json(orjson.dumps(document).decode())
    return {
        "content": _filled_there(template.title),
        "description": _filled_there(template.description) or None,
        "priority": priority_said(template.priority),
        "labels": sorted(template.labels),
        "assigned_to_agent_id": template.assignee,
    }
