"""What the tests of the Delega dialect share: agents of every role, and what they ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from support.api import Api, Reply
from support.clock import FakeClock

READ_ALL, COMMENT_ALL = "tasks.read_all", "tasks.comment_all"


@dataclass
class Fleet:
    """The agents `A` and `B` (workers), `C` (coordinator), `R` (admin), each named as written; `prefix` is theirs."""

    url: str
    native: Api
    clock: FakeClock
    keys: dict[str, str]
    caller: Api
    prefix: str = "/v1"

    async def call(
        self, by: str | None, method: str, path: str, document: Any = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Ask as one of the agents; None asks without a key."""
        key = {} if by is None else {"X-Agent-Key": self.keys.get(by, by)}
        # Delega's clients say that they send JSON also where they send nothing
        sent = {"Content-Type": "application/json"} | key | (headers or {})
        data = document if isinstance(document, bytes) or document is None else _encoded(document)
        return await self.caller.raw(method, f"{self.prefix}{path}", data, sent)

    async def ok(self, by: str, method: str, path: str, document: Any = None, **more: Any) -> Any:
        """The answer to a call that succeeds."""
        reply = await self.call(by, method, path, document, **more)
        assert reply.status in (200, 201), reply
        return reply.json()

    async def make(self, by: str = "A", content: str = "t", **fields: Any) -> Any:
        return await self.ok(by, "POST", "/tasks", {"content": content, **fields})

    async def show(self, task: Any, by: str = "R") -> Any:
        return await self.ok(by, "GET", f"/tasks/{task['id']}")

    async def claim(self, by: str = "A", **wish: Any) -> Any:
        """The task that the queue gives; None if none."""
        reply = await self.ok(by, "POST", "/tasks/claim", wish)
        assert set(reply) == {"task"}
        return reply["task"]

    async def take(self, task: Any, by: str = "A", **wish: Any) -> Any:
        """The task, claimed by its id."""
        return (await self.ok(by, "POST", f"/tasks/{task['id']}/claim", wish))["task"]

    async def on(self, by: str, task: Any, verb: str, document: Any = None, method: str = "POST") -> Reply:
        """What a verb on a task is answered."""
        return await self.call(by, method, f"/tasks/{task['id']}{'/' if verb else ''}{verb}", document)

    async def listed(self, by: str, query: str = "") -> list[str]:
        """The contents of the tasks that a list shows."""
        return [task["content"] for task in await self.ok(by, "GET", f"/tasks{query}")]


def _encoded(document: Any) -> bytes:
    return orjson.dumps(document)


def error(reply: Reply, status: int) -> str:
    """What a refusal says."""
    told = reply.json()
    assert (reply.status, told["status"]) == (status, status), reply
    assert isinstance(told["error"], str) and 0 < len(told["error"]) <= 300
    return str(told["error"])


async def fleet_on(url: str, native: Api, clock: FakeClock) -> Fleet:
    """The agents of a deck that speaks Delega at `url`."""
    rights: dict[str, tuple[str, list[str]]] = {
        "A": ("agent", []),
        "B": ("agent", []),
        "C": ("agent", [READ_ALL, COMMENT_ALL]),
        "R": ("admin", []),
    }
    keys = {name: await native.token_for(role, name, groups=groups) for name, (role, groups) in rights.items()}
    return Fleet(url, native, clock, keys, Api(url, None))
