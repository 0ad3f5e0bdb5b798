"""Where everything is put together: a deck on a data folder, and all by which it is reached."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskdeck.config import LOOPBACK, Settings
from taskdeck.domain.clock import Clock, SystemClock, rfc3339
from taskdeck.domain.ids import Ids, RandomIds
from taskdeck.domain.order import Order
from taskdeck.domain.project import DAY_MS
from taskdeck.loading import loading
from taskdeck.logs import FILE as LOG
from taskdeck.logs import start_logging, stop_logging
from taskdeck.service.deck import Deck
from taskdeck.store.errors import StoreRefused
from taskdeck.store.folder import ADMIN_TOKEN, FolderLock, prepare, unusable
from taskdeck.store.writer import BATCH_LIMIT

__all__ = ["RunningDeck", "StoreRefused", "running_deck", "serve"]

_COLLECT_AFTER = (10_000, 20, 100)
"""New objects before the youngest are searched, and how many such searches before older ones are."""


@contextlib.contextmanager
def collecting_rarely() -> Iterator[None]:
    """Let Python look for cyclic garbage seldom while the block runs.

    Requests leave next to none, and each search goes through what a deck keeps in memory: by default that takes a
    tenth of a busy server's time. What is there when the block begins is not searched at all.
    """
    usual = gc.get_threshold()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)


@dataclass(frozen=True, slots=True)
class RunningDeck:
    """Where a deck that runs in this process is found. `socket` is None where the path was too long for one."""

    url: str
    socket: Path | None
    data: Path
    deck: Deck
    dialects: Mapping[str, str]
    """Addresses of the dialects that have a port of their own, by name."""


@asynccontextmanager
async def running_deck(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    log_to_terminal: bool = False,
    batch_limit: int = BATCH_LIMIT,
) -> AsyncIterator[RunningDeck]:
    """A deck on `settings.data`, listening, until the block ends: then it gives out no more work, lets requests
    under way end and closes its database. `batch_limit` is how many writes may share a transaction.

    Raises:
        StoreRefused: the data folder is in use by another process, or cannot be used.
        listening.CannotListen: an address is in use, or none of this machine.
    """
    async with contextlib.AsyncExitStack() as stack:
        # what the deck writes is its owner's alone; SQLite makes files of its own beside the database
        stack.callback(os.umask, os.umask(0o077))
        prepare(settings.data)
        stack.enter_context(collecting_rarely())
        lock = FolderLock.take(settings.data)
        stack.callback(lock.release)
        try:
            file = start_logging(settings.data, settings.log_level, to_terminal=log_to_terminal)
        except OSError as error:
            raise unusable(settings.data / LOG, error) from None
        stack.callback(stop_logging, file)
        keep_events_ms = round(settings.keep_events_days * DAY_MS)
        order = Order.of_days(settings.ageing_days, in_turn=settings.projects_in_turn)
        # beside the opening of the database, which waits more than it computes
        loaded = asyncio.get_running_loop().run_in_executor(None, _load_the_rest)
        deck = await Deck.open(
            settings.data, clock or SystemClock(), ids or RandomIds(), batch_limit, keep_events_ms, order
        )
        stack.push_async_callback(deck.close)
        deck.set_pace(
            settings.claims_per_minute_per_worker,
            settings.claims_per_minute_per_principal,
            settings.claims_per_minute_per_token,
        )
        await loaded
        from taskdeck.listening import reached

        url, socket, dialects = await stack.enter_async_context(reached(settings, deck))
        lock.announce(pid=os.getpid(), url=url, socket=socket and str(socket), started_at=rfc3339(deck.started_at))
        yield RunningDeck(url, socket, settings.data, deck, dialects)


def _load_the_rest() -> None:
    """What speaks to the net: nearly half of what a server loads."""
    with loading():
        import taskdeck.listening  # noqa: F401


def setups_of(settings: Settings, name: str, key: str) -> dict[str, dict[str, Any]]:
    """What the configuration of a dialect's clients says, by the way in which it is done; the usual one first.

    Raises:
        ValueError: there is nothing to say of it, or it has no port of its own.
    """
    from taskdeck.dialects.registry import ALL

    dialect, address = ALL.get(name), settings.listen.get(name)
    if dialect is None or dialect.setups is None:
        known = ", ".join(each.name for each in ALL.values() if each.setups is not None)
        raise ValueError(f"there is no configuration to print for {name[:80]!r}, only for {known}")
    if address is None:
        raise ValueError(f"{name} has no port of its own: serve it with --listen {name}=HOST:PORT, and say so here too")
    return dialect.setups(address.host, address.port, key)


async def serve(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM; the exit code. Prints the address and where the admin token is.

    Raises:
        StoreRefused, listening.CannotListen: see `running_deck`.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with running_deck(settings, log_to_terminal=True) as running:
        _say(f"taskdeck serves {running.url}")
        for name, url in running.dialects.items():
            _say(f"{name:<12} {url}")
        _say(f"data folder  {running.data}")
        if (running.data / ADMIN_TOKEN).exists():  # a restored deck has the tokens of its database, and no such file
            _say(f"admin token  {running.data / ADMIN_TOKEN}")
        if running.socket is not None:
            _say(f"local socket {running.socket}")
        if settings.host not in LOOPBACK:
            _say("note         it listens beyond this machine, by plain HTTP: put TLS before it")
        await stopped.wait()
        _say("stopping: no more work is given out")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
