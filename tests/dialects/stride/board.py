"""What the tests of the Stride dialect share: a board, the people on it, and what they send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.api import Api, Reply
from support.clock import FakeClock

from taskdeck.dialects.stride.words import person_id

OK = {"exit_code": 0, "output": "ok", "duration_ms": 1}
PROVEN = {"before_doing_result": OK}
FIN: dict[str, Any] = {
    "completion_summary": "s",
    "actual_complexity": "small",
    "actual_files_changed": "a.py",
    "time_spent_minutes": 5,
    "after_doing_result": OK,
    "before_review_result": OK,
}
REVIEWED = {"after_review_result": OK}
ABLE = ["code_generation", "testing"]
ROW = {
    "id", "identifier", "title", "type", "status", "priority", "complexity", "dependencies", "created_by_agent",
    "parent_id", "claim_expires_at",
}  # fmt: skip
"""What rows of lists have."""
ACK = {
    "id", "identifier", "title", "status", "parent_id", "needs_review", "review_status", "complexity", "priority",
}  # fmt: skip
"""What short replies have."""
NOTHING = (
    "No tasks available to claim matching your capabilities. All tasks in Ready column are either blocked, already"
    " claimed, or require capabilities you don't have."
)


@dataclass
class Board:
    """Board 1 and its people, by name: `A`, `B` (may write), `T0` (no capabilities), `TR` (reads), `TX` (elsewhere).

    `native` calls the deck's own API as its admin; the board's project is `board`.
    """

    url: str
    native: Api
    stride: Api
    clock: FakeClock
    tokens: dict[str, str]
    number: int
    ids: dict[str, int] = field(default_factory=dict)

    @property
    def ready(self) -> int:
        return self.number * 10 + 2

    def column(self, place: int) -> int:
        return self.number * 10 + place

    async def call(
        self, method: str, path: str, document: Any = None, *, by: str | None = "A", **headers: str
    ) -> Reply:
        """Ask as one of the people; None asks without a token."""
        token = None if by is None else self.tokens[by]
        if token is None:
            caller = Api(self.url, None)
            async with caller:
                return await caller.call(method, path, document)
        return await self.stride.call(method, path, document, token=token)

    async def ok(self, method: str, path: str, document: Any = None, **more: Any) -> Any:
        """The answer to a call that succeeds."""
        reply = await self.call(method, path, document, **more)
        assert reply.status in (200, 201), reply
        return reply.json()

    async def make(self, title: str = "t", *, ready: bool = True, **fields: Any) -> Any:
        """A new task, in Ready unless it is to be in the Backlog."""
        where = {"column_id": self.ready} if ready else {}
        return (await self.ok("POST", "/api/tasks", {"task": {"title": title, **where, **fields}}))["data"]

    async def claim(self, by: str = "A", **fields: Any) -> Reply:
        return await self.call("POST", "/api/tasks/claim", PROVEN | fields, by=by)

    async def claimed(self, by: str = "A", **fields: Any) -> Any:
        """The task that a claim gives."""
        reply = await self.claim(by, **fields)
        assert reply.status == 200, reply
        return reply.json()["data"]

    async def finish(self, task: Any, by: str = "A", **fields: Any) -> Reply:
        return await self.call("PATCH", f"/api/tasks/{task['id']}/complete", FIN | fields, by=by)

    async def handed_in(self, by: str = "A", **fields: Any) -> Any:
        """A task in Review."""
        made = await self.make(needs_review=True, **fields)
        await self.claimed(by, identifier=made["identifier"])
        reply = await self.finish(made, by)
        assert reply.status == 200, reply
        return reply.json()["data"]

    async def judge(self, task: Any, verdict: str, note: str | None = None) -> None:
        """Say as a human what a review comes to."""
        words = {"verdict": verdict} | ({} if note is None else {"note": note})
        await self.native.post(f"/v1/tasks/{task['id']}/judge", words)


def choose(**values: Any) -> pytest.MarkDecorator:
    """Lets a test run on a deck whose operator chose so."""
    return pytest.mark.parametrize("chosen", [values], ids=[""])


def error(reply: Reply) -> str:
    """What a refusal says is wrong."""
    return str(reply.json()["error"])


@asynccontextmanager
async def opened(speaking: Any, **chosen: Any) -> AsyncIterator[Board]:
    """A deck that speaks Stride as it was chosen, with a board and its people."""
    async with speaking("stride", stride=chosen) as spoken:
        made = await board_on(spoken.url, spoken.native, spoken.clock)
        async with made.stride:
            yield made


async def board_on(url: str, native: Api, clock: FakeClock, name: str = "board", **project: Any) -> Board:
    """A new board, with people on it and elsewhere."""
    made = await native.post("/v1/projects", {"name": name, **project})
    await native.post("/v1/projects", {"name": f"{name}-x"})
    people = {
        "A": ("agent", f"ana-{name}", ABLE, name, []),
        "B": ("agent", f"bob-{name}", ABLE, name, []),
        "T0": ("agent", f"zoe-{name}", [], name, []),
        "TM": ("agent", f"mia-{name}", ABLE, name, ["model:claude-opus"]),
        "TR": ("reader", f"ray-{name}", ABLE, name, []),
        "TX": ("agent", f"xia-{name}", ABLE, f"{name}-x", []),
    }
    secrets = await asyncio.gather(
        *(
            native.token_for(role, principal, projects=[home], capabilities=able, groups=groups)
            for role, principal, able, home, groups in people.values()
        )
    )
    tokens = dict(zip(people, secrets, strict=True))
    ids = {who: person_id(principal) for who, (_, principal, *_) in people.items()}
    return Board(url, native, Api(url, None), clock, tokens, made["number"], ids)
