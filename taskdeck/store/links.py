"""Links in the database."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.link import Link, LinkKind
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

_SELECT = "SELECT number, task, kind, repository, target, url, added_by, added_at FROM links"


def insert(
    unit: Unit, task: int, kind: LinkKind, repository: str | None, target: str, url: str | None, added_by: str
) -> Link:
    number = unit.write(
        "INSERT INTO links (task, kind, repository, target, url, added_by, added_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (task, kind, repository or "", target, url, added_by, unit.now),
    ).lastrowid
    if number is None:
        raise RuntimeError("the database gave no number to a new link")
    return Link(number, task, kind, repository, target, url, added_by, unit.now)


def same(unit: Unit, task: int, kind: LinkKind, repository: str | None, target: str) -> Link | None:
    """The link of `task` that names the same."""
    row = unit.read(
        f"{_SELECT} WHERE task = ? AND kind = ? AND repository = ? AND target = ?",
        (task, kind, repository or "", target),
    ).fetchone()
    return None if row is None else _link(row)


def find(unit: Unit, task: int, number: int) -> Link | None:
    """The link of that number, if it is one of `task`."""
    row = unit.read(f"{_SELECT} WHERE number = ? AND task = ?", (number, task)).fetchone()
    return None if row is None else _link(row)


def count(unit: Unit, task: int) -> int:
    """How many links `task` has."""
    return int(unit.read("SELECT count(*) FROM links WHERE task = ?", (task,)).fetchone()[0])


def delete(unit: Unit, number: int) -> None:
    unit.write("DELETE FROM links WHERE number = ?", (number,))


async def list_links(reader: Reader, task: int) -> list[Link]:
    """The links of `task`, oldest first."""
    # so few that they are sorted here; the index that finds them has them by kind
    return sorted(
        (_link(row) for row in await reader.rows(f"{_SELECT} WHERE task = ?", (task,))), key=lambda link: link.number
    )


def _link(row: tuple[Any, ...]) -> Link:
    number, task, kind, repository, *rest = row
    return Link(number, task, LinkKind(kind), repository or None, *rest)
