"""The dialects this deck speaks, by name."""

from __future__ import annotations

from taskdeck.dialects import claudebench, conductor, delega, stride, veryfront
from taskdeck.dialects.dialect import Dialect
from taskdeck.domain.task import Json

_SPOKEN: tuple[Dialect, ...] = (
    claudebench.DIALECT,
    stride.DIALECT,
    conductor.DIALECT,
    delega.DIALECT,
    veryfront.DIALECT,
)

ALL: dict[str, Dialect] = {dialect.name: dialect for dialect in _SPOKEN}

LETTERS = {name: dialect.letter for name, dialect in ALL.items() if dialect.letter is not None}
"""How webhooks are told that were made by a dialect, if not as the deck's own are."""

TELLINGS = {name: dialect.telling for name, dialect in ALL.items() if dialect.telling is not None}
"""What texts of rules are filled in from that were made by a dialect, if not as those of the deck's own are."""

_NEEDS = tuple(dialect.needs for dialect in _SPOKEN if dialect.needs is not None)


def needs(payload: Json) -> frozenset[str]:
    """Which capabilities `payload` asks for in the words of any dialect."""
    return frozenset().union(*(read(payload) for read in _NEEDS))
