"""The dashboard in this terminal: attached to a deck elsewhere, or in one process with its server."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from taskdeck.cli.errors import ExitCode
from taskdeck.domain.text import visible

if TYPE_CHECKING:
    from taskdeck.client import Client
    from taskdeck.config import Settings
    from taskdeck.tui.app import DeckApp

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Manner:
    """How a dashboard is to behave, as far as its command says; the user's preferences say the rest."""

    ascii: bool = False
    mouse: bool = True
    ends_with_dashboard: bool = False
    """Whether the server of this process ends if its dashboard breaks."""


USUAL = Manner()


async def attached(client: Client, note: str | None = None, *, manner: Manner = USUAL) -> int:
    """The dashboard of a deck that another process serves. Exits with 1 when the dashboard broke."""
    async with client:
        await client.me()  # who may not look learns so here, in words, before the screen changes
        if note:
            print(visible(note), file=sys.stderr)
        with interruptible() as ended, _own_log() as log:
            whole = await show(client, client.address, ended, log=log, manner=manner)
    if not whole:
        see = f". See {visible(str(log))}" if log else ""
        print(f"taskdeck: the dashboard stopped unexpectedly{see} [dashboard]", file=sys.stderr)
    return ExitCode.OK if whole else ExitCode.FAULT


async def served(settings: Settings, *, manner: Manner = USUAL) -> int:
    """Server and dashboard together. If the dashboard breaks, the server goes on until it is told to end, if it may."""
    from taskdeck.app import running_deck
    from taskdeck.cli.near import NearClient

    with interruptible() as ended:
        made = None if (settings.data / "deck.db").exists() else settings.data
        async with running_deck(settings) as deck, NearClient(deck) as client:
            log = deck.data / "taskdeck.log"
            whole = await show(client, deck.url, ended, serving=True, log=log, manner=manner, made=made)
            if whole or ended.is_set():
                return ExitCode.OK
            broke, see = "taskdeck: the dashboard stopped unexpectedly", f"See {visible(str(log))}"
            if manner.ends_with_dashboard:
                print(f"{broke}, and the server with it. {see} [dashboard]", file=sys.stderr)
                return ExitCode.FAULT
            print(f"{broke}; {deck.url} serves on. {see}; ctrl+c ends the server [dashboard]", file=sys.stderr)
            await ended.wait()
    return ExitCode.OK


@contextlib.contextmanager
def _own_log() -> Iterator[Path | None]:
    """The log of a dashboard that serves no deck, among what programs keep of their state; None: it cannot be kept."""
    from platformdirs import user_state_path

    from taskdeck.logs import DASHBOARD, start_logging, stop_logging

    folder = user_state_path("taskdeck", appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = start_logging(folder, "info", to_terminal=False, name=DASHBOARD)
    except OSError:
        yield None
        return
    try:
        yield folder / DASHBOARD
    finally:
        stop_logging(file)


async def show(
    client: Client,
    address: str,
    ended: asyncio.Event,
    *,
    serving: bool = False,
    log: Path | None = None,
    manner: Manner = USUAL,
    made: Path | None = None,
) -> bool:
    """Run the dashboard until its user leaves or `ended` is set; whether it ended as it should.

    `made` is the folder of a deck that is new, of which is told first.

    The terminal is restored in any case. What went wrong goes to `log`, never to the screen.
    """
    from platformdirs import user_config_path

    from taskdeck.tui import preferences
    from taskdeck.tui.app import DeckApp

    if ended.is_set():
        return True
    folder = user_config_path("taskdeck", appauthor=False)
    preferred = preferences.read(folder / preferences.FILE)
    app = DeckApp(
        client, address=address, serving=serving, views=folder / "views.json", log_file=log, preferences=preferred,
        ascii=manner.ascii, made=made,
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(log.open("a", encoding="utf-8") if log else contextlib.nullcontext(None))
        app.error_console = Console(file=file, quiet=file is None, width=110)
        watching = asyncio.create_task(_leave(app, ended))
        try:
            await app.run_async(mouse=manner.mouse and preferred.mouse)
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
