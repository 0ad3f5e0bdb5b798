"""A template: what the tasks say that are made by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from taskdeck.domain.task import DEFAULT_PRIORITY, Json


@dataclass(frozen=True, slots=True)
class Template:
    """The fields of tasks to come; `due_in_ms` counts from the moment they are for."""

    title: str
    description: str = ""
    priority: int = DEFAULT_PRIORITY
    labels: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    payload: Json = "{}"
    metadata: Json = "{}"
    assignee: str | None = None
    max_attempts: int | None = None
    due_in_ms: int | None = None

    def view(self) -> dict[str, Any]:
        """The public shape, which `from_json` takes back."""
        return {
            "title": self.title,
            "description": self.description,
            "priority": self.priority,
            "labels": sorted(self.labels),
            "capabilities": sorted(self.capabilities),
            "payload": orjson.Fragment(self.payload),
            "metadata": orjson.Fragment(self.metadata),
            "assignee": self.assignee,
            "max_attempts": self.max_attempts,
            "due_in_seconds": None if self.due_in_ms is None else self.due_in_ms / 1000,
        }


def from_json(text: Json) -> Template:
    """A template from its public shape."""
    fields: dict[str, Any] = orjson.loads(text)
    for name in ("labels", "capabilities"):
        fields[name] = frozenset(fields[name])
    for name in ("payload", "metadata"):
        fields[name] = orjson.dumps(fields[name]).decode()
    due_in = fields.pop("due_in_seconds")
    return Template(**fields, due_in_ms=None if due_in is None else round(due_in * 1000))


def with_origin(metadata: Json, name: str, origin: Any) -> Json:
    """`metadata` with `origin` in it under `name`; as it is where it is no object."""
    document = orjson.loads(metadata)
    return orjson.dumps({**document, name: origin}).decode() if isinstance(document, dict) else metadata
