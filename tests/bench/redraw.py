"""What the dashboard costs: the stall of one redraw of many changing rows, idling with 40 leases, a first paint.

Run: `python tests/bench/redraw.py`. Prints figures; nothing is asserted, machines differ.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tui"))

from live import client_of, deck_in, seat
from scene import claim, event, fill, scene, task

from taskdeck.app import collecting_rarely

ROUNDS = 60
IDLE_SECONDS = 10


async def stall_of_a_redraw(size: tuple[int, int], changing: int) -> None:
    """Each round `changing` tasks get a new form, and the screen is brought up to date; how late a
    sleeper on the same loop woke at worst, drawing included."""
    rng = random.Random(1)
    app = scene([])
    fill(app.model, [task(number, title=f"Task {number}") for number in range(1, 2001)], counts={"ready": 2000})
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.5)
        stalls: list[float] = []
        for version in range(2, ROUNDS + 2):
            wires = [
                task(
                    rng.randint(1, 60) if at < 60 else rng.randint(1, 2000),
                    title=f"Round {version} {at}",
                    version=version,
                )
                for at in range(changing)
            ]
            watching = asyncio.create_task(longest_gap(0.15))
            await asyncio.sleep(0.01)
            for wire in wires:
                app.model.learn(wire)
            await asyncio.sleep(0)  # as in the deck: the feed learns, the frame tick redraws
            app.deck.redraw()
            stalls.append((await watching)[-1])
        told = f"longest stall p50 {statistics.median(stalls):.1f} ms, max {max(stalls):.1f} ms"
        print(f"redraw, {changing} changing rows, {size[0]}x{size[1]}: {told}")


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
        began, cpu, seq, pressed = time.perf_counter(), time.process_time(), 10_000, 0
        watching = asyncio.create_task(longest_gap(seconds - 0.5))
        while (now := time.perf_counter() - began) < seconds:
            while seq - 10_000 < now * per_second:
                seq += 1
                row = rows[seq % len(rows)]
                told = event(seq, "task.heartbeat", now, task(row.number), "agent-atlas")
                told["changes"] = {"claim": claim("agent-atlas", left=seq % 300), "version": seq}
                app.model.apply(told)
            if pressed < now * 5:
                app.simulate_key("j" if pressed % 2 else "k")
                pressed += 1
            await asyncio.sleep(0.02)
        share = (time.process_time() - cpu) / (time.perf_counter() - began) * 100
        gaps = await watching
        most = gaps[int(len(gaps) * 0.99)]
        print(f"{per_second} events/s, 200x50: {share:.0f} % of a core, stalls p99 {most:.1f} max {gaps[-1]:.1f} ms")


async def idle(leases: int, focused: bool) -> None:
    """CPU share of server and dashboard in one process while `leases` count down and nothing happens."""
    with tempfile.TemporaryDirectory() as folder:
        async with deck_in(Path(folder) / "d") as deck, client_of(deck) as client:
            await client.create_many([{"title": f"T{number}"} for number in range(500)])
            for number in range(0, leases, 10):
                await client.claim(f"agent-{number}", max_tasks=10, lease_seconds=300)
            async with seat(deck, (120, 36)) as at:
                at.app.app_focus = focused
                await asyncio.sleep(3)
                began, cpu = time.perf_counter(), time.process_time()
                await asyncio.sleep(IDLE_SECONDS)
                share = (time.process_time() - cpu) / (time.perf_counter() - began) * 100
                print(f"idle, {leases} leases, {'focused' if focused else 'unfocused'}: {share:.1f} % of a core")
                gaps = await longest_gap(5)
                half, most = gaps[len(gaps) // 2], gaps[int(len(gaps) * 0.99)]
                print(f"  lag of a 2 ms sleeper: p50 {half:.2f} p99 {most:.2f} max {gaps[-1]:.1f} ms")


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
                rows = time.perf_counter() - began
                began = time.perf_counter()
                await at.press("slash")
                await at.type("t4")
                await at.until(lambda: at.app.model.window.known()[0] >= 100)
                print(f"{tasks:,} tasks: rows after {rows:.2f} s, {len(at.app.model.rows)} loaded; "
                      f"word filter after {time.perf_counter() - began:.2f} s")  # fmt: skip


async def journey(events: int) -> None:
    """Into the past of a deck with so many events, and steps there: how long it takes, and the longest stall."""
    with tempfile.TemporaryDirectory() as folder:
        async with deck_in(Path(folder) / "d") as deck, client_of(deck) as client:
            for start in range(0, events, 1000):
                await client.create_many([{"title": f"T{start + number}"} for number in range(1000)])
            async with seat(deck, (120, 36)) as at:
                await at.sees("T0")
                watching, began = asyncio.create_task(longest_gap(events / 2_000)), time.perf_counter()
                at.deck.act("past")
                await at.until(lambda: at.deck.travel.away)
                there, gaps = time.perf_counter() - began, await watching
                most = gaps[int(len(gaps) * 0.99)]
                print(f"past of {events:,} events: there after {there:.2f} s, "
                      f"stalls p99 {most:.1f} max {gaps[-1]:.1f} ms")  # fmt: skip


async def main() -> None:
    with collecting_rarely():  # as in a process that serves
        for size in ((120, 36), (200, 50)):
            await stall_of_a_redraw(size, 300)
    await journey(20_000)
    await storm(500, 10)
    await idle(40, True)
    await idle(40, False)
    for tasks in (1_000, 100_000):
        await first_paint(tasks)


if __name__ == "__main__":
    asyncio.run(main())
