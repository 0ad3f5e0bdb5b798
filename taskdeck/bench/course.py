"""The course of a bench: what is measured, in what order, and what is compared with what."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, NamedTuple

from taskdeck.bench.dialects import Tongue
from taskdeck.bench.figures import Figure, cpu_us, latencies, spread
from taskdeck.bench.floor import ECHO
from taskdeck.bench.frames import SocketLine
from taskdeck.bench.line import Line, Script, Site
from taskdeck.bench.load import Round, play
from taskdeck.bench.pace import PER_SECOND, paced
from taskdeck.bench.process import cpu_seconds, resident_mb
from taskdeck.bench.scripts import (
    CLAIM,
    COMPLETE,
    CREATE,
    PROJECT,
    TASK,
    cancels,
    claims_of,
    creates,
    cycles,
    messages,
    onward,
    onward_messages,
)
from taskdeck.bench.wake import wake_up
from taskdeck.client import ApiError, Client

ROUNDS = 3
"""Each figure is measured in so many rounds, by turns with what it is compared with: both meet the same noise."""
WARM_UP_S = 0.2
STOCK_A_SECOND = 8_000
"""How many tasks are made ready for each second of claims; should they run out, the round ends early."""
BATCH_CREATE = 100
BATCH_CLAIM = 10
BATCH_CLAIM_CONNECTIONS = (1, 16)
WAKE_UPS = 40
_CREATE_AT_ONCE = 1_000
CYCLE = "claim, then complete"
ONWARD = "complete, and claim the next with it"
ON_SOCKETS = "claim, then complete: on sockets"
ONWARD_ON_SOCKETS = "complete, and claim the next: on sockets"
FLOOR = "floor: same server, no store"
ECHOES = "echo: ready bytes, no store"
_CLEAR_S = 300.0
_PACED_TIMES = 4
"""Claims at a steady pace are few, and one in a hundred of them is to be more than the slowest: they get longer."""


class Course:
    """Measures `deck`, beside `floor` where there is one; about `seconds` go to each figure.

    Everything happens in a project of its own. `pids` are the processes of the sites, where they are known.
    `progress` is told what is being measured.
    """

    def __init__(
        self,
        deck: Site,
        floor: Site | None,
        client: Client,
        *,
        seconds: float,
        progress: Callable[[str], None],
        pids: Mapping[Site, int],
    ) -> None:
        self._deck = deck
        self._floor = floor
        self._client = client
        self._pids = dict(pids)
        self._round_s = seconds / ROUNDS
        self._progress = progress

    async def run(self, connections: Sequence[int]) -> list[Figure]:
        """Every figure.

        Raises:
            BenchFailed, ApiError, Unreachable, OSError: the deck refused, or cannot be reached.
        """
        with contextlib.suppress(ApiError):  # the project is there from a run before
            await self._client.create_project(PROJECT, description="Made by taskdeck bench.")
        figures: list[Figure] = []
        for count in connections:
            figures += await self._cycles(count)
        figures += await self._creates()
        for count in BATCH_CLAIM_CONNECTIONS:
            figures += await self._claims(count)
        figures.append(await self._wake_ups())
        pid = self._pids.get(self._deck)
        if pid is not None and (resident := resident_mb(pid)) is not None:
            figures.append(Figure("memory of the server, resident", resident, "MB"))
        return figures

    async def beside_native(self, tongue: Tongue, connections: Sequence[int]) -> list[Figure]:
        """Cycles through a dialect, by turns with the same through the native API.

        Raises:
            BenchFailed, ApiError, Unreachable, OSError: the deck refused, or cannot be reached.
        """
        native = Player("native", self._deck, self._client, cycles, TASK)
        spoken = Player(tongue.name, self._deck, self._client, tongue.cycles, tongue.task)
        await _begin(native)
        await _begin(spoken)
        await tongue.prepare(self._deck, self._client)
        return [figure for count in connections for figure in await self._duel(native, spoken, count)]

    async def beside_drawn(self, drawn: Site, client: Client, connections: Sequence[int]) -> list[Figure]:
        """Cycles and paced claims of a deck that draws its dashboard meanwhile, by turns with one that does not.

        Raises:
            BenchFailed, ApiError, Unreachable, OSError: a deck refused, or cannot be reached.
        """
        alone = Player("server alone", self._deck, self._client, cycles, TASK)
        both = Player("with the dashboard", drawn, client, cycles, TASK)
        await _begin(alone)
        await _begin(both)
        figures = [figure for count in connections for figure in await self._duel(alone, both, count)]
        self._progress("claims at a steady pace")
        spent: list[list[float]] = [[], []]
        round_s = self._round_s * _PACED_TIMES
        for _ in range(ROUNDS):
            for samples, player in zip(spent, (alone, both), strict=True):
                await _stock(player.client, round_s)
                samples += await paced(player.site, round_s)
        one, two = (
            Figure(f"claim, {PER_SECOND} a second: {player.name}", found["p99_ms"], "ms, p99", 1, **found)
            for player, found in ((alone, spread(spent[0])), (both, spread(spent[1])))
        )
        return [*figures, one, two.beside(two.value / one.value, f"{alone.name}, p99")]

    async def _duel(self, base: Player, other: Player, connections: int) -> list[Figure]:
        """Cycles of both by turns, and what `other`'s rate is of `base`'s."""
        self._progress(f"claim and complete: {other.name} beside {base.name}, {connections} connections")
        rounds: dict[str, list[Round]] = {base.name: [], other.name: []}
        for turn in range(ROUNDS + 1):
            for player in (base, other):
                await _stock(player.client, self._round_s, player.task)
                played = await self._metered(connections, player.script, player.site)
                if turn:  # the first warms up
                    rounds[player.name].append(played)
        one, two = (
            _figure(f"{CYCLE}: {name}", connections, played, COMPLETE, "cycles/s", latency_of=CLAIM)
            for name, played in rounds.items()
        )
        share = median(_ratios(rounds[other.name], rounds[base.name], COMPLETE))
        return [one, two.beside(share, f"{base.name}, in cycles/s")]

    async def clear(self) -> None:
        """Cancel what was made and not finished."""
        numbers: list[int] = []
        cursor = None
        while True:
            page = await self._client.tasks(
                project=PROJECT, state="ready,claimed", view="summary", limit=200, cursor=cursor
            )
            numbers += [task["number"] for task in page["tasks"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        await play(self._deck, 16, _CLEAR_S, lambda _n: cancels(self._deck, numbers))

    async def _cycles(self, connections: int) -> list[Figure]:
        self._progress(f"claim and complete, {connections} connections")
        turns = [Turn(self._deck, cycles)]
        if self._floor is not None:
            turns = [Turn(self._echo(self._floor), cycles), Turn(self._floor, cycles), *turns]
        at = len(turns)
        turns += [Turn(self._deck, onward), *(Turn(self._deck, by, SocketLine) for by in (messages, onward_messages))]
        for turn in turns:
            await _stock(self._client, WARM_UP_S)
            await play(turn.site, connections, WARM_UP_S, _each(turn.script, turn.site), turn.line)
        rounds: list[list[Round]] = [[] for _ in turns]
        for _ in range(ROUNDS):
            for turn, played in zip(turns, rounds, strict=True):
                if turn.site is self._deck:
                    await _stock(self._client, self._round_s)
                played.append(await self._metered(connections, turn.script, turn.site, turn.line))
        *beside, plain = rounds[:at]
        deck = _figure(CYCLE, connections, plain, COMPLETE, "cycles/s", latency_of=CLAIM)
        others = [
            _figure(name, connections, played, COMPLETE, "cycles/s").beside(
                median(_ratios(played, plain, COMPLETE)), CYCLE
            )
            for name, played in zip((ONWARD, ON_SOCKETS, ONWARD_ON_SOCKETS), rounds[at:], strict=True)
        ]
        if not beside:
            return [deck, *others]
        echo, floor = (
            _figure(name, connections, played, None, "requests/s", latency_of=CLAIM)
            for name, played in zip((ECHOES, FLOOR), beside, strict=True)
        )
        of_echo, of_floor = (median(_ratios(rounds[at + 1], rounds[at], None)) for at in range(2))
        return [echo, floor.beside(of_echo, "the echo"), deck.beside(of_floor, "the floor, in requests/s"), *others]

    def _echo(self, floor: Site) -> Site:
        """Where the floor's process answers with bytes that were made before."""
        echo = replace(floor, base=ECHO)
        self._pids[echo] = self._pids[floor]
        return echo

    async def _metered(
        self, connections: int, script: Callable[[Site, int], Script], site: Site, line: type[Line] = Line
    ) -> Round:
        """A round of cycles, with the processor time it took the server."""
        pid = self._pids.get(site)
        before = None if pid is None else cpu_seconds(pid)
        played = await play(site, connections, self._round_s, _each(script, site), line)
        after = None if pid is None else cpu_seconds(pid)
        if before is not None and after is not None:
            played.cpu_seconds = after - before
        return played

    async def _creates(self) -> list[Figure]:
        self._progress("creates")
        return await self._batches("create", CREATE, creates, BATCH_CREATE, connections=1)

    async def _claims(self, connections: int) -> list[Figure]:
        self._progress(f"claims, {connections} connections")
        return await self._batches("claim", CLAIM, claims_of, BATCH_CLAIM, connections=connections)

    async def _batches(
        self, verb: str, kind: str, script: Callable[[Site, int, int], Script], size: int, *, connections: int
    ) -> list[Figure]:
        """`script` by ones and by `size`, by turns."""
        single: list[Round] = []
        batched: list[Round] = []
        for _ in range(ROUNDS):
            for played, tasks in ((single, 1), (batched, size)):
                if kind == CLAIM:
                    await _stock(self._client, self._round_s * (1 if tasks == 1 else 2))
                played.append(await play(self._deck, connections, self._round_s, _sized(script, self._deck, tasks)))
        one = _figure(f"{verb} one", connections, single, kind, "tasks/s")
        many = _figure(f"{verb} {size} at once", connections, batched, kind, "tasks/s", times=size)
        gain = size * median(_ratios(batched, single, kind))
        return [one, many.beside(gain, f"{verb} one")]

    async def _wake_ups(self) -> Figure:
        self._progress("waking a claim that waits")
        samples, plain = [], Round()
        for _ in range(WAKE_UPS):
            samples.append(await wake_up(self._deck, self._client))
        await _stock(self._client, WARM_UP_S)
        plain = await play(self._deck, 1, WARM_UP_S, _each(cycles, self._deck))
        spent = spread(samples)
        figure = Figure("create, until the claim that waited has it", spent["p50_ms"], "ms", 1, **spent)
        return figure.beside(spent["p50_ms"] / latencies([plain], CLAIM)["p50_ms"], "a claim that need not wait, p50")


