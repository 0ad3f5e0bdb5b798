"""A client in the process of its deck: it hears what any client hears, without a connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from taskdeck.app import RunningDeck, running_deck
from taskdeck.cli.near import NearClient
from taskdeck.client import ApiError, Beat, Json, Unreachable
from taskdeck.config import Settings
from taskdeck.service import bus

pytestmark = pytest.mark.integration


@pytest.fixture
async def deck(tmp_path: Path) -> AsyncIterator[RunningDeck]:
    async with running_deck(Settings(data=tmp_path / "data", port=0)) as running:
        yield running


@pytest.fixture
async def near(deck: RunningDeck) -> AsyncIterator[NearClient]:
    async with NearClient(deck) as client:
        yield client


async def heard(client: NearClient, after: int | None, number: int) -> list[Json]:
    """So many events after that one."""
    found: list[Json] = []
    async with asyncio.timeout(10), contextlib.aclosing(client.stream(after)) as stream:  # type: ignore[type-var]
        async for item in stream:
            found += [] if isinstance(item, Beat) else [item]
            if len(found) == number:
                break
    return found


async def test_it_hears_what_the_log_says_without_a_connection(near: NearClient, deck: RunningDeck) -> None:
    await near.create_many([{"title": f"T{number}"} for number in range(120)])
    everything = (await near.events(after=0, limit=200))["events"]
    await near.close()
    assert await heard(near, 0, len(everything)) == everything
    assert await heard(near, 7, len(everything) - 7) == everything[7:]
    assert near._session is None, "nothing was asked for"
    assert deck.deck.bus.listeners == 0, "who leaves is not told any more"


async def test_what_happens_now_comes_and_in_between_a_beat(near: NearClient) -> None:
    stream = near.stream()
    async with asyncio.timeout(10):
        assert isinstance(await anext(stream), Beat)
        task = await near.create(title="now")
        told = await anext(stream)
        assert not isinstance(told, Beat) and told["task"]["key"] == task["key"]
        assert isinstance(await anext(stream), Beat), "a sign of life while nothing happens"
    await stream.aclose()  # type: ignore[attr-defined]


async def test_what_memory_no_longer_has_is_read_from_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "RING", 30)
    async with running_deck(Settings(data=tmp_path / "small", port=0)) as deck, NearClient(deck) as near:
        await near.create_many([{"title": f"T{number}"} for number in range(100)])
        assert deck.deck.bus.after(1, 1) is None
        events = await heard(near, 1, 99)
        assert all(one["seq"] + 1 == other["seq"] for one, other in pairwise(events)) and events[0]["seq"] == 2
        deck.deck.bus.forget(90)
        assert [event["seq"] for event in await heard(near, 80, 10)] == list(range(81, 91))
        await deck.deck.write(lambda unit: unit.write("DELETE FROM events WHERE seq < 50", ()), long=True)
        with pytest.raises(ApiError) as pruned:
            await heard(near, 3, 1)
        assert pruned.value.status == 410


async def test_it_ends_as_the_deck_does(near: NearClient, deck: RunningDeck) -> None:
    stream = near.stream()
    async with asyncio.timeout(10):
        await anext(stream)
        asyncio.get_running_loop().call_later(0.05, deck.deck.bus.close)
        with pytest.raises(Unreachable):
            await anext(stream)
