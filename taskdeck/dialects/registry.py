"""The dialects this deck speaks, by name; each is loaded when it is first needed, for few decks are asked for many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TypeVar

from taskdeck.dialects.dialect import Dialect
from taskdeck.dialects.veryfront import words as veryfront
from taskdeck.domain.task import Json
from taskdeck.domain.via import DIALECTS
from taskdeck.loading import loading

T = TypeVar("T")


class _Spoken(Mapping[str, T]):
    """What dialects have for `part`, by their names. Looking one up loads it."""

    def __init__(self, part: Callable[[Dialect], T | None]) -> None:
        self._part = part

    def __getitem__(self, name: str) -> T:
        found = self._part(_load(name)) if name in DIALECTS else None
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return (name for name in DIALECTS if self._part(_load(name)) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def _load(name: str) -> Dialect:
    with loading():
        dialect: Dialect = import_module(f"taskdeck.dialects.{name}.dialect").DIALECT
    return dialect


ALL = _Spoken(lambda dialect: dialect)

LETTERS = _Spoken(lambda dialect: dialect.letter)
"""How webhooks are told that were made by a dialect, if not as the deck's own are."""

TELLINGS = _Spoken(lambda dialect: dialect.telling)
"""What texts of rules are filled in from that were made by a dialect, if not as those of the deck's own are."""


def needs(payload: Json) -> frozenset[str]:
    """Which capabilities `payload` asks for in the words of any dialect; every new task's is read, however it is made.

    Raises:
        Invalid: it asks in a dialect's words for what there cannot be.
    """
    return veryfront.needs(payload)
