"""The budgets of the dashboard, each measured once: idling, keys, a storm of events, many tasks, the past.

Run: `python tests/bench/budgets.py [NAME…]`. Prints each figure beside its budget. Nothing is asserted: machines
differ, and what else they do counts in.
What drawing costs a server under load in the same process is measured by `taskdeck bench --deck`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tui"))

from live import client_of, deck_in, seat
from scene import claim, event, fill, scene, task
from textual.drivers.headless_driver import HeadlessDriver

from taskdeck.app import collecting_rarely
from taskdeck.cli.near import NearClient
from taskdeck.tui.screens.frame import TICK

ROUNDS = 60
IDLE_SECONDS = 10
KEYS = 200
STORM_SECONDS = 60


def told(what: str, figure: float, unit: str, budget: float) -> None:
    """One line: a figure, its budget, and whether it is kept."""
    kept = "kept" if figure <= budget else "MISSED"
    print(f"{what:<58} {figure:8.2f} {unit:<5} of {budget:g} {unit}  {kept}", flush=True)


@contextlib.contextmanager
def longest_step() -> Iterator[list[float]]:
    """The CPU milliseconds that the longest step of the event loop took: what others on the loop waited at least.

    Unlike the time on the wall it does not grow with what else the machine has to do.
    """
    longest = [0.0]
    run = asyncio.events.Handle._run

    def timed(handle: asyncio.events.Handle) -> None:
        began = time.thread_time()
        run(handle)
        longest[0] = max(longest[0], (time.thread_time() - began) * 1000)

    asyncio.events.Handle._run = timed  # type: ignore[method-assign]
    try:
        yield longest
    finally:
        asyncio.events.Handle._run = run  # type: ignore[method-assign]


@contextlib.contextmanager
def painting() -> Iterator[None]:
    """Have all that a terminal would get written out, and then thrown away: a headless driver asks for nothing."""
    headless = HeadlessDriver.is_headless
    HeadlessDriver.is_headless = property(lambda _driver: False)  # type: ignore[assignment]
    try:
        yield
    finally:
        HeadlessDriver.is_headless = headless  # type: ignore[method-assign]


async def redraw(size: tuple[int, int], changing: int) -> None:
    """Each round `changing` tasks get a new form, and the deck brings its screen up to date when it next looks; how
    late a sleeper on the same loop woke at worst meanwhile, and how late it wakes while nothing changes."""
    rng = random.Random(1)
    app = scene([])
    fill(app.model, [task(number, title=f"Task {number}") for number in range(1, 2001)], counts={"ready": 2000})
    with painting():
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.5)
            stalls: list[float] = []
            steps: list[float] = []
            with longest_step() as step:
                rest = [(await longest_gap(2 * TICK))[-1] for _ in range(ROUNDS // 4)]
                for version in range(2, ROUNDS + 2):
                    numbers = (rng.randint(1, 60) if at < 60 else rng.randint(1, 2000) for at in range(changing))
                    wires = [task(number, title=f"Round {version} {number}", version=version) for number in numbers]
                    for wire in wires:
                        app.model.learn(wire)
                    await asyncio.sleep(0)
                    step[0] = 0.0
                    stalls.append((await longest_gap(2 * TICK))[-1])
                    steps.append(step[0])
    name = f"redraw of {changing} changing rows, {size[0]}x{size[1]}"
    print(f"{name}: stall while nothing changes: half under {statistics.median(rest):.2f} ms, worst {max(rest):.2f} ms")
    told(f"{name}: stall, half of them", statistics.median(stalls), "ms", 3)
    told(f"{name}: stall, the worst", max(stalls), "ms", 10)
    told(f"{name}: longest step, CPU, half of them", statistics.median(steps), "ms", 3)
    told(f"{name}: longest step, CPU, the worst", max(steps), "ms", 10)


async def keys() -> None:
    """From a key to the screen that shows what it did."""
    app = scene()
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause(0.5)
        drawn, display, waits = asyncio.Event(), app._display, []

        def shown(*arguments: Any) -> None:
            display(*arguments)
            drawn.set()

        app._display = shown  # type: ignore[method-assign]
        for at in range(KEYS):
            await asyncio.sleep(0.02)
            drawn.clear()
            began = time.perf_counter()
            app.simulate_key("j" if at % 50 < 25 else "k")
            await asyncio.wait_for(drawn.wait(), 5)
            waits.append((time.perf_counter() - began) * 1000)
        waits.sort()
        told("key to screen, 95 of 100", waits[int(len(waits) * 0.95)], "ms", 50)


async def longest_gap(seconds: float) -> list[float]:
    """How late a 2 ms sleeper woke, in ms."""
    late: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        await asyncio.sleep(0.002)
        late.append((time.perf_counter() - began - 0.002) * 1000)
    return sorted(late)


async def storm(per_second: int, seconds: int) -> None:
    """CPU share while so many heartbeats a second reach the model of a full screen, and whether a key is lost."""
    app = scene()
    rows = [row for row in app.model.rows.values() if row.lease]
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause(0.5)
        began, cpu, seq, pressed, done = time.perf_counter(), time.process_time(), 10_000, 0, 0
        run = app.deck.views.run

        def counted(name: str) -> None:
            nonlocal done
            done += 1
            run(name)

        app.deck.views.run = counted  # type: ignore[method-assign]
        memory = resident_mb()
        while (now := time.perf_counter() - began) < seconds:
            while seq - 10_000 < now * per_second:
                seq += 1
                row = rows[seq % len(rows)]
                event_told = event(seq, "task.heartbeat", now, task(row.number), "agent-atlas")
                event_told["changes"] = {"claim": claim("agent-atlas", left=seq % 300), "version": seq}
                app.model.apply(event_told)
            if pressed < now * 5:
                app.simulate_key("j" if pressed % 2 else "k")
                pressed += 1
            await asyncio.sleep(0.02)
        share = (time.process_time() - cpu) / (time.perf_counter() - began) * 100
        await pilot.pause(0.5)
        told(f"{per_second} events/s for {seconds} s: of a core", share, "%", 35)
        told(f"{per_second} events/s for {seconds} s: of {pressed} keys lost", pressed - done, "keys", 0)
        told(f"{per_second} events/s for {seconds} s: memory grown by", resident_mb() - memory, "MB", 20)


def resident_mb() -> float:
    """The memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


