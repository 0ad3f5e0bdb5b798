"""The webhook: an address outside that is told of events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from taskdeck.domain.patterns import matches
from taskdeck.domain.via import NATIVE

MAX_WEBHOOKS = 50
MAX_TRIES = 10
"""How often a delivery is tried before it is given up: for about an hour and a half."""
BASE_S, CAP_S = 10.0, 3600.0
"""The rest after the first failed try, and the longest."""
DISABLE_AFTER = 10
DISABLE_AFTER_MS = 30 * 60 * 1000
"""So many tries failed, one after another and over so long: then the webhook is disabled."""
MAX_WAITING = 200
"""Deliveries of one webhook that wait to be tried; further events stay in the log until there is room."""
KEPT = 1_000
"""Deliveries of one webhook that are listed after they ended."""


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events go. Times are milliseconds since the epoch; `projects` is None for all.

    `cursor` is the number of the last event that was looked at for it; `failures` counts the tries that failed since
    one succeeded. Until `old_until` messages are signed with `old_secret` too.
    `via` is the interface it was made by, in whose words it is told.
    """

    id: int
    url: str
    patterns: tuple[str, ...]
    projects: frozenset[str] | None
    description: str
    secret: str
    old_secret: str | None
    old_until: int | None
    active: bool
    disabled_reason: str | None
    cursor: int
    failures: int
    failing_since: int | None
    created_by: str
    created_at: int
    version: int
    via: str = NATIVE

    def wants(self, kind: str, project: str | None) -> bool:
        """Whether an event of that type and project is sent to it."""
        return (self.projects is None or project in self.projects) and matches(self.patterns, kind)

    def secrets(self, now: int) -> tuple[str, ...]:
        """What messages are signed with now, the newest first."""
        if self.old_secret is not None and self.old_until is not None and now < self.old_until:
            return (self.secret, self.old_secret)
        return (self.secret,)

    def is_spent(self, now: int) -> bool:
        """Whether it has failed so often and so long that it is to be disabled."""
        long = self.failing_since is not None and now - self.failing_since >= DISABLE_AFTER_MS
        return self.failures >= DISABLE_AFTER and long
