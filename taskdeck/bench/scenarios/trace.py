"""Load that goes on while something else happens, with the moment of every reply."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from taskdeck.bench.line import BenchFailed, Line, Script, Site
from taskdeck.bench.load import percentile, undisturbed


@dataclass(slots=True)
class Trace:
    """Replies in the order in which they came: the moment (`time.perf_counter`), the kind, how long it took (s)."""

    replies: list[tuple[float, str, float]] = field(default_factory=list)

    def note(self, kind: str, taken: float) -> None:
        """Take down a reply that has come now."""
        self.replies.append((time.perf_counter(), kind, taken))

    def between(self, begin: float, end: float) -> Trace:
        """The part of it in a span of time."""
        return Trace([reply for reply in self.replies if begin <= reply[0] < end])

    def taken(self, kind: str) -> list[float]:
        return [taken for _, what, taken in self.replies if what == kind]

    def percentile_ms(self, kind: str, part: float) -> float:
        """The latency, in milliseconds, below which `part` (0 to 1) of the requests of a kind lie.

        Raises:
            BenchFailed: there were none.
        """
        samples = self.taken(kind)
        if not samples:
            raise BenchFailed(f"nothing was measured: no {kind} came back in time")
        return percentile(samples, part) * 1000

    def longest_gap_ms(self) -> float:
        """The longest time in which not one reply came."""
        return max((after[0] - before[0] for before, after in pairwise(self.replies)), default=0.0) * 1000


@asynccontextmanager
async def load(site: Site, scripts: Iterable[Script], line: type[Line] = Line) -> AsyncIterator[Trace]:
    """Play the scripts, one on each connection (a `line`), until the block ends; a script may end sooner.

    Raises:
        BenchFailed: the server refused a request or hung up.
        OSError: it cannot be reached.
    """
    trace = Trace()
    lines: list[Line] = []

    try:
        for script in scripts:
            lines.append(await line.connected(site, script, trace.note))
        with undisturbed():
            for each in lines:
                each.start(math.inf)
            yield trace
        for each in lines:
            if each.ended.done():
                each.ended.result()
    finally:
        for each in lines:
            each.close()
