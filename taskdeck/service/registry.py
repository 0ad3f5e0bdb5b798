"""What is looked at without a query: rows kept in memory beside the database."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def _nobody() -> None:
    """Is told of nothing."""


class Registry(Generic[K, V]):
    """Values by key. Read on the event loop, changed there after each commit; then `tell` is called."""

    def __init__(self, key: Callable[[V], K], known: Iterable[V]) -> None:
        self._key = key
        self._known = {key(value): value for value in known}
        self.tell: Callable[[], Any] = _nobody

    def all(self) -> list[V]:
        """Every value, in the order in which they were made."""
        return list(self._known.values())

    def get(self, key: K) -> V | None:
        return self._known.get(key)

    def put(self, value: V) -> None:
        self._known[self._key(value)] = value
        self.tell()

    def drop(self, key: K) -> None:
        self._known.pop(key, None)
        self.tell()
