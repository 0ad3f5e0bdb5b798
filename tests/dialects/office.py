"""What the tests of Conductor's dialect share: its people, its template, and the loan that is to be approved."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

EXAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "conductor" / "claim_page.json").read_text())
"""The examples of Conductor's page on claiming: `method`, `url`, `status`, `response`."""

JOHN, JANE, SAM = "john.doe@acme.com", "jane.doe@acme.com", "sam@acme.com"
GROUP = "underwriters"
TEMPLATE = EXAMPLES[3]["response"]["humanTaskDef"]["fullTemplate"]
INPUT = {name: value for name, value in EXAMPLES[0]["response"]["input"].items() if not name.startswith("_")}
TASKS = "/api/human/tasks"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def void(self) -> bool:
        return (self.status, self.body) == (200, b"") and "json" not in self.headers.get("Content-Type", "")


def user(name: str, kind: str = "CONDUCTOR_USER") -> dict[str, str]:
    return {"userType": kind, "user": name}


JOHN_USER, JANE_USER, GROUP_USER = user(JOHN), user(JANE), user(GROUP, "CONDUCTOR_GROUP")


class Office:
    """A deck that speaks Conductor, John (an admin), Jane (an underwriter) and Sam, with their tokens."""

    def __init__(self, spoken: Any, session: aiohttp.ClientSession, tokens: dict[str, str]) -> None:
        self.spoken = spoken
        self.native = spoken.native
        self.clock = spoken.clock
        self.session = session
        self.tokens = tokens

    async def call(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        as_: str | None = JOHN,
        token: str | None = None,
        **more: Any,
    ) -> Answer:
        """A call on the dialect's own port, as somebody or with a token."""
        headers = dict(more.pop("headers", {}))
        secret = token if token is not None else self.tokens[as_] if as_ else None
        if secret is not None:
            headers["X-Authorization"] = secret
        if document is not None:
            more["data"] = orjson.dumps(document)
            headers.setdefault("Content-Type", "application/json")
        url = more.pop("base", self.spoken.url) + path
        async with self.session.request(method, url, headers=headers, **more) as reply:
            return Answer(reply.status, await reply.read(), reply.headers)

    async def loan(self, *assignees: str | dict[str, Any], by: str = JOHN, **fields: Any) -> str:
        """The id of a loan to be approved, offered to `assignees` (names of the deck's, or turns)."""
        turns = [one if isinstance(one, dict) else {"assignee": one, "group": one == GROUP} for one in assignees]
        wish: dict[str, Any] = {
            "title": "LoanApproval",
            "capabilities": ["human"],
            "payload": INPUT,
            "form": {"name": "LoanApproval", "version": 1},
            "extra": {"conductor": {"taskRefName": "human_ref", "workflowName": "LoanApprovalWorkflow"}},
        } | ({"assignees": turns} if turns else {})
        made = await self.native.post("/v1/tasks", wish | fields, token=self.tokens[by])
        return str(made["id"])

    async def plain(self, **fields: Any) -> str:
        """A loan to anybody, without a template."""
        return await self.loan(**{"form": None, **fields})

    async def claim(self, task: str, query: str = "", as_: str = JOHN) -> Answer:
        return await self.call("POST", f"{TASKS}/{task}/claim{query}", as_=as_)

    async def entry(self, task: str, as_: str = JOHN, query: str = "") -> Any:
        reply = await self.call("GET", f"{TASKS}/{task}{query}", as_=as_)
        assert reply.status == 200, reply
        return reply.json()

    async def search(self, as_: str = JOHN, **wanted: Any) -> Any:
        reply = await self.call("POST", f"{TASKS}/search", wanted, as_=as_)
        assert reply.status == 200, reply
        return reply.json()

    async def found(self, as_: str = JOHN, **wanted: Any) -> set[str]:
        return {one["taskId"] for one in (await self.search(as_, **wanted))["results"]}


def log_of(entry: Any) -> list[dict[str, Any]]:
    return list(entry["input"]["__humanTaskProcessContext"]["humanTaskActionLogs"])


def context_of(entry: Any) -> Any:
    return entry["input"]["__humanTaskProcessContext"]


def steps(entry: Any) -> list[tuple[str, str, str]]:
    """Action, state and actor of each entry of the log."""
    return [(one["action"], one["state"], one["actedBy"]) for one in log_of(entry)]


OFFERED = ("ASSIGNMENT", "ASSIGNED", "system")
OPENED = ("ASSIGNMENTS_COMPLETED", "ASSIGNED", "system")


@asynccontextmanager
async def opened_office(speaking: Any, **settings: Any) -> AsyncIterator[Office]:
    """A deck of these settings with John, Jane and Sam and the template."""
    async with speaking("conductor", **settings) as spoken, aiohttp.ClientSession() as session:
        tokens = {
            JOHN: await spoken.token("admin", JOHN),
            JANE: await spoken.token("agent", JANE, groups=[GROUP]),
            SAM: await spoken.token("agent", SAM),
        }
        form = {"name": "LoanApproval", "schema": TEMPLATE["jsonSchema"], "layout": TEMPLATE["templateUI"]}
        await spoken.native.post("/v1/forms", form, token=tokens[JOHN])
        spoken.clock.advance(10)
        yield Office(spoken, session, tokens)
