"""A project: a named queue with its defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """A named queue. Spans and times are in milliseconds; `last_key` is the last number used in a task's key.

    `max_claims` and the like are how many of its tasks may be held at once, 0 for any number. With `exclusive_files`,
    tasks that name the same files are not handed out side by side.
    """

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
    max_claims: int = 0
    max_claims_per_worker: int = 0
    max_claims_per_label: dict[str, int] = field(default_factory=dict)
    exclusive_files: bool = False

    @property
    def limited(self) -> bool:
        """Whether it sets any limit on what is held at once."""
        return bool(self.max_claims or self.max_claims_per_worker or self.max_claims_per_label)
