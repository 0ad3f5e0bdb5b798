"""The async client of a deck: one method per route, named by its verb."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from taskdeck.transport import BEAT, ApiError, Beat, Json, Transport, Unreachable, as_object

__all__ = ["BEAT", "ApiError", "Beat", "Client", "Json", "Unreachable", "local"]


class Client(Transport):
    """Every route of a deck as a method; see `Transport` for what all of them may raise."""

    # -- tasks

    async def create(self, **fields: Any) -> Json:
        return await self._post("/v1/tasks", fields)

    async def create_many(self, tasks: Iterable[Mapping[str, Any]]) -> list[Json]:
        """All of them or none; at most 1,000."""
        reply = await self._post("/v1/tasks", {"tasks": [dict(task) for task in tasks]})
        return list(reply["tasks"])

    async def tasks(self, **filters: Any) -> Json:
        """One page: `{"tasks", "next_cursor"}`. A filter that is a list is sent joined by commas."""
        return await self._get("/v1/tasks", **filters)

    async def task(self, ref: str | int, *, fence: int | None = None) -> Json:
        return await self._get(_task(ref), fence=fence)

    async def edit(self, ref: str | int, **fields: Any) -> Json:
        return as_object(await self.request("PATCH", _task(ref), json=fields))

    async def delete(self, ref: str | int) -> Json:
        return as_object(await self.request("DELETE", _task(ref)))

    async def explain(self, ref: str | int, worker: str | None = None) -> Json:
        return await self._get(f"{_task(ref)}/explain", worker=worker)

    async def task_events(self, ref: str | int, *, after: int | None = None, limit: int | None = None) -> Json:
        return await self._get(f"{_task(ref)}/events", after=after, limit=limit)

    # -- claims

    async def claim(self, worker: str, **options: Any) -> Json:
        """`{"claims", "reasons"}`. `wait_seconds` comes on top of the timeout."""
        patience = self._timeout + float(options.get("wait_seconds") or 0)
        return await self._post("/v1/claims", {"worker": worker, **options}, timeout=patience)

    async def heartbeat(self, ref: str | int, fence: int, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/heartbeat", {"fence": fence, **fields})

    async def release(self, ref: str | int, fence: int, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/release", {"fence": fence, **fields})

    async def complete(self, ref: str | int, fence: int, result: Any = None) -> Json:
        return await self._post(f"{_task(ref)}/complete", {"fence": fence, **_given(result=result)})

    async def fail(self, ref: str | int, fence: int, error: str, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/fail", {"fence": fence, "error": error, **fields})

    # -- the operator's verbs

    async def retry(self, ref: str | int, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/retry", fields)

    async def cancel(self, ref: str | int, reason: str | None = None) -> Json:
        return await self._post(f"{_task(ref)}/cancel", _given(reason=reason))

    async def assign(self, ref: str | int, assignee: str | None) -> Json:
        return await self._post(f"{_task(ref)}/assign", {"assignee": assignee})

    async def override(self, ref: str | int, reason: str, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/override", {"reason": reason, **fields})

    async def answer(self, ref: str | int, answer: str, fence: int | None = None) -> Json:
        return await self._post(f"{_task(ref)}/answer", {"answer": answer, **_given(fence=fence)})

    async def reprioritize(self, ref: str | int, priority: int) -> Json:
        return await self._post(f"{_task(ref)}/reprioritize", {"priority": priority})

    # -- leases and workers

    async def leases(self, **filters: Any) -> Json:
        return await self._get("/v1/leases", **filters)

    async def workers(self) -> list[Json]:
        return list((await self._get("/v1/workers"))["workers"])

    async def worker(self, worker: str) -> Json:
        """With its `metrics`."""
        return await self._get(_worker(worker))

    async def sessions(self, worker: str, **filters: Any) -> Json:
        """One page, newest first: `{"sessions", "next_cursor"}`."""
        return await self._get(f"{_worker(worker)}/sessions", **filters)

    async def record_session(self, worker: str, session: str, **fields: Any) -> Json:
        """Open, change or, by a `status` other than active, end it."""
        return await self._post(f"{_worker(worker)}/sessions", {"session": session, **fields})

    async def register_worker(self, worker: str, **fields: Any) -> Json:
        return await self._post("/v1/workers", {"id": worker, **fields})

    async def worker_heartbeat(self, worker: str, **fields: Any) -> Json:
        return await self._post(f"{_worker(worker)}/heartbeat", fields)

    async def leave(self, worker: str) -> Json:
        """The worker, with the keys it has `released`."""
        return await self._post(f"{_worker(worker)}/leave", {})

    async def drain_worker(self, worker: str, draining: bool = True) -> Json:
        return await self._post(f"{_worker(worker)}/drain", {"draining": draining})

    async def delete_worker(self, worker: str) -> Json:
        return as_object(await self.request("DELETE", _worker(worker)))

    # -- projects

    async def projects(self) -> list[Json]:
        return list((await self._get("/v1/projects"))["projects"])

    async def project(self, name: str) -> Json:
        return await self._get(_project(name))

    async def create_project(self, name: str, **fields: Any) -> Json:
        return await self._post("/v1/projects", {"name": name, **fields})

    async def edit_project(self, name: str, **fields: Any) -> Json:
        return as_object(await self.request("PATCH", _project(name), json=fields))

    async def pause(self, name: str, reason: str | None = None) -> Json:
        return await self._post(f"{_project(name)}/pause", _given(reason=reason))

    async def resume(self, name: str) -> Json:
        return await self._post(f"{_project(name)}/resume", {})

    # -- seeing

    async def stats(self) -> Json:
        return await self._get("/v1/stats")

    async def attention(self, **filters: Any) -> Json:
        """`{"items", "counts"}`, most urgent first."""
        return await self._get("/v1/attention", **filters)

    async def me(self) -> Json:
        return await self._get("/v1/me")

    async def events(self, **filters: Any) -> Json:
        """One page, oldest first: `{"events", "next_after"}`; `after` pages forwards, `before` backwards."""
        return await self._get("/v1/events", **filters)

    # -- tokens

    async def tokens(self) -> list[Json]:
        return list((await self._get("/v1/tokens"))["tokens"])

    async def create_token(self, principal: str, role: str, **fields: Any) -> Json:
        """`{"token", "secret"}`: the secret is shown this once."""
        return await self._post("/v1/tokens", {"principal": principal, "role": role, **fields})

    async def revoke_token(self, token: str) -> Json:
        return as_object(await self.request("DELETE", f"/v1/tokens/{_segment(token)}"))

    async def _get(self, path: str, **params: Any) -> Json:
        return as_object(await self.request("GET", path, params=params))

    async def _post(self, path: str, body: Mapping[str, Any], timeout: float | None = None) -> Json:
        return as_object(await self.request("POST", path, json=dict(body), timeout=timeout))


def local(data: Path, *, token: str | None = None, timeout: float = 30, attempts: int = 1) -> Client:
    """A client of the deck that serves the folder `data`: over its socket, else by address and admin token.

    A `token` is used where given, in place of the socket, on which every caller is the deck's administrator.

    Raises:
        Unreachable: no deck serves that folder now, or this user may not read how to reach it.
    """
    hint = "start one with `taskdeck serve`, or name a deck elsewhere with --url and --token"
    try:
        lock = orjson.loads((data / "deck.lock").read_bytes())
        pid, url, socket = int(lock["pid"]), str(lock["url"]), lock.get("socket")
    except (FileNotFoundError, NotADirectoryError):
        raise Unreachable(f"no deck serves {data}", hint) from None
    except OSError as error:
        raise Unreachable(f"{data}/deck.lock cannot be read ({error.strerror})", hint) from None
    except (ValueError, KeyError, TypeError):
        raise Unreachable(f"no deck serves {data} now", hint) from None
    if not _alive(pid):
        raise Unreachable(f"no deck serves {data}: the last one (process {pid}) has ended", hint)
    if token is None:
        if socket and Path(socket).exists():
            return Client(socket=Path(socket), timeout=timeout, attempts=attempts)
        try:
            token = (data / "admin.token").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unreachable(f"{data}/admin.token cannot be read ({error})", hint) from None
    return Client(url, token=token, timeout=timeout, attempts=attempts)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _segment(text: str | int) -> str:
    part = quote(str(text), safe="")
    if part in ("", ".", ".."):
        raise ValueError("a reference is a task's key, number or id, or a name; it cannot be empty or dots alone")
    return part


def _task(ref: str | int) -> str:
    return f"/v1/tasks/{_segment(ref)}"


def _worker(worker: str) -> str:
    return f"/v1/workers/{_segment(worker)}"


def _project(name: str) -> str:
    return f"/v1/projects/{_segment(name)}"


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
