"""How a task is named from outside: by id, by number or by key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@/+-]{0,127}")
"""Names of workers, principals, assignees, labels and capabilities."""
PROJECT = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
PREFIX = re.compile(r"[A-Z][A-Z0-9]{0,7}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MAX_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Ref:
    """A parsed reference: which column it speaks of, and the value to look for there."""

    column: Literal["id", "number", "key"]
    value: str | int


def parse_ref(text: str) -> Ref:
    """Tell which kind of reference `text` is. Every text is one: what fits nothing else is looked up as a key."""
    if text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _MAX_NUMBER:
        return Ref("number", int(text))
    if _UUID.fullmatch(text):
        return Ref("id", text.lower())
    return Ref("key", text)
