"""The OpenAPI 3.1 document, assembled from the route table and the request models."""

from __future__ import annotations

import re
from typing import Any

from pydantic.json_schema import models_json_schema

from taskdeck import __version__
from taskdeck.http.answers import ANSWERS
from taskdeck.http.codes import CODES
from taskdeck.http.gate import ACT, MAX_KEY
from taskdeck.http.models import Body
from taskdeck.http.other_shapes import OF_OTHERS
from taskdeck.http.routes import Public, Route
from taskdeck.http.schema import COUNT, TEXT, TIME, maybe, record
from taskdeck.http.task_shapes import OF_TASKS
from taskdeck.http.wire import JSON, PROBLEM

_COMPONENT = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "hint", "retryable", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {
            "type": "string",
            "enum": [code for codes in CODES.values() for code in codes],
            "description": "stable; meant for programs",
            "x-by-status": {str(status): list(codes) for status, codes in CODES.items()},
        },
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "the safe next step"},
        "retryable": {"type": "boolean"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": record({"field": TEXT, "message": TEXT}),
            "description": "the fields it is about; `tasks.2.title` is in the third of many",
        },
        "gates": {"type": "array", "items": {"type": "object"}, "description": "what must be shown, each by example"},
        "signal": {"type": "string", "enum": ["stop"], "description": "the claim is over; stop working on the task"},
        "task": record(
            {
                "key": TEXT,
                "state": TEXT,
                "worker": maybe(TEXT),
                "fence": COUNT,
                "claimed_at": maybe(TIME),
                "expires_at": maybe(TIME),
            }
        )
        | {"description": "who has the task and until when, where that is why"},
    },
}


_ABOUT = """A task-claim server.

**How to work.** `POST /v1/claims` gives a task with a `fence` and a lease (`expires_at`); with `wait_seconds` it waits
for one. Send `POST /v1/tasks/{ref}/heartbeat` with the fence before the lease ends, and heed its `signal`. End with
`complete`, `fail` or `release` under the same fence; with `next` the first two claim the next task in the same step. A
write under a fence that is not the newest is 409 `stale_fence`: the claim is over, stop. `{ref}` is a task's key,
number or id. `GET /v1/tasks/{ref}/explain` says why a task is not given, `GET /v1/tasks/{ref}/gates` what must be
shown before it is completed.

**Who calls.** `Authorization: Bearer td_…`; `GET /v1/me` tells who that is. `x-role` is the least role that may call.

**Repeating.** Sent again under the same `Idempotency-Key`, a write changes nothing and gets the first answer.

**Refusals** are `application/problem+json`: `code` is stable, `hint` the safe next step. What is `retryable` comes with
`Retry-After` in seconds. After a refusal nothing has changed.

Times are RFC 3339 in UTC; spans are in seconds. Unknown fields are refused, and nothing is converted from another type.
"""
_TEXTS = {"/v1/events/stream": "text/event-stream", "/metrics": "text/plain"}
"""Replies that are no JSON."""
_WRITES: list[dict[str, Any]] = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
        "description": "One for each write, such as a UUID; a repetition under it gets the first answer.",
    },
    {
        "name": "Act-Id",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "pattern": f"^{ACT.pattern}$"},
        "description": "The same for all requests of one act on several tasks; their events have it as `act`.",
    },
]


def document(routes: list[Route]) -> dict[str, Any]:
    """The API that `routes` make."""
    models = {model for route in routes for model in (route.body, route.alternative) if model is not None}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(model, "validation") for model in ordered], ref_template=_COMPONENT)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "taskdeck",
            "version": __version__,
            "description": _ABOUT,
        },
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), **OF_TASKS, **OF_OTHERS, "Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    open_to_all = isinstance(route.role, Public)
    if route.success == 101:
        done: dict[str, Any] = {"description": "the connection is a WebSocket now"}
    else:
        kind = _TEXTS.get(route.path, JSON)
        done = {"description": "done", "content": {kind: _answer(route)}}
    operation: dict[str, Any] = {
        "operationId": getattr(route.handler, "__name__", route.path),
        "summary": route.summary,
        "parameters": _path_parameters(route) + _query_parameters(route) + ([] if route.method == "GET" else _WRITES),
        "security": [] if open_to_all else [{"bearer": []}],
        "responses": {
            str(route.success): done,
            **(
                {}
                if route.already is None
                else {str(route.already): {"description": "was so", "content": {JSON: _answer(route)}}}
            ),
            "default": {
                "description": "refused; `code` says why",
                "content": {PROBLEM: {"schema": {"$ref": _COMPONENT.format(model="Problem")}}},
            },
        },
    }
    if not isinstance(route.role, Public):
        operation["x-role"] = route.role.value
    if route.body is not None:
        schemas = [_reference(model) for model in (route.body, route.alternative) if model is not None]
        schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
        operation["requestBody"] = {
            "content": {JSON: {"schema": schema}},
            "required": _needs_fields(route.body),
        }
    elif route.raw:
        operation["requestBody"] = {"content": {JSON: {}}, "required": True}
    return operation


def _answer(route: Route) -> dict[str, Any]:
    schema = ANSWERS.get(f"{route.method} {route.path}")
    return {"schema": schema} if schema is not None else {}


def _reference(model: type[Body]) -> dict[str, str]:
    return {"$ref": _COMPONENT.format(model=model.__name__)}


def _needs_fields(model: type[Body]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    schema = route.query.model_json_schema()
    definitions = schema.get("$defs", {})
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _inlined(entry, definitions)}
        for name, entry in schema.get("properties", {}).items()
    ]


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """A query's schema with its references resolved in place; they are small enumerations."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return definitions[schema["$ref"].rsplit("/", 1)[-1]]
        return {key: _inlined(value, definitions) for key, value in schema.items()}
    return [_inlined(entry, definitions) for entry in schema] if isinstance(schema, list) else schema
