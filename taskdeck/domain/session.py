"""A session of a worker: what it is at, from when to when, and how that ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from taskdeck.domain.task import Json

MAX_OPEN = 100
"""How many sessions of one worker may be open."""
KEPT = 1_000
"""How many sessions of one worker are remembered, about."""


class SessionStatus(StrEnum):
    """Active while it is open, then how it ended."""

    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Session:
    """One run of a worker's program, one conversation, one task: what the worker chose to call `key`.

    `instance` and `client` are the process it runs in and what that is; `task` is the key of the one task it serves,
    in `project`, where it serves one. Times are milliseconds since the epoch.
    """

    number: int
    worker: str
    key: str
    status: SessionStatus
    instance: str | None
    client: str | None
    task: str | None
    project: str | None
    metadata: Json
    opened_at: int
    updated_at: int
    ended_at: int | None
