"""What the tests of every dialect share: a real server that speaks it, on a clock that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock
from support.fresh import fresh
from support.ids import CountingIds

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
