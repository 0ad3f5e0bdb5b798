"""What a measurement says: figures with their units, and the machine they hold for."""

from __future__ import annotations

import os
import platform
import sqlite3
from dataclasses import asdict, dataclass, replace
from typing import Any, TypedDict

from taskdeck import __version__
from taskdeck.bench.line import BenchFailed
from taskdeck.bench.load import Round, percentile


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report.

    `value` is in `unit`; the percentiles are of one request, in milliseconds. `cpu_us` is the processor time of
    the server for one request, in microseconds: other work on the machine changes it less than it changes rates.
    `ratio` compares with the figure of the same run that `ratio_to` names.
    """

    name: str
    value: float
    unit: str
    connections: int | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: float | None = None
    ratio: float | None = None
    ratio_to: str | None = None

    def beside(self, ratio: float, to: str) -> Figure:
        """This figure with what it is as a multiple of another."""
        return replace(self, ratio=round(ratio, 3), ratio_to=to)


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of a run, and what they were taken on."""

    machine: dict[str, Any]
    seconds_each: float
    figures: list[Figure]

    def document(self) -> dict[str, Any]:
        """The report as one JSON document."""
        return asdict(self)


def machine() -> dict[str, Any]:
    """What the figures depend on. The load average says how busy the machine was with other things."""
    return {
        "taskdeck": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "durability": "every change synced to disk before its reply (synchronous=FULL)",
    }


class Percentiles(TypedDict):
    """Of latencies, in milliseconds, as `Figure` names them."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


def latencies(rounds: list[Round], kind: str) -> Percentiles:
    """The percentiles of the requests of one kind over all rounds.

    Raises:
        BenchFailed: there were none.
    """
    return spread([taken for played in rounds for taken in played.latencies[kind]])


def spread(samples: list[float]) -> Percentiles:
    """The percentiles of `samples`, which are seconds.

    Raises:
        BenchFailed: there are none.
    """
    if not samples:
        raise BenchFailed("a round ended before its first reply")
    half, most, nearly_all = (round(percentile(samples, part) * 1000, 3) for part in (0.5, 0.95, 0.99))
    return {"p50_ms": half, "p95_ms": most, "p99_ms": nearly_all}


def cpu_us(rounds: list[Round]) -> float | None:
    """Microseconds of the server's processor time for one request, over all rounds; None where nobody looked."""
    requests = sum(len(samples) for played in rounds for samples in played.latencies.values())
    spent = [played.cpu_seconds for played in rounds if played.cpu_seconds is not None]
    return round(sum(spent) / requests * 1e6, 1) if requests and len(spent) == len(rounds) else None
