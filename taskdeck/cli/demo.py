"""`taskdeck demo`: a deck in a temporary folder, with simulated agents at work on it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from taskdeck.app import running_deck
from taskdeck.cli.dashboard import USUAL, Manner, interruptible, show
from taskdeck.cli.errors import ExitCode
from taskdeck.cli.near import NearClient
from taskdeck.cli.output import has_terminal
from taskdeck.cli.render import event_line
from taskdeck.client import Beat, Client, Unreachable
from taskdeck.config import Settings
from taskdeck.demo.cast import playing
from taskdeck.domain.text import visible


async def run_demo(*, seconds: float | None, agents: int, seed: int, port: int, manner: Manner = USUAL) -> int:
    """Play until the user leaves, `seconds` have passed, or a signal arrives; then leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="taskdeck-demo-") as folder, interruptible() as ended:
        settings = Settings.load(data=Path(folder), host="127.0.0.1", port=port)
        async with running_deck(settings) as deck, NearClient(deck) as client:
            timer = asyncio.get_running_loop().call_later(seconds, ended.set) if seconds else None
            admin_token = (deck.data / "admin.token").read_text("ascii").strip()
            printing = None
            if not has_terminal():
                print(f"demo at {deck.url}, data folder {visible(folder)}", file=sys.stderr)
                printing = asyncio.create_task(_print_events(client))
            try:
                async with playing(deck.url, admin_token, agents=agents, seed=seed):
                    whole = True
                    if printing is None:
                        whole = await show(client, deck.url, ended, log=deck.data / "taskdeck.log", manner=manner)
                    else:
                        await _first(printing, ended)
            finally:
                if timer is not None:
                    timer.cancel()
                if printing is not None:
                    printing.cancel()
                    await asyncio.gather(printing, return_exceptions=True)
    return ExitCode.OK if whole else ExitCode.FAULT


async def _first(printing: asyncio.Task[None], ended: asyncio.Event) -> None:
    """Wait for the end, or for the printing to break, which it does when nobody reads it any more."""
    ending = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({printing, ending}, return_when=asyncio.FIRST_COMPLETED)
        if printing.done():
            printing.result()
    finally:
        ending.cancel()


async def _print_events(client: Client) -> None:
    """Every event since the deck was made, as lines."""
    after = 0
    while True:
        try:
            async for item in client.stream(after):
                if not isinstance(item, Beat):
                    after = item["seq"]
                    print(visible(event_line(item)), flush=True)
        except Unreachable:
            await asyncio.sleep(0.5)
