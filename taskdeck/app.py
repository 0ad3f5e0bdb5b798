"""Where everything is put together: a deck on a data folder, served on a port and on a local socket."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import gaierror
from typing import Any

from aiohttp import web

from taskdeck.config import LOOPBACK, Address, Settings
from taskdeck.dialects.dialect import OPTIONS, Dialect
from taskdeck.dialects.door import Door, mount_dialect
from taskdeck.dialects.registry import ALL, LETTERS, TELLINGS, needs
from taskdeck.domain.clock import Clock, SystemClock, rfc3339
from taskdeck.domain.ids import Ids, RandomIds
from taskdeck.domain.order import Order
from taskdeck.domain.principal import Principal
from taskdeck.domain.project import DAY_MS
from taskdeck.domain.reach import Reach
from taskdeck.domain.via import DIALECTS
from taskdeck.http.gate import Gate
from taskdeck.http.late import Late
from taskdeck.http.server import KEEPALIVE_S, LINGER_S, build
from taskdeck.logs import FILE as LOG
from taskdeck.logs import start_logging, stop_logging
from taskdeck.push.sender import Sender
from taskdeck.service.deck import Deck
from taskdeck.service.first_start import local_principal
from taskdeck.store.errors import StoreRefused
from taskdeck.store.folder import ADMIN_TOKEN, SOCKET, FolderLock, prepare, unusable
from taskdeck.store.writer import BATCH_LIMIT

__all__ = ["CannotListen", "RunningDeck", "StoreRefused", "running_deck", "serve"]

GRACE_S = 5.0
"""How long requests under way may take to end when the server stops."""
_COLLECT_AFTER = (10_000, 20, 100)
"""New objects before the youngest are searched, and how many such searches before older ones are."""
_LONGEST_SOCKET_PATH = 100
"""Unix sockets have room for 104 to 108 bytes, depending on the system."""


class CannotListen(Exception):
    """An address is not to be had. `code` is stable, `hint` the safe next step."""

    code = "address_unusable"
    hint = "Name another with --host, --port or --listen; port 0 takes any free one."

    def __init__(self, host: str, port: int, error: OSError) -> None:
        system = error.errno if error.errno and not isinstance(error, gaierror) else None
        why = os.strerror(system) if system else error.strerror or error
        self.detail = f"cannot listen on {host} port {port}: {why}"
        super().__init__(self.detail)


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
        CannotListen: an address is in use, or none of this machine.
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
        deck = await Deck.open(
            settings.data, clock or SystemClock(), ids or RandomIds(), batch_limit, keep_events_ms, order
        )
        stack.push_async_callback(deck.close)
        deck.understand(needs)
        deck.tell(TELLINGS)
        deck.reach = Reach(settings.webhook_networks)
        sender = Sender(deck, LETTERS)
        stack.push_async_callback(sender.close)
        deck.set_pace(
            settings.claims_per_minute_per_worker,
            settings.claims_per_minute_per_principal,
            settings.claims_per_minute_per_token,
        )
        url, socket = await _listen(stack, settings, deck)
        dialects = {
            name: await _listen_for(stack, settings, deck, ALL[name], address)
            for name, address in settings.listen.items()
        }
        lock.announce(pid=os.getpid(), url=url, socket=socket and str(socket), started_at=rfc3339(deck.started_at))
        # streams end before the servers wait for requests under way to end
        stack.callback(deck.bus.close)
        stack.push_async_callback(deck.drain)
        sender.start()
        yield RunningDeck(url, socket, settings.data, deck, dialects)


async def _listen(stack: contextlib.AsyncExitStack, settings: Settings, deck: Deck) -> tuple[str, Path | None]:
    """Serve the native API, and every dialect below its name: where, and over which local socket."""
    owner, hosts = local_principal(), (settings.host, *settings.allowed_hosts)
    gate = Gate(deck, local=owner, hosts=hosts, body_deadline_s=settings.request_deadline_seconds)
    app = build(gate, body_limit=settings.body_limit)
    app[OPTIONS] = settings.dialects()
    for name in DIALECTS:
        app.router.register_resource(Late(f"/{name}", partial(_fill, settings, deck, name, owner)))
    runner = await _runner(stack, app)
    return await _on_port(runner, settings.host, settings.port), await _on_socket(stack, runner, settings)


async def _listen_for(
    stack: contextlib.AsyncExitStack, settings: Settings, deck: Deck, dialect: Dialect, address: Address
) -> str:
    """Serve a dialect alone: where."""
    app = web.Application(client_max_size=settings.body_limit)
    app[OPTIONS] = settings.dialects()
    mount_dialect(app.router, _door(settings, deck, dialect, address.host), dialect)
    return await _on_port(await _runner(stack, app), address.host, address.port)


def _fill(settings: Settings, deck: Deck, name: str, owner: Principal, router: web.UrlDispatcher) -> None:
    """Serve a dialect below its name, on the main port."""
    dialect = ALL[name]
    mount_dialect(router, _door(settings, deck, dialect, settings.host, owner), dialect, f"/{name}")


def _door(settings: Settings, deck: Deck, dialect: Dialect, host: str, owner: Principal | None = None) -> Door:
    return Door(
        deck,
        dialect,
        opened=dialect.name in settings.open and host in LOOPBACK,
        local=owner,
        hosts=(host, *settings.allowed_hosts),
        body_deadline_s=settings.request_deadline_seconds,
    )


async def _on_port(runner: web.AppRunner, host: str, port: int) -> str:
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except OSError as error:
        raise CannotListen(host, port, error) from error
    taken = runner.addresses[0][1]
    return f"http://[{host}]:{taken}" if ":" in host else f"http://{host}:{taken}"


async def _on_socket(stack: contextlib.AsyncExitStack, runner: web.AppRunner, settings: Settings) -> Path | None:
    path = settings.data.absolute() / SOCKET
    path.unlink(missing_ok=True)
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        return None
    await web.UnixSite(runner, str(path)).start()
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    stack.callback(path.unlink, missing_ok=True)
    return path


async def _runner(stack: contextlib.AsyncExitStack, app: web.Application) -> web.AppRunner:
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,
        keepalive_timeout=KEEPALIVE_S,
        lingering_time=LINGER_S,
        shutdown_timeout=GRACE_S,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    return runner


def setups_of(settings: Settings, name: str, key: str) -> dict[str, dict[str, Any]]:
    """What the configuration of a dialect's clients says, by the way in which it is done; the usual one first.

    Raises:
        ValueError: there is nothing to say of it, or it has no port of its own.
    """
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
        StoreRefused, CannotListen: see `running_deck`.
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
