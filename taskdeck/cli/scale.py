"""`taskdeck bench --scale`: what becomes of claims when there are a million tasks, or everything happens at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from taskdeck.cli.errors import ExitCode, Failure
from taskdeck.cli.output import Column, Output

if TYPE_CHECKING:
    from taskdeck.bench.scenarios.bench import Finding
    from taskdeck.bench.scenarios.run import Outcome

ALL = "all"
_COLUMNS = (
    Column("SCENARIO"),
    Column("WHAT", flexible=True),
    Column("MEASURED", right=True),
    Column("UNIT"),
    Column("MUST", right=True),
    Column("AIM", right=True),
    Column(""),
)


def bench_at_scale(names: str, *, tasks: int, seconds: float, cache: Path | None, as_json: bool) -> int:
    """Run the scenarios of these names, with commas between, or all; the exit status."""
    from taskdeck.bench.scenarios.bench import MILLION
    from taskdeck.bench.scenarios.run import SCENARIOS, run

    chosen = list(SCENARIOS) if names == ALL else names.split(",")
    if unknown := [name for name in chosen if name not in SCENARIOS]:
        raise Failure(f"--scale {unknown[0]}: no such scenario", f"there are {', '.join(SCENARIOS)}; or {ALL}")
    outcome = asyncio.run(run(chosen, scale=tasks / MILLION, seconds=seconds, cache=cache, progress=_progress))
    out = Output(as_json)
    if as_json:
        out.document(outcome.document())
    else:
        _print(out, outcome)
    return ExitCode.FAULT if outcome.failed else ExitCode.OK


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        print(what, file=sys.stderr, flush=True)


def _print(out: Output, outcome: Outcome) -> None:
    of, loads = outcome.machine, outcome.loads.values()
    out.text(
        f"taskdeck {of['taskdeck']}, Python {of['python']}, SQLite {of['sqlite']}, {of['system']}, "
        f"{of['cpus']} processors, load average {min(loads)} to {max(loads)} before the scenarios"
    )
    out.text(f"{of['durability']}; {outcome.seconds_each:g} s a figure")
    out.text()
    out.table(_COLUMNS, _rows(outcome.findings))
    for name, why in outcome.failed.items():
        out.text(f"{name} failed: {why}")


def _rows(findings: Iterable[Finding]) -> Iterable[list[str]]:
    for finding in findings:
        sign = "≥" if finding.least else "≤"
        yield [
            finding.scenario,
            finding.what,
            f"{finding.value:,.0f}" if finding.value >= 1_000 else f"{finding.value:.3g}",
            finding.unit,
            "" if finding.must is None else f"{sign} {finding.must:g}",
            "" if finding.aim is None else f"{sign} {finding.aim:g}",
            {None: "", True: "met", False: "missed"}[finding.met],
        ]
