"""Rules in the database, and those in force by what they wait for."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import orjson

from taskdeck.domain.rule import Condition, Op, Rule
from taskdeck.store import statements
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

COLUMNS = tuple(field.name for field in fields(Rule))
SELECT = f"SELECT {', '.join(COLUMNS)} FROM rules"  # noqa: S608  (our own names)
_SAVE = statements.save("rules", COLUMNS)


def rule_from(row: tuple[Any, ...]) -> Rule:
    """A rule from a row of `SELECT`."""
    name, project, events, conditions, acts, *rest = row
    known = tuple(Condition(one["field"], Op(one["op"]), one["value"]) for one in orjson.loads(conditions))
    return Rule(name, project, tuple(orjson.loads(events)), known, tuple(orjson.loads(acts)), *rest)


def in_force(unit: Unit) -> dict[str, list[Rule]]:
    """event type → the rules that wait for it and are not paused, by name; kept in memory until a rule changes."""
    known = unit.mirror.rules
    if known is None:
        known = {}
        for row in unit.read(f"{SELECT} WHERE paused_at IS NULL ORDER BY name"):
            rule = rule_from(row)
            for event in rule.events:
                known.setdefault(event, []).append(rule)
        unit.mirror.rules = known
    return known


def find(unit: Unit, name: str) -> Rule | None:
    row = unit.read(f"{SELECT} WHERE name = ?", (name,)).fetchone()
    return None if row is None else rule_from(row)


def save(unit: Unit, rule: Rule) -> None:
    """Write `rule`, new or changed."""
    conditions = [{"field": one.field, "op": one.op, "value": one.value} for one in rule.conditions]
    documents = {"events": rule.events, "conditions": conditions, "acts": rule.acts}
    unit.write(
        _SAVE,
        [orjson.dumps(documents[name]).decode() if name in documents else getattr(rule, name) for name in COLUMNS],
    )
    _forget(unit)


def delete(unit: Unit, rule: Rule) -> None:
    unit.write("DELETE FROM rules WHERE name = ?", (rule.name,))
    _forget(unit)


def count(unit: Unit) -> int:
    return int(unit.read("SELECT count(*) FROM rules").fetchone()[0])


def ran(unit: Unit, rule: Rule) -> None:
    """Note that `rule` ran."""
    unit.write("UPDATE rules SET runs = runs + 1, failures = 0, last_run_at = ? WHERE name = ?", (unit.now, rule.name))


def failed(unit: Unit, rule: Rule) -> int:
    """Note that `rule` failed; return how often in a row."""
    unit.write("UPDATE rules SET failures = failures + 1, last_run_at = ? WHERE name = ?", (unit.now, rule.name))
    return int(unit.read("SELECT failures FROM rules WHERE name = ?", (rule.name,)).fetchone()[0])


def _forget(unit: Unit) -> None:
    """Let the rules in force be read anew, also where the unit is undone after it read them."""

    def forget() -> None:
        unit.mirror.rules = None

    unit.undo.append((forget,))
    forget()


async def list_rules(reader: Reader) -> list[Rule]:
    """All rules, by name."""
    return [rule_from(row) for row in await reader.rows(f"{SELECT} ORDER BY name")]


async def read_rule(reader: Reader, name: str) -> Rule | None:
    row = await reader.row(f"{SELECT} WHERE name = ?", (name,))
    return None if row is None else rule_from(row)
