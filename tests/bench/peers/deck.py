"""taskdeck itself: what the others are compared with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import orjson

from peers.ground import Ground
from peers.peer import LEASE_S, RESULT, TASK, Peer, Played, watch
from taskdeck import __version__
from taskdeck.bench.child import started
from taskdeck.bench.frames import SocketLine, ask
from taskdeck.bench.line import Line, Script, Site
from taskdeck.bench.load import play
from taskdeck.client import Client

AT_ONCE = 1_000


async def peer(ground: Ground) -> Peer:
    """A deck with its defaults; a cycle is two requests."""
    return await _peer(ground, "taskdeck", _cycles)


async def onward(ground: Ground) -> Peer:
    """Another, whose workers complete a task and claim the next in one request."""
    return await _peer(ground, "taskdeck, completing takes the next", _onward)


async def socket(ground: Ground) -> Peer:
    """Another, whose workers keep a socket open; a cycle is two messages."""
    return await _peer(ground, "taskdeck, on sockets", _by_messages, SocketLine)


async def socket_onward(ground: Ground) -> Peer:
    """Another, on sockets, whose workers complete a task and claim the next in one message."""
    return await _peer(ground, "taskdeck, on sockets, completing takes the next", _onward_by_messages, SocketLine)


async def _peer(
    ground: Ground, title: str, script: Callable[[Site, int, list[float]], Script], kind: type[Line] = Line
) -> Peer:
    with ground.server_core():
        child = await ground.stack.enter_async_context(started("deck", ground.folder(title.replace(" ", "-"))))
    client = await ground.stack.enter_async_context(Client(child.site.url, token=child.site.token))

    async def load(count: int) -> None:
        for size in _chunks(count):
            await client.create_many([TASK] * size)

    async def cycles(connections: int, seconds: float) -> Played:
        with watch() as round_:
            await play(child.site, connections, seconds, lambda n: script(child.site, n, round_.samples), kind)
            return round_.played()

    return Peer(
        title=title,
        versions=f"taskdeck {__version__}",
        durability="fsync before each reply",
        does="HTTP and JSON, token checked; priorities, leases with fences, one event row per change; finished kept",
        tasks_a_second=8_000,
        load=load,
        play=cycles,
    )


def _cycles(site: Site, number: int, samples: list[float]) -> Script:
    claim = site.post("claim", "/v1/claims", {"worker": f"bench-{number}", "lease_seconds": LEASE_S})
    begun = time.perf_counter()
    while claims := orjson.loads((yield claim))["claims"]:
        held = claims[0]
        path = f"/v1/tasks/{held['task']['number']}/complete"
        yield site.post("complete", path, {"fence": held["fence"], "result": RESULT})
        now = time.perf_counter()
        samples.append(now - begun)
        begun = now


def _onward(site: Site, number: int, samples: list[float]) -> Script:
    claim = site.post("claim", "/v1/claims", {"worker": f"bench-{number}", "lease_seconds": LEASE_S})
    claims = orjson.loads((yield claim))["claims"]
    begun = time.perf_counter()
    while claims:
        held = claims[0]
        path = f"/v1/tasks/{held['task']['number']}/complete"
        document = {"fence": held["fence"], "result": RESULT, "next": {"lease_seconds": LEASE_S}}
        claims = orjson.loads((yield site.post("complete", path, document)))["next"]["claims"]
        now = time.perf_counter()
        samples.append(now - begun)
        begun = now


def _by_messages(_site: Site, number: int, samples: list[float]) -> Script:
    claim = ask("claim", "claim", {"worker": f"bench-{number}", "lease_seconds": LEASE_S})
    begun = time.perf_counter()
    while claims := orjson.loads((yield claim))["body"]["claims"]:
        held = claims[0]
        yield ask("complete", "complete", {"fence": held["fence"], "result": RESULT}, held["task"]["number"])
        now = time.perf_counter()
        samples.append(now - begun)
        begun = now


def _onward_by_messages(_site: Site, number: int, samples: list[float]) -> Script:
    claim = ask("claim", "claim", {"worker": f"bench-{number}", "lease_seconds": LEASE_S})
    claims = orjson.loads((yield claim))["body"]["claims"]
    begun = time.perf_counter()
    while claims:
        held = claims[0]
        document = {"fence": held["fence"], "result": RESULT, "next": {"lease_seconds": LEASE_S}}
        done = yield ask("complete", "complete", document, held["task"]["number"])
        claims = orjson.loads(done)["body"]["next"]["claims"]
        now = time.perf_counter()
        samples.append(now - begun)
        begun = now


def _chunks(count: int) -> Iterator[int]:
    while count > 0:
        yield min(count, AT_ONCE)
        count -= AT_ONCE
