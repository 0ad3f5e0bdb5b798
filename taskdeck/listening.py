"""How a deck is reached: its port, its local socket, the ports of dialects; and how it reaches others, by webhooks."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from socket import gaierror
from typing import NamedTuple

from aiohttp import web

from taskdeck.config import LOOPBACK, Address, Settings
from taskdeck.dialects.dialect import OPTIONS, Dialect
from taskdeck.dialects.door import Door, mount_dialect
from taskdeck.dialects.registry import ALL, LETTERS, TELLINGS, needs
from taskdeck.domain.principal import Principal
from taskdeck.domain.reach import Reach
from taskdeck.domain.via import DIALECTS
from taskdeck.http.gate import Gate
from taskdeck.http.late import Late
from taskdeck.http.server import KEEPALIVE_S, LINGER_S, build
from taskdeck.push.sender import Sender
from taskdeck.service.deck import Deck
from taskdeck.service.first_start import local_principal
from taskdeck.store.folder import SOCKET

GRACE_S = 5.0
"""How long requests under way may take to end when the server stops."""
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


class Reached(NamedTuple):
    """Where. `socket` is None where its path would be too long, `dialects` are those that have a port of their own."""

    url: str
    socket: Path | None
    dialects: dict[str, str]


@asynccontextmanager
async def reached(settings: Settings, deck: Deck) -> AsyncIterator[Reached]:
    """Let `deck` be reached as `settings` say; at the end it gives out no more work and lets requests under way end.

    Raises:
        CannotListen: an address is in use, or none of this machine.
    """
    async with contextlib.AsyncExitStack() as stack:
        deck.understand(needs)
        deck.tell(TELLINGS)
        deck.reach = Reach(settings.webhook_networks)
        sender = Sender(deck, LETTERS)
        stack.push_async_callback(sender.close)
        url, socket = await _listen(stack, settings, deck)
        dialects = {
            name: await _listen_for(stack, settings, deck, ALL[name], address)
            for name, address in settings.listen.items()
        }
        # streams end before the servers wait for requests under way to end
        stack.callback(deck.bus.close)
        stack.push_async_callback(deck.drain)
        sender.start()
        yield Reached(url, socket, dialects)


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
