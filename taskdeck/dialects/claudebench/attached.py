"""Attachments as this dialect's clients see them. The result of a task counts as one, under the key `result`."""

from __future__ import annotations

from typing import Any, Final, get_args

import orjson

from taskdeck.dialects.claudebench.params import Attach, Kind
from taskdeck.dialects.claudebench.words import NAME, Document, completed_at, task_id
from taskdeck.domain.attachment import Attachment, Contents
from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.domain.task import Task
from taskdeck.service.extra import extra_of
from taskdeck.store import attachments
from taskdeck.store.unit import Unit

RESULT: Final = "result"
DETACHED: Final = "resultDetached"
"""Kept of a task whose result is not to be shown as an attachment any more."""

_TYPES = {"json": "application/json", "markdown": "text/markdown", "text": "text/plain",
          "url": "text/uri-list", "binary": "application/octet-stream"}  # fmt: skip
_KIND_OF = {type: kind for kind, type in _TYPES.items()}
_GIT = ("git-commit-", "git-ref-")
_MARK = f"; {NAME}="


def contents_of(asked: Attach) -> Contents:
    """What a client attaches, as the deck keeps it. Its kind stands in the content type where that does not tell it."""
    given = "mimeType" in asked.model_fields_set
    kind = asked.mimeType if given else _TYPES[asked.type]
    return Contents(
        content_type=f"{kind}{_MARK}{asked.type}" if given and kind != _TYPES[asked.type] else kind,
        size=round(asked.size) if "size" in asked.model_fields_set else None,
        reference=asked.url,
        text=asked.content,
        value=orjson.dumps(asked.value).decode() if asked.value is not None else None,
    )


def kind_of(contents: Contents) -> str:
    """Its kind, for what clients of other interfaces attached too."""
    kind, _, marked = (contents.content_type or "").partition(_MARK)
    if marked in get_args(Kind):
        return marked
    if kind in _KIND_OF:
        return _KIND_OF[kind]
    if contents.value is not None:
        return "json"
    return "text" if contents.text is not None else "url"


def attachment_id(at_ms: int, number: int | str) -> str:
    return f"ta-{at_ms}-{number}"


def attachment_document(task: Task, one: Attachment) -> Document:
    """An attachment, with those members that are set."""
    contents = one.contents
    mime, _, _ = (contents.content_type or "").partition(_MARK)
    shown: Document = {
        "id": attachment_id(one.created_at, one.number),
        "taskId": task_id(task.key, task.number),
        "key": one.name,
        "type": kind_of(contents),
    }
    more: dict[str, Any] = {
        "value": None if contents.value is None else orjson.Fragment(contents.value),
        "content": contents.text,
        "url": contents.reference,
        "mimeType": mime if mime and mime not in _KIND_OF else None,
        "size": contents.size if contents.reference is not None else None,
        "createdBy": one.created_by,
    }
    shown |= {name: value for name, value in more.items() if value is not None}
    return shown | {"createdAt": rfc3339(one.created_at), "updatedAt": rfc3339(one.updated_at)}


def result_document(task: Task) -> Document | None:
    """The task's result as an attachment; None if it has none."""
    ended_at = completed_at(task)
    if task.result is None or ended_at is None or extra_of(task, NAME).get(DETACHED):
        return None
    return {
        "id": attachment_id(from_rfc3339(ended_at), f"r{task.number}"),
        "taskId": task_id(task.key, task.number),
        "key": RESULT,
        "type": "json",
        "value": orjson.Fragment(task.result),
        "createdBy": NAME,
        "createdAt": ended_at,
        "updatedAt": ended_at,
    }


def documents(task: Task, found: list[Attachment]) -> list[Document]:
    """All attachments of `task`, those longest as they are first; its result stands for what is named like it."""
    result = result_document(task)
    shown = [attachment_document(task, one) for one in found if result is None or one.name != RESULT]
    return shown if result is None else [*shown, result]


def claimed_attachments(unit: Unit, task: Task) -> Document:
    """The attachments that come with a claim, by key: of values in JSON the value, of all the kind and the time."""
    if task.number not in unit.mirror.attached:
        return {}
    return {one.name: _claimed(one) for one in attachments.of_task(unit, task.number)}


def _claimed(one: Attachment) -> Document:
    kind, value = kind_of(one.contents), one.contents.value
    shown: Document = {"type": kind}
    if one.name.startswith(_GIT):
        shown["value"] = None
    elif kind == "json" and value is not None:
        shown["value"] = orjson.Fragment(value)
    return shown | {"createdAt": rfc3339(one.created_at)}
