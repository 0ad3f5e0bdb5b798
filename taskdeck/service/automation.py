"""Rules at work: what a batch has done is held against them before it is committed, so that both come true together.

Every run of a rule is a unit of work of its own: one that is refused undoes itself alone, never what set it off. Rules
may set each other off, but no chain comes back to a rule that is in it, and each has a bound in depth and in number.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from taskdeck.domain.errors import DeckError
from taskdeck.domain.events import Event
from taskdeck.domain.places import fill
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.rule import (
    DELETED,
    MAX_DEPTH,
    MAX_FAILURES,
    MAX_FIRINGS,
    MAX_IN_BATCH,
    Rule,
    applies,
    rule_view,
    told,
)
from taskdeck.domain.task import Task
from taskdeck.service import acts
from taskdeck.service.unblock import BY_TIME
from taskdeck.store import rules, tasks
from taskdeck.store.runner import Runner
from taskdeck.store.unit import Unit

log = logging.getLogger(__name__)

Hook = Callable[[Runner], None]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an event came: the number of the one that set all off, and the rules between, the first one first."""

    source: int
    chain: tuple[str, ...] = ()


@dataclass(slots=True)
class Cascade:
    """What rules have done in one batch."""

    causes: dict[int, Cause] = field(default_factory=dict)
    firings: Counter[int] = field(default_factory=Counter)
    cut: set[tuple[str, int]] = field(default_factory=set)

    def bound_reached(self, cause: Cause) -> str | None:
        """Which bound keeps the next rule from running, if one does."""
        if len(cause.chain) >= MAX_DEPTH:
            return "depth"
        if self.firings[cause.source] >= MAX_FIRINGS:
            return "firings"
        return "batch" if self.firings.total() >= MAX_IN_BATCH else None


class Automation:
    """The hook that runs after each batch: serves those who wait, then lets rules act on all that happened."""

    def __init__(self, serve: Hook) -> None:
        self._serve = serve

    def __call__(self, runner: Runner) -> None:
        self._serve(runner)
        if _in_force(runner):
            self._react(runner)

    def _react(self, runner: Runner) -> None:
        cascade, at, happened = Cascade(), 0, runner.batch.events
        while at < len(happened):
            event = happened[at][0]
            for rule in _in_force(runner).get(event.type, ()):
                _consider(runner, cascade, rule, event)
            at += 1
            if at == len(happened):
                self._serve(runner)  # a rule may have made work for those who wait, which may set off others


def _in_force(runner: Runner) -> dict[str, list[Rule]]:
    """Read anew when one was changed, by this batch too: a rule that is paused for its failures stops at once."""
    known = runner.mirror.rules
    return runner.unit(rules.in_force) if known is None else known


def _consider(runner: Runner, cascade: Cascade, rule: Rule, event: Event) -> None:
    """Run `rule` for `event` if it applies and nothing bounds it."""
    cause = cascade.causes.get(event.seq) or Cause(event.seq)
    if event.task is None or rule.name in cause.chain or not _applies(runner, rule, event, event.task):
        return
    before = len(runner.batch.events)
    bound = cascade.bound_reached(cause)
    if bound is None:
        cascade.firings[cause.source] += 1
        _fire(runner, rule, event, cause)
    elif (rule.name, cause.source) not in cascade.cut:
        cascade.cut.add((rule.name, cause.source))
        runner.unit(lambda unit: _say(unit, rule, event, "rule.cut_off", {"bound": bound}))
    caused = Cause(cause.source, (*cause.chain, rule.name))
    for made, _ in runner.batch.events[before:]:
        cascade.causes[made.seq] = caused


def _applies(runner: Runner, rule: Rule, event: Event, task: Task) -> bool:
    try:
        return applies(rule, task, event)
    except Exception as error:
        # a rule that cannot be understood must not stop what it waits for
        log.exception("the conditions of rule %s cannot be weighed", rule.name)
        detail = str(error)[:200]
        runner.unit(lambda unit: _note_failure(unit, rule, event, "internal", detail))
        return False


def _fire(runner: Runner, rule: Rule, event: Event, cause: Cause) -> None:
    try:
        runner.unit(lambda unit: run(unit, rule, event, len(cause.chain) + 1))
    except DeckError as error:
        code, detail = error.stable_code, error.detail
    except sqlite3.OperationalError:
        raise
    except Exception as error:
        log.exception("rule %s failed", rule.name)
        code, detail = "internal", str(error)[:200]
    else:
        return
    runner.unit(lambda unit: _note_failure(unit, rule, event, code, detail))


def run(unit: Unit, rule: Rule, event: Event, depth: int = 1) -> None:
    """Do the acts of `rule` to the task of `event`, all or none; each event of theirs says whose doing it is.

    Raises:
        DeckError: one of them is refused.
    """
    who = Principal(
        f"rule:{rule.name}", Role.OPERATOR, projects=None if rule.project is None else frozenset({rule.project})
    )
    for act in rule.acts:
        task = _task_of(unit, event)
        if task is None:  # removed meanwhile
            return
        acts.do(unit, who, act, task, {"name": rule.name, "event": event.seq}, _filler(unit, rule, task, event))
    for made in unit.events:
        made.facts = made.facts | {"rule": rule.name, "depth": depth}
    rules.ran(unit, rule)
    _say(unit, rule, event, "rule.fired", {"depth": depth, "acts": [act["act"] for act in rule.acts]})


def _task_of(unit: Unit, event: Event) -> Task | None:
    """The task that `event` is about: as it was if that is its removal, else as it is now; None if it is gone."""
    if event.task is None or event.type == DELETED:
        return event.task
    return tasks.by_number(unit, event.task.number)


def _filler(unit: Unit, rule: Rule, task: Task, event: Event) -> acts.Filler:
    """How a text of `rule` is filled in; what it may name is only told to texts with places."""
    telling = unit.mirror.tellings.get(rule.via, told)
    return lambda text, limit: fill(text, telling(rule, task, event), limit) if "{{" in text else text[:limit]


def _note_failure(unit: Unit, rule: Rule, event: Event, code: str, detail: str) -> None:
    in_a_row = rules.failed(unit, rule)
    _say(unit, rule, event, "rule.failed", {"code": code, "detail": detail, "in_a_row": in_a_row})
    known = rules.find(unit, rule.name)
    if in_a_row < MAX_FAILURES or known is None:
        return
    reason = f"it failed {in_a_row} times in a row, at last with {code}: {detail}"
    paused = replace(known, paused_at=unit.now, paused_by=BY_TIME, pause_reason=reason)
    rules.save(unit, paused)
    facts = {"rule": rule.name, "reason": reason}
    unit.append(Event(unit.now, "rule.paused", BY_TIME, project=rule.project, changes=rule_view(paused), facts=facts))


def _say(unit: Unit, rule: Rule, event: Event, kind: str, facts: dict[str, Any]) -> None:
    project = rule.project or event.project
    about = {"rule": rule.name, "event": event.seq, "on": event.type, "key": event.task and event.task.key}
    unit.append(Event(unit.now, kind, f"rule:{rule.name}", project=project, facts=about | facts))
