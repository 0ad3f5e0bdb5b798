"""A deck under load in a process of its own, on a folder that was filled before; it tells how long its batches took."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from taskdeck.app import running_deck
from taskdeck.bench.child import telling
from taskdeck.bench.line import Site
from taskdeck.client import Client
from taskdeck.config import Settings
from taskdeck.store.folder import ADMIN_TOKEN
from taskdeck.store.runner import Batch
from taskdeck.store.writer import BATCH_LIMIT

HOST = "127.0.0.1"
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Batches:
    """The batches of a while: how many, the longest transaction and all of them together, in milliseconds."""

    count: int = 0
    events: int = 0
    longest_ms: float = 0.0
    total_ms: float = 0.0

    def note(self, batch: Batch) -> None:
        took_ms = batch.took_s * 1000
        self.count += 1
        self.events += len(batch.events)
        self.longest_ms = max(self.longest_ms, took_ms)
        self.total_ms += took_ms


@dataclass(frozen=True, slots=True)
class Served:
    """A deck that was started here."""

    site: Site
    data: Path
    process: asyncio.subprocess.Process

    def client(self) -> Client:
        return Client(self.site.url, token=self.site.token)

    async def batches(self) -> Batches:
        """The batches since this was asked last."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("a process was started without its pipes")
        self.process.stdin.write(b"batches\n")
        return Batches(**orjson.loads(await self.process.stdout.readline()))

    def prune(self) -> None:
        """Let the deck begin to remove what is past its keep, as it does every hour."""
        if self.process.stdin is None:
            raise RuntimeError("a process was started without its pipes")
        self.process.stdin.write(b"prune\n")

    def resident_mb(self) -> float:
        """Megabytes that the process has in memory."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines()
        kibibytes = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
        return int(kibibytes) * 1024 / 1e6

    def sockets(self) -> int:
        """How many sockets the process has open."""
        count = 0
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                count += str(descriptor.readlink()).startswith("socket:")
        return count

    def cpu_s(self) -> float:
        """Seconds of processor time that the process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS


@asynccontextmanager
async def serving(
    data: Path, *, batch_limit: int = BATCH_LIMIT, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Served]:
    """A deck on the folder `data`, on a free port of the loopback address, until the block ends.

    Raises:
        BenchFailed: it did not start; what it said is beside `data`.
    """
    command = ("-m", __spec__.name, str(data), "--batch", str(batch_limit))
    aside = data.with_name(f"{data.name}.output")
    async with telling(command, aside, environment) as (site, process):
        yield Served(site, data, process)


async def _serve(data: Path, batch_limit: int) -> None:
    seen = Batches()
    async with running_deck(Settings.load(data=data, host=HOST, port=0), batch_limit=batch_limit) as running:
        running.deck.observe = lambda batch: seen.note(batch)
        secret = (data / ADMIN_TOKEN).read_text("ascii").strip()
        _say({"host": HOST, "port": urlsplit(running.url).port, "token": secret})
        asked = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
        async with contextlib.AsyncExitStack() as ends:
            while line := await asked.readline():
                if line == b"prune\n":
                    pruning = asyncio.create_task(running.deck.prune())
                    ends.push_async_callback(_given_up, pruning)
                else:
                    _say(asdict(seen))
                    seen = Batches()


async def _given_up(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _say(document: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(document) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--batch", type=int, default=BATCH_LIMIT)
    given = parser.parse_args()
    asyncio.run(_serve(given.data, given.batch))
