"""What this dialect keeps in memory beside a deck: who is here, how often they called, what failed, and who listens."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from taskdeck.dialects.claudebench.breakers import Breakers
from taskdeck.dialects.claudebench.errors import Late
from taskdeck.dialects.claudebench.presence import Presence
from taskdeck.dialects.claudebench.windows import Windows
from taskdeck.service.deck import Deck
from taskdeck.service.patience import Patience

_MOST_BESIDE = 1_000
"""Of what stands in no log, how much is kept for a listener that is slow."""


class Frame(NamedTuple):
    """An event as listeners are told of it."""

    kind: str
    payload: dict[str, Any]
    metadata: dict[str, Any] | None
    id: str
    at_ms: int

    def document(self, now: int) -> dict[str, Any]:
        more = {} if self.metadata is None else {"metadata": self.metadata}
        data = {"type": self.kind, "payload": self.payload, **more, "id": self.id, "timestamp": self.at_ms}
        return {"type": "event", "event": self.kind, "data": data, "timestamp": now}


class House:
    """One for each deck; nothing of it outlasts the process."""

    def __init__(self) -> None:
        self.presence = Presence()
        self.windows = Windows()
        self.breakers = Breakers()
        self.listeners: dict[str, Listener] = {}
        self._patience: dict[int, Patience] = {}
        self.batch_ends_at = 0
        self._last_id = 0
        self._told = 0

    def tell(self, kind: str, payload: dict[str, Any], now: int, after: int) -> None:
        """Let every listener be told, each at its own pace, of what is no event of the deck: after event `after`."""
        self._told += 1
        frame = Frame(kind, payload, None, f"evt-{now}-x{self._told}", now)
        for listener in self.listeners.values():
            listener.beside.append((after, frame))
            listener.woken.set()

    def patience(self, ms: int) -> Patience:
        """What ends waits that last longer than so many milliseconds."""
        found = self._patience.get(ms)
        if found is None:
            found = self._patience[ms] = Patience(ms / 1000, lambda: Late(ms))
        return found

    def next_id(self, now: int) -> int:
        """A number for a new task: the time in milliseconds, or the next that none here has."""
        self._last_id = max(now, self._last_id + 1)
        return self._last_id


class Listener:
    """A client of the WebSocket: what it wants, and what it is to be told beside the log once it is `woken`."""

    def __init__(self, id: str, since_ms: int, agent: str, woken: asyncio.Event) -> None:
        self.id = id
        self.since_ms = since_ms
        self.agent = agent
        self.woken = woken
        self.beside: deque[tuple[int, Frame]] = deque(maxlen=_MOST_BESIDE)
        self.patterns: dict[str, None] = {}
        """What it subscribed to, in the order in which it did."""

    def wants(self, kind: str) -> bool:
        """Whether it subscribed to events of that type: by name, by `prefix.*`, or to all."""
        return any(
            pattern in (kind, "*") or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))
            for pattern in self.patterns
        )


_houses: WeakKeyDictionary[Deck, House] = WeakKeyDictionary()


def house_of(deck: Deck) -> House:
    """What is kept beside `deck`."""
    found = _houses.get(deck)
    if found is None:
        found = _houses[deck] = House()
    return found
