"""Who is here: the instances that registered, each for as long as its heartbeats come.

What an instance said of itself is kept beside its worker; when it last showed itself, in memory. After a restart of
the deck an instance counts as here if the deck heard of its worker in that time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from taskdeck.dialects.claudebench.words import NAME, NOBODY
from taskdeck.domain.worker import Worker
from taskdeck.service.extra import extra_of

LEASE_MS: Final = 30_000
_TIDY_AT: Final = 10_000


@dataclass(slots=True)
class Instance:
    """When an instance last registered or showed a heartbeat, and when its last heartbeat was."""

    seen_at: int
    heartbeat_at: int | None = None


class Presence:
    """The instances by id, and which of them leads."""

    def __init__(self) -> None:
        self._known: dict[str, Instance] = {}
        self._leader: str | None = None

    def register(self, name: str, now: int) -> None:
        """It is here from now on."""
        if len(self._known) >= _TIDY_AT:
            self._known = {one: known for one, known in self._known.items() if now - known.seen_at <= LEASE_MS}
        self._known[name] = Instance(now)

    def beat(self, name: str, now: int) -> None:
        """It showed a heartbeat."""
        known = self._known.setdefault(name, Instance(now))
        known.seen_at = known.heartbeat_at = now

    def leave(self, name: str) -> None:
        self._known.pop(name, None)

    def lead(self, name: str, workers: Mapping[str, Worker], now: int) -> bool:
        """Let `name` lead if nobody who is here does; whether it came to."""
        if self._leader is not None and self.here(self._leader, workers, now):
            return False
        self._leader = name
        return True

    def here(self, name: str, workers: Mapping[str, Worker], now: int) -> Instance | None:
        """The instance `name`, if its lease goes on."""
        known, worker = self._known.get(name), workers.get(name)
        if worker is None or name == NOBODY:
            return None
        if known is None and extra_of(worker, NAME):
            known = Instance(worker.last_seen_at)
        return known if known is not None and now - known.seen_at <= LEASE_MS else None

    def all_here(self, workers: Mapping[str, Worker], now: int) -> Iterator[tuple[str, Instance]]:
        """Every instance whose lease goes on, by id."""
        for name in sorted(workers):
            known = self.here(name, workers, now)
            if known is not None:
                yield name, known
