"""Recurrences: Delega's are the deck's schedules."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import orjson
from aiohttp import web
from pydantic import Field, model_validator

from taskdeck.dialects.delega.recurring import Rule, rule_of, said
from taskdeck.dialects.delega.replies import View, alter
from taskdeck.dialects.delega.standing import an_assignee, reads_all
from taskdeck.dialects.delega.wire import Content, Flag, Id, Labels, Priority, Whole, Wire, route, sent
from taskdeck.dialects.delega.words import PRIORITY, day_of, due_of, moment, priority_said, project_said
from taskdeck.domain.errors import Forbidden
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.schedule import CatchUp, Overlap, Schedule
from taskdeck.domain.task import MAX_ATTEMPTS_LIMIT
from taskdeck.domain.template import Template
from taskdeck.http.call import Call
from taskdeck.http.models import Text
from taskdeck.service.schedules import (
    create_schedule,
    delete_schedule,
    edit_schedule,
    pause_schedule,
    resume_schedule,
    the_schedule,
    unknown_schedule,
)
from taskdeck.store.schedules import last_made, list_schedules
from taskdeck.store.unit import Unit

RULE = ("rule_type", "interval", "timezone", "anchor_day", "anchor_month", "anchor_weekday", "next_due_at")
Title = Annotated[Content, Field(max_length=500)]
Zone = Annotated[Text, Field(max_length=60)]


class Fields(Wire):
    """What recurs and when; an explicit null clears."""

    description: Annotated[Text, Field(max_length=10_000)] | None = None
    project_id: Id | None = None
    labels: Labels | None = None
    priority: Priority | None = None
    assigned_to_agent_id: Id | None = None
    interval: Annotated[Whole, Field(ge=1, le=999)] | None = None
    timezone: Zone | None = None
    anchor_day: Annotated[Whole, Field(ge=1, le=31)] | None = None
    anchor_month: Annotated[Whole, Field(ge=1, le=12)] | None = None
    anchor_weekday: Annotated[Whole, Field(ge=0, le=6)] | None = None
    next_due_at: Annotated[Text, Field(max_length=40)] | None = None
    active: Flag | None = None
    skip_if_open: Flag | None = None


RuleType = Literal["daily", "weekly", "monthly", "yearly"]


class NewRecurrence(Fields):
    """A recurrence to be made."""

    content: Title
    rule_type: RuleType


class UpdateRecurrence(Fields):
    """What is to change."""

    content: Title | None = None
    rule_type: RuleType | None = None

    @model_validator(mode="after")
    def _keeps_what_it_needs(self) -> UpdateRecurrence:
        for name in ("content", "rule_type"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


def _document(schedule: Schedule, made_at: int | None) -> View:
    template, rule = schedule.template, rule_of(schedule)
    if rule is None:
        raise unknown_schedule(schedule.name)
    return {
        "id": schedule.name,
        "content": template.title,
        "description": template.description or None,
        "project_id": project_said(schedule.project),
        "labels": sorted(template.labels),
        "priority": priority_said(template.priority),
        "assigned_to_agent_id": template.assignee,
        "rule_type": rule.rule_type,
        "interval": rule.interval,
        "timezone": rule.timezone,
        "anchor_day": rule.anchor_day,
        "anchor_month": rule.anchor_month,
        "anchor_weekday": rule.anchor_weekday,
        "next_due_at": moment(schedule.next_at),
        "active": schedule.paused_at is None,
        "skip_if_open": schedule.overlap is Overlap.SKIP,
        "last_spawned_at": moment(made_at),
        "created_by_agent_id": schedule.created_by,
        "created_at": moment(schedule.created_at),
        "updated_at": moment(schedule.created_at),
    }


def _template(unit: Unit, who: Principal, before: Template | None, asked: NewRecurrence | UpdateRecurrence) -> Template:
    """What the tasks say: as before where nothing is asked."""
    template = before or Template("", priority=PRIORITY[1], max_attempts=MAX_ATTEMPTS_LIMIT)
    given = asked.model_fields_set
    fields: dict[str, Any] = {} if asked.content is None else {"title": asked.content}
    if "description" in given:
        fields["description"] = asked.description or ""
    if "labels" in given:
        fields["labels"] = frozenset(asked.labels or ())
    if "priority" in given:
        fields["priority"] = PRIORITY[asked.priority or 1]
    if "assigned_to_agent_id" in given:
        fields["assignee"] = an_assignee(unit, who, asked.assigned_to_agent_id)
    return replace(template, **fields)


def _planned(template: Template, starts_at: int) -> str:
    """The template with tasks due when the day of their tick is over."""
    due_in = due_of(day_of(starts_at)) - starts_at
    return orjson.dumps(replace(template, due_in_ms=due_in).view()).decode()


def _rule(before: Rule | None, asked: NewRecurrence | UpdateRecurrence) -> Rule:
    """When it recurs: as before where nothing is asked, and by the usual where null is."""
    rule = before or Rule(asked.rule_type or "daily")
    usual = Rule(rule.rule_type)
    given = {name: getattr(asked, name) for name in RULE if name in asked.model_fields_set}
    return replace(rule, **{k: getattr(usual, k) if value is None else value for k, value in given.items()})


@route("GET", "/recurrences", Role.READER)
async def get_recurrences(call: Call) -> web.StreamResponse:
    """List the caller's recurrences, or all to who sees all."""
    made = await last_made(call.deck.reader)
    found = [
        each
        for each in await list_schedules(call.deck.reader, None)
        if call.who.sees(each.project) and rule_of(each) is not None and _theirs(call.who, each)
    ]
    return call.json([_document(each, made.get(each.name)) for each in found])


