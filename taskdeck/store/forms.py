"""Forms in the database."""

from __future__ import annotations

from taskdeck.domain.forms import Form
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

_SELECT = "SELECT name, version, schema, layout, created_by, created_at, updated_by, updated_at FROM forms"
_ONE = f"{_SELECT} WHERE name = ?1 AND (version = ?2 OR ?2 IS NULL) ORDER BY version DESC LIMIT 1"
_TAGS = "SELECT key, value FROM form_tags WHERE name = ? ORDER BY key"


async def read_form(reader: Reader, name: str, version: int | None) -> Form | None:
    """That version of the form `name`; without one, the newest."""
    row = await reader.row(_ONE, (name, version))
    return None if row is None else Form(*row)


async def list_forms(reader: Reader, name: str | None, after: str, limit: int) -> list[Form]:
    """Up to `limit` forms by name, each name's newest version first: of `name` alone, or of the names after one."""
    rows = await reader.rows(
        f"{_SELECT} WHERE name > ?1 OR name = ?2 ORDER BY name, version DESC LIMIT ?3",
        (after if name is None else "\U0010ffff", name, limit),
    )
    return [Form(*row) for row in rows]


async def read_tags(reader: Reader, name: str) -> dict[str, str]:
    """What the form is filed under, by key."""
    return dict(await reader.rows(_TAGS, (name,)))


def find(unit: Unit, name: str, version: int | None) -> Form | None:
    """That version of the form `name`; without one, the newest."""
    row = unit.read(_ONE, (name, version)).fetchone()
    return None if row is None else Form(*row)


def save(unit: Unit, form: Form) -> None:
    """Write `form`, in the place of that version if there is one."""
    unit.write(
        "INSERT OR REPLACE INTO forms (name, version, schema, layout, created_by, created_at, updated_by, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (form.name, form.version, form.schema, form.layout, form.created_by, form.created_at, form.updated_by,
         form.updated_at),
    )  # fmt: skip


def tags(unit: Unit, name: str) -> dict[str, str]:
    """What the form is filed under, by key."""
    return dict(unit.read(_TAGS, (name,)).fetchall())


def tag(unit: Unit, name: str, key: str, value: str | None) -> None:
    """File the form under `key`; a `value` of None takes it away."""
    if value is None:
        unit.write("DELETE FROM form_tags WHERE name = ? AND key = ?", (name, key))
    else:
        unit.write("INSERT OR REPLACE INTO form_tags (name, key, value) VALUES (?, ?, ?)", (name, key, value))


def delete(unit: Unit, name: str, version: int) -> None:
    unit.write("DELETE FROM forms WHERE name = ? AND version = ?", (name, version))


def forget_tags(unit: Unit, name: str) -> None:
    unit.write("DELETE FROM form_tags WHERE name = ?", (name,))
