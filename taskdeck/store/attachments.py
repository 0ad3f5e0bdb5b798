"""Attachments in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from taskdeck.domain.attachment import Attachment, Contents
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

_SELECT = (
    "SELECT number, task, name, content_type, size, reference, text, value, created_by, created_at, updated_by,"
    " updated_at FROM attachments"
)


def save(unit: Unit, task: int, name: str, contents: Contents, by: str) -> Attachment:
    """Put `contents` under `name`, in place of what lies there."""
    row = unit.write(
        "INSERT INTO attachments (task, name, inline_bytes, created_by, created_at, updated_by, updated_at,"
        " content_type, size, reference, text, value) VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        " ON CONFLICT (task, name) DO UPDATE SET inline_bytes = excluded.inline_bytes,"
        " updated_by = excluded.updated_by, updated_at = excluded.updated_at, content_type = excluded.content_type,"
        " size = excluded.size, reference = excluded.reference, text = excluded.text, value = excluded.value"
        " RETURNING number, created_by, created_at",
        (
            task,
            name,
            contents.inline_bytes(),
            by,
            unit.now,
            contents.content_type,
            contents.size,
            contents.reference,
            contents.text,
            contents.value,
        ),
    ).fetchone()
    number, created_by, created_at = row
    if task not in unit.mirror.attached:
        unit.mirror.attached.add(task)
        unit.undo.append((unit.mirror.attached.discard, task))
    return Attachment(number, task, name, contents, created_by, created_at, by, unit.now)


def find(unit: Unit, task: int, name: str) -> Attachment | None:
    """What lies under `name` on `task`."""
    row = unit.read(f"{_SELECT} WHERE task = ? AND name = ?", (task, name)).fetchone()
    return None if row is None else _attachment(row)


def of_task(unit: Unit, task: int) -> list[Attachment]:
    """What is attached to `task`, those longest as they are first; nothing if `mirror.attached` has it not."""
    return _in_order(unit.read(f"{_SELECT} WHERE task = ?", (task,)))


def others(unit: Unit, task: int, name: str) -> tuple[int, int]:
    """How many attachments `task` has beside `name`, and how many bytes of them lie here."""
    row = unit.read(
        "SELECT count(*), coalesce(sum(inline_bytes), 0) FROM attachments WHERE task = ? AND name != ?", (task, name)
    ).fetchone()
    return int(row[0]), int(row[1])


def delete(unit: Unit, number: int) -> None:
    unit.write("DELETE FROM attachments WHERE number = ?", (number,))


async def list_attachments(reader: Reader, task: int, name: str | None = None) -> list[Attachment]:
    """The attachments of `task`, those longest as they are first; of `name` alone, if it is given."""
    rows = await reader.rows(f"{_SELECT} WHERE task = ?1 AND (?2 IS NULL OR name = ?2)", (task, name))
    return _in_order(rows)


async def attached_to(
    reader: Reader, tasks: Sequence[int], named: str
) -> dict[int, tuple[list[str], Attachment | None]]:
    """Of each of `tasks` that has attachments, their names, those longest as they are first, and the one `named` so."""
    wanted = json.dumps(list(tasks))
    chosen = "task IN (SELECT value FROM json_each(?1))"
    sql = f"SELECT task, name FROM attachments WHERE {chosen} ORDER BY task, updated_at, number"  # noqa: S608
    names: dict[int, list[str]] = {}
    for task, name in await reader.rows(sql, (wanted,)):
        names.setdefault(task, []).append(name)
    rows = await reader.rows(f"{_SELECT} WHERE {chosen} AND name = ?2", (wanted, named)) if names else []
    whole = {one.task: one for one in map(_attachment, rows)}
    return {task: (found, whole.get(task)) for task, found in names.items()}


def _in_order(rows: Iterable[tuple[Any, ...]]) -> list[Attachment]:
    # so few that they are sorted here; the index that finds them has them by name
    return sorted((_attachment(row) for row in rows), key=lambda one: (one.updated_at, one.number))


def _attachment(row: tuple[Any, ...]) -> Attachment:
    number, task, name, content_type, size, reference, text, value, *rest = row
    return Attachment(number, task, name, Contents(content_type, size, reference, text, value), *rest)
