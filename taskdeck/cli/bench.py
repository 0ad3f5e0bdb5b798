"""`taskdeck bench`: how many agents this machine carries."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskdeck.cli.connect import JsonOption
from taskdeck.cli.errors import ExitCode, Failure
from taskdeck.cli.output import Column, Output
from taskdeck.cli.scale import bench_at_scale
from taskdeck.domain.via import DIALECTS
from taskdeck.environment import nearest

if TYPE_CHECKING:
    from taskdeck.bench.dialects import Tongue
    from taskdeck.bench.figures import Figure, Report

MOST_CONNECTIONS = 1_024
_COLUMNS = (
    Column("WHAT"),
    Column("CONNECTIONS", right=True),
    Column("RATE", right=True),
    Column("UNIT"),
    Column("P50 MS", right=True),
    Column("P95 MS", right=True),
    Column("P99 MS", right=True),
    Column("CPU US", right=True),
    Column("RATIO"),
)


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command("bench", rich_help_panel="Deck")(bench)


def bench(
    url: Annotated[str | None, typer.Option(help="Measure this deck; its project `bench` keeps the tasks.")] = None,
    token: Annotated[str | None, typer.Option(help="An operator's token for it. (env: TASKDECK_TOKEN)")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="How long to measure each figure.")] = 3.0,
    connections: Annotated[str, typer.Option(help="How many connections at once, one after the other.")] = "1,16,64",
    dialect: Annotated[str | None, typer.Option(help="Measure this dialect beside the native API instead.")] = None,
    deck: Annotated[bool, typer.Option("--deck", help="Measure what drawing the dashboard costs the server.")] = False,
    scale: Annotated[str | None, typer.Option(help="Measure at scale instead: `all`, or names of scenarios.")] = None,
    tasks: Annotated[int, typer.Option(min=1_000, max=10_000_000, help="With --scale: how many.")] = 1_000_000,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --scale: keep filled data folders here.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Measure claims a second, creates, latencies and memory, beside the floor of the same server without a store.

    Starts a deck of its own in a temporary folder and another process, and loads it from this one.
    """
    from taskdeck.bench.line import BenchFailed
    from taskdeck.bench.run import bench as measured

    if scale is not None:
        return bench_at_scale(scale, tasks=tasks, seconds=seconds, cache=cache, as_json=as_json)
    if deck and (dialect is not None or url is not None):
        raise Failure("--deck measures decks of its own, through the native API", "leave --dialect and --url out")
    counts = _connections(connections)
    spoken = None if dialect is None else _tongue(dialect)
    token = token or os.environ.get("TASKDECK_TOKEN") or None
    try:
        report = asyncio.run(
            measured(
                seconds=seconds,
                connections=counts,
                url=url,
                token=token,
                dialect=spoken,
                dashboard=deck,
                progress=_progress,
            )
        )
    except BenchFailed as error:
        raise Failure(str(error), code="bench_failed", status=ExitCode.FAULT) from None
    except ValueError as error:
        raise Failure(str(error), "bench speaks plain http, without a path") from None
    out = Output(as_json)
    if as_json:
        out.document(report.document())
    else:
        _print(out, report)
    return ExitCode.OK


def _tongue(name: str) -> Tongue:
    from taskdeck.bench.dialects import tongue

    if name not in DIALECTS:
        raise Failure(f"--dialect {name}: there is no such dialect", nearest(name, DIALECTS))
    return tongue(name)


def _connections(text: str) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if not counts or not all(1 <= count <= MOST_CONNECTIONS for count in counts):
        raise Failure(f"--connections {text}: not numbers from 1 to {MOST_CONNECTIONS}", "write them like 1,16,64")
    return counts


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"measuring: {what}", file=sys.stderr, flush=True)


def _print(out: Output, report: Report) -> None:
    of = report.machine
    out.text(
        f"taskdeck {of['taskdeck']}, Python {of['python']}, SQLite {of['sqlite']}, {of['system']}, "
        f"{of['cpus']} processors, load average {of['load_average']} before"
    )
    out.text(f"{of['durability']}; {report.seconds_each:g} s a figure")
    out.text("P50 to P99: from sending a request to having its reply; CPU: processor time of the server for a request")
    out.text()
    out.table(_COLUMNS, _rows(report.figures))


def _rows(figures: Iterable[Figure]) -> Iterable[list[str]]:
    for figure in figures:
        yield [
            figure.name,
            str(figure.connections or ""),
            f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.3g}",
            figure.unit,
            *(_ms(taken) for taken in (figure.p50_ms, figure.p95_ms, figure.p99_ms)),
            "" if figure.cpu_us is None else f"{figure.cpu_us:.0f}",
            "" if figure.ratio is None else f"{_ratio(figure.ratio)} {figure.ratio_to}",
        ]


def _ms(taken: float | None) -> str:
    return "" if taken is None else f"{taken:.2f}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.0%} of" if ratio < 1 else f"{ratio:.1f} ×"
