"""Automations: those made here are rules of the deck, whose texts are filled in from what Delega calls things."""

from __future__ import annotations

from itertools import count
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator, Field

from taskdeck.dialects.delega.letters import EVENTS
from taskdeck.dialects.delega.replies import View, alter
from taskdeck.dialects.delega.ruling import actions_said, conditions_said, event_said, parts_of
from taskdeck.dialects.delega.standing import an_assignee
from taskdeck.dialects.delega.wire import Flag, Id, Labels, Priority, Wire, a_word_of, not_blank, route, sent
from taskdeck.dialects.delega.words import NAME, moment
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.rule import Rule
from taskdeck.http.call import Call
from taskdeck.http.models import Line, Text, WorkerId
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
from taskdeck.store.rules import find, list_rules
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
RuleName = Annotated[Line, Field(min_length=1, max_length=80), AfterValidator(not_blank)]


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


def _document(rule: Rule) -> View:
    """An automation as Delega's clients read it."""
    return {
        "id": rule.name,
        "name": rule.description,
        "event": event_said(rule),
        "conditions": conditions_said(rule),
        "actions": actions_said(rule),
        "active": rule.paused_at is None,
        "run_count": rule.runs,
        "failure_count": rule.failures,
        "last_run_at": moment(rule.last_run_at),
        "created_at": moment(rule.created_at),
    }


def _is_here(who: Principal, rule: Rule) -> bool:
    """Whether a rule was said in Delega's words, and `who` sees it."""
    return rule.via == NAME and sees(who, rule)


def _the(unit: Unit, who: Principal, name: str) -> Rule:
    rule = the_rule(unit, who, name)
    if not _is_here(who, rule):
        raise unknown_rule(name)
    return rule


def _said(unit: Unit, call: Call, actions: list[Action]) -> list[View]:
    """What is to be done, by agents and in projects that there are."""
    for action in actions:
        for name in (action.agent_id, action.assigned_to_agent_id):
            an_assignee(unit, call.who, name)
        if action.project_id is not None:
            the_project(unit, call.who, action.project_id)
    return [action.model_dump() for action in actions]


def _free_name(unit: Unit, wanted: str) -> str:
    """A name for a rule that none has, `wanted` if it can be: the deck calls it by that, whatever it is called here."""
    name = wanted.replace("/", "-")
    if name in (".", ".."):  # which mean something in a path
        name = f"automation {name}"
    taken = (f"{name}-{n}" for n in count(2))
    return name if find(unit, name) is None else next(other for other in taken if find(unit, other) is None)


@route("GET", "/automations", Role.ADMIN)
async def get_automations(call: Call) -> web.StreamResponse:
    """List the automations."""
    return call.json([_document(rule) for rule in await list_rules(call.deck.reader) if _is_here(call.who, rule)])


@route("POST", "/automations", Role.ADMIN)
async def post_automation(call: Call) -> web.StreamResponse:
    """Let something be done by itself."""
    asked = sent(call, NewAutomation)

    def work(unit: Unit) -> View:
        name = _free_name(unit, asked.name)
        conditions = [when.model_dump() for when in asked.conditions]
        rule = Rule(
            name=name,
            description=asked.name,
            project=None,
            via=NAME,
            paused_at=None if asked.active else unit.now,
            paused_by=None if asked.active else call.who.name,
            pause_reason=None,
            runs=0,
            failures=0,
            last_run_at=None,
            created_by=call.who.name,
            created_at=unit.now,
            **parts_of(name, asked.event, conditions, _said(unit, call, asked.actions)),
        )
        return _document(create_rule(unit, call.who, rule))

    return await alter(call, work, 201)


@route("PUT", "/automations/{id}", Role.ADMIN)
async def put_automation(call: Call) -> web.StreamResponse:
    """Change a rule; active again, it begins with a clean record."""
    asked, name = sent(call, UpdateAutomation), call.path("id")

    def work(unit: Unit) -> View:
        rule = _the(unit, call.who, name)
        conditions, actions = conditions_said(rule), actions_said(rule)
        if asked.conditions is not None:
            conditions = [when.model_dump() for when in asked.conditions]
        if asked.actions is not None:
            actions = _said(unit, call, asked.actions)
        fields = parts_of(name, asked.event or event_said(rule), conditions, actions)
        if asked.name is not None:
            fields["description"] = asked.name
        rule = edit_rule(unit, call.who, name, fields, None)
        if asked.active is not None:
            rule = resume_rule(unit, call.who, name) if asked.active else pause_rule(unit, call.who, name, None)
        return _document(rule)

    return await alter(call, work)


@route("DELETE", "/automations/{id}", Role.ADMIN)
async def remove_automation(call: Call) -> web.StreamResponse:
    """Forget a rule; what it did stays."""
    name = call.path("id")

    def work(unit: Unit) -> View:
        _the(unit, call.who, name)
        return {"ok": True, "deleted": delete_rule(unit, call.who, name).name}

    return await alter(call, work)
