"""What tests of webhooks have in common: decks that may call this machine, webhooks and what became of deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks.webhooks as reference

from taskdeck.app import RunningDeck
from taskdeck.config import Settings
from taskdeck.store.folder import ADMIN_TOKEN

from .api import Api
from .clock import FakeClock
from .receiver import Receiver

HOOKS = "/v1/webhooks"


def settings(data: Path) -> Settings:
    """Of a deck that may send to loopback."""
    return Settings(data=data, port=0, webhook_networks=("127.0.0.0/8",))


def admin(running: RunningDeck) -> Api:
    """A caller with the admin token."""
    return Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip())


def follow_clock(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    """Let the reference implementation compare times with the test's clock."""

    class Now(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.fromtimestamp(clock.now_ms() / 1000, UTC)

    monkeypatch.setattr(reference, "datetime", Now)


async def hook(api: Api, there: Receiver, *events: str, **fields: Any) -> Any:
    """A new webhook to the receiver, with its secret."""
    made = await api.post(HOOKS, {"url": there.url, "events": events or ["task.*"], **fields})
    return made["webhook"] | {"secret": made["secret"]}


async def deliveries(api: Api, made: Any, query: str = "") -> list[Any]:
    return list((await api.get(f"{HOOKS}/{made['id']}/deliveries?limit=200{query}"))["deliveries"])


async def until(api: Api, made: Any, wanted: Callable[[list[Any]], bool]) -> list[Any]:
    """The deliveries, once they are as wanted."""
    async with asyncio.timeout(15):
        while not wanted(found := await deliveries(api, made)):
            pass
    await api.call("GET", "/readyz")  # a write behind it: what is in memory has followed
    return found


def ended(count: int) -> Callable[[list[Any]], bool]:
    return lambda found: sum(one["state"] != "pending" for one in found) >= count
