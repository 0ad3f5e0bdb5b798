"""A client of a deck that runs in the same process: what happens there it takes from memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import orjson

from taskdeck.client import BEAT, Beat, Client, Json, Unreachable

if TYPE_CHECKING:
    from taskdeck.app import RunningDeck

_AT_ONCE = 50
"""Events handed over in one turn of the loop, which is the server's too."""
_REST_S = 0.05
"""How long to rest after that what is there was handed over: what comes meanwhile comes together."""
_BEAT_S = 2.0


class NearClient(Client):
    """An administrator's client of `deck`. Its stream needs no connection: nothing is sent, received and taken apart.

    All else it asks as any client does.
    """

    def __init__(self, deck: RunningDeck) -> None:
        if deck.socket is not None:
            super().__init__(socket=deck.socket)
        else:
            super().__init__(deck.url, token=(deck.data / "admin.token").read_text("ascii").strip())
        self._bus = deck.deck.bus

    async def stream(self, after: int | None = None) -> AsyncIterator[Json | Beat]:
        """As any client's. What is no longer in memory is read over a connection."""
        bus = self._bus
        seq = bus.last_seq if after is None else after
        with bus.listening() as woken:
            yield BEAT
            while not bus.closed:
                woken.clear()
                news = bus.after(seq, _AT_ONCE)
                if news is None:
                    async with contextlib.aclosing(super().stream(seq)) as older:  # type: ignore[type-var]
                        async for item in older:
                            yield item
                            if not isinstance(item, Beat):
                                seq = item["seq"]
                            if bus.after(seq, 0) is not None:
                                break
                    continue
                for event in news:
                    yield orjson.loads(event.body)
                    seq = event.seq
                if seq < bus.last_seq:
                    await asyncio.sleep(0)
                    continue
                await asyncio.sleep(_REST_S)
                try:
                    async with asyncio.timeout(_BEAT_S):
                        await woken.wait()
                except TimeoutError:
                    yield BEAT
        raise Unreachable(f"{self.address} ended the event stream", "the deck may be stopping; try again soon")
