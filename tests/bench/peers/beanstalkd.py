"""beanstalkd: reserve, then delete."""

from __future__ import annotations

from peers.ground import HOST, Ground, free_port, listens, program, version_of
from peers.peer import BODY, LEASE_S, Peer, Played
from peers.wire import Cycles, play_wires, wires
from taskdeck.bench.line import BenchFailed

PUT = b"put 50 0 %d %d\r\n%s\r\n" % (LEASE_S, len(BODY), BODY.encode())
RESERVE = b"reserve-with-timeout 0\r\n"
DOES = "a protocol of lines; priorities, leases; no fences, no events, finished jobs are gone"


async def synced(ground: Ground) -> Peer:
    """With a log that is synced at each write."""
    log = ground.folder("beanstalkd")
    return _peer(
        ground, "beanstalkd -b -f 0", ["-b", str(log), "-f", "0"],
        durability="fsync before each reply; a reserve is not written",
        tasks_a_second=15_000,
    )  # fmt: skip


async def in_memory(ground: Ground) -> Peer:
    """As it is by default, without a log."""
    return _peer(ground, "beanstalkd", [], durability="none, memory only", tasks_a_second=45_000)


def _peer(ground: Ground, title: str, options: list[str], *, durability: str, tasks_a_second: int) -> Peer:
    command = program("beanstalkd", "beanstalkd")
    port = free_port()
    ground.serve(title, [command, "-l", HOST, "-p", str(port), *options], lambda: listens(port))

    async def load(count: int) -> None:
        async with wires(port, 1, whole) as (wire,):
            await wire.pour(PUT, count)

    async def play(connections: int, seconds: float) -> Played:
        async with wires(port, connections, whole) as opened:
            return await play_wires(opened, _cycles, seconds)

    return Peer(title, version_of(command, "-v"), durability, DOES, tasks_a_second, load, play)


def _cycles() -> Cycles:
    while (held := (yield RESERVE)).startswith(b"RESERVED "):
        done = yield b"delete %s\r\n" % held[9 : held.index(b" ", 9)]
        if done != b"DELETED\r\n":
            raise BenchFailed(f"beanstalkd refused a delete: {done!r}")
        yield b""


def whole(data: bytes) -> int:
    """Where the first reply within `data` ends; 0 while it is not all there."""
    end = data.find(b"\r\n") + 2
    if end < 2:
        return 0
    if data.startswith((b"RESERVED ", b"OK ")):
        end += int(data[data.rindex(b" ", 0, end) : end]) + 2
    return end if len(data) >= end else 0
