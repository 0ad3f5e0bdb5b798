"""Patterns of event types: `task.created` is that type alone, `task.*` all that begin so, `*` everything."""

from __future__ import annotations

import re
from collections.abc import Iterable

PATTERN = re.compile(r"\*|[a-z][a-z_]*(\.[a-z][a-z_]*)*(\.\*)?")
MAX_PATTERN = 64
"""Characters of a pattern."""


def is_pattern(text: str) -> bool:
    """Whether `text` can name event types."""
    return len(text) <= MAX_PATTERN and PATTERN.fullmatch(text) is not None


def matches(patterns: Iterable[str], kind: str) -> bool:
    """Whether one of `patterns` names the event type `kind`."""
    return any(
        pattern == kind or pattern == "*" or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))
        for pattern in patterns
    )
