"""A project: a named queue with its defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from taskdeck.domain.task import DEFAULT_LEASE_S, DEFAULT_MAX_ATTEMPTS, Json, Review

DEFAULT_PROJECT = "default"
DEFAULT_BACKOFF_S = 10
DEFAULT_BACKOFF_CAP_S = 600
DEFAULT_KEEP_DAYS = 30
DEFAULT_KEEP_FAILED_DAYS = 90
DEFAULT_KEEP_EVENTS_DAYS = 90
MAX_KEEP_DAYS = 36_500
"""A hundred years: for ever, as far as a deck is concerned."""
DAY_MS = 86_400_000


class OfflineClaims(StrEnum):
    """What becomes of the claims of a worker that went offline.

    `lapse` ends their leases early, and is a lapse in all else: the attempt is spent, so that a task which fells its
    workers does not go round for ever, and the holder that comes back may finish until another has the task.
    """

    KEEP = "keep"
    LAPSE = "lapse"


@dataclass(slots=True)
class Project:
    """A named queue. Spans and times are in milliseconds; `last_key` is the last number used in a task's key,
    `number` the project's own, counted from 1.

    `keep_…_ms` is how long a task is kept after it has ended so. `max_claims` and the like are how many of its tasks
    may be held at once, 0 for any number. With `exclusive_files`, tasks that name the same files are not handed out
    side by side.
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
    keep_done_ms: int = DEFAULT_KEEP_DAYS * DAY_MS
    keep_failed_ms: int = DEFAULT_KEEP_FAILED_DAYS * DAY_MS
    keep_cancelled_ms: int = DEFAULT_KEEP_DAYS * DAY_MS
    review: str = Review.NONE
    gates: Json | None = None
    number: int = 0
    offline_claims: OfflineClaims = OfflineClaims.KEEP
    max_claims: int = 0
    max_claims_per_worker: int = 0
    max_claims_per_label: dict[str, int] = field(default_factory=dict)
    exclusive_files: bool = False

    @property
    def limited(self) -> bool:
        """Whether it sets any limit on what is held at once."""
        return bool(self.max_claims or self.max_claims_per_worker or self.max_claims_per_label)
