"""Acts of this session that can be taken back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

KEPT = 50

UndoVerb = Literal["reprioritize", "assign", "edit", "create", "promote", "shelve", "cancel"]


class Before(NamedTuple):
    """One task before an act: the value that it had, and the version that the act left it in."""

    task: str
    key: str
    value: Any
    version: int


@dataclass(frozen=True, slots=True)
class Undo:
    """One act on some tasks: what it was, when, and how each task was before."""

    verb: UndoVerb
    text: str
    at_ms: int
    before: tuple[Before, ...]
    act: str = ""
    """The mark that its events carry."""


class UndoStack:
    """The newest `KEPT` acts, newest last."""

    def __init__(self) -> None:
        self._acts: deque[Undo] = deque(maxlen=KEPT)

    def push(self, act: Undo) -> None:
        """Remember an act."""
        self._acts.append(act)

    def pop(self) -> Undo | None:
        """The newest act, which is forgotten by this."""
        return self._acts.pop() if self._acts else None

    def take(self, act: Undo) -> bool:
        """Forget that act; False if it is not known any more."""
        if act not in self._acts:
            return False
        self._acts.remove(act)
        return True

    @property
    def newest(self) -> Undo | None:
        """The act that would be taken back next."""
        return self._acts[-1] if self._acts else None

    def newest_first(self) -> list[Undo]:
        """All of them."""
        return list(reversed(self._acts))

    def __len__(self) -> int:
        return len(self._acts)
