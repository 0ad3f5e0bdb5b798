"""The async client of a deck: one method per route, named by its verb."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
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

    async def duplicates(self, title: str, **filters: Any) -> list[Json]:
        """Open tasks whose title is like `title`, likest first."""
        return list((await self._get("/v1/tasks/duplicates", title=title, **filters))["duplicates"])

    async def edit(self, ref: str | int, **fields: Any) -> Json:
        return as_object(await self.request("PATCH", _task(ref), json=fields))

    async def delete(self, ref: str | int, *, detach: bool = False) -> Json:
        """Remove a task; with `detach` its children stay without it, and what depends on it does so no longer."""
        return as_object(await self.request("DELETE", f"{_task(ref)}?detach=true" if detach else _task(ref)))

    async def explain(self, ref: str | int, worker: str | None = None) -> Json:
        return await self._get(f"{_task(ref)}/explain", worker=worker)

    async def gates(self, ref: str | int, worker: str | None = None) -> Json:
        return await self._get(f"{_task(ref)}/gates", worker=worker)

    async def task_events(
        self, ref: str | int, *, after: int | None = None, before: int | None = None, limit: int | None = None
    ) -> Json:
        return await self._get(f"{_task(ref)}/events", after=after, before=before, limit=limit)

    # -- claims

    async def claim(self, worker: str, **options: Any) -> Json:
        """`{"claims", "reasons"}`. `wait_seconds` comes on top of the timeout."""
        patience = self._timeout + float(options.get("wait_seconds") or 0)
        return await self._post("/v1/claims", {"worker": worker, **options}, timeout=patience)

    async def heartbeat(self, ref: str | int, fence: int, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/heartbeat", {"fence": fence, **fields})

    async def release(self, ref: str | int, fence: int, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/release", {"fence": fence, **fields})

    async def complete(self, ref: str | int, fence: int | None, result: Any = None, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/complete", {"fence": fence, **_given(result=result), **fields})

    async def fail(self, ref: str | int, fence: int, error: str, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/fail", {"fence": fence, "error": error, **fields})

    async def append_log(
        self, ref: str | int, fence: int, entries: Sequence[Mapping[str, Any]], after: int | None = None
    ) -> Json:
        """`{"entries", "sequence", "added"}`: how the log stands then."""
        document = {"fence": fence, "entries": [dict(entry) for entry in entries], **_given(after=after)}
        return await self._post(f"{_task(ref)}/log", document)

    async def log(self, ref: str | int, **filters: Any) -> Json:
        """One page: `{"entries", "next_after"}`."""
        return await self._get(f"{_task(ref)}/log", **filters)

    async def claims_of(self, ref: str | int) -> list[Json]:
        """Who has held the task, oldest first."""
        return list((await self._get(f"{_task(ref)}/claims"))["claims"])

    # -- the operator's verbs

    async def retry(self, ref: str | int, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/retry", fields)

    async def cancel(self, ref: str | int, reason: str | None = None, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/cancel", {**_given(reason=reason), **fields})

    async def delegate(self, ref: str | int, title: str, **fields: Any) -> Json:
        """`{"task", "child"}`: the parent as it is left, and its new child."""
        return await self._post(f"{_task(ref)}/delegate", {"title": title, **fields})

    async def chain(self, ref: str | int, **options: Any) -> Json:
        return await self._get(f"{_task(ref)}/chain", **options)

    async def promote(self, ref: str | int, reason: str | None = None, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/promote", {**_given(reason=reason), **fields})

    async def shelve(self, ref: str | int, reason: str | None = None) -> Json:
        return await self._post(f"{_task(ref)}/shelve", _given(reason=reason))

    async def approve(self, ref: str | int, note: str | None = None, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/approve", {**_given(note=note), **fields})

    async def next(self, worker: str | None = None, project: str | None = None) -> Json:
        return await self._get("/v1/claims/next", **_given(worker=worker, project=project))

    async def changes(self, ref: str | int) -> Json:
        return await self._get(f"{_task(ref)}/changes")

    async def judge(self, ref: str | int, verdict: str, note: str | None = None) -> Json:
        return await self._post(f"{_task(ref)}/judge", {"verdict": verdict, **_given(note=note)})

    async def heed(self, ref: str | int, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/heed", fields)

    async def reject(self, ref: str | int, note: str, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/reject", {"note": note, **fields})

    async def assign(self, ref: str | int, assignee: str | None) -> Json:
        return await self._post(f"{_task(ref)}/assign", {"assignee": assignee})

    async def assign_in_turn(self, ref: str | int, assignees: Iterable[Mapping[str, Any]], **fields: Any) -> Json:
        """`assignees` are `{"assignee", "seconds"}`, offered to in this order."""
        return await self._post(f"{_task(ref)}/assign", {"assignees": [dict(turn) for turn in assignees], **fields})

    async def skip(self, ref: str | int, reason: str | None = None) -> Json:
        return await self._post(f"{_task(ref)}/skip", _given(reason=reason))

    async def assignments(self, ref: str | int, **options: Any) -> Json:
        return await self._get(f"{_task(ref)}/assignments", **options)

    async def override(self, ref: str | int, reason: str, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/override", {"reason": reason, **fields})

    async def answer(self, ref: str | int, answer: str, fence: int | None = None) -> Json:
        return await self._post(f"{_task(ref)}/answer", {"answer": answer, **_given(fence=fence)})

    async def reprioritize(self, ref: str | int, priority: int) -> Json:
        return await self._post(f"{_task(ref)}/reprioritize", {"priority": priority})

    # -- beside a task

    async def comment(self, ref: str | int, text: str, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/comments", {"text": text, **fields})

    async def comments(self, ref: str | int, **filters: Any) -> Json:
        """One page, oldest first: `{"comments", "next_cursor"}`."""
        return await self._get(f"{_task(ref)}/comments", **filters)

    async def edit_comment(self, ref: str | int, comment: int, text: str) -> Json:
        return as_object(await self.request("PATCH", f"{_task(ref)}/comments/{comment}", json={"text": text}))

    async def delete_comment(self, ref: str | int, comment: int) -> Json:
        return as_object(await self.request("DELETE", f"{_task(ref)}/comments/{comment}"))

    async def link(self, ref: str | int, kind: str, target: str, **fields: Any) -> Json:
        """The link, new or already there."""
        return await self._post(f"{_task(ref)}/links", {"kind": kind, "target": target, **fields})

    async def links(self, ref: str | int) -> list[Json]:
        return list((await self._get(f"{_task(ref)}/links"))["links"])

    async def unlink(self, ref: str | int, link: int) -> Json:
        return as_object(await self.request("DELETE", f"{_task(ref)}/links/{link}"))

    async def attach(self, ref: str | int, name: str, **fields: Any) -> Json:
        """The attachment; it replaces one of that name."""
        return await self._post(f"{_task(ref)}/attachments", {"name": name, **fields})

    async def attachments(self, ref: str | int) -> list[Json]:
        return list((await self._get(f"{_task(ref)}/attachments"))["attachments"])

    async def attachment(self, ref: str | int, name: str) -> Json:
        return await self._get(f"{_task(ref)}/attachments/{_segment(name)}")

    async def detach(self, ref: str | int, name: str) -> Json:
        return as_object(await self.request("DELETE", f"{_task(ref)}/attachments/{_segment(name)}"))

    async def context(self, ref: str | int) -> Json:
        """`{"context", "version", "provenance"}`."""
        return await self._get(f"{_task(ref)}/context")

    async def change_context(self, ref: str | int, patch: Mapping[str, Any], **fields: Any) -> Json:
        """Lay `patch` over the context; the whole of it, as `context` gives it."""
        return as_object(await self.request("PATCH", f"{_task(ref)}/context", json={"patch": dict(patch), **fields}))

    async def retract(self, ref: str | int, key: str, **fields: Any) -> Json:
        return await self._post(f"{_task(ref)}/context/retract", {"key": key, **fields})

    async def context_history(self, ref: str | int, **filters: Any) -> Json:
        """One page, newest first: `{"entries", "next_cursor"}`."""
        return await self._get(f"{_task(ref)}/context/history", **filters)

    async def search(self, q: str, **filters: Any) -> list[Json]:
        """Where all the words of `q` stand, best first. A filter that is a list is sent joined by commas."""
        return list((await self._get("/v1/search", q=q, **filters))["finds"])

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

    async def create_worker_token(self, worker: str) -> Json:
        """`{"token", "secret"}`, for that worker alone."""
        return await self._post(f"{_worker(worker)}/tokens", {})

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

    # -- forms

    async def forms(self, **filters: Any) -> list[Json]:
        return list((await self._get("/v1/forms", **filters))["forms"])

    async def form_tags(self, name: str) -> Json:
        return as_object((await self._get(f"/v1/forms/{_segment(name)}/tags"))["tags"])

    async def tag_form(self, name: str, tags: Mapping[str, str | None]) -> Json:
        """What it is filed under now; a value of None takes a key away."""
        reply = as_object(await self.request("PATCH", f"/v1/forms/{_segment(name)}/tags", json={"tags": dict(tags)}))
        return as_object(reply["tags"])

    async def form(self, name: str, version: int | None = None) -> Json:
        """That version, or the newest."""
        return await self._get(f"/v1/forms/{_segment(name)}/{'latest' if version is None else version}")

    async def save_form(self, name: str, schema: Mapping[str, Any], **fields: Any) -> Json:
        return await self._post("/v1/forms", {"name": name, "schema": dict(schema), **fields})

    async def delete_form(self, name: str, version: int) -> Json:
        return as_object(await self.request("DELETE", f"/v1/forms/{_segment(name)}/{version}"))

    async def fill(self, ref: str | int, fence: int | None, values: Mapping[str, Any]) -> Json:
        return as_object(
            await self.request("PATCH", f"{_task(ref)}/draft", json={"fence": fence, "values": dict(values)})
        )

    # -- schedules

    async def schedules(self, project: str | None = None) -> list[Json]:
        return list((await self._get("/v1/schedules", project=project))["schedules"])

    async def schedule(self, name: str) -> Json:
        """With its next ticks and what came of the last ones."""
        return await self._get(_schedule(name))

    async def create_schedule(self, name: str, when: str, task: Mapping[str, Any], **fields: Any) -> Json:
        return await self._post("/v1/schedules", {"name": name, "when": when, "task": dict(task), **fields})

    async def edit_schedule(self, name: str, **fields: Any) -> Json:
        return as_object(await self.request("PATCH", _schedule(name), json=fields))

    async def pause_schedule(self, name: str, reason: str | None = None) -> Json:
        return await self._post(f"{_schedule(name)}/pause", _given(reason=reason))

    async def resume_schedule(self, name: str) -> Json:
        return await self._post(f"{_schedule(name)}/resume", {})

    async def delete_schedule(self, name: str) -> Json:
        return as_object(await self.request("DELETE", _schedule(name)))

    # -- rules

    async def rules(self) -> list[Json]:
        return list((await self._get("/v1/rules"))["rules"])

    async def rule(self, name: str) -> Json:
        return await self._get(_rule(name))

    async def create_rule(self, name: str, **fields: Any) -> Json:
        return await self._post("/v1/rules", {"name": name, **fields})

    async def edit_rule(self, name: str, **fields: Any) -> Json:
        return as_object(await self.request("PATCH", _rule(name), json=fields))

    async def pause_rule(self, name: str, reason: str | None = None) -> Json:
        return await self._post(f"{_rule(name)}/pause", _given(reason=reason))

    async def resume_rule(self, name: str) -> Json:
        return await self._post(f"{_rule(name)}/resume", {})

    async def delete_rule(self, name: str) -> Json:
        return as_object(await self.request("DELETE", _rule(name)))

    async def dry_run(self, name: str, ref: str | int) -> Json:
        """What the rule would do to a task; nothing is changed."""
        return await self._post(f"{_rule(name)}/dry-run", {"task": str(ref)})

    # -- seeing

    async def stats(self, *, hour: bool = False) -> Json:
        """With `hour`, the last 60 minutes of each project beside."""
        return await self._get("/v1/stats", **({"hour": "true"} if hour else {}))

    async def attention(self, **filters: Any) -> Json:
        """`{"items", "counts"}`, most urgent first."""
        return await self._get("/v1/attention", **filters)

    async def me(self) -> Json:
        return await self._get("/v1/me")

    async def events(self, **filters: Any) -> Json:
        """One page, oldest first: `{"events", "next_after"}`; `after` pages forwards, `before` backwards."""
        return await self._get("/v1/events", **filters)

    # -- principals and tokens

    async def principals(self) -> list[Json]:
        return list((await self._get("/v1/principals"))["principals"])

    async def edit_principal(self, name: str, **fields: Any) -> Json:
        return as_object(await self.request("PATCH", f"/v1/principals/{_segment(name)}", json=fields))

    async def delete_principal(self, name: str) -> Json:
        return as_object(await self.request("DELETE", f"/v1/principals/{_segment(name)}"))

    async def tokens(self) -> list[Json]:
        return list((await self._get("/v1/tokens"))["tokens"])

    async def create_token(self, principal: str, role: str, **fields: Any) -> Json:
        """`{"token", "secret"}`: the secret is shown this once."""
        return await self._post("/v1/tokens", {"principal": principal, "role": role, **fields})

    async def make_pass(self, **fields: Any) -> Json:
        """`{"pass", "expires_at"}`: a short-lived token that stands for this client's own."""
        return await self._post("/v1/passes", fields)

    async def revoke_token(self, token: str) -> Json:
        return as_object(await self.request("DELETE", f"/v1/tokens/{_segment(token)}"))

    # -- webhooks

    async def webhooks(self) -> list[Json]:
        return list((await self._get("/v1/webhooks"))["webhooks"])

    async def webhook(self, webhook: int | str) -> Json:
        return await self._get(_webhook(webhook))

    async def create_webhook(self, url: str, events: Iterable[str], **fields: Any) -> Json:
        """`{"webhook", "secret"}`: the secret is shown this once."""
        return await self._post("/v1/webhooks", {"url": url, "events": list(events), **fields})

    async def edit_webhook(self, webhook: int | str, **fields: Any) -> Json:
        return as_object(await self.request("PATCH", _webhook(webhook), json=fields))

    async def rotate_webhook(self, webhook: int | str, **fields: Any) -> Json:
        """`{"webhook", "secret"}`: the new secret is shown this once."""
        return await self._post(f"{_webhook(webhook)}/rotate", fields)

    async def delete_webhook(self, webhook: int | str) -> Json:
        return as_object(await self.request("DELETE", _webhook(webhook)))

    async def deliveries(self, webhook: int | str, **filters: Any) -> Json:
        """One page, newest first: `{"deliveries", "next_cursor"}`."""
        return await self._get(f"{_webhook(webhook)}/deliveries", **filters)

    async def redeliver(self, webhook: int | str, delivery: str) -> Json:
        return await self._post(f"{_webhook(webhook)}/deliveries/{_segment(delivery)}/redeliver", {})

    # -- inbound sources

    async def sources(self) -> list[Json]:
        return list((await self._get("/v1/sources"))["sources"])

    async def source(self, name: str) -> Json:
        return await self._get(_source(name))

    async def create_source(self, name: str, task: Mapping[str, Any], **fields: Any) -> Json:
        """`{"source", "secret"}`: the secret is shown this once."""
        return await self._post("/v1/sources", {"name": name, "task": dict(task), **fields})

    async def edit_source(self, name: str, **fields: Any) -> Json:
        return as_object(await self.request("PATCH", _source(name), json=fields))

    async def rotate_source(self, name: str, **fields: Any) -> Json:
        """`{"source", "secret"}`: the new secret is shown this once."""
        return await self._post(f"{_source(name)}/rotate", fields)

    async def delete_source(self, name: str) -> Json:
        return as_object(await self.request("DELETE", _source(name)))

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


def _webhook(webhook: int | str) -> str:
    return f"/v1/webhooks/{_segment(webhook)}"


def _source(name: str) -> str:
    return f"/v1/sources/{_segment(name)}"


def _schedule(name: str) -> str:
    return f"/v1/schedules/{_segment(name)}"


def _rule(name: str) -> str:
    return f"/v1/rules/{_segment(name)}"


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
