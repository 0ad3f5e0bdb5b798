"""Ids that count, so that a run can be repeated exactly."""

from __future__ import annotations

import itertools
import random
import uuid


class CountingIds:
    """Ids 1, 2, 3 … and chance from a seed; `start` keeps the ids of two runs on one folder apart."""

    def __init__(self, start: int = 1, seed: int = 7337) -> None:
        self._count = itertools.count(start)
        self._random = random.Random(seed)

    def task_id(self, now_ms: int) -> str:
        return str(uuid.UUID(int=next(self._count)))

    def secret(self) -> str:
        return f"{next(self._count):06}{'s' * 37}"

    def chance(self) -> float:
        return self._random.random()
