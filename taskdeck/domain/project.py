"""A project: a named queue with its defaults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from taskdeck.domain.task import DEFAULT_LEASE_S, DEFAULT_MAX_ATTEMPTS

DEFAULT_PROJECT = "default"
DEFAULT_BACKOFF_S = 10
DEFAULT_BACKOFF_CAP_S = 600


class OfflineClaims(StrEnum):
    """What becomes of the claims of a worker that went offline.

    `lapse` ends their leases early, and is a lapse in all else: the attempt is spent, so that a task which fells its
    workers does not go round for ever, and the holder that comes back may finish until another has the task.
    """

    KEEP = "keep"
    LAPSE = "lapse"


@dataclass(slots=True)
class Project:
    """A named queue. Spans and times are in milliseconds; `last_key` is the last number used in a task's key."""

    name: str
    prefix: str
    last_key: int = 0
    description: str = ""
    lease_ms: int = DEFAULT_LEASE_S * 1000
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    backoff_ms: int = DEFAULT_BACKOFF_S * 1000
    backoff_cap_ms: int = DEFAULT_BACKOFF_CAP_S * 1000
    paused_at: int | None = None
    paused_by: str | None = None
    pause_reason: str | None = None
    created_at: int = 0
    version: int = 1
    offline_claims: OfflineClaims = OfflineClaims.KEEP
