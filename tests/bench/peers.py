"""taskdeck beside other queues: the same reserve and acknowledge, every system up at once, visited by turns.

    python tests/bench/peers.py --seconds 3 --rounds 3 --connections 1,16,64

Starts what is installed, on loopback ports and in a temporary folder, and stops it; what is not installed is named.
Servers share one core, the client has another. Prints Markdown; nothing is asserted, machines differ.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from peers import beanstalkd, bullmq, deck, embedded, postgres, procrastinate, redis
from peers.ground import Ground
from peers.peer import Missing, Peer
from peers.table import BASE, Report, Result

from taskdeck.bench.figures import machine
from taskdeck.bench.line import BenchFailed

PEERS: dict[str, Callable[[Ground], Awaitable[Peer]]] = {
    BASE: deck.peer,
    "taskdeck-next": deck.onward,
    "taskdeck-socket": deck.socket,
    "taskdeck-socket-next": deck.socket_onward,
    "postgres": postgres.peer,
    "postgres-next": postgres.onward,
    "procrastinate": procrastinate.peer,
    "bullmq": bullmq.lively,
    "bullmq-always": bullmq.safe,
    "redis": redis.lively,
    "redis-always": redis.safe,
    "beanstalkd": beanstalkd.synced,
    "beanstalkd-memory": beanstalkd.in_memory,
    "huey": embedded.huey,
    "litequeue": embedded.litequeue,
}
WARM_UP_S = 0.3
SETTLE_S = 0.5
"""Between loading and measuring, for what loading left to be written."""
MOST_SECONDS, MOST_ROUNDS, MOST_CONNECTIONS = 30.0, 20, 256


async def main(options: argparse.Namespace) -> Report:
    """Every peer that is installed, every number of connections, every round."""
    _end_on_sigterm()
    surroundings = machine()
    async with Ground(options.folder, max(options.connections), options.node_modules) as ground:
        _say(f"starting {', '.join(options.only)}")
        results, missing = await _opened(ground, options.only)
        for count in options.connections:
            for number in range(options.rounds + 1):
                _say(f"{count} connections, " + (f"round {number} of {options.rounds}" if number else "warming up"))
                await _round(results, number, count, options.seconds if number else WARM_UP_S)
        surroundings |= {
            "file_system": ground.file_system,
            "cores": "servers on one, client on another" if ground.pinned else "not pinned",
            "client_loop": "uvloop" if _loop_factory() else "asyncio",
        }
    return Report(surroundings, options.seconds, options.rounds, options.connections, results, missing)


async def _opened(ground: Ground, names: list[str]) -> tuple[dict[str, Result], dict[str, str]]:
    results: dict[str, Result] = {}
    missing: dict[str, str] = {}
    for name in names:
        try:
            results[name] = Result(await PEERS[name](ground))
        except Missing as error:
            missing[name] = str(error)
        except (BenchFailed, OSError) as error:
            if name == BASE:
                raise
            missing[name] = f"did not start: {error}"
    return results, missing


async def _round(results: dict[str, Result], number: int, connections: int, seconds: float) -> None:
    """All peers by turns; round 0 warms up and is not counted. A peer that fails is left out from then on."""
    playing = {name: result for name, result in results.items() if result.failed is None}
    for step in ("load", "play"):
        for name, result in playing.items():
            if result.failed is not None:
                continue
            try:
                if step == "load":
                    await result.peer.stock(seconds)
                    continue
                played = await result.peer.measure(connections, seconds)
            except Exception as error:  # whatever a client of another system raises
                if name == BASE:
                    raise
                result.failed = f"{type(error).__name__}: {error}"
                continue
            if number:
                result.rounds.setdefault(connections, []).append(played)
        if step == "load":
            await asyncio.sleep(SETTLE_S)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=_between(0.2, MOST_SECONDS, float), default=3.0, help="of each round")
    parser.add_argument("--rounds", type=_between(1, MOST_ROUNDS, int), default=3)
    parser.add_argument("--connections", type=_list_of(_between(1, MOST_CONNECTIONS, int)), default=[1, 16, 64])
    parser.add_argument("--only", type=_list_of(_known), default=list(PEERS), help=f"some of {', '.join(PEERS)}")
    parser.add_argument("--node-modules", type=Path, help="the folder where npm put bullmq and ioredis")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made: its disk is what syncs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.only = [BASE, *(name for name in options.only if name != BASE)]
    return options


def _between(least: float, most: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def number(text: str) -> Any:
        if not least <= (value := kind(text)) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {most}")
        return value

    return number


def _list_of(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    return lambda text: list(dict.fromkeys(kind(word.strip()) for word in text.split(",")))


def _known(name: str) -> str:
    if name not in PEERS:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(PEERS)}")
    return name


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The lighter the client, the more of a figure is the server's."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _end_on_sigterm() -> None:
    running = asyncio.current_task()
    if running is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    asked = _options()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            report = runner.run(main(asked))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit("stopped; nothing is left running")
    except (BenchFailed, OSError) as error:
        sys.exit(f"taskdeck itself could not be measured: {error}")
    print(json.dumps(report.document(), indent=2) if asked.json else report.markdown())
