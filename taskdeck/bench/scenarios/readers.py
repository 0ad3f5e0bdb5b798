"""Readers of the event stream in a process of their own, so that reading costs the measurement nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from taskdeck.bench.line import BenchFailed, Site

CONNECT_S = 30.0


class _Reader(asyncio.Protocol):
    """Takes a stream and drops it, counting what came."""

    def __init__(self) -> None:
        self.began = asyncio.get_running_loop().create_future()
        self.taken = 0

    def data_received(self, data: bytes) -> None:
        self.taken += len(data)
        if not self.began.done():
            self.began.set_result(data.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.began.done():
            self.began.set_result(False)


def stream_request(site: Site, after: int | None = None) -> bytes:
    """A request for the event stream, from the present end or after an event."""
    query = "" if after is None else f"?after={after}"
    return (
        f"GET /v1/events/stream{query} HTTP/1.1\r\nHost: {site.host}:{site.port}\r\n"
        f"Authorization: Bearer {site.token}\r\n\r\n"
    ).encode()


@asynccontextmanager
async def reading(site: Site, count: int) -> AsyncIterator[None]:
    """So many readers of the stream from its present end, until the block ends.

    Raises:
        BenchFailed: one of them was refused.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, site.host, str(site.port), str(count),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"TASKDECK_TOKEN": site.token},
    )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process was started without its pipes")
    try:
        async with asyncio.timeout(CONNECT_S):
            if await process.stdout.readline() != b"reading\n":
                raise BenchFailed("the event stream was refused")
        yield
    finally:
        process.stdin.close()
        said = await process.stdout.readline()
        await process.wait()
    if not said.strip().isdigit() or int(said) == 0:
        raise BenchFailed("a reader of the event stream was sent nothing")


async def _read(site: Site, count: int) -> None:
    loop = asyncio.get_running_loop()
    readers: list[_Reader] = []
    for _ in range(count):
        transport, reader = await loop.create_connection(_Reader, site.host, site.port)
        transport.write(stream_request(site))
        readers.append(reader)
    well = await asyncio.gather(*(reader.began for reader in readers))
    _say("reading" if all(well) else "refused")
    before = [reader.taken for reader in readers]
    ended = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(ended), sys.stdin)
    await ended.read()
    _say(str(min(reader.taken - taken for reader, taken in zip(readers, before, strict=True))))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_read(Site(sys.argv[1], int(sys.argv[2]), os.environ["TASKDECK_TOKEN"]), int(sys.argv[3])))
