"""Committed events on their way to those who listen: a ring in memory, and a wake-up for each listener.

Nobody is sent anything: a listener keeps the number of the last event it saw and takes what came after. One
that falls behind the ring reads from the log, so that a slow listener costs nobody memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

RING = 5_000


class Published:
    """An event as it is streamed: its number, type, project and public form."""

    __slots__ = ("_frame", "body", "project", "seq", "type")

    def __init__(self, seq: int, type: str, project: str | None, body: bytes) -> None:
        self.seq = seq
        self.type = type
        self.project = project
        self.body = bytes(memoryview(body))  # as long as it is: what the encoder gives has room for four times as much
        self._frame: bytes | None = None

    def frame(self) -> bytes:
        """What a stream is sent, encoded once for everyone."""
        if self._frame is None:
            self._frame = b"id: %d\nevent: %s\ndata: %s\n\n" % (self.seq, self.type.encode(), self.body)
        return self._frame


class EventBus:
    """The newest events, and who wants to hear of more."""

    def __init__(self, newest: Iterable[Published], last_seq: int) -> None:
        self._ring: deque[Published] = deque(newest, maxlen=RING)
        self.last_seq = last_seq
        self._listeners: set[asyncio.Event] = set()
        self.ended = asyncio.Event()
        """Set when the bus closes."""

    def publish(self, events: Iterable[Published]) -> None:
        """Put committed events, in order, where listeners find them."""
        self._ring.extend(events)
        if self._ring:
            self.last_seq = self._ring[-1].seq
        for listener in self._listeners:
            listener.set()

    def forget(self, first_kept: int) -> None:
        """The log begins at event `first_kept` now; so does what is in memory."""
        while self._ring and self._ring[0].seq < first_kept:
            self._ring.popleft()

    def after(self, seq: int, limit: int) -> list[Published] | None:
        """Up to `limit` events after `seq`; None when the ring does not reach back that far."""
        missing = self.last_seq - seq
        if missing <= 0:
            return []
        if missing > len(self._ring):
            return None
        start = len(self._ring) - missing
        return [self._ring[i] for i in range(start, min(start + limit, len(self._ring)))]

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever something is published, and when the bus closes."""
        listener = asyncio.Event()
        self._listeners.add(listener)
        if self.ended.is_set():
            listener.set()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    @property
    def closed(self) -> bool:
        return self.ended.is_set()

    def close(self) -> None:
        """Wake all listeners for the last time."""
        self.ended.set()
        for listener in self._listeners:
            listener.set()
