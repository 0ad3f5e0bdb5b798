"""Acts of this session that can be taken back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

KEPT = 50


@dataclass(frozen=True, slots=True)
class Undo:
    """One act on some tasks: what it was, and for each task the value before and the version after."""

    verb: Literal["reprioritize", "assign"]
    text: str
    before: tuple[tuple[str, str, Any, int], ...]
    """(task id, key, value before, version after the act)"""


class UndoStack:
    """The newest `KEPT` acts."""

    def __init__(self) -> None:
        self._acts: deque[Undo] = deque(maxlen=KEPT)

    def push(self, act: Undo) -> None:
        """Remember an act."""
        self._acts.append(act)

    def pop(self) -> Undo | None:
        """The newest act, which is forgotten by this."""
        return self._acts.pop() if self._acts else None

    def __len__(self) -> int:
        return len(self._acts)
