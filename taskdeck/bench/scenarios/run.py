"""A run of scenarios, one after the other, and what it found."""

from __future__ import annotations

import contextlib
import os
import resource
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from taskdeck.bench.figures import machine
from taskdeck.bench.line import BenchFailed
from taskdeck.bench.scenarios.at_once import at_once
from taskdeck.bench.scenarios.bench import Bench, Finding, Scenario
from taskdeck.bench.scenarios.blocked import blocked
from taskdeck.bench.scenarios.every_rule import every_rule
from taskdeck.bench.scenarios.filters import filters
from taskdeck.bench.scenarios.group_commit import group_commit
from taskdeck.bench.scenarios.long_polls import long_polls
from taskdeck.bench.scenarios.queue_size import queue_size
from taskdeck.bench.scenarios.start import start
from taskdeck.bench.scenarios.steady import steady
from taskdeck.bench.scenarios.storms import dues, lapses, unblocking
from taskdeck.bench.scenarios.streams import streams
from taskdeck.client import ApiError, Unreachable

SCENARIOS: dict[str, Scenario] = {
    "group-commit": group_commit,
    "queue-size": queue_size,
    "filters": filters,
    "every-rule": every_rule,
    "blocked": blocked,
    "unblocking": unblocking,
    "at-once": at_once,
    "lapses": lapses,
    "dues": dues,
    "steady": steady,
    "long-polls": long_polls,
    "streams": streams,
    "start": start,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """All findings of a run, and what they were taken on.

    `loads` is the load average before each scenario; `failed` are those that found nothing, with the reason.
    """

    machine: dict[str, Any]
    scale: float
    seconds_each: float
    findings: list[Finding]
    loads: dict[str, float]
    failed: dict[str, str]

    def document(self) -> dict[str, Any]:
        """The outcome as one JSON document."""
        return asdict(self) | {"findings": [asdict(finding) | {"met": finding.met} for finding in self.findings]}


async def run(
    names: Sequence[str], *, scale: float, seconds: float, cache: Path | None, progress: Callable[[str], None]
) -> Outcome:
    """Run the scenarios of these names; filled folders are kept in `cache` for another run, if it is given.

    One in which a server does not start, refuses or hangs up has failed; the others go on.
    """
    surroundings = machine()
    findings: list[Finding] = []
    loads: dict[str, float] = {}
    failed: dict[str, str] = {}
    _allow_many_files()
    with tempfile.TemporaryDirectory(prefix="taskdeck-bench-") as folder:
        work = Path(folder)
        kept = cache or work / "filled"
        kept.mkdir(parents=True, exist_ok=True)
        bench = Bench(scale, seconds, kept, work, progress)
        for name in names:
            loads[name] = round(os.getloadavg()[0], 2)
            try:
                findings += await SCENARIOS[name](bench)
            except (BenchFailed, ApiError, Unreachable, OSError) as error:
                failed[name] = str(error) or type(error).__name__
    return Outcome(surroundings, scale, seconds, findings, loads, failed)


def _allow_many_files() -> None:
    """Open as many connections as the system allows; processes started from here may, too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
