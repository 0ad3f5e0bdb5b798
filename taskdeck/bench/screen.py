"""A deck with its dashboard in one process, drawing on a terminal that nobody looks at."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from taskdeck.app import running_deck
from taskdeck.bench.child import HOST, START_S, STOP_S, Child
from taskdeck.bench.line import BenchFailed, Site
from taskdeck.config import Settings
from taskdeck.store.folder import ADMIN_TOKEN, LOCK

COLUMNS, LINES = 160, 48
_LOOK_S = 0.02


@asynccontextmanager
async def drawn(folder: Path) -> AsyncIterator[Child]:
    """`taskdeck` on a free port and on a terminal of 160 columns and 48 lines, until the block ends.

    Raises:
        BenchFailed: it did not start.
    """
    data = folder / "drawn"
    own = {name: value for name, value in os.environ.items() if not name.startswith("TASKDECK_")}
    async with running_deck(Settings.load(data=data, host=HOST, port=0)):
        pass  # a deck's first start has its welcome over the dashboard
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    loop = asyncio.get_running_loop()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "taskdeck", "--data", str(data), "--port", "0",
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env=own | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )  # fmt: skip
    os.close(theirs)
    loop.add_reader(ours, _look_away, ours)
    try:
        yield Child(await _address(data), process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        loop.remove_reader(ours)
        os.close(ours)


def _look_away(terminal: int) -> None:
    """Take what was drawn, so that the dashboard never waits for its terminal."""
    try:
        os.read(terminal, 1 << 16)
    except OSError as error:
        if error.errno != errno.EIO:  # Linux's word for a terminal whose other side is closed
            raise
        asyncio.get_running_loop().remove_reader(terminal)


async def _address(data: Path) -> Site:
    """Where the deck listens, once its lock file says so."""
    try:
        async with asyncio.timeout(START_S):
            while True:
                with contextlib.suppress(OSError, ValueError, KeyError):
                    parts = urlsplit(orjson.loads((data / LOCK).read_bytes())["url"])
                    secret = (data / ADMIN_TOKEN).read_text("ascii").strip()
                    return Site(parts.hostname or "", parts.port or 0, secret)
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        raise BenchFailed("the deck with its dashboard did not start") from None
