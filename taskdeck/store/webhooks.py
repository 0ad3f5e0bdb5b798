"""Webhooks in the database."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any

from taskdeck.domain.webhook import Webhook
from taskdeck.store import statements
from taskdeck.store.unit import Unit

_COLUMNS = (
    "url", "patterns", "projects", "description", "secret", "old_secret", "old_until", "active", "disabled_reason",
    "cursor", "failures", "failing_since", "created_by", "created_at", "version", "via",
)  # fmt: skip
_SELECT = f"SELECT id, {', '.join(_COLUMNS)} FROM webhooks"  # noqa: S608
_INSERT = statements.insert("webhooks", _COLUMNS)
_UPDATE = statements.update("webhooks", _COLUMNS, "id")


def load(connection: sqlite3.Connection) -> list[Webhook]:
    """Every webhook there is."""
    return [_webhook(row) for row in connection.execute(f"{_SELECT} ORDER BY id")]


def get(unit: Unit, number: int) -> Webhook | None:
    row = unit.read(f"{_SELECT} WHERE id = ?", (number,)).fetchone()
    return None if row is None else _webhook(row)


def count(unit: Unit) -> int:
    """How many there are."""
    return int(unit.read("SELECT count(*) FROM webhooks").fetchone()[0])


def insert(unit: Unit, webhook: Webhook) -> Webhook:
    """Write a new webhook; it comes back with the number it was given."""
    number = unit.write(_INSERT, _values(webhook)).lastrowid
    if number is None:
        raise RuntimeError("the database gave no number to a new webhook")
    return replace(webhook, id=number)


def update(unit: Unit, webhook: Webhook) -> None:
    """Write what `webhook` has become."""
    unit.write(_UPDATE, (*_values(webhook), webhook.id))


def delete(unit: Unit, number: int) -> None:
    """Remove a webhook with its deliveries."""
    unit.write("DELETE FROM webhooks WHERE id = ?", (number,))


def _values(webhook: Webhook) -> tuple[Any, ...]:
    projects = None if webhook.projects is None else json.dumps(sorted(webhook.projects))
    shaped = {"patterns": json.dumps(webhook.patterns), "projects": projects, "active": int(webhook.active)}
    return tuple(shaped.get(name, getattr(webhook, name)) for name in _COLUMNS)


def _webhook(row: tuple[Any, ...]) -> Webhook:
    fields = dict(zip(("id", *_COLUMNS), row, strict=True))
    projects = fields["projects"]
    fields["patterns"] = tuple(json.loads(fields["patterns"]))
    fields["projects"] = None if projects is None else frozenset(json.loads(projects))
    fields["active"] = bool(fields["active"])
    return Webhook(**fields)