def _theirs(who: Principal, schedule: Schedule) -> bool:
    return reads_all(who) or schedule.created_by == who.name


def _the(unit: Unit, call: Call, *, to_change: bool = False) -> Schedule:
    """The recurrence that the path names.

    Raises:
        NotFound: there is none that the caller sees.
        Forbidden: it is to change, and is another's.
    """
    schedule = the_schedule(unit, call.who, call.path("id"))
    if not _theirs(call.who, schedule):
        raise unknown_schedule(schedule.name)
    if to_change and schedule.created_by != call.who.name and not call.who.is_operator():
        raise Forbidden("Only who made a recurrence, or an admin, changes it.")
    return schedule


@route("GET", "/recurrences/{id}", Role.READER)
async def get_recurrence(call: Call) -> web.StreamResponse:
    """Show a recurrence."""
    made = await last_made(call.deck.reader)
    return await alter(call, lambda unit: _document(_the(unit, call), made.get(call.path("id"))))


@route("POST", "/recurrences")
async def post_recurrence(call: Call) -> web.StreamResponse:
    """Make a task again and again."""
    asked, who = sent(call, NewRecurrence), call.who

    def work(unit: Unit) -> View:
        when = said(_rule(None, asked), unit.now)
        wish = Schedule(
            name=unit.ids.task_id(unit.now).replace("-", ""),
            project=asked.project_id or DEFAULT_PROJECT,
            template_json=_planned(_template(unit, who, None, asked), when["starts_at"]),
            catch_up=CatchUp.ONE,
            overlap=Overlap.ALLOW if asked.skip_if_open is False else Overlap.SKIP,
            next_at=None,
            last_task=None,
            paused_at=None,
            paused_by=None,
            pause_reason=None,
            created_by=who.name,
            created_at=unit.now,
            **when,
        )
        made = create_schedule(unit, who, wish)
        return _document(pause_schedule(unit, who, made.name, None) if asked.active is False else made, None)

    return await alter(call, work, 201)


@route("PUT", "/recurrences/{id}")
@route("PATCH", "/recurrences/{id}")
async def put_recurrence(call: Call) -> web.StreamResponse:
    """Change what is named, and nothing else."""
    asked, who = sent(call, UpdateRecurrence), call.who
    made = await last_made(call.deck.reader)

    def work(unit: Unit) -> View:
        schedule = _the(unit, call, to_change=True)
        before = rule_of(schedule)
        fields: dict[str, Any] = {}
        if asked.model_fields_set.intersection(RULE):
            fields = said(_rule(before, asked), unit.now)
        starts_at = fields.get("starts_at", schedule.starts_at)
        fields["template_json"] = _planned(_template(unit, who, schedule.template, asked), starts_at)
        if asked.skip_if_open is not None:
            fields["overlap"] = Overlap.SKIP if asked.skip_if_open else Overlap.ALLOW
        if "project_id" in asked.model_fields_set:
            fields["project"] = asked.project_id or DEFAULT_PROJECT
        changed = edit_schedule(unit, who, schedule.name, fields, None)
        if asked.active is not None:
            switch = resume_schedule(unit, who, schedule.name) if asked.active else None
            changed = switch or pause_schedule(unit, who, schedule.name, None)
        return _document(changed, made.get(changed.name))

    return await alter(call, work)


@route("DELETE", "/recurrences/{id}")
async def remove_recurrence(call: Call) -> web.StreamResponse:
    """Forget a recurrence; the tasks it made stay."""

    def work(unit: Unit) -> View:
        schedule = _the(unit, call, to_change=True)
        return {"ok": True, "deleted": delete_schedule(unit, call.who, schedule.name).name}

    return await alter(call, work)
