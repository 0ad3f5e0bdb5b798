"""A real `taskdeck serve` process on a data folder, that tests may stop as roughly as they like."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from taskdeck.bench.process import cpu_seconds
from taskdeck.store.folder import ADMIN_TOKEN, LOCK

from .api import Api

PATIENCE_S = 30.0


@dataclass
class ServerProcess:
    """A server that answered /readyz `ready_after_s` seconds after its process was begun.

    Seconds in which a processor worked for it, where the system tells: others that keep the machine busy take none.
    """

    data: Path
    url: str
    process: subprocess.Popen[bytes]
    ready_after_s: float
    output: Path

    def api(self, *, connections: int = 0) -> Api:
        """A caller with the admin token."""
        return Api(self.url, (self.data / ADMIN_TOKEN).read_text().strip(), connections=connections)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    async def terminate(self) -> tuple[int, float]:
        """Ask it to stop; its exit code and how long it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self.process.wait, PATIENCE_S)
        return code, time.monotonic() - begun


def environment() -> dict[str, str]:
    """This process's environment without any setting of taskdeck's own, or one that makes its start slow."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TASKDECK_") and name != "PYTHONDONTWRITEBYTECODE"
    }


@asynccontextmanager
async def server(data: Path, *args: str) -> AsyncIterator[ServerProcess]:
    """Serve `data` on a free port; ended at the latest with the block."""
    output = data.parent / f"{data.name}.output"
    begun = time.monotonic()
    with output.open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220  (begun at once)
            [sys.executable, "-m", "taskdeck", "serve", "--data", str(data), "--port", "0", *args],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
    try:
        url = await _ready(process, data / LOCK, output)
        worked_s = cpu_seconds(process.pid)
        yield ServerProcess(data, url, process, time.monotonic() - begun if worked_s is None else worked_s, output)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


async def _ready(process: subprocess.Popen[bytes], lock: Path, output: Path) -> str:
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            assert process.poll() is None, f"the server ended: {output.read_text()}"  # noqa: ASYNC240
            url = _announced(process.pid, lock)
            if url is not None:
                async with session.get(f"{url}/readyz") as reply:
                    if reply.status == 200:
                        return url
            await asyncio.sleep(0.005)


def _announced(pid: int, lock: Path) -> str | None:
    """Where the process `pid` listens; a server that was killed leaves its own address behind."""
    try:
        facts = json.loads(lock.read_text())
        return str(facts["url"]) if facts["pid"] == pid else None
    except (OSError, ValueError, KeyError):
        return None
