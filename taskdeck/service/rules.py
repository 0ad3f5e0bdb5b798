"""Rules: making, changing, pausing, resuming and removing them, and seeing what one would do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from taskdeck.domain.errors import Conflict, DeckError, Forbidden, Invalid, NotFound
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal
from taskdeck.domain.rule import DELETED, MAX_RULES, OF_THE_GONE, Rule, applies, found, holds, rule_view
from taskdeck.domain.task import Task
from taskdeck.service.automation import run
from taskdeck.service.find import full, missing, require_version, the_project, the_task
from taskdeck.store import rules
from taskdeck.store.unit import Unit

_IN_WORDS = frozenset({"events", "conditions", "acts"})
"""Fields that stand in the words of the interface by which they were said."""


def the_rule(unit: Unit, who: Principal, name: str) -> Rule:
    """The rule of that name.

    Raises:
        NotFound: there is none, or it reaches beyond the projects that `who` is let into.
    """
    rule = rules.find(unit, name)
    if rule is None or not sees(who, rule):
        raise unknown_rule(name)
    return rule


def sees(who: Principal, rule: Rule) -> bool:
    """Whether `who` is let into all that `rule` reaches."""
    return who.projects is None or (rule.project is not None and rule.project in who.projects)


def unknown_rule(name: str) -> NotFound:
    return missing("rule", name, "GET /v1/rules lists them; an operator makes a new one with POST /v1/rules.")


def create_rule(unit: Unit, who: Principal, rule: Rule) -> Rule:
    """Make a rule; it holds at once.

    Raises:
        NotFound: a project it names is unknown.
        Forbidden: it would reach beyond the projects that `who` is let into.
        Invalid: it waits for removed tasks, and does what needs the task.
        Conflict: the name is in use (`rule_exists`), or there are too many (`too_many_rules`).
    """
    _refuse_beyond(unit, who, rule)
    _refuse_impossible(rule)
    if rules.find(unit, rule.name) is not None:
        raise Conflict(f"there is a rule {rule.name} already", hint="PATCH changes it.", code="rule_exists")
    if rules.count(unit) >= MAX_RULES:
        raise full("rule", MAX_RULES)
    return _saved(unit, who, rule, "rule.created")


def edit_rule(unit: Unit, who: Principal, name: str, fields: dict[str, Any], version: int | None) -> Rule:
    """Change fields of a rule (names of `Rule`), whole lists at a time; what it does is said by `who` from then on.

    Raises:
        NotFound: there is no such rule.
        VersionConflict: it is not at `version`.
        Forbidden, Invalid: see `create_rule`.
    """
    rule = the_rule(unit, who, name)
    require_version(f"rule {name}", rule.version, version)
    changed = replace(rule, **fields, failures=0, version=rule.version + 1)
    if not fields.keys().isdisjoint(_IN_WORDS):
        changed = replace(changed, via=who.via)
    _refuse_beyond(unit, who, changed)
    _refuse_impossible(changed)
    return _saved(unit, who, changed, "rule.edited")


def pause_rule(unit: Unit, who: Principal, name: str, reason: str | None) -> Rule:
    """Let the rule do nothing until it is resumed. Pausing twice is one pause."""
    rule = the_rule(unit, who, name)
    if rule.paused_at is not None:
        return rule
    paused = replace(rule, paused_at=unit.now, paused_by=who.name, pause_reason=reason, version=rule.version + 1)
    return _saved(unit, who, paused, "rule.paused")


def resume_rule(unit: Unit, who: Principal, name: str) -> Rule:
    """Let the rule hold again; what happened during the pause does not set it off."""
    rule = the_rule(unit, who, name)
    if rule.paused_at is None:
        return rule
    resumed = replace(rule, paused_at=None, paused_by=None, pause_reason=None, failures=0, version=rule.version + 1)
    return _saved(unit, who, resumed, "rule.resumed")


def delete_rule(unit: Unit, who: Principal, name: str) -> Rule:
    """Forget a rule; what it did stays."""
    rule = the_rule(unit, who, name)
    rules.delete(unit, rule)
    unit.append(Event(unit.now, "rule.deleted", who.name, project=rule.project, facts={"rule": name}))
    return rule


class Rehearsed(DeckError):
    """Raised at the end of a dry run, so that all of it is undone; `outcome` is what would have come of it."""

    def __init__(self, outcome: dict[str, Any]) -> None:
        super().__init__("a dry run was undone")
        self.outcome = outcome


def rehearse_rule(unit: Unit, who: Principal, name: str, ref: str) -> None:
    """See what the rule would do if its first event happened to the task `ref` now: do it, tell it and undo it.

    Raises:
        Rehearsed: always, where rule and task are found.
        NotFound: there is no such rule or task.
    """
    rule, task = the_rule(unit, who, name), the_task(unit, who, ref)
    event = Event(unit.now, rule.events[0], who.name, task, task.bucket.project, task.worker)
    outcome = {"applies": applies(rule, task, event), "conditions": _weighed(rule, task, event)}
    outcome |= {"events": [], "refused": None}
    if outcome["applies"]:
        try:
            run(unit, rule, event)
            outcome["events"] = [orjson.Fragment(made.encode()) for made in unit.events]
        except DeckError as error:
            outcome["refused"] = {"code": error.stable_code, "detail": error.detail}
    raise Rehearsed(outcome)


def _weighed(rule: Rule, task: Task, event: Event) -> list[dict[str, Any]]:
    weighed = [(one, found(one.field, task, event)) for one in rule.conditions]
    return [
        {"field": one.field, "op": one.op, "value": one.value, "found": value, "passed": holds(one, value)}
        for one, value in weighed
    ]


def _refuse_beyond(unit: Unit, who: Principal, rule: Rule) -> None:
    if rule.project is not None:
        the_project(unit, who, rule.project)
    elif who.projects is not None:
        raise Forbidden(
            f"{who.name} is let into certain projects only and makes no rule for all",
            hint="Name a project of yours.",
        )
    for act in rule.acts:
        target = act.get("project")
        if target is not None:
            the_project(unit, who, target)
        if target is not None and rule.project not in (None, target):
            raise Forbidden(
                f"a rule for {rule.project} makes no tasks in {target}",
                hint="Leave the rule's project out and look at the task's in a condition, or make tasks in its own.",
            )


def _refuse_impossible(rule: Rule) -> None:
    acts = [act["act"] for act in rule.acts if act["act"] not in OF_THE_GONE]
    if DELETED in rule.events and acts:
        raise Invalid(
            f"a rule that waits for {DELETED} cannot {acts[0]}: the task is gone by then",
            hint=f"Of a removed task it may {' and '.join(sorted(OF_THE_GONE))}.",
            field="acts",
        )


def _saved(unit: Unit, who: Principal, rule: Rule, event: str) -> Rule:
    rules.save(unit, rule)
    facts = {"rule": rule.name}
    unit.append(Event(unit.now, event, who.name, project=rule.project, changes=rule_view(rule), facts=facts))
    return rule
