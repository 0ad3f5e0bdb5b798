"""Ids as a parameter."""

from __future__ import annotations

import secrets
from typing import Protocol


class Ids(Protocol):
    """Where new ids, secrets and chance come from."""

    def task_id(self, now_ms: int) -> str:
        """A fresh UUID in text form."""

    def secret(self) -> str:
        """256 random bits, safe in a URL."""

    def chance(self) -> float:
        """A number in [0, 1)."""


class RandomIds:
    """Ids that sort by time (UUID version 7, RFC 9562 section 5.7) and secrets from the system's source."""

    def task_id(self, now_ms: int) -> str:
        tail = secrets.randbits(74)
        value = (now_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & (1 << 62) - 1
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def secret(self) -> str:
        return secrets.token_urlsafe(32)

    def chance(self) -> float:
        return secrets.randbelow(1 << 30) / (1 << 30)
