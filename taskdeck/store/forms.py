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


def delete(unit: Unit, name: str, version: int) -> None:
    unit.write("DELETE FROM forms WHERE name = ? AND version = ?", (name, version))
