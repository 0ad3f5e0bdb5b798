"""What every scenario is given, and what it says."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taskdeck.bench.scenarios.filling import Filling, filled
from taskdeck.bench.scenarios.served import Served, serving

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured value beside its target: what must be and what is aimed at, if there is one.

    A ratio has no unit and names in `what` both sides of it. `least` says that more is better.
    """

    scenario: str
    what: str
    value: float
    unit: str = ""
    must: float | None = None
    aim: float | None = None
    least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether it is as it must be; None where nothing was asked."""
        if self.must is None:
            return None
        return self.value >= self.must if self.least else self.value <= self.must


@dataclass(slots=True)
class Bench:
    """A run of scenarios.

    `scale` multiplies the numbers of tasks (1 is the full size), `seconds` go to each closed loop. Filled folders are
    kept in `cache`; what is served lies in `work`. `progress` is told what is being done.
    """

    scale: float
    seconds: float
    cache: Path
    work: Path
    progress: Callable[[str], None]
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def tasks(self, full: int) -> int:
        """So many tasks at full size, at this scale."""
        return max(1_000, round(full * self.scale)) if full >= 1_000 else full

    async def folder(self, filling: Filling) -> Path:
        """A data folder of this filling, to be used up."""
        self.progress(f"filling: {filling}")
        return await filled(filling, self.cache, self.work / f"data{next(self._numbers)}")

    @asynccontextmanager
    async def deck(self, filling: Filling, **options: Any) -> AsyncIterator[Served]:
        """A deck on a folder of this filling, gone when the block ends."""
        data = await self.folder(filling)
        try:
            async with serving(data, **options) as served:
                yield served
        finally:
            shutil.rmtree(data)


Scenario = Callable[[Bench], Awaitable[list[Finding]]]
