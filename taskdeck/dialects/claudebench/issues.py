"""What is wrong with parameters, as a list of issues: one for each field that fails, all of one call together."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

Issue = dict[str, Any]

_EXPECTED = {
    "string_type": "string",
    "int_type": "number",
    "float_type": "number",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "list_type": "array",
}


def kind_of(value: object) -> str:
    """What JavaScript calls the type of a value that came as JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def issues_of(error: ValidationError, model: type[BaseModel]) -> list[Issue]:
    """The issues of a failed validation of `model`, in the order of its fields."""
    return [_issue(found, model) for found in error.errors(include_url=False)]


def _issue(found: Any, model: type[BaseModel]) -> Issue:
    kind, value, context = found["type"], found["input"], found.get("ctx", {})
    path = [part for part in found["loc"] if part != "[key]"]
    if kind == "missing":
        return _missing(path, model)
    if kind in _EXPECTED:
        if kind == "int_type" and isinstance(value, float):
            return wrong_type("integer", "float", path)
        return wrong_type(_EXPECTED[kind], kind_of(value), path)
    match kind:
        case "greater_than_equal":
            return _bound("too_small", "number", context["ge"], path)
        case "greater_than":
            return _bound("too_small", "number", context["gt"], path) | {
                "inclusive": False,
                "message": f"Number must be greater than {context['gt']}",
            }
        case "less_than_equal":
            return _bound("too_big", "number", context["le"], path)
        case "short":
            return _bound("too_small", "string", context["least"], path)
        case "long":
            return _bound("too_big", "string", context["most"], path)
        case "too_short":
            return _bound("too_small", "array", context["min_length"], path)
        case "too_long":
            return _bound("too_big", "array", context["max_length"], path)
        case "literal_error":
            wanted = _wanted(path, model)
            if "const" in wanted:
                return _not_literal(wanted["const"], path) | {"received": value}
            return _not_one_of(value, wanted["enum"], path)
        case "union":
            return _no_member(value, context["members"], path)
    return {"code": "custom", "path": path, "message": found["msg"].removeprefix("Value error, ")}


def wrong_type(expected: str, received: str, path: list[Any]) -> Issue:
    """Something of the wrong type, or nothing."""
    message = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    return {"code": "invalid_type", "expected": expected, "received": received, "path": path, "message": message}


_WORDS = {
    ("too_small", "string"): "String must contain at least {} character(s)",
    ("too_big", "string"): "String must contain at most {} character(s)",
    ("too_small", "array"): "Array must contain at least {} element(s)",
    ("too_big", "array"): "Array must contain at most {} element(s)",
    ("too_small", "number"): "Number must be greater than or equal to {}",
    ("too_big", "number"): "Number must be less than or equal to {}",
}


def _bound(code: str, kind: str, bound: float, path: list[Any]) -> Issue:
    name = "minimum" if code == "too_small" else "maximum"
    message = _WORDS[code, kind].format(bound)
    return {"code": code, name: bound, "type": kind, "inclusive": True, "exact": False, "message": message,
            "path": path}  # fmt: skip


def _not_one_of(value: object, options: list[str], path: list[Any]) -> Issue:
    choice = _choice(options)
    if not isinstance(value, str):
        return wrong_type(choice, kind_of(value), path)
    message = f"Invalid enum value. Expected {choice}, received '{value}'"
    return {"received": value, "code": "invalid_enum_value", "options": options, "path": path, "message": message}


def _not_literal(expected: str, path: list[Any]) -> Issue:
    message = f'Invalid literal value, expected "{expected}"'
    return {"code": "invalid_literal", "expected": expected, "path": path, "message": message}


def _no_member(value: object, members: list[str], path: list[Any]) -> Issue:
    errors = [{"issues": [wrong_type(member, kind_of(value), path)], "name": "ZodError"} for member in members]
    return {"code": "invalid_union", "unionErrors": errors, "path": path, "message": "Invalid input"}


def _missing(path: list[Any], model: type[BaseModel]) -> Issue:
    """A member that was not sent."""
    wanted = _wanted(path, model)
    if "const" in wanted:
        return _not_literal(wanted["const"], path)
    if "enum" in wanted:
        return wrong_type(_choice(wanted["enum"]), "undefined", path)
    return wrong_type({"integer": "number"}.get(wanted["type"], wanted["type"]), "undefined", path)


def _wanted(path: list[Any], model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of what `model` has at `path`."""
    whole = wanted = model.model_json_schema()
    for part in path:
        wanted = wanted["properties"][part] if isinstance(part, str) else wanted["items"]
        if "$ref" in wanted:
            wanted = whole["$defs"][wanted["$ref"].rpartition("/")[2]]
    return wanted


def _choice(options: list[str]) -> str:
    return " | ".join(f"'{option}'" for option in options)
