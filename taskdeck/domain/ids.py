"""Ids as a parameter."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Protocol


class Ids(Protocol):
    """Where new ids, secrets and chance come from."""

    def task_id(self, now_ms: int) -> str:
        """A fresh UUID in text form."""

    def secret(self) -> str:
        """256 random bits, safe in a URL."""

    def chance(self) -> float:
        """A number in [0, 1)."""


def _drawn() -> Iterator[int]:
    """Random numbers of 74 bits, 128 at a time: asking the system takes longer than making an id of one."""
    size = 10
    while True:
        block = secrets.token_bytes(128 * size)
        for start in range(0, len(block), size):
            yield int.from_bytes(block[start : start + size], "big") >> 6


class RandomIds:
    """Ids that sort by time (UUID version 7, RFC 9562 section 5.7) and secrets from the system's source."""

    def __init__(self) -> None:
        self._drawn = _drawn()

    def task_id(self, now_ms: int) -> str:
        tail = next(self._drawn)
        value = (now_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & (1 << 62) - 1
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def secret(self) -> str:
        return secrets.token_urlsafe(32)

    def chance(self) -> float:
        return secrets.randbelow(1 << 30) / (1 << 30)
