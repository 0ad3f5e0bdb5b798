"""The request that a run answers: the messages, tools and context its task asks with, and the task itself."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.dialects.veryfront.words import NAME, made_of, type_of
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.task import Task

_ARRAYS = ("tools", "context")


def snapshot(task: Task, payload: Any) -> dict[str, Any]:
    """What the worker is asked, of the shape its client takes. `payload` is the task's, read.

    Its source is the payload's part for this dialect, or all of it where it has none.
    """
    source = _source(payload)
    messages: Any = source.get("messages")
    if _are_messages(messages):
        asked = [_message(task, index, message) for index, message in enumerate(messages)]
    else:
        asked = [_of_title(task)]
    found: dict[str, Any] = {"taskId": str(task.number), "messages": asked}
    found |= {name: source[name] for name in _ARRAYS if isinstance(source.get(name), list)}
    if source.get("traceContext") is not None:
        found["traceContext"] = source["traceContext"]
    passed = source.get("forwardedProps")
    found["forwardedProps"] = (passed if isinstance(passed, dict) else {}) | {"taskdeck": _ours(task)}
    return {"tools": [], "context": []} | found


def _source(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict):
        return {}
    own = payload.get(NAME)
    return own if isinstance(own, dict) else payload


def _are_messages(found: Any) -> bool:
    return (
        isinstance(found, list)
        and bool(found)
        and all(isinstance(one, dict) and isinstance(one.get("role"), str) for one in found)
    )


def _message(task: Task, index: int, told: dict[str, Any]) -> dict[str, Any]:
    parts, content = told.get("parts"), told.get("content")
    if not isinstance(parts, list):
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    message = {
        **told,
        "id": told["id"] if isinstance(told.get("id"), str) else _message_id(task, index),
        "parts": [one for one in parts or () if isinstance(one, dict) and isinstance(one.get("type"), str)]
        if isinstance(parts, list)
        else [],
    }
    for name, kind in (("metadata", dict), ("createdAt", str)):
        if name in message and not isinstance(message[name], kind):
            del message[name]
    return message


def _of_title(task: Task) -> dict[str, Any]:
    text = f"{task.title}\n\n{task.description}" if task.description else task.title
    return {
        "id": made_of("request-message", str(task.number)),
        "role": "user",
        "parts": [{"type": "text", "text": text}],
        "createdAt": rfc3339(task.created_at),
    }


def _message_id(task: Task, index: int) -> str:
    return made_of("request-message", f"{task.number}:{index}")


def _ours(task: Task) -> dict[str, Any]:
    return {
        "task_id": str(task.number),
        "type": type_of(task),
        "queue": task.bucket.project,
        "priority": task.priority,
        "attempt": task.fence,
        "payload": orjson.Fragment(task.payload),
    }
