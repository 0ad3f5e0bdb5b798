"""Which deck the dashboard looks at: the one it was opened on, or another for a while."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from taskdeck.client import Client


class Seat(Protocol):
    """What can sit down at another deck."""

    def run_worker(self, work: Any, *, group: str, exclusive: bool) -> Any:
        """Do it beside all else."""


End = Callable[[], Awaitable[None]]


class Elsewhere:
    """Goes to another deck and home again. The client of home lasts; that of another deck is closed on leaving it.

    A deck that is there for this dashboard alone ends when it is left.
    """

    def __init__(self, app: Seat, client: Client, address: str, sit: Callable[[Client, str], Awaitable[None]]) -> None:
        self._app = app
        self._home, self._address = client, address
        self._sit = sit
        self._now = client
        self._end: End | None = None

    @property
    def throwaway(self) -> bool:
        """Whether the deck looked at ends with being left."""
        return self._end is not None

    @property
    def home(self) -> str:
        """The address of the deck the dashboard was opened on, empty while it is there."""
        return "" if self._now is self._home else self._address

    def go(self, client: Client, end: End | None = None) -> None:
        """To the deck of a client that was let in; the client is its own from then on, and `end` called on leaving."""
        self._app.run_worker(self._move(client, client.address, end), group="moving", exclusive=True)

    def go_home(self) -> None:
        """Back to the deck the dashboard was opened on."""
        self._app.run_worker(self._move(self._home, self._address), group="moving", exclusive=True)

    async def _move(self, client: Client, address: str, end: End | None = None) -> None:
        left, self._now = self._now, client
        over, self._end = self._end, end
        await self._sit(client, address)
        if left is not self._home and left is not client:
            await left.close()
        if over is not None:
            await over()

    async def close(self) -> None:
        """Close all connections."""
        await self._now.close()
        await self._home.close()
        if self._end is not None:
            await self._end()