class Turn(NamedTuple):
    """What is played by turns with others: a script, where, and over what."""

    site: Site
    script: Callable[[Site, int], Script]
    line: type[Line] = Line


@dataclass(frozen=True, slots=True)
class Player:
    """One of two that are measured by turns: the script it plays, where, and of which task it needs a stock."""

    name: str
    site: Site
    client: Client
    script: Callable[[Site, int], Script]
    task: dict[str, Any]


async def _begin(player: Player) -> None:
    with contextlib.suppress(ApiError):  # the project is there from a run before
        await player.client.create_project(player.task["project"], description="Made by taskdeck bench.")


async def _stock(client: Client, seconds: float, task: dict[str, Any] = TASK) -> None:
    """See that so many seconds of claims find something."""
    wanted = round(seconds * STOCK_A_SECOND) - (await client.project(task["project"]))["counts"]["ready"]
    for _ in range(0, wanted, _CREATE_AT_ONCE):
        await client.create_many([task] * _CREATE_AT_ONCE)


def _each(script: Callable[[Site, int], Script], site: Site) -> Callable[[int], Script]:
    return lambda number: script(site, number)


def _sized(script: Callable[[Site, int, int], Script], site: Site, size: int) -> Callable[[int], Script]:
    return lambda number: script(site, number, size)


def _ratios(ours: list[Round], theirs: list[Round], kind: str | None) -> Iterator[float]:
    for mine, other in zip(ours, theirs, strict=True):
        base = other.per_second(kind)
        yield mine.per_second(kind) / base if base else 0.0


def _figure(
    name: str,
    connections: int,
    rounds: list[Round],
    kind: str | None,
    unit: str,
    *,
    times: int = 1,
    latency_of: str | None = None,
) -> Figure:
    """The median rate over `rounds` of requests of `kind` (None: of all), each worth `times`."""
    rate = times * median(played.per_second(kind) for played in rounds)
    spent = latencies(rounds, latency_of or kind or CLAIM)
    return Figure(name, round(rate, 1), unit, connections, **spent, cpu_us=cpu_us(rounds))
