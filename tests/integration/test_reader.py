"""Reading beside the writer: what belongs together is read as of one moment."""

from __future__ import annotations

import asyncio

import pytest
from support.people import ROOT

from taskdeck.domain.order import USUAL
from taskdeck.service.create import create
from taskdeck.service.deck import Deck
from taskdeck.service.operate import delete, reprioritize
from taskdeck.service.requests import NewTask
from taskdeck.store import listing
from taskdeck.store.filters import TaskFilter
from taskdeck.store.listing import list_tasks
from taskdeck.store.paging import Page
from taskdeck.store.reader import CONNECTIONS, Reader

COUNT = "SELECT count(*) FROM tasks"


async def test_what_is_read_at_once_is_of_one_moment(deck: Deck) -> None:
    async with deck.reader.at_once() as now:
        before = await now.rows(COUNT)
        await deck.write(lambda unit: create(unit, ROOT, [NewTask("t", "default")]) and None)
        assert await deck.reader.rows(COUNT) != before
        assert await now.rows(COUNT) == before
    for _ in range(4):  # each of the connections
        assert await deck.reader.rows(COUNT) == [(1,)]


async def test_a_list_shows_its_tasks_as_it_found_them(deck: Deck, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much happens between finding the tasks of a page and reading them."""
    await deck.write(lambda unit: create(unit, ROOT, [NewTask("t", "default") for _ in range(5)]) and None)
    find = listing.numbers

    async def slowly(reader: Reader, page: Page) -> list[int]:
        found = await find(reader, page)
        await deck.write(lambda unit: delete(unit, ROOT, "T2") and None)
        await deck.write(lambda unit: reprioritize(unit, ROOT, "T3", 99) and None)
        return found

    monkeypatch.setattr(listing, "numbers", slowly)
    tasks = await list_tasks(deck.reader, TaskFilter(), "prio", USUAL, None, 3)
    assert [(task.key, task.priority) for task in tasks] == [("T1", 50), ("T2", 50), ("T3", 50)]


async def test_what_is_given_up_in_the_midst_leaves_its_connection_usable(deck: Deck) -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    async def look() -> None:
        async with deck.reader.at_once() as now:
            begun.set()
            await now.rows(endless)

    for _ in range(CONNECTIONS):
        begun = asyncio.Event()
        looking = asyncio.create_task(look())
        await begun.wait()
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
    for _ in range(CONNECTIONS):
        async with deck.reader.at_once() as now:
            assert await now.rows(COUNT) == [(0,)]
