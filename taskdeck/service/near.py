"""What somebody may have meant who named something that is not there."""

from __future__ import annotations

from collections.abc import Iterable

_LEAST_LIKE = 75
"""Of 100; below it a name is no slip of another."""
_LONGEST = 200
"""Characters of a name that are compared."""


def near(name: str, known: Iterable[str], limit: int = 1) -> list[str]:
    """The names of `known` that look most like `name`, likest first; none where all look different."""
    from rapidfuzz import fuzz, process

    found = process.extract(
        name[:_LONGEST].lower(), list(known), scorer=fuzz.WRatio, limit=limit, score_cutoff=_LEAST_LIKE
    )
    return [choice for choice, _, _ in found]
