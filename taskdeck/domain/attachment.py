"""An attachment: a document that belongs to a task, kept elsewhere and named here, or small enough to lie here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.task import Json

MAX_ATTACHMENTS = 100
"""Attachments of a task."""
MAX_INLINE = 64 * 1024
"""Bytes of an attachment that lie here, its text and its value together."""
MAX_INLINE_OF_TASK = 1024 * 1024
"""Bytes of all attachments of a task that lie here."""
MAX_REFERENCE = 2_000
"""Characters of a reference."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is attached: a `reference` (an address, or a name that the reader understands), a text, a JSON value.

    `size` is in bytes; of what lies elsewhere it is as the caller said.
    """

    content_type: str | None = None
    size: int | None = None
    reference: str | None = None
    text: str | None = None
    value: Json | None = None

    def inline_bytes(self) -> int:
        """How much of it lies here."""
        return len((self.text or "").encode()) + len((self.value or "").encode())


@dataclass(frozen=True, slots=True)
class Attachment:
    """`contents` under a `name` of its own on the task; what is attached under the same name takes its place."""

    number: int
    task: int
    name: str
    contents: Contents
    created_by: str
    created_at: int
    updated_by: str
    updated_at: int


def attachment_view(attachment: Attachment) -> dict[str, Any]:
    """The public shape of an attachment, its value a fragment for the encoder."""
    contents = attachment.contents
    return {
        **attachment_summary(attachment),
        "text": contents.text,
        "value": None if contents.value is None else orjson.Fragment(contents.value),
    }


def attachment_summary(attachment: Attachment) -> dict[str, Any]:
    """`attachment` without what lies in it."""
    contents = attachment.contents
    return {
        "id": attachment.number,
        "name": attachment.name,
        "content_type": contents.content_type,
        "size": contents.size,
        "reference": contents.reference,
        "created_by": attachment.created_by,
        "created_at": rfc3339(attachment.created_at),
        "updated_by": attachment.updated_by,
        "updated_at": rfc3339(attachment.updated_at),
    }
