"""A comment: what somebody says about a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskdeck.domain.clock import rfc3339

MAX_COMMENT = 10_000
"""Characters of a comment."""
MAX_COMMENTS = 1_000
"""Comments of a task."""


@dataclass(slots=True)
class Comment:
    """What `author`, a principal, said. `byline` is the name that the author gave beside its own; nobody checks it."""

    number: int
    task: int
    author: str
    byline: str | None
    text: str
    created_at: int
    edited_at: int | None


def comment_view(comment: Comment) -> dict[str, Any]:
    """The public shape of a comment."""
    return {
        "id": comment.number,
        "author": comment.author,
        "byline": comment.byline,
        "text": comment.text,
        "created_at": rfc3339(comment.created_at),
        "edited_at": None if comment.edited_at is None else rfc3339(comment.edited_at),
    }