async def idle(leases: int, focused: bool) -> None:
    """CPU share of server and dashboard in one process while `leases` count down and nothing happens."""
    with tempfile.TemporaryDirectory() as folder:
        async with deck_in(Path(folder) / "d") as deck, client_of(deck) as client:
            await client.create_many([{"title": f"T{number}"} for number in range(500)])
            for number in range(0, leases, 10):
                await client.claim(f"agent-{number}", max_tasks=10, lease_seconds=300)
            async with seat(deck, (120, 36), client=NearClient(deck)) as at:
                at.app.app_focus = focused
                await asyncio.sleep(3)
                began, cpu = time.perf_counter(), time.process_time()
                await asyncio.sleep(IDLE_SECONDS)
                share = (time.process_time() - cpu) / (time.perf_counter() - began) * 100
                how = "focused" if focused else "unfocused"
                told(f"idle, {leases} leases, {how}, server and all: of a core", share, "%", 2 if focused else 0.5)


async def first_paint(tasks: int) -> None:
    """From the start of the application until rows of a deck with many tasks are on screen."""
    with tempfile.TemporaryDirectory() as folder:
        async with deck_in(Path(folder) / "d") as deck, client_of(deck) as client:
            for start in range(0, tasks, 1000):
                await client.create_many(
                    [{"title": f"T{start + number}", "priority": number % 100} for number in range(1000)]
                )
            began = time.perf_counter()
            async with seat(deck, (120, 36)) as at:
                await at.sees("T99")
                told(f"{tasks:,} tasks: first rows", time.perf_counter() - began, "s", 1)
                waits = []
                for word in ("t4", "prio>=70 t9", "state:ready t77", "-t1 prio<20"):
                    began = time.perf_counter()
                    at.deck.typed_line.filter(word, final=True)
                    ready = at.app.model.window.segments["ready"]
                    await asyncio.wait_for(_once(lambda ready=ready: ready.pages), 10)
                    at.deck.redraw()
                    waits.append((time.perf_counter() - began) * 1000)
                    await at.press("escape")
                told(f"{tasks:,} tasks: filter, the slowest of {len(waits)}", max(waits), "ms", 150)


async def _once(holds: Callable[[], Any]) -> None:
    """Wait until something holds, without keeping anyone from their turn."""
    while not holds():  # noqa: ASYNC110 - nothing announces it
        await asyncio.sleep(0.001)


async def journey(events: int) -> None:
    """Into the past of a deck with so many events and about in it: how long others wait meanwhile."""
    with tempfile.TemporaryDirectory() as folder, painting():
        async with deck_in(Path(folder) / "d") as deck, client_of(deck) as client:
            for start in range(0, events, 1000):
                await client.create_many([{"title": f"T{start + number}"} for number in range(1000)])
            async with seat(deck, (200, 50)) as at:
                await at.sees("T0")
                with longest_step() as step:
                    watching, began = asyncio.create_task(longest_gap(events / 5_000)), time.perf_counter()
                    at.deck.act("past")
                    await _once(lambda: at.deck.travel.away)
                    there, gaps = time.perf_counter() - began, await watching
                    entering, step[0] = step[0], 0.0
                    for key in ("earlier",) * 30 + ("later",) * 10 + ("minute-earlier", "past"):
                        watching = asyncio.create_task(longest_gap(0.3))
                        at.deck.act(key)
                        gaps += await watching
    name = f"past of {events:,} events"
    told(f"{name}: there after", there, "s", 5)
    gaps.sort()
    told(f"{name}: stall, 99 of 100", gaps[int(len(gaps) * 0.99)], "ms", 10)
    told(f"{name}: longest step of the way there, CPU", entering, "ms", 10)
    told(f"{name}: longest step of moving about and back, CPU", step[0], "ms", 10)


BUDGETS: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
    "redraw": lambda: redraw((120, 36), 300),
    "redraw-wide": lambda: redraw((200, 50), 300),
    "keys": keys,
    "past": lambda: journey(20_000),
    "storm": lambda: storm(500, STORM_SECONDS),
    "idle": lambda: idle(40, True),
    "unfocused": lambda: idle(40, False),
    "tasks": lambda: first_paint(100_000),
}


async def main(names: Sequence[str]) -> None:
    with collecting_rarely():  # as in a process that serves
        for name in names or BUDGETS:
            await BUDGETS[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
