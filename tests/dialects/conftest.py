"""What the tests of every dialect share: a real server that speaks it, on a clock that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from delega_fleet import Fleet, fleet_on
from stride.board import Board, opened
from support.api import Api
from support.clock import FakeClock
from support.fresh import fresh
from support.ids import CountingIds
from veryfront_client import VeryfrontWorker, register

from taskdeck.app import RunningDeck, running_deck
from taskdeck.config import Settings
from taskdeck.store.folder import ADMIN_TOKEN


@dataclass(frozen=True, slots=True)
class Spoken:
    """A running deck that speaks one dialect: `url` is its own port, `below` its prefix on the main port.

    `native` calls the deck's own API with the admin token.
    """

    running: RunningDeck
    native: Api
    url: str
    below: str
    clock: FakeClock

    async def statements(self, act: Callable[[], Awaitable[None]]) -> list[str]:
        """How the statements begin that the deck runs during `act`, sorted; but for those that only tune SQLite."""
        seen: list[str] = []
        deck = self.running.deck
        connection = deck._writer.runner.connection
        await deck.write(lambda unit: connection.set_trace_callback(seen.append))
        seen.clear()
        await act()
        statements = [" ".join(sql.split()[:3]) for sql in seen if not sql.startswith("PRAGMA")]
        await deck.write(lambda unit: connection.set_trace_callback(None))
        return sorted(statements)

    async def token(self, role: str, name: str, **fields: Any) -> str:
        """The secret of a new token."""
        return await self.native.token_for(role, name, **fields)


Speaking = Callable[..., AbstractAsyncContextManager[Spoken]]


@pytest.fixture
def speaking(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> Speaking:
    """Opens a deck that speaks the named dialect: `async with speaking("stride", opened=True) as spoken`.

    Other keywords are settings.
    """

    @asynccontextmanager
    async def speak(name: str, *, opened: bool = False, **settings: Any) -> AsyncIterator[Spoken]:
        told = Settings(
            data=fresh(tmp_path / "data"),
            port=0,
            listen={name: "127.0.0.1:0"},
            open=(name,) if opened else (),
            **settings,
        )
        async with (
            running_deck(told, clock=clock, ids=ids) as running,
            Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip()) as native,
        ):
            yield Spoken(running, native, running.dialects[name], f"{running.url}/{name}", clock)

    return speak


@pytest.fixture
def settings() -> dict[str, Any]:
    """How the deck is set up, if not as usual."""
    return {}


@pytest.fixture
async def spoken(request: pytest.FixtureRequest, speaking: Speaking, settings: dict[str, Any]) -> AsyncIterator[Spoken]:
    """A deck that speaks the dialect after which the test's module is named: `test_stride_page` is about Stride."""
    async with speaking(request.module.__name__.split("_")[1], **settings) as spoken:
        yield spoken


@pytest.fixture
async def fleet(spoken: Spoken) -> AsyncIterator[Fleet]:
    """Delega's agents."""
    made = await fleet_on(spoken.url, spoken.native, spoken.clock)
    async with made.caller:
        yield made


@pytest.fixture
def chosen() -> dict[str, Any]:
    """What the operator chose about Stride."""
    return {}


@pytest.fixture
async def board(speaking: Speaking, chosen: dict[str, Any]) -> AsyncIterator[Board]:
    """Stride's board."""
    async with opened(speaking, **chosen) as made:
        yield made


@pytest.fixture
async def api(spoken: Spoken) -> AsyncIterator[Api]:
    """Who calls the dialect as the deck's admin."""
    async with Api(spoken.url, spoken.native.token) as caller:
        yield caller


@pytest.fixture
async def w(api: Api) -> VeryfrontWorker:
    """A worker of Veryfront's."""
    return await register(api, "a")


@pytest.fixture
async def v(api: Api) -> VeryfrontWorker:
    """Another one."""
    return await register(api, "b")
