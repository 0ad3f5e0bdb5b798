"""How the shapes of replies are written down: JSON Schema in few words."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

ANY: Schema = {}
BOOLEAN: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
SECONDS: Schema = {"type": "number", "minimum": 0}
TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
DOCUMENT: Schema = {"type": "object"}


def named(name: str) -> Schema:
    """The shape of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(schema: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    """A list of that."""
    return {"type": "array", "items": schema}


def by_name(schema: Schema) -> Schema:
    """An object whose members all are that."""
    return {"type": "object", "additionalProperties": schema}


def one_of(*words: str) -> Schema:
    """One of these texts."""
    return {"type": "string", "enum": list(words)}


def record(needed: Schema, sometimes: Schema | None = None) -> Schema:
    """An object with all that is `needed`, and perhaps what is there `sometimes`."""
    return {"type": "object", "required": list(needed), "properties": needed | (sometimes or {})}


def said(schema: Schema, description: str) -> Schema:
    """That, with what there is to know of it."""
    return schema | {"description": description}
