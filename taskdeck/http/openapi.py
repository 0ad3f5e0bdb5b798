"""The OpenAPI 3.1 document, assembled from the route table and the request models."""

from __future__ import annotations

import re
from typing import Any

from pydantic.json_schema import models_json_schema

from taskdeck import __version__
from taskdeck.http.models import Body
from taskdeck.http.routes import Public, Route
from taskdeck.http.wire import JSON, PROBLEM

_COMPONENT = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "hint", "retryable", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable; meant for programs"},
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "the safe next step"},
        "retryable": {"type": "boolean"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
        "gates": {"type": "array", "items": {"type": "object"}, "description": "what must be shown, each by example"},
        "signal": {"type": "string", "enum": ["stop"], "description": "the claim is over; stop working on the task"},
        "task": {"type": "object", "description": "who has the task and until when, where that is why"},
    },
}


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
            "description": "A task-claim server. Writes take Idempotency-Key and Act-Id; refusals are problem+json.",
        },
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    open_to_all = isinstance(route.role, Public)
    if route.success == 101:
        done: dict[str, Any] = {"description": "the connection is a WebSocket now"}
    else:
        kind = "text/event-stream" if route.path.endswith("/stream") else JSON
        done = {"description": "done", "content": {kind: {}}}
    operation: dict[str, Any] = {
        "operationId": getattr(route.handler, "__name__", route.path),
        "summary": route.summary,
        "parameters": _path_parameters(route) + _query_parameters(route),
        "security": [] if open_to_all else [{"bearer": []}],
        "responses": {
            str(route.success): done,
            **({} if route.already is None else {str(route.already): {"description": "was so", "content": {JSON: {}}}}),
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
