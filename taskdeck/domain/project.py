"""A project: a named queue with its defaults."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(slots=True)
class Project:
    """A named queue. Spans and times are in milliseconds; `last_key` is the last number used in a task's key,
    `number` the project's own, counted from 1.

    `keep_…_ms` is how long a task is kept after it has ended so.
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
