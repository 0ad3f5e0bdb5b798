"""The processes under load: a deck, the floor, or the naive design; each ends with its standard input."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from taskdeck.app import collecting_rarely, running_deck
from taskdeck.bench import floor, naive
from taskdeck.bench.line import BenchFailed, Site
from taskdeck.config import Settings
from taskdeck.domain.clock import SystemClock
from taskdeck.http.server import KEEPALIVE_S
from taskdeck.store.folder import ADMIN_TOKEN, DATABASE

HOST = "127.0.0.1"
START_S = 60.0
STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class Child:
    """A server process that was started here."""

    site: Site
    pid: int


@asynccontextmanager
async def started(kind: str, folder: Path, more: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    """A server process of one of `KINDS`, on a free port of the loopback address, until the block ends.

    `more` is added to its environment.

    Raises:
        BenchFailed: it did not start; its output is in `folder`.
    """
    command = ("-m", "taskdeck.bench.child", kind, str(folder))
    async with telling(command, folder / f"{kind}.output", more) as (site, process):
        yield Child(site, process.pid)


@asynccontextmanager
async def telling(
    command: Sequence[str], aside: Path, more: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Site, asyncio.subprocess.Process]]:
    """A Python process that first tells where it serves, and ends with its standard input as the block does.

    What it says on its standard error goes to the file `aside`; `more` is added to its environment.

    Raises:
        BenchFailed: it told nothing in time.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("TASKDECK_")}
    with aside.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=output, env=own | dict(more or {}),
        )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process was started without its pipes")
    try:
        try:
            async with asyncio.timeout(START_S):
                said = await process.stdout.readline()
        except TimeoutError:
            said = b""
        if not said:
            raise BenchFailed(f"the server under load did not start: {_last_line(aside)}")
        yield Site(**orjson.loads(said)), process
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _last_line(file: Path) -> str:
    lines = file.read_text("utf-8", "replace").splitlines()
    return lines[-1] if lines else "it said nothing"


async def _deck(folder: Path) -> None:
    async with running_deck(Settings.load(data=folder / "deck", host=HOST, port=0)) as deck:
        secret = (deck.data / ADMIN_TOKEN).read_text("ascii").strip()
        await _until_input_ends(urlsplit(deck.url).port or 0, secret)


async def _floor(_folder: Path) -> None:
    await _host(lambda secret: floor.build(secret, SystemClock()))


async def _naive(folder: Path) -> None:
    async with naive.opened(folder / DATABASE, SystemClock()) as store:
        await _host(lambda secret: naive.build(secret, store))


async def _host(build: Callable[[str], web.Application]) -> None:
    """Serve what `build` makes for a new token, as the deck is served."""
    secret = f"td_{secrets.token_urlsafe(32)}"
    runner = web.AppRunner(build(secret), access_log=None, handler_cancellation=True, keepalive_timeout=KEEPALIVE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0, backlog=1024).start()
        with collecting_rarely():  # as the deck does
            await _until_input_ends(runner.addresses[0][1], secret)
    finally:
        await runner.cleanup()


async def _until_input_ends(port: int, secret: str) -> None:
    sys.stdout.buffer.write(orjson.dumps({"host": HOST, "port": port, "token": secret}) + b"\n")
    sys.stdout.buffer.flush()
    ended = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(ended), sys.stdin)
    await ended.read()


KINDS: dict[str, Callable[[Path], Coroutine[Any, Any, None]]] = {"deck": _deck, "floor": _floor, "naive": _naive}
"""What a process can be, on a folder: to hold a new deck, unused, or with the filled database to be used up."""


if __name__ == "__main__":
    asyncio.run(KINDS[sys.argv[1]](Path(sys.argv[2])))
