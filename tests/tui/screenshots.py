"""Pictures of the real dashboard on a real deck with simulated agents at work.

Run: `python tests/tui/screenshots.py [FOLDER]`, by default into `screenshots/`. SVG always; PNG where
`rsvg-convert` is at hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from live import Seat, client_of, deck_in, seat
from pictures import save

from taskdeck.client import ApiError, Client
from taskdeck.demo.cast import playing

ROOT = Path(__file__).parents[2]
WARM_UP = 20.0
SIZES = ((120, 36), (200, 50), (80, 24))


async def take(folder: Path) -> None:
    """Let the agents work for a while, then look from every size, into a few dialogs and lists, and into the past."""
    with tempfile.TemporaryDirectory() as data:
        async with deck_in(Path(data) / "d") as deck, client_of(deck) as client:
            token = (deck.data / "admin.token").read_text("ascii").strip()
            async with playing(deck.url, token, agents=24, seed=7337), seat(deck, SIZES[0]) as at:
                await asyncio.sleep(WARM_UP)
                for width, height in SIZES:
                    await at.pilot.resize_terminal(width, height)
                    await settle(at)
                    show(at, folder, f"deck-{width}x{height}")
                await at.pilot.resize_terminal(*SIZES[0])
                await settle(at)
                await by_day(at, folder)
                await override(at, client, folder)
                await asking(at, client, folder)
                await finding(at, folder)
                await in_full(at, client, folder)
                await at.press("t")
                await at.until(lambda: at.deck.travel.away)
                await at.press(*["left_square_bracket"] * 40)
                await settle(at)
                show(at, folder, "past")


async def taken(client: Client, worker: str, lease: int, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A new task and its claim by a worker of ours; the agents at work may be quicker, so that it takes a few."""
    while True:
        made = await client.create(**fields)
        with contextlib.suppress(ApiError):
            return made, (await client.claim(worker, task=made["key"], lease_seconds=lease))["claims"][0]


async def by_day(at: Seat, folder: Path) -> None:
    """The same in the theme for light surroundings."""
    usual = at.app.theme
    at.deck.choose_theme("deck-day")
    await settle(at)
    show(at, folder, "deck-day-120x36")
    at.deck.choose_theme(usual)


async def override(at: Seat, client: Client, folder: Path) -> None:
    """Taking a claim over, as far as the last key."""
    await client.register_worker("render-02", heartbeat_seconds=1)
    made, _ = await taken(client, "render-02", 45, project="ops", title="Resize disk of the log store", priority=90)
    await at.choose(made["key"])
    await at.until(lambda: at.deck.queue.current and at.deck.queue.current.lease)
    await asyncio.sleep(4)
    await at.press("o")
    await at.asked()
    await at.type("no sign of life, box is down")
    await settle(at)
    show(at, folder, "override")
    await at.press("escape")


async def asking(at: Seat, client: Client, folder: Path) -> None:
    """A worker of our own asks something, and is about to be answered."""
    made, held = await taken(client, "agent-lyra", 300, project="web", title="Drop the old price column", priority=95)
    options = ["drop it", "keep it for a month", "keep it"]
    question = "Two reports still read the column price_old. What shall become of it?"
    asks = {"state": "waiting_input", "progress": 40, "question": question, "options": options}
    await client.heartbeat(made["key"], held["fence"], **asks)
    await at.choose(made["key"])
    await at.until(lambda: at.deck.queue.current and at.deck.queue.current.lease and at.deck.queue.current.lease.asks)
    await at.press("i")
    await at.asked()
    await settle(at)
    show(at, folder, "answer")
    await at.press("escape")


async def finding(at: Seat, folder: Path) -> None:
    """A filter being typed, by day."""
    await at.press("T", "g", "slash")
    await at.type("prio>=70 -project:docs is:")
    await at.press("tab", *"open")
    await settle(at)
    show(at, folder, "filter")
    await at.press("escape", "T", "T", "T")


async def in_full(at: Seat, client: Client, folder: Path) -> None:
    """A task with what was said about it."""
    key = next(row.key for row in at.app.model.leases() if row.lease and row.lease.progress)
    await client.comment(key, "The same happened in spring: look at the branch of maria first.", byline="maria")
    await client.link(key, "pr", "412", repository="acme/shop", url="https://git.example/acme/shop/pull/412")
    await client.change_context(key, {"tenant": "acme", "seen_before": True}, source="stated")
    await at.choose(key)
    await at.press("enter", "z")
    await settle(at)
    at.deck.reading.show("history")
    await settle(at)
    show(at, folder, "task")
    await at.press("z", "escape")


async def settle(at: Seat) -> None:
    """A moment for what was asked for to arrive."""
    await asyncio.sleep(1.5)
    await at.pilot.pause()


def show(at: Seat, folder: Path, name: str) -> None:
    for path in save(at.app, folder, name, at.app.size.width):
        print(path)


if __name__ == "__main__":
    os.environ.pop("NO_COLOR", None)
    asyncio.run(take(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots"))
