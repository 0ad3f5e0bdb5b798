"""A task's form as a dialog: the fields of its JSON Schema (draft 7), and what is typed back as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskdeck.tui.dialogs.base import Asked, Choice, Form, Text, Values
from taskdeck.tui.dialogs.forms import subject
from taskdeck.tui.format import clip, plural
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Spans

FIELDS_MOST = 60
_CHOICES_MOST = 8
_LABEL_MOST = 20


@dataclass(frozen=True, slots=True)
class FormField:
    """One member of the output: its name, its part of the schema, whether it has to be there, what it holds so far."""

    name: str
    schema: Mapping[str, Any]
    required: bool
    value: Any = None

    @property
    def kind(self) -> str:
        """`choice`, `boolean`, `number`, `integer`, `list`, `text`, or `json` for whatever else."""
        if isinstance(self.schema.get("enum"), list) and len(self.schema["enum"]) <= _CHOICES_MOST:
            return "choice"
        kind = self.schema.get("type")
        if kind in ("boolean", "number", "integer"):
            return str(kind)
        if kind == "array" and (self.schema.get("items") or {}).get("type") == "string":
            return "list"
        return "text" if kind == "string" else "json"


def fields_of(schema: Mapping[str, Any], draft: Mapping[str, Any]) -> list[FormField]:
    """The members that the schema names, in its order, those that are required first; `FIELDS_MOST` at most."""
    members = schema.get("properties") or {}
    required = set(schema.get("required") or ())
    names = sorted((name for name in members), key=lambda name: name not in required)
    return [
        FormField(name, _resolved(members[name], schema), name in required, draft.get(name))
        for name in names[:FIELDS_MOST]
    ]


def _resolved(part: Any, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of the schema, or what it refers to within it."""
    seen = 0
    while isinstance(part, dict) and isinstance(part.get("$ref"), str) and seen < 10:
        found: Any = schema
        for step in part["$ref"].removeprefix("#").split("/")[1:]:
            found = found.get(step, {}) if isinstance(found, dict) else {}
        part, seen = found, seen + 1
    return part if isinstance(part, dict) else {}


def filling(
    row: TaskRow, form: Mapping[str, Any], fields: Sequence[FormField], before: Values | None, wrong: str
) -> Form:
    """The dialog. What was typed last stands in it again."""
    wanted = [field.name for field in fields if field.required]

    def prose() -> list[Spans]:
        about = form["schema"].get("description") or form["schema"].get("title") or f"form {form['name']}"
        need = f"{plural(len(fields), 'field')}, {len(wanted)} of them required (*)"
        return [*subject([row]), (), ((clip(str(about), 68), "strong"),), ((need, "muted"),)]

    def check(values: Values) -> str | None:
        try:
            output_of(fields, values)
        except ValueError as error:
            return str(error)
        return None

    return Form(
        title=f"✎ {clip(str(form['name']), 30)} version {form['version']}", prose=prose,
        fields=tuple(_asked(at, field, (before or {}).get(f"{at}")) for at, field in enumerate(fields)),
        act="hand in", leave="leave", again="keep for now", check=check, wrong=wrong, label=_LABEL_MOST,
        note="what is kept outlasts a release",
    )  # fmt: skip


def _asked(at: int, field: FormField, typed: str | None) -> Asked:
    label = clip(str(field.schema.get("title") or field.name), _LABEL_MOST - 2) + ("*" if field.required else "")
    hint = clip(str(field.schema.get("description") or _HINTS.get(field.kind, "")), 60)
    value = typed if typed is not None else _shown(field)
    if field.kind in ("choice", "boolean"):
        choices = field.schema["enum"] if field.kind == "choice" else [True, False]
        options = [(json.dumps(each), str(each) if isinstance(each, str) else json.dumps(each)) for each in choices]
        return Choice(str(at), label, [("", "–"), *options], value)
    return Text(str(at), label, value, hint, 20_000)


_HINTS = {"number": "a number", "integer": "a whole number", "list": "with commas between", "json": "JSON"}


def _shown(field: FormField) -> str:
    value = field.value if field.value is not None else field.schema.get("default")
    if value is None:
        return ""
    if field.kind == "list" and isinstance(value, list):
        return ", ".join(map(str, value))
    return value if field.kind == "text" and isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def output_of(fields: Sequence[FormField], values: Values) -> dict[str, Any]:
    """What was filled in, as the schema wants it; fields left empty are not in it.

    Raises:
        ValueError: a field cannot be read as what it is to be; the text names it.
    """
    return {
        field.name: _read(field, values[str(at)]) for at, field in enumerate(fields) if values.get(str(at), "") != ""
    }


def _read(field: FormField, typed: str) -> Any:
    try:
        match field.kind:
            case "text":
                return typed
            case "list":
                return [part.strip() for part in typed.split(",") if part.strip()]
            case "integer":
                return int(typed)
            case "number":
                return json.loads(typed) if typed.lstrip("-").isdigit() else float(typed)
            case _:
                return json.loads(typed)
    except (ValueError, RecursionError):
        raise ValueError(f"{clip(field.name, 30)} is {_HINTS.get(field.kind, 'JSON')}") from None
