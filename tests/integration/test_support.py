"""The fixtures do what they say."""

from __future__ import annotations

from support.api import Api
from support.clock import FakeClock

from taskdeck.service.deck import Deck


async def test_a_deck_opens_with_its_first_project(deck: Deck) -> None:
    rows = await deck.reader.rows("SELECT name FROM projects")
    assert rows == [("default",)]


async def test_time_stands_until_it_is_moved(api: Api, clock: FakeClock) -> None:
    before = (await api.get("/v1/stats"))["now"]
    assert (await api.get("/v1/stats"))["now"] == before
    clock.advance(1)
    assert (await api.get("/v1/stats"))["now"] > before
