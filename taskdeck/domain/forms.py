"""Forms: what a person fills in, described by a JSON Schema (draft 7) and how it is laid out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from taskdeck.domain.errors import FormInvalid, Invalid
from taskdeck.domain.task import Json

MAX_SCHEMA = 64 * 1024
"""Bytes of a schema or a layout."""
MAX_DRAFT = 256 * 1024
"""Bytes of all that is filled in for a task."""
MAX_VERSIONS = 1_000
MAX_TAGS = 100
_SHOWN = 20
_MAX_PATTERN = 200
_NESTED = re.compile(r"[+*}]\)[+*{]")
"""A repetition of what repeats: such a pattern can take for ever to find that a text does not match."""


@dataclass(frozen=True, slots=True)
class Form:
    """One version of a form. `schema` and `layout` are JSON; the layout is passed on as it came."""

    name: str
    version: int
    schema: Json
    layout: Json
    created_by: str
    created_at: int
    updated_by: str
    updated_at: int


def check_schema(schema: Json) -> None:
    """Refuse a schema that cannot be used, or not safely.

    Raises:
        Invalid: it is no draft 7 schema, refers to elsewhere, or has a pattern that may never end.
    """
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import SchemaError

    document = orjson.loads(schema)
    try:
        Draft7Validator.check_schema(document)
    except SchemaError as error:
        raise _refused(f"it is no JSON Schema of draft 7: {error.message[:200]}") from None
    for name, value in _members(document):
        if name == "$ref" and isinstance(value, str) and not value.startswith("#"):
            raise _refused(f"it refers to {value[:80]!r}; a form refers to itself alone (#/definitions/…)")
        patterns = value if name == "patternProperties" and isinstance(value, dict) else [value] * (name == "pattern")
        for pattern in patterns:
            if isinstance(pattern, str) and (len(pattern) > _MAX_PATTERN or _NESTED.search(pattern)):
                raise _refused("a pattern is too long, or repeats what repeats, and might never come to an end")


def _refused(why: str) -> Invalid:
    return Invalid(f"the schema cannot be used: {why}", hint="Mend the schema; nothing was saved.", field="schema")


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in `value`."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield from item.items()
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def check_output(form: Form, output: dict[str, Any], only: frozenset[str] | None = None) -> None:
    """Refuse an output that does not fit its form; with `only`, look at these members alone.

    Raises:
        FormInvalid: it does not; each error names its field.
    """
    try:
        found = [
            error
            for error in _validator(form.schema).iter_errors(output)
            if only is None or (error.absolute_path and error.absolute_path[0] in only)
        ]
    except Exception as error:  # a reference to nowhere or to itself shows only now
        raise FormInvalid(
            f"the schema of form {form.name} version {form.version} cannot be followed: {type(error).__name__}",
            hint="Ask an operator to mend the form.",
            errors=[],
        ) from error
    if found:
        found.sort(key=lambda error: [str(part) for part in error.absolute_path])
        errors = [{"field": _place(error), "message": error.message[:300]} for error in found[:_SHOWN]]
        told = "; ".join(f"{error['field']}: {error['message']}" for error in errors[:3])
        raise FormInvalid(
            f"this does not fit the form {form.name} version {form.version}: {told}",
            hint="Mend the fields named in `errors`.",
            errors=errors,
        )


def _place(error: Any) -> str:
    parts = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        parts += [name for name in missing if error.message.startswith(repr(name))]
    return ".".join(parts)[:200] or "result"


@lru_cache(maxsize=256)
def _validator(schema: Json) -> Any:
    from jsonschema import Draft7Validator
    from referencing import Registry

    # a registry of its own, so that nothing is fetched from anywhere
    return Draft7Validator(orjson.loads(schema), registry=Registry())
