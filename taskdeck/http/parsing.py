"""What a body or a query says, as its route's model has it; and what to say where it does not fit."""

from __future__ import annotations

import re
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from taskdeck.http.models import Body, Query
from taskdeck.http.near import fields_beside
from taskdeck.http.routes import Route
from taskdeck.http.wire import JSON, Problem
from taskdeck.service.near import near


def parse(route: Route, raw: bytes, request: web.Request) -> Body:
    if raw and request.content_type != JSON:
        raise Problem(
            415,
            "unsupported_media_type",
            f"the body is {request.content_type}, not {JSON}",
            f"Send JSON with `Content-Type: {JSON}`.",
        )
    refuse_non_numbers(raw)
    model = route.body
    if route.alternative is not None and _names(route.alternative, raw):
        model = route.alternative
    if model is None:
        raise RuntimeError("a route without a body has nothing to parse")
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise invalid(error, model) from None
    except RecursionError:
        raise Problem(400, "bad_json", "the body is nested too deeply", "Send it flatter.") from None


def refuse_non_numbers(raw: bytes) -> None:
    """Refuse NaN and Infinity, which are no JSON (RFC 8259 section 6) but which the models' parser lets through.

    Raises:
        Problem: one is in it.
    """
    if b"NaN" not in raw and b"Infinity" not in raw:
        return
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "bad_json", f"the body is not JSON: {error}", "Send one JSON object.") from None


def _names(alternative: type[Body], raw: bytes) -> bool:
    """Whether the body speaks of the alternative's one field: the plural form of a request."""
    (field,) = alternative.model_fields
    return re.match(rb'\s*\{\s*"%s"\s*:' % field.encode(), raw) is not None


def validated(model: type[Query], values: dict[str, str]) -> Query:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(error, model) from None


def invalid(error: ValidationError, model: type[BaseModel] | None = None) -> Problem:
    """What was wrong, field by field, never repeating a value that was sent; a misspelt field of `model` is guessed."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    first = found[0]
    if first["type"] == "json_invalid":
        return Problem(400, "bad_json", f"the body is not JSON: {first['msg']}", "Send one JSON object.")
    errors = [{"field": _place(entry["loc"]), "message": _message(entry)} for entry in found[:20]]
    unknown = [place for place, raw in enumerate(found[:20]) if raw["type"] == "extra_forbidden"]
    if unknown:
        for place in unknown:
            errors[place]["message"] = _guess(model, found[place]["loc"])
        return Problem(
            422,
            "unknown_field",
            f"unknown: {', '.join(errors[place]['field'] + _meant(errors[place]['message']) for place in unknown)}",
            "Leave it out, or mend its spelling.",
            errors=errors,
        )
    detail = "; ".join(f"{entry['field']}: {entry['message']}" for entry in errors[:3])
    return Problem(422, "invalid_request", detail, "Mend the fields named in `errors`.", errors=errors)


def _guess(model: type[BaseModel] | None, location: tuple[int | str, ...]) -> str:
    """What to say of a field that is not known."""
    close = near(str(location[-1]), fields_beside(model, location)) if model is not None else []
    return f"there is no such field; did you mean {close[0]}?" if close else "there is no such field"


def _meant(message: str) -> str:
    _, found, guess = message.partition("; ")
    return f" ({guess})" if found else ""


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:80] for part in location) or "body"


def _message(entry: Any) -> str:
    if entry["type"] == "union_tag_not_found":
        return f"needs {str(entry['msg']).rpartition(' ')[2]}, which says of what kind it is"
    return str(entry["msg"]).removeprefix("Value error, ")
