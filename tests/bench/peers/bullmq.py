"""BullMQ on Redis, driven by a small Node program beside this file."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

import orjson

from peers.ground import Ground, program
from peers.peer import BODY, RESULT, Missing, Peer, Played
from peers.redis import ALWAYS, EVERYSEC, Server
from peers.redis import always as redis_always
from peers.redis import everysec as redis_everysec
from taskdeck.bench.line import BenchFailed
from taskdeck.bench.load import SILENCE_S

CLIENT = Path(__file__).with_name("bullmq.cjs")
REPLY_LIMIT = 1 << 26
LOAD_S = 600.0
DATABASE = 1
"""Of the same Redis, beside the tasks of our own scripts."""


async def lively(ground: Ground) -> Peer:
    """Synced once a second."""
    _installed(ground)
    return await _peer(ground, "BullMQ, AOF everysec", await redis_everysec(ground), EVERYSEC)


async def safe(ground: Ground) -> Peer:
    """Synced before each reply."""
    _installed(ground)
    return await _peer(ground, "BullMQ, AOF always", await redis_always(ground), ALWAYS)


async def _peer(ground: Ground, title: str, server: Server, durability: str) -> Peer:
    node = await Node.started(ground)
    where = {"port": server.port, "password": server.password, "db": DATABASE}
    versions = await node.ask({"do": "open", "redis": where, "body": BODY, "result": RESULT}, SILENCE_S)

    async def load(count: int) -> None:
        await node.ask({"do": "load", "count": count}, LOAD_S)

    async def play(connections: int, seconds: float) -> Played:
        order = {"do": "play", "connections": connections, "seconds": seconds}
        told = await node.ask(order, seconds + 2 * SILENCE_S)
        return Played.of(told["samples"], told["seconds"], told["cpu_seconds"])

    return Peer(
        title=title,
        versions=f"BullMQ {versions['bullmq']}, {server.version}",
        durability=durability,
        does="Node; acknowledging one job and taking the next is one call; locks, a stream of events; finished kept",
        tasks_a_second=6_000,
        load=load,
        play=play,
    )


class Node:
    """The Node program: takes an order a line, answers with a line, ends with its standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def started(cls, ground: Ground) -> Node:
        """A program under way, until the ground is left."""
        process = await asyncio.create_subprocess_exec(
            program("node", "nodejs"), str(CLIENT), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, env=_environment(ground), limit=REPLY_LIMIT, start_new_session=True,
        )  # fmt: skip
        node = cls(process)
        ground.stack.push_async_callback(node.close)
        return node

    async def ask(self, order: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer.

        Raises:
            BenchFailed: it failed, ended, or took longer than `seconds`.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("a process was started without its pipes")
        try:
            self._process.stdin.write(orjson.dumps(order) + b"\n")
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise BenchFailed(f"BullMQ did not {order['do']} within {seconds:g} seconds") from None
        answer: dict[str, Any] = orjson.loads(line) if line else {"error": "its program ended"}
        if "error" in answer:
            raise BenchFailed(f"BullMQ: {answer['error'][:300]}")
        return answer

    async def close(self) -> None:
        """End it; kill it if it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _installed(ground: Ground) -> None:
    find = "require.resolve('bullmq'); require.resolve('ioredis')"
    asked = subprocess.run(
        [program("node", "nodejs"), "-e", find], env=_environment(ground), capture_output=True, timeout=30, check=False
    )
    if asked.returncode:
        raise Missing("no bullmq found (npm: bullmq, ioredis; name their folder with --node-modules or NODE_PATH)")


def _environment(ground: Ground) -> dict[str, str]:
    if ground.node_modules is None:
        return dict(os.environ)
    return os.environ | {"NODE_PATH": str(ground.node_modules.resolve())}
