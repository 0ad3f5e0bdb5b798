"""The state machine for long: `python tests/soak.py EXAMPLES STEPS SEED [PROCESSES]`, such as `20000 100 7 2`.

Runs in lots of 250 examples, each with a seed of its own that counts up from SEED, and says how each lot went. Ends
with 1 if one failed; its seed and report are printed.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from integration.test_state_machine import Deckhand
from support.choice import ANEW
from support.machine import TALLY, Tally

LOT = 250
"""Examples of one run: Hypothesis keeps in memory what it has tried."""


def lot(number: int, examples: int, steps: int) -> tuple[int, Tally, float, str | None]:
    """One run with this seed; what it did, in what time, and how it failed if it did."""
    begun, failure = time.monotonic(), None
    TALLY.machines = TALLY.steps = 0
    TALLY.events = Counter()
    try:
        run_state_machine_as_test(
            seed(number)(Deckhand),
            settings=settings(
                max_examples=examples, stateful_step_count=steps, deadline=None, database=None, print_blob=True,
                backend=ANEW, suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    except Exception:
        failure = traceback.format_exc()
    return number, TALLY, time.monotonic() - begun, failure


def _into(folder: str) -> None:
    """Where a process keeps its files; nobody tidies up behind one that is ended."""
    tempfile.tempdir = folder


def main(examples: int, steps: int, first: int, processes: int = 1) -> int:
    """All lots, as many at a time as there are processes."""
    begun, whole, failed = time.monotonic(), Tally(), list[int]()
    sizes = [min(LOT, examples - done) for done in range(0, examples, LOT)]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        ProcessPoolExecutor(processes, initializer=_into, initargs=[folder]) as pool,
    ):
        for number, tally, seconds, failure in pool.map(
            lot, range(first, first + len(sizes)), sizes, [steps] * len(sizes)
        ):
            whole.machines += tally.machines
            whole.steps += tally.steps
            whole.events += tally.events
            print(f"seed {number}: {tally.machines} examples, {tally.steps} steps, {seconds:.0f} s", flush=True)
            if failure is not None:
                failed.append(number)
                print(failure, flush=True)
    print(*(f"{count:>12,} {kind}" for kind, count in sorted(whole.events.items())), sep="\n")
    print(
        f"{whole.machines:,} examples, {whole.steps:,} steps, {whole.events.total():,} events in"
        f" {time.monotonic() - begun:.0f} s; failed: {failed or 'none'}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
