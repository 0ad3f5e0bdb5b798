"""A link: what outside of the deck a task is about or has led to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from taskdeck.domain.clock import rfc3339

MAX_LINKS = 100
"""Links of a task."""
MAX_TARGET = 1_000
"""Characters of what a link names, and of its address."""


class LinkKind(StrEnum):
    """What a link names."""

    BRANCH = "branch"
    COMMIT = "commit"
    PR = "pr"
    URL = "url"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Link:
    """A task names `target`, a branch, commit, PR, file (in `repository`, if it is said) or address.

    `url` is where it can be looked at. A task has each kind, repository and target at most once.
    """

    number: int
    task: int
    kind: LinkKind
    repository: str | None
    target: str
    url: str | None
    added_by: str
    added_at: int


def link_view(link: Link) -> dict[str, Any]:
    """The public shape of a link."""
    return {
        "id": link.number,
        "kind": link.kind,
        "repository": link.repository,
        "target": link.target,
        "url": link.url,
        "added_by": link.added_by,
        "added_at": rfc3339(link.added_at),
    }
