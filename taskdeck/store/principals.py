"""Principals in the database, with what is told of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from taskdeck.domain.principal import Principal
from taskdeck.store.reader import Reader
from taskdeck.store.tokens import principal_from
from taskdeck.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Known:
    """A principal as it is kept: `title` is the name that people read, None if it has none of its own."""

    principal: Principal
    title: str | None
    description: str
    created_at: int


_SELECT = "SELECT title, description, created_at, name, role, projects, capabilities, groups FROM principals"


def find(unit: Unit, name: str) -> Known | None:
    """The principal `name`."""
    row = unit.read(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _known(row)


async def list_principals(reader: Reader) -> list[Known]:
    """Every principal, by name."""
    return [_known(row) for row in await reader.rows(f"{_SELECT} ORDER BY name")]


def _known(row: tuple[Any, ...]) -> Known:
    title, description, created_at, *principal = row
    return Known(principal_from(*principal), title, description, created_at)


def update(unit: Unit, known: Known) -> None:
    """Write the rights, title and description of a principal."""
    who = known.principal
    projects = None if who.projects is None else json.dumps(sorted(who.projects))
    capabilities, groups = json.dumps(sorted(who.capabilities)), json.dumps(sorted(who.groups))
    unit.write(
        "UPDATE principals SET title = ?, description = ?, role = ?, projects = ?, capabilities = ?, groups = ?"
        " WHERE name = ?",
        (known.title, known.description, who.role, projects, capabilities, groups, who.name),
    )


def delete(unit: Unit, name: str) -> None:
    """Remove a principal with its tokens."""
    unit.write("DELETE FROM tokens WHERE principal = ?", (name,))
    unit.write("DELETE FROM principals WHERE name = ?", (name,))
