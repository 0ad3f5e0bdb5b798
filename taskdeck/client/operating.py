"""Calls about the deck itself: workers, projects, who may do what, and what happens by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from taskdeck.client import paths
from taskdeck.client.paths import segment
from taskdeck.client.transport import Json, Transport, as_object, given


class OperatingCalls(Transport):
    """What a deck is operated by."""

    # -- leases and workers

    async def leases(self, **filters: Any) -> Json:
        """One page: `{"leases", "next_cursor"}`, lapsed ones first, then those that end soonest."""
        return await self._get("/v1/leases", **filters)

    async def workers(self) -> list[Json]:
        """All that have registered or claimed."""
        return list((await self._get("/v1/workers"))["workers"])

    async def worker(self, worker: str) -> Json:
        """With its `metrics`."""
        return await self._get(paths.worker(worker))

    async def sessions(self, worker: str, **filters: Any) -> Json:
        """One page, newest first: `{"sessions", "next_cursor"}`."""
        return await self._get(f"{paths.worker(worker)}/sessions", **filters)

    async def record_session(self, worker: str, session: str, **fields: Any) -> Json:
        """Open, change or, by a `status` other than active, end it."""
        return await self._post(f"{paths.worker(worker)}/sessions", {"session": session, **fields})

    async def register_worker(self, worker: str, **fields: Any) -> Json:
        """The worker. `fields` as in `POST /v1/workers`."""
        return await self._post("/v1/workers", {"id": worker, **fields})

    async def worker_heartbeat(self, worker: str, **fields: Any) -> Json:
        """The worker, with a `signal`; renews no lease. `fields`: `state`, `detail`."""
        return await self._post(f"{paths.worker(worker)}/heartbeat", fields)

    async def leave(self, worker: str) -> Json:
        """The worker, with the keys it has `released`."""
        return await self._post(f"{paths.worker(worker)}/leave", {})

    async def create_worker_token(self, worker: str) -> Json:
        """`{"token", "secret"}`, for that worker alone."""
        return await self._post(f"{paths.worker(worker)}/tokens", {})

    async def drain_worker(self, worker: str, draining: bool = True) -> Json:
        """The worker; it is given no more work, or is again."""
        return await self._post(f"{paths.worker(worker)}/drain", {"draining": draining})

    async def delete_worker(self, worker: str) -> Json:
        """`{"deleted"}`: a worker that holds nothing is forgotten."""
        return await self._delete(paths.worker(worker))

    # -- projects

    async def projects(self) -> list[Json]:
        """All, with counts by state."""
        return list((await self._get("/v1/projects"))["projects"])

    async def project(self, name: str) -> Json:
        """One, with counts by state."""
        return await self._get(paths.project(name))

    async def create_project(self, name: str, **fields: Any) -> Json:
        """The new project. `fields` as in `POST /v1/projects`."""
        return await self._post("/v1/projects", {"name": name, **fields})

    async def edit_project(self, name: str, **fields: Any) -> Json:
        """The project as it is then. `fields` as in `PATCH /v1/projects/{name}`."""
        return await self._patch(paths.project(name), fields)

    async def pause(self, name: str, reason: str | None = None) -> Json:
        """The project; nothing of it is claimed until it is resumed."""
        return await self._post(f"{paths.project(name)}/pause", given(reason=reason))

    async def resume(self, name: str) -> Json:
        """The project; waiting claims are served at once."""
        return await self._post(f"{paths.project(name)}/resume", {})

    # -- forms

    async def forms(self, **filters: Any) -> list[Json]:
        """By name, each name's newest version first."""
        return list((await self._get("/v1/forms", **filters))["forms"])

    async def form_tags(self, name: str) -> Json:
        """What all versions of the form are filed under."""
        return as_object((await self._get(f"/v1/forms/{segment(name)}/tags"))["tags"])

    async def tag_form(self, name: str, tags: Mapping[str, str | None]) -> Json:
        """What it is filed under now; a value of None takes a key away."""
        reply = await self._patch(f"/v1/forms/{segment(name)}/tags", {"tags": dict(tags)})
        return as_object(reply["tags"])

    async def form(self, name: str, version: int | None = None) -> Json:
        """That version, or the newest."""
        return await self._get(f"/v1/forms/{segment(name)}/{'latest' if version is None else version}")

    async def save_form(self, name: str, schema: Mapping[str, Any], **fields: Any) -> Json:
        """The form's new version. `fields`: `layout`, `version`."""
        return await self._post("/v1/forms", {"name": name, "schema": dict(schema), **fields})

    async def delete_form(self, name: str, version: int) -> Json:
        """`{"deleted", "version"}`."""
        return await self._delete(f"/v1/forms/{segment(name)}/{version}")

    # -- schedules

    async def schedules(self, project: str | None = None) -> list[Json]:
        """All, or those of a project."""
        return list((await self._get("/v1/schedules", project=project))["schedules"])

    async def schedule(self, name: str) -> Json:
        """With its next ticks and what came of the last ones."""
        return await self._get(paths.schedule(name))

    async def create_schedule(self, name: str, when: str, task: Mapping[str, Any], **fields: Any) -> Json:
        """The new schedule with its `next_ticks`. `fields` as in `POST /v1/schedules`."""
        return await self._post("/v1/schedules", {"name": name, "when": when, "task": dict(task), **fields})

    async def edit_schedule(self, name: str, **fields: Any) -> Json:
        """The schedule as it is then. `fields` as in `PATCH /v1/schedules/{name}`."""
        return await self._patch(paths.schedule(name), fields)

    async def pause_schedule(self, name: str, reason: str | None = None) -> Json:
        """The schedule; it makes nothing until it is resumed."""
        return await self._post(f"{paths.schedule(name)}/pause", given(reason=reason))

    async def resume_schedule(self, name: str) -> Json:
        """The schedule, from the next tick on."""
        return await self._post(f"{paths.schedule(name)}/resume", {})

    async def delete_schedule(self, name: str) -> Json:
        """`{"deleted"}`; the tasks it made stay."""
        return await self._delete(paths.schedule(name))

    # -- rules

    async def rules(self) -> list[Json]:
        """All that the caller is let into."""
        return list((await self._get("/v1/rules"))["rules"])

    async def rule(self, name: str) -> Json:
        """One."""
        return await self._get(paths.rule(name))

    async def create_rule(self, name: str, **fields: Any) -> Json:
        """The new rule. `fields` as in `POST /v1/rules`."""
        return await self._post("/v1/rules", {"name": name, **fields})

    async def edit_rule(self, name: str, **fields: Any) -> Json:
        """The rule as it is then. `fields` as in `PATCH /v1/rules/{name}`."""
        return await self._patch(paths.rule(name), fields)

    async def pause_rule(self, name: str, reason: str | None = None) -> Json:
        """The rule; it does nothing until it is resumed."""
        return await self._post(f"{paths.rule(name)}/pause", given(reason=reason))

    async def resume_rule(self, name: str) -> Json:
        """The rule, which holds again."""
        return await self._post(f"{paths.rule(name)}/resume", {})

    async def delete_rule(self, name: str) -> Json:
        """`{"deleted"}`; what it did stays."""
        return await self._delete(paths.rule(name))

    async def dry_run(self, name: str, ref: str | int) -> Json:
        """What the rule would do to a task; nothing is changed."""
        return await self._post(f"{paths.rule(name)}/dry-run", {"task": str(ref)})

    # -- seeing

    async def stats(self, *, hour: bool = False) -> Json:
        """With `hour`, the last 60 minutes of each project beside."""
        return await self._get("/v1/stats", **({"hour": "true"} if hour else {}))

    async def attention(self, **filters: Any) -> Json:
        """`{"items", "counts"}`, most urgent first."""
        return await self._get("/v1/attention", **filters)

    async def me(self) -> Json:
        """Who calls: `principal`, `role`, `projects` …"""
        return await self._get("/v1/me")

    async def events(self, **filters: Any) -> Json:
        """One page, oldest first: `{"events", "next_after"}`; `after` pages forwards, `before` backwards."""
        return await self._get("/v1/events", **filters)

    # -- principals and tokens

    async def principals(self) -> list[Json]:
        """All."""
        return list((await self._get("/v1/principals"))["principals"])

    async def edit_principal(self, name: str, **fields: Any) -> Json:
        """The principal as it is then. `fields` as in `PATCH /v1/principals/{name}`."""
        return await self._patch(f"/v1/principals/{segment(name)}", fields)

    async def delete_principal(self, name: str) -> Json:
        """`{"deleted"}`, with all its tokens."""
        return await self._delete(f"/v1/principals/{segment(name)}")

    async def tokens(self) -> list[Json]:
        """All, without secrets."""
        return list((await self._get("/v1/tokens"))["tokens"])

    async def create_token(self, principal: str, role: str, **fields: Any) -> Json:
        """`{"token", "secret"}`: the secret is shown this once."""
        return await self._post("/v1/tokens", {"principal": principal, "role": role, **fields})

    async def make_pass(self, **fields: Any) -> Json:
        """`{"pass", "expires_at"}`: a short-lived token that stands for this client's own."""
        return await self._post("/v1/passes", fields)

    async def revoke_token(self, token: str) -> Json:
        """`{"revoked"}`, at once."""
        return await self._delete(f"/v1/tokens/{segment(token)}")

    # -- webhooks

    async def webhooks(self) -> list[Json]:
        """All, without secrets."""
        return list((await self._get("/v1/webhooks"))["webhooks"])

    async def webhook(self, webhook: int | str) -> Json:
        """One, without its secret."""
        return await self._get(paths.webhook(webhook))

    async def create_webhook(self, url: str, events: Iterable[str], **fields: Any) -> Json:
        """`{"webhook", "secret"}`: the secret is shown this once."""
        return await self._post("/v1/webhooks", {"url": url, "events": list(events), **fields})

    async def edit_webhook(self, webhook: int | str, **fields: Any) -> Json:
        """The webhook as it is then. `fields` as in `PATCH /v1/webhooks/{id}`."""
        return await self._patch(paths.webhook(webhook), fields)

    async def rotate_webhook(self, webhook: int | str, **fields: Any) -> Json:
        """`{"webhook", "secret"}`: the new secret is shown this once."""
        return await self._post(f"{paths.webhook(webhook)}/rotate", fields)

    async def delete_webhook(self, webhook: int | str) -> Json:
        """`{"deleted"}`, with what waits to be sent to it."""
        return await self._delete(paths.webhook(webhook))

    async def deliveries(self, webhook: int | str, **filters: Any) -> Json:
        """One page, newest first: `{"deliveries", "next_cursor"}`."""
        return await self._get(f"{paths.webhook(webhook)}/deliveries", **filters)

    async def redeliver(self, webhook: int | str, delivery: str) -> Json:
        """The delivery, which is sent again at once."""
        return await self._post(f"{paths.webhook(webhook)}/deliveries/{segment(delivery)}/redeliver", {})

    # -- inbound sources

    async def sources(self) -> list[Json]:
        """All, without secrets."""
        return list((await self._get("/v1/sources"))["sources"])

    async def source(self, name: str) -> Json:
        """One, without its secret."""
        return await self._get(paths.source(name))

    async def create_source(self, name: str, task: Mapping[str, Any], **fields: Any) -> Json:
        """`{"source", "secret"}`: the secret is shown this once."""
        return await self._post("/v1/sources", {"name": name, "task": dict(task), **fields})

    async def edit_source(self, name: str, **fields: Any) -> Json:
        """The source as it is then. `fields` as in `PATCH /v1/sources/{name}`."""
        return await self._patch(paths.source(name), fields)

    async def rotate_source(self, name: str, **fields: Any) -> Json:
        """`{"source", "secret"}`: the new secret is shown this once."""
        return await self._post(f"{paths.source(name)}/rotate", fields)

    async def delete_source(self, name: str) -> Json:
        """`{"deleted"}`; its tasks stay."""
        return await self._delete(paths.source(name))
