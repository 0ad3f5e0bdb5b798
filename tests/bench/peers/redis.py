"""Redis with what one writes oneself: a claim and an acknowledgement in Lua, and a stream of events."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import orjson

from peers.ground import HOST, Ground, free_port, listens, program, version_of
from peers.peer import BODY, LEASE_S, RESULT, Peer, Played
from peers.wire import Cycles, Wire, play_wires, wires
from taskdeck.bench.line import BenchFailed

PUT = b"""
local id = redis.call('INCR', 'last')
redis.call('HSET', 'task:' .. id, 'body', ARGV[1], 'fence', 0)
return redis.call('ZADD', 'ready', id - 50 * 4294967296, id)
"""
CLAIM = b"""
local head = redis.call('ZPOPMIN', 'ready')
if not head[1] then return false end
local now, key = redis.call('TIME'), 'task:' .. head[1]
local fence = redis.call('HINCRBY', key, 'fence', 1)
redis.call('HSET', key, 'worker', ARGV[1])
redis.call('ZADD', 'leases', now[1] + ARGV[2], head[1])
redis.call('XADD', 'events', 'MAXLEN', '~', 100000, '*', 'type', 'claimed', 'task', head[1], 'worker', ARGV[1])
return {head[1], tostring(fence), redis.call('HGET', key, 'body')}
"""
ACK = b"""
local key = 'task:' .. ARGV[1]
if redis.call('HGET', key, 'fence') ~= ARGV[2] then return redis.error_reply('stale fence') end
redis.call('DEL', key)
redis.call('ZREM', 'leases', ARGV[1])
redis.call('XADD', 'events', 'MAXLEN', '~', 100000, '*', 'type', 'completed', 'task', ARGV[1], 'result', ARGV[3])
return 1
"""
DOES = (
    "own Lua scripts; priorities, leases, fences, an event per change in a stream of the last 100 000; "
    "finished tasks are gone"
)
EVERYSEC = "fsync once a second: up to a second is lost"
ALWAYS = "fsync before each reply"


@dataclass(frozen=True, slots=True)
class Server:
    """A Redis that was started here."""

    port: int
    password: str
    version: str


async def lively(ground: Ground) -> Peer:
    """Synced once a second."""
    return await _peer(ground, "Redis + Lua, AOF everysec", await everysec(ground), EVERYSEC)


async def safe(ground: Ground) -> Peer:
    """Synced before each reply."""
    return await _peer(ground, "Redis + Lua, AOF always", await always(ground), ALWAYS)


async def everysec(ground: Ground) -> Server:
    """The server that syncs once a second."""
    return await ground.shared("redis everysec", lambda ground: _started(ground, "everysec"))


async def always(ground: Ground) -> Server:
    """The server that syncs before each reply."""
    return await ground.shared("redis always", lambda ground: _started(ground, "always"))


async def _started(ground: Ground, appendfsync: str) -> Server:
    command = program("redis-server", "redis-server")
    folder = ground.folder(f"redis-{appendfsync}")
    server = Server(free_port(), secrets.token_hex(16), version_of(command, "--version").split(" sha")[0])
    settings = folder / "redis.conf"
    settings.touch(0o600)
    settings.write_text(
        f"bind {HOST}\nport {server.port}\nrequirepass {server.password}\ndir {folder}\nsave ''\nappendonly yes\n"
        # a rewrite of the log would fall into the rounds of others
        f"appendfsync {appendfsync}\nauto-aof-rewrite-percentage 0\n"
    )
    ground.serve(f"redis {appendfsync}", [command, settings], lambda: listens(server.port))
    return server


async def _peer(ground: Ground, title: str, server: Server, durability: str) -> Peer:
    hello = command(b"AUTH", server.password.encode())

    async def load(count: int) -> None:
        async with wires(server.port, 1, whole, hello) as (wire,):
            await wire.pour(command(b"EVALSHA", await _kept(wire, PUT), b"0", BODY.encode()), count)

    async def play(connections: int, seconds: float) -> Played:
        async with wires(server.port, connections, whole, hello) as opened:
            claim, ack = [await _kept(opened[0], script) for script in (CLAIM, ACK)]
            return await play_wires(opened, lambda: _cycles(claim, ack), seconds)

    return Peer(title, server.version, durability, DOES, 30_000, load, play)


def _cycles(claim: bytes, ack: bytes) -> Cycles:
    request = command(b"EVALSHA", claim, b"0", b"bench", b"%d" % LEASE_S)
    result = orjson.dumps(RESULT)
    while (held := (yield request)).startswith(b"*3"):
        _, _, number, _, fence, _ = held.split(b"\r\n", 5)
        done = yield command(b"EVALSHA", ack, b"0", number, fence, result)
        if done != b":1\r\n":
            raise BenchFailed(f"Redis refused an acknowledgement: {done[:200]!r}")
        yield b""
    if held.startswith(b"-"):
        raise BenchFailed(f"Redis refused a claim: {held[:200]!r}")


async def _kept(wire: Wire, script: bytes) -> bytes:
    reply = await wire.ask(command(b"SCRIPT", b"LOAD", script))
    if not reply.startswith(b"$"):
        raise BenchFailed(f"Redis refused a script: {reply[:200]!r}")
    return reply.split(b"\r\n")[1]


def command(*words: bytes) -> bytes:
    """A request as Redis reads it."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def whole(data: bytes, start: int = 0) -> int:
    """Where the reply that begins at `start` ends; 0 while it is not all there."""
    end = data.find(b"\r\n", start) + 2
    if end < 2:
        return 0
    kind = data[start : start + 1]
    if kind == b"$" and data[start + 1 : start + 2] != b"-":
        end += int(data[start + 1 : end]) + 2
        return end if len(data) >= end else 0
    if kind == b"*":
        for _ in range(int(data[start + 1 : end])):
            end = whole(data, end)
            if not end:
                return 0
    return end
