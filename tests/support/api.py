"""A caller of the HTTP API that keeps what came back, refusals too."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self
        return str(self.json()["code"])


class Api:
    """Calls to the deck at `url` under `token`; `raw` takes any body, the others JSON."""

    def __init__(self, url: str, token: str | None, *, connections: int = 0) -> None:
        self.url = url
        self.token = token
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections), timeout=aiohttp.ClientTimeout(total=90)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        auth = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return auth | (more or {})

    @property
    def session(self) -> aiohttp.ClientSession:
        return self._session

    async def raw(
        self, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send `data` as it is, as JSON unless `headers` say otherwise."""
        kind = {} if data is None else {"Content-Type": "application/json"}
        async with self._session.request(
            method, f"{self.url}{path}", data=_sent(data), headers=self.headers(kind | (headers or {}))
        ) as response:
            return Reply(response.status, await response.read(), response.headers)

    async def call(
        self, method: str, path: str, document: Any = None, *, key: str | None = None, token: str | None = None
    ) -> Reply:
        """Send `document`, if any, under an Idempotency-Key and as another token's owner, if given."""
        headers = {} if key is None else {"Idempotency-Key": key}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return await self.raw(method, path, None if document is None else orjson.dumps(document), headers)

    async def get(self, path: str, **more: Any) -> Any:
        """The answer to a GET that succeeds."""
        return _succeeded(await self.call("GET", path, **more))

    async def post(self, path: str, document: Any = None, **more: Any) -> Any:
        """The answer to a POST that succeeds."""
        return _succeeded(await self.call("POST", path, {} if document is None else document, **more))

    async def patch(self, path: str, document: Any, **more: Any) -> Any:
        """The answer to a PATCH that succeeds."""
        return _succeeded(await self.call("PATCH", path, document, **more))

    async def delete(self, path: str, **more: Any) -> Any:
        """The answer to a DELETE that succeeds."""
        return _succeeded(await self.call("DELETE", path, **more))

    async def create(self, title: str = "t", **fields: Any) -> Any:
        return await self.post("/v1/tasks", {"title": title, **fields})

    async def claim(self, worker: str = "w", **fields: Any) -> Any:
        """The first thing claimed, or None."""
        claims = (await self.post("/v1/claims", {"worker": worker, **fields}))["claims"]
        return claims[0] if claims else None

    async def register(self, *workers: str, **fields: Any) -> None:
        """Make workers known, as their first call does."""
        for worker in workers:
            await self.post("/v1/workers", {"id": worker, **fields})

    async def token_for(self, role: str, name: str | None = None, **fields: Any) -> str:
        """The secret of a new token."""
        made = await self.post("/v1/tokens", {"principal": name or f"a-{role}", "role": role, **fields})
        return str(made["secret"])

    async def last_seq(self) -> int:
        """The number of the newest event."""
        return int((await self.get("/v1/stats"))["last_seq"])

    async def tick(self) -> None:
        """Let the deck look at its clock: any batch of writes moves what is due."""
        await self.call("GET", "/readyz")

    async def until_waiting(self, count: int) -> None:
        """Return when exactly so many claims wait."""
        async with asyncio.timeout(10):
            while (await self.get("/v1/stats"))["waiting_claims"] != count:
                pass

    async def events(self, after: int = 0, **filters: Any) -> list[Any]:
        """Every event after a number."""
        found: list[Any] = []
        query = "".join(f"&{name}={value}" for name, value in filters.items())
        while True:
            page = await self.get(f"/v1/events?after={after}&limit=1000{query}")
            found += page["events"]
            if page["next_after"] is None:
                return found
            after = page["next_after"]


def _sent(data: bytes | None) -> Any:
    # aiohttp warns of large bytes, which it sends in one go
    return io.BytesIO(data) if data is not None and len(data) > 1 << 20 else data


def _succeeded(reply: Reply) -> Any:
    assert 200 <= reply.status < 300, reply.body.decode()
    return reply.json()
