"""Forms in the database."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.forms import Form
from taskdeck.store.unit import Unit

SELECT_FORMS = "SELECT name, version, schema, layout, created_by, created_at, updated_by, updated_at FROM forms"
ONE = f"{SELECT_FORMS} WHERE name = ?1 AND (version = ?2 OR ?2 IS NULL) ORDER BY version DESC LIMIT 1"


def form_from(row: tuple[Any, ...]) -> Form:
    """A form from a row of `SELECT_FORMS`."""
    return Form(*row)


def find(unit: Unit, name: str, version: int | None) -> Form | None:
    """That version of the form `name`; without one, the newest."""
    row = unit.read(ONE, (name, version)).fetchone()
    return None if row is None else form_from(row)


def save(unit: Unit, form: Form) -> None:
    """Write `form`, in the place of that version if there is one."""
    unit.write(
        "INSERT OR REPLACE INTO forms (name, version, schema, layout, created_by, created_at, updated_by, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (form.name, form.version, form.schema, form.layout, form.created_by, form.created_at, form.updated_by,
         form.updated_at),
    )  # fmt: skip


TAGS = "SELECT key, value FROM form_tags WHERE name = ? ORDER BY key"


def tags(unit: Unit, name: str) -> dict[str, str]:
    """What the form is filed under, by key."""
    return dict(unit.read(TAGS, (name,)).fetchall())


def tag(unit: Unit, name: str, key: str, value: str | None) -> None:
    """File the form under `key`; a `value` of None takes it away."""
    if value is None:
        unit.write("DELETE FROM form_tags WHERE name = ? AND key = ?", (name, key))
    else:
        unit.write("INSERT OR REPLACE INTO form_tags (name, key, value) VALUES (?, ?, ?)", (name, key, value))


def delete(unit: Unit, name: str, version: int) -> None:
    unit.write("DELETE FROM forms WHERE name = ? AND version = ?", (name, version))
