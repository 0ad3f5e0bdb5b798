"""The dashboard in this terminal: attached to a deck elsewhere, or in one process with its server."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from taskdeck.cli.errors import ExitCode
from taskdeck.domain.text import visible

if TYPE_CHECKING:
    from taskdeck.app import RunningDeck
    from taskdeck.client import Client
    from taskdeck.config import Settings
    from taskdeck.tui.app import DeckApp

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def attached(client: Client, note: str | None = None, *, ascii: bool = False) -> int:
    """The dashboard of a deck that another process serves. Exits with 1 when the dashboard broke."""
    async with client:
        await client.me()  # who may not look learns so here, in words, before the screen changes
        if note:
            print(visible(note), file=sys.stderr)
        with interruptible() as ended:
            whole = await show(client, client.address, ended, ascii=ascii)
    if not whole:
        print("taskdeck: the dashboard stopped unexpectedly [dashboard]", file=sys.stderr)
    return ExitCode.OK if whole else ExitCode.FAULT


async def served(settings: Settings, *, ascii: bool = False) -> int:
    """Server and dashboard together. If the dashboard breaks, the server goes on until it is told to end."""
    from taskdeck.app import running_deck

    with interruptible() as ended:
        async with running_deck(settings) as deck, beside(deck) as client:
            log = deck.data / "taskdeck.log"
            if not await show(client, deck.url, ended, serving=True, log=log, ascii=ascii) and not ended.is_set():
                print(
                    f"taskdeck: the dashboard stopped unexpectedly; {deck.url} serves on. "
                    f"See {visible(str(log))}; ctrl+c ends the server [dashboard]",
                    file=sys.stderr,
                )
                await ended.wait()
    return ExitCode.OK


def beside(deck: RunningDeck) -> Client:
    """A client of a deck that runs in this process."""
    from taskdeck.client import Client

    if deck.socket is not None:
        return Client(socket=deck.socket)
    return Client(deck.url, token=(deck.data / "admin.token").read_text("ascii").strip())


async def show(
    client: Client,
    address: str,
    ended: asyncio.Event,
    *,
    serving: bool = False,
    log: Path | None = None,
    ascii: bool = False,
) -> bool:
    """Run the dashboard until its user leaves or `ended` is set; whether it ended as it should.

    The terminal is restored in any case. What went wrong goes to `log`, never to the screen.
    """
    from platformdirs import user_config_path

    from taskdeck.tui.app import DeckApp

    if ended.is_set():
        return True
    views = user_config_path("taskdeck", appauthor=False) / "views.json"
    app = DeckApp(client, address=address, serving=serving, views=views, ascii=ascii)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(log.open("a", encoding="utf-8") if log else contextlib.nullcontext(None))
        app.error_console = Console(file=file, quiet=file is None, width=110)
        watching = asyncio.create_task(_leave(app, ended))
        try:
            await app.run_async()
        except Exception:
            app.error_console.print_exception()
            return False
        finally:
            watching.cancel()
    return not app.return_code


async def _leave(app: DeckApp, ended: asyncio.Event) -> None:
    await ended.wait()
    app.exit()


@contextlib.contextmanager
def interruptible() -> Iterator[asyncio.Event]:
    """An event that SIGINT, SIGTERM and SIGHUP set, in place of killing the process."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in ENDING:
        loop.add_signal_handler(number, ended.set)
    try:
        yield ended
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
