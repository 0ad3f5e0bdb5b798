"""Automations: Delega's are the deck's rules, as far as its words reach."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AfterValidator, Field

from taskdeck.dialects.delega.letters import EVENTS
from taskdeck.dialects.delega.replies import View, alter
from taskdeck.dialects.delega.ruling import (
    act_of,
    action_said,
    conditions_of,
    conditions_said,
    event_said,
    events_of_rule,
)
from taskdeck.dialects.delega.standing import an_assignee
from taskdeck.dialects.delega.wire import Flag, Id, Labels, Priority, Wire, a_word_of, route, sent
from taskdeck.dialects.delega.words import moment
from taskdeck.domain.errors import Conflict
from taskdeck.domain.principal import Role
from taskdeck.domain.rule import Rule
from taskdeck.http.call import Call
from taskdeck.http.models import Text, WorkerId
from taskdeck.service.find import the_project
from taskdeck.service.rules import (
    create_rule,
    delete_rule,
    edit_rule,
    pause_rule,
    resume_rule,
    sees,
    the_rule,
    unknown_rule,
)
from taskdeck.store.rules import list_rules
from taskdeck.store.unit import Unit

Event = Annotated[str, AfterValidator(a_word_of(EVENTS))]
Template = Annotated[Text, Field(min_length=1, max_length=500)]


class When(Wire):
    """A comparison; all must hold."""

    field: Literal["label", "priority", "project_id", "assigned_to_agent_id", "created_by_agent_id", "source"]
    op: Literal["has", "not_has", "eq", "neq", "gte", "lte", "is_null", "not_null"]
    value: Annotated[str, Field(max_length=200)] | int | None = None


class Action(Wire):
    """Something to do."""

    type: Literal[
        "assign", "set_priority", "add_label", "add_comment", "create_task", "delegate", "set_evidence_policy"
    ]
    agent_id: Id | None = None
    priority: Priority | None = None
    label: WorkerId | None = None
    content: Template | None = None
    description: Annotated[Text, Field(max_length=2_000)] | None = None
    project_id: Id | None = None
    labels: Labels | None = None
    assigned_to_agent_id: Id | None = None
    evidence_policy: Literal["required"] | None = None


Conditions = Annotated[list[When], Field(max_length=10)]
Actions = Annotated[list[Action], Field(min_length=1, max_length=5)]
RuleName = Annotated[WorkerId, Field(max_length=80)]


class NewAutomation(Wire):
    """A rule to be made."""

    name: RuleName
    event: Event
    conditions: Conditions = Field(default_factory=list)
    actions: Actions
    active: Flag = True


class UpdateAutomation(Wire):
    """What is to change; conditions and actions as a whole."""

    name: RuleName | None = None
    event: Event | None = None
    conditions: Conditions | None = None
    actions: Actions | None = None
    active: Flag | None = None


def _document(rule: Rule) -> View | None:
    """A rule as Delega's clients read it; None for one that they have no words for."""
    event, conditions = event_said(rule), conditions_said(rule.conditions)
    actions = [said for act in rule.acts if (said := action_said(act)) is not None]
    if event is None or conditions is None or len(actions) < len(rule.acts):
        return None
    return {
        "id": rule.name,
        "name": rule.name,
        "event": event,
        "conditions": conditions,
        "actions": actions,
        "active": rule.paused_at is None,
        "run_count": rule.runs,
        "failure_count": rule.failures,
        "last_run_at": moment(rule.last_run_at),
        "created_at": moment(rule.created_at),
    }


def _shown(rule: Rule) -> View:
    document = _document(rule)
    if document is None:
        raise unknown_rule(rule.name)
    return document


def _acts(unit: Unit, call: Call, actions: list[Action]) -> tuple[View, ...]:
    """What is to be done, by agents and in projects that there are."""
    for action in actions:
        for name in (action.agent_id, action.assigned_to_agent_id):
            an_assignee(unit, call.who, name)
        if action.project_id is not None:
            the_project(unit, call.who, action.project_id)
    return tuple(act_of(action.model_dump()) for action in actions)


@route("GET", "/automations", Role.ADMIN)
async def get_automations(call: Call) -> web.StreamResponse:
    """List the rules that can be said in Delega's words."""
    found = [_document(rule) for rule in await list_rules(call.deck.reader) if sees(call.who, rule)]
    return call.json([document for document in found if document is not None])


@route("POST", "/automations", Role.ADMIN)
async def post_automation(call: Call) -> web.StreamResponse:
    """Let something be done by itself."""
    asked = sent(call, NewAutomation)

    def work(unit: Unit) -> View:
        rule = Rule(
            name=asked.name,
            project=None,
            events=events_of_rule(asked.event),
            conditions=conditions_of(asked.event, (when.model_dump() for when in asked.conditions)),
            acts=_acts(unit, call, asked.actions),
            paused_at=None if asked.active else unit.now,
            paused_by=None if asked.active else call.who.name,
            pause_reason=None,
            runs=0,
            failures=0,
            last_run_at=None,
            created_by=call.who.name,
            created_at=unit.now,
        )
        return _shown(create_rule(unit, call.who, rule))

    return await alter(call, work, 201)


@route("PUT", "/automations/{id}", Role.ADMIN)
async def put_automation(call: Call) -> web.StreamResponse:
    """Change a rule; active again, it begins with a clean record."""
    asked, name = sent(call, UpdateAutomation), call.path("id")
    if asked.name is not None and asked.name != name:
        raise Conflict("An automation of this server keeps its name.", code="name_kept")

    def work(unit: Unit) -> View:
        rule = the_rule(unit, call.who, name)
        before = _shown(rule)
        event = asked.event or before["event"]
        said = before["conditions"] if asked.conditions is None else [when.model_dump() for when in asked.conditions]
        fields: dict[str, Any] = {"events": events_of_rule(event), "conditions": conditions_of(event, said)}
        if asked.actions is not None:
            fields["acts"] = _acts(unit, call, asked.actions)
        rule = edit_rule(unit, call.who, name, fields, None)
        if asked.active is not None:
            rule = resume_rule(unit, call.who, name) if asked.active else pause_rule(unit, call.who, name, None)
        return _shown(rule)

    return await alter(call, work)


@route("DELETE", "/automations/{id}", Role.ADMIN)
async def remove_automation(call: Call) -> web.StreamResponse:
    """Forget a rule; what it did stays."""
    name = call.path("id")

    def work(unit: Unit) -> View:
        _shown(the_rule(unit, call.who, name))
        return {"ok": True, "deleted": delete_rule(unit, call.who, name).name}

    return await alter(call, work)
