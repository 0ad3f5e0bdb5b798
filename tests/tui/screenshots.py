"""Pictures of the real dashboard on a real deck with simulated agents at work.

Run: `python tests/tui/screenshots.py [FOLDER]`, by default into `screenshots/`. SVG always; PNG where
`rsvg-convert` is at hand.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from live import Seat, client_of, deck_in, seat
from pictures import save

from taskdeck.demo.cast import playing

ROOT = Path(__file__).parents[2]
WARM_UP = 20.0
SIZES = ((120, 36), (200, 50), (80, 24))


async def take(folder: Path) -> None:
    """Let the agents work for a while, then look from every size and into the override dialog and the past."""
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
                held = (await client.leases(limit=3))["leases"][-1]["task"]["key"]
                await at.choose(held)
                await at.press("o")
                await at.asked()
                await at.type("no sign of life, box is down")
                await settle(at)
                show(at, folder, "override")
                await at.press("escape", "t")
                await at.until(lambda: at.deck.travel.away)
                await at.press(*["left_square_bracket"] * 40)
                await settle(at)
                show(at, folder, "past")


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
