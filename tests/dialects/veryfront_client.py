"""Veryfront's worker client as it goes over the wire: the same headers, unset fields absent, one token a worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson
from support.api import Api, Reply

HEADERS = {"accept": "*/*", "accept-language": "*", "sec-fetch-mode": "cors", "user-agent": "node"}


@dataclass
class VeryfrontWorker:
    """One registered worker and its calls; `token` is its own, `api` has the API token."""

    api: Api
    id: str = ""
    token: str = ""
    document: dict[str, Any] = field(default_factory=dict)

    async def raw(self, method: str, path: str, document: Any = None, *, token: str | None = None) -> Reply:
        body = b"" if document is None else document if isinstance(document, bytes) else orjson.dumps(document)
        headers = HEADERS | {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return checked(await self.api.raw(method, path, body, headers))

    async def own(self, method: str, path: str, document: Any = None) -> Reply:
        """A call with the worker's own token."""
        return await self.raw(method, f"/agent-workers/workers/{self.id}{path}", document, token=self.token)

    async def claim(self, seconds: int | None = 30) -> Any:
        document = {} if seconds is None else {"lease_duration_seconds": seconds}
        reply = await self.own("POST", "/claim", document)
        assert reply.status == 200, reply
        assert reply.json().keys() >= {"run"}
        return reply.json()["run"]

    async def renew(self, run: str, seconds: int = 30) -> Any:
        reply = await self.own("POST", f"/runs/{quote(run, '')}/lease", {"lease_duration_seconds": seconds})
        assert reply.status == 200, reply
        return reply.json()["run"]

    async def session(self, run: str, key: str, **fields: Any) -> Reply:
        return await self.own("PUT", f"/runs/{run}/session", {"session_key": key, **fields})

    async def append(self, run: Any, *events: Any, **more: Any) -> Reply:
        path = f"/conversations/{run['conversation_id']}/runs/{run['run_id']}/events"
        return await self.raw("POST", path, {"events": list(events), **more})

    async def read(self, run: Any, token: str | None = None) -> Reply:
        return await self.raw("GET", f"/conversations/{run['conversation_id']}/runs/{run['run_id']}", token=token)

    async def complete(self, run: str, status: str = "completed", **more: Any) -> Reply:
        return await self.raw("POST", f"/runs/{run}/complete", {"status": status, **more})


def checked(reply: Reply) -> Reply:
    """Every reply is JSON; every refusal has a string `detail` and no `error`."""
    document = reply.json()
    assert isinstance(document, dict), reply
    if reply.status >= 300:
        assert reply.headers["Content-Type"].startswith("application/problem+json")
        assert isinstance(document["detail"], str)
        assert document["detail"]
        assert "error" not in document
        assert document["status"] == reply.status
    return reply


async def register(api: Api, key: str = "a", project: str = "default", kind: str = "probe") -> VeryfrontWorker:
    """A worker, registered as its client does it."""
    worker = VeryfrontWorker(api)
    document = {"implementation_kind": kind, "implementation_display_name": kind.title(), "worker_key": key}
    reply = await worker.raw("POST", f"/agent-workers/projects/{quote(project, '')}/workers", document)
    assert reply.status == 201, reply
    worker.document, worker.token = reply.json()["worker"], reply.json()["token"]
    worker.id = worker.document["id"]
    return worker
