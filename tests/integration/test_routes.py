"""Every route does what it says when nothing is wrong."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import make_mocked_request
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from prometheus_client.parser import text_string_to_metric_families
from pydantic.json_schema import models_json_schema
from support.api import Api
from support.clock import FakeClock

from taskdeck.domain.states import State
from taskdeck.http.answers import ANSWERS
from taskdeck.http.gate import Gate
from taskdeck.http.native import all_routes
from taskdeck.http.openapi import document
from taskdeck.http.other_shapes import OF_OTHERS
from taskdeck.http.server import build
from taskdeck.http.task_shapes import OF_TASKS
from taskdeck.service.deck import Deck

SHAPE = {
    "id", "number", "key", "project", "title", "description", "state", "priority", "labels", "capabilities", "payload",
    "metadata", "files", "assignee", "kind", "parent", "root", "depth", "children",
    "accountable", "assignees", "turn", "turn_ends_at", "at_end",
    "depends_on", "not_before", "due", "attempt", "max_attempts", "result", "error", "claim",
    "form", "draft", "gates", "proof",
    "review", "completed_by", "verdict", "fence", "created_by", "created_at", "ready_at", "updated_at", "finished_at",
    "version", "handoff", "overdue_at", "unique_key",
    "queued_at", "extra", "run", "awaits", "changes", "approve_after_seconds", "review_ends_at", "entries",
    "backoff_seconds", "backoff_cap_seconds",
}  # fmt: skip
CLAIM_SHAPE = {
    "worker", "principal", "fence", "claimed_at", "expires_at", "lease_seconds", "heartbeat_at", "lapsed", "state",
    "detail", "progress", "via", "session", "question",
}  # fmt: skip

HEAVY = {"description", "payload", "metadata", "files", "result", "handoff", "extra"}

RULE = {"events": ["task.retried"], "acts": [{"act": "reprioritize", "priority": 9}]}

# route, path, body, status
CALLS: list[tuple[str, str, Any, int]] = [
    ("POST /v1/tasks", "/v1/tasks", {"title": "new"}, 201),
    ("GET /v1/tasks", "/v1/tasks?state=ready,claimed&q=t&sort=priority&view=summary&overdue=false", None, 200),
    ("GET /v1/tasks/duplicates", "/v1/tasks/duplicates?title=ready&project=default&threshold=0.5", None, 200),
    ("GET /v1/tasks/{ref}", "/v1/tasks/READY", None, 200),
    ("PATCH /v1/tasks/{ref}", "/v1/tasks/READY", {"title": "changed", "due": "2030-01-01T00:00:00+02:00"}, 200),
    ("DELETE /v1/tasks/{ref}", "/v1/tasks/READY", None, 200),
    ("GET /v1/tasks/{ref}/explain", "/v1/tasks/READY/explain?worker=w", None, 200),
    ("GET /v1/tasks/{ref}/gates", "/v1/tasks/READY/gates?worker=w", None, 200),
    ("GET /v1/tasks/{ref}/assignments", "/v1/tasks/HELD/assignments?after=1&limit=5", None, 200),
    ("POST /v1/tasks/{ref}/skip", "/v1/tasks/TURNS/skip", {"reason": "away"}, 200),
    ("GET /v1/tasks/{ref}/events", "/v1/tasks/READY/events?after=1&limit=5", None, 200),
    ("POST /v1/claims", "/v1/claims", {"worker": "w"}, 200),
    ("GET /v1/claims/next", "/v1/claims/next?worker=w&project=default", None, 200),
    ("POST /v1/tasks/{ref}/heartbeat", "/v1/tasks/HELD/heartbeat", {"fence": 1}, 200),
    ("POST /v1/tasks/{ref}/release", "/v1/tasks/HELD/release", {"fence": 1, "note": "n"}, 200),
    ("POST /v1/tasks/{ref}/complete", "/v1/tasks/HELD/complete", {"fence": 1, "result": [1]}, 200),
    ("POST /v1/tasks/{ref}/fail", "/v1/tasks/HELD/fail", {"fence": 1, "error": "e"}, 200),
    ("POST /v1/tasks/{ref}/retry", "/v1/tasks/ENDED/retry", {"delay_seconds": 5}, 200),
    ("POST /v1/tasks/{ref}/cancel", "/v1/tasks/READY/cancel", {}, 200),
    ("POST /v1/tasks/{ref}/delegate", "/v1/tasks/HELD/delegate", {"fence": 1, "title": "c", "assignee": "x"}, 201),
    ("GET /v1/tasks/{ref}/chain", "/v1/tasks/HELD/chain?limit=5", None, 200),
    ("POST /v1/tasks/{ref}/promote", "/v1/tasks/LATER/promote", {"reason": "r"}, 200),
    ("POST /v1/tasks/{ref}/shelve", "/v1/tasks/READY/shelve", {}, 200),
    ("POST /v1/tasks/{ref}/approve", "/v1/tasks/SHOWN/approve", {"note": "n"}, 200),
    ("POST /v1/tasks/{ref}/reject", "/v1/tasks/SHOWN/reject", {"note": "n", "to": "worker"}, 200),
    ("POST /v1/tasks/{ref}/judge", "/v1/tasks/SHOWN/judge", {"verdict": "rejected", "note": "n"}, 200),
    ("POST /v1/tasks/{ref}/heed", "/v1/tasks/JUDGED/heed", {}, 200),
    ("GET /v1/tasks/{ref}/changes", "/v1/tasks/HELD/changes", None, 200),
    ("PUT /v1/tasks/{ref}/changes", "/v1/tasks/HELD/changes", {"files": [{"path": "a", "diff": "+"}]}, 200),
    ("POST /v1/tasks/{ref}/assign", "/v1/tasks/READY/assign", {"assignee": "a"}, 200),
    ("POST /v1/tasks/{ref}/reprioritize", "/v1/tasks/READY/reprioritize", {"priority": 99}, 200),
    ("POST /v1/tasks/{ref}/answer", "/v1/tasks/ASKS/answer", {"answer": "yes", "fence": 1}, 200),
    ("POST /v1/tasks/{ref}/override", "/v1/tasks/HELD/override", {"reason": "r", "worker": "a"}, 200),
    ("PATCH /v1/tasks/{ref}/draft", "/v1/tasks/FORM/draft", {"fence": 1, "values": {"ok": True}}, 200),
    ("GET /v1/forms", "/v1/forms?name=f&limit=5", None, 200),
    ("POST /v1/forms", "/v1/forms", {"name": "f", "schema": {"type": "object"}, "layout": {"type": "Group"}}, 201),
    ("GET /v1/forms/{name}/tags", "/v1/forms/f/tags", None, 200),
    ("PATCH /v1/forms/{name}/tags", "/v1/forms/f/tags", {"tags": {"team": "loans", "old": None}}, 200),
    ("POST /v1/passes", "/v1/passes", {"life_seconds": 60}, 201),
    ("GET /v1/forms/{name}/{version}", "/v1/forms/f/latest", None, 200),
    ("DELETE /v1/forms/{name}/{version}", "/v1/forms/f/1", None, 200),
    ("GET /v1/tasks/{ref}/comments", "/v1/tasks/READY/comments?limit=5", None, 200),
    ("POST /v1/tasks/{ref}/comments", "/v1/tasks/READY/comments", {"text": "t", "byline": "b"}, 201),
    ("PATCH /v1/tasks/{ref}/comments/{id}", "/v1/tasks/HELD/comments/1", {"text": "t"}, 200),
    ("DELETE /v1/tasks/{ref}/comments/{id}", "/v1/tasks/HELD/comments/1", None, 200),
    ("GET /v1/tasks/{ref}/links", "/v1/tasks/HELD/links", None, 200),
    ("POST /v1/tasks/{ref}/links", "/v1/tasks/HELD/links", {"kind": "pr", "target": "5", "repository": "o/r"}, 201),
    ("DELETE /v1/tasks/{ref}/links/{id}", "/v1/tasks/HELD/links/1", None, 200),
    ("GET /v1/tasks/{ref}/attachments", "/v1/tasks/HELD/attachments", None, 200),
    ("GET /v1/tasks/{ref}/attachments/{name}", "/v1/tasks/HELD/attachments/plan", None, 200),
    ("POST /v1/tasks/{ref}/attachments", "/v1/tasks/HELD/attachments", {"name": "n", "text": "t"}, 201),
    ("DELETE /v1/tasks/{ref}/attachments/{name}", "/v1/tasks/HELD/attachments/plan", None, 200),
    ("GET /v1/tasks/{ref}/context", "/v1/tasks/HELD/context", None, 200),
    ("PATCH /v1/tasks/{ref}/context", "/v1/tasks/HELD/context", {"patch": {"b": 2}, "version": 1}, 200),
    ("POST /v1/tasks/{ref}/context/retract", "/v1/tasks/HELD/context/retract", {"key": "a"}, 200),
    ("GET /v1/tasks/{ref}/context/history", "/v1/tasks/HELD/context/history?key=a&limit=5", None, 200),
    ("POST /v1/tasks/{ref}/log", "/v1/tasks/HELD/log", {"fence": 1, "entries": [{"type": "t"}], "after": 0}, 200),
    ("GET /v1/tasks/{ref}/log", "/v1/tasks/HELD/log?after=1&limit=5", None, 200),
    ("GET /v1/tasks/{ref}/claims", "/v1/tasks/HELD/claims", None, 200),
    ("POST /v1/workers/{id}/tokens", "/v1/workers/h/tokens", {}, 201),
    ("GET /v1/search", "/v1/search?q=held&parts=task,comment&limit=5", None, 200),
    ("GET /v1/leases", "/v1/leases?limit=5", None, 200),
    ("GET /v1/workers", "/v1/workers", None, 200),
    ("GET /v1/workers/{id}", "/v1/workers/h", None, 200),
    ("POST /v1/workers", "/v1/workers", {"id": "new", "kind": "human", "heartbeat_seconds": 5}, 201),
    ("GET /v1/workers/{id}/sessions", "/v1/workers/h/sessions?open=true&limit=5", None, 200),
    ("POST /v1/workers/{id}/sessions", "/v1/workers/h/sessions", {"session": "s", "client": "c"}, 201),
    ("POST /v1/workers/{id}/heartbeat", "/v1/workers/h/heartbeat", {"state": "errored", "detail": "d"}, 200),
    ("POST /v1/workers/{id}/leave", "/v1/workers/h/leave", {}, 200),
    ("POST /v1/workers/{id}/drain", "/v1/workers/h/drain", {}, 200),
    ("DELETE /v1/workers/{id}", "/v1/workers/idle", None, 200),
    ("GET /v1/projects", "/v1/projects", None, 200),
    ("POST /v1/projects", "/v1/projects", {"name": "new", "lease_seconds": 60}, 201),
    ("GET /v1/projects/{name}", "/v1/projects/default", None, 200),
    ("PATCH /v1/projects/{name}", "/v1/projects/default", {"max_attempts": 5, "version": 1}, 200),
    ("POST /v1/projects/{name}/pause", "/v1/projects/default/pause", {"reason": "r"}, 200),
    ("POST /v1/projects/{name}/resume", "/v1/projects/default/resume", {}, 200),
    ("GET /v1/schedules", "/v1/schedules?project=default", None, 200),
    ("POST /v1/schedules", "/v1/schedules", {"name": "new", "when": "0 9 * * 1-5", "task": {"title": "t"}}, 201),
    ("GET /v1/schedules/{name}", "/v1/schedules/hourly", None, 200),
    ("PATCH /v1/schedules/{name}", "/v1/schedules/hourly", {"when": "daily at 09:00", "zone": "Asia/Tokyo"}, 200),
    ("DELETE /v1/schedules/{name}", "/v1/schedules/hourly", None, 200),
    ("POST /v1/schedules/{name}/pause", "/v1/schedules/hourly/pause", {"reason": "r"}, 200),
    ("POST /v1/schedules/{name}/resume", "/v1/schedules/hourly/resume", {}, 200),
    ("GET /v1/rules", "/v1/rules", None, 200),
    ("POST /v1/rules", "/v1/rules", RULE | {"name": "new", "project": "default"}, 201),
    ("GET /v1/rules/{name}", "/v1/rules/quiet", None, 200),
    ("PATCH /v1/rules/{name}", "/v1/rules/quiet", {"events": ["task.failed"]}, 200),
    ("DELETE /v1/rules/{name}", "/v1/rules/quiet", None, 200),
    ("POST /v1/rules/{name}/pause", "/v1/rules/quiet/pause", {}, 200),
    ("POST /v1/rules/{name}/resume", "/v1/rules/quiet/resume", {}, 200),
    ("POST /v1/rules/{name}/dry-run", "/v1/rules/quiet/dry-run", {"task": "READY"}, 200),
    ("GET /v1/me", "/v1/me", None, 200),
    ("GET /v1/principals", "/v1/principals", None, 200),
    ("PATCH /v1/principals/{name}", "/v1/principals/a-reader", {"title": "Ann", "role": "agent"}, 200),
    ("DELETE /v1/principals/{name}", "/v1/principals/a-reader", None, 200),
    ("GET /v1/tokens", "/v1/tokens", None, 200),
    ("POST /v1/tokens", "/v1/tokens", {"principal": "p", "role": "agent", "expires_in_seconds": 60}, 201),
    ("DELETE /v1/tokens/{id}", "/v1/tokens/2", None, 200),
    ("GET /v1/webhooks", "/v1/webhooks", None, 200),
    ("POST /v1/webhooks", "/v1/webhooks", {"url": "https://example.org/h", "events": ["task.*"]}, 201),
    ("GET /v1/webhooks/{id}", "/v1/webhooks/1", None, 200),
    ("PATCH /v1/webhooks/{id}", "/v1/webhooks/1", {"active": True, "after": 3, "version": 1}, 200),
    ("POST /v1/webhooks/{id}/rotate", "/v1/webhooks/1/rotate", {}, 200),
    ("DELETE /v1/webhooks/{id}", "/v1/webhooks/1", None, 200),
    ("GET /v1/webhooks/{id}/deliveries", "/v1/webhooks/1/deliveries?state=pending", None, 200),
    ("POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver", "", None, 200),  # in test_webhooks
    ("GET /v1/sources", "/v1/sources", None, 200),
    ("POST /v1/sources", "/v1/sources", {"name": "new", "task": {"title": "{{ a }}"}}, 201),
    ("GET /v1/sources/{name}", "/v1/sources/github", None, 200),
    ("PATCH /v1/sources/{name}", "/v1/sources/github", {"active": False, "version": 1}, 200),
    ("POST /v1/sources/{name}/rotate", "/v1/sources/github/rotate", {"overlap_seconds": 0}, 200),
    ("DELETE /v1/sources/{name}", "/v1/sources/github", None, 200),
    ("POST /v1/inbound/{name}", "", None, 0),  # has tests of its own
    ("GET /v1/events", "/v1/events?type=task.created&limit=1&q=actor:root", None, 200),
    ("GET /v1/events/stream", "", None, 0),  # has tests of its own
    ("GET /v1/events/ws", "", None, 0),  # has tests of its own
    ("GET /v1/claims/ws", "", None, 0),  # has tests of its own
    ("GET /v1/stats", "/v1/stats", None, 200),
    ("GET /v1/attention", "/v1/attention?project=default&limit=5", None, 200),
    ("GET /metrics", "", None, 0),  # below
    ("GET /healthz", "/healthz", None, 200),
    ("GET /readyz", "/readyz", None, 200),
    ("GET /openapi.json", "/openapi.json", None, 200),
]


async def test_no_route_stands_before_another_that_is_loaded_later(deck: Deck) -> None:
    router = build(Gate(deck), body_limit=1024).router
    for route in all_routes():
        found = await router.resolve(make_mocked_request(route.method, re.sub(r"\{\w+\}", "1", route.path)))
        assert found.route.resource is not None
        assert (found.route.method, found.route.resource.canonical) == (route.method, route.path)


def test_every_route_is_called_here() -> None:
    assert {name for name, *_ in CALLS} == {f"{route.method} {route.path}" for route in all_routes()}


@pytest.mark.parametrize(("name", "path", "body", "status"), CALLS, ids=[name for name, *_ in CALLS])
async def test_a_route_answers(api: Api, name: str, path: str, body: Any, status: int) -> None:
    if not path:
        return
    await api.post("/v1/forms", {"name": "f", "schema": {"properties": {"ok": {"type": "boolean"}}}})
    await api.create("form", key="FORM", form={"name": "f"})
    await api.claim("h", task="FORM")
    await api.create("later", key="LATER", backlog=True)
    await api.create("turns", key="TURNS", assignees=[{"assignee": "ann", "seconds": 60}, {"assignee": "bob"}])
    await api.create("shown", key="SHOWN", review="required")
    await api.claim("h", task="SHOWN")
    await api.post("/v1/tasks/SHOWN/complete", {"fence": 1})
    await api.create("judged", key="JUDGED", review="required")
    await api.claim("h", task="JUDGED")
    await api.post("/v1/tasks/JUDGED/complete", {"fence": 1})
    await api.post("/v1/tasks/JUDGED/judge", {"verdict": "approved"})
    await api.create("held", key="HELD", priority=100)
    await api.claim("h")
    await api.create("asks", key="ASKS", priority=99)
    await api.claim("a")
    await api.post("/v1/tasks/ASKS/heartbeat", {"fence": 1, "state": "waiting_input", "question": "?"})
    await api.create("ended", key="ENDED")
    await api.post("/v1/tasks/ENDED/cancel")
    await api.create("ready", key="READY")
    await api.post("/v1/workers", {"id": "idle"})
    await api.post("/v1/tasks/HELD/comments", {"text": "said"})
    await api.patch("/v1/tasks/HELD/context", {"patch": {"a": 1}})
    await api.post("/v1/tasks/HELD/links", {"kind": "branch", "target": "main"})
    await api.post("/v1/tasks/HELD/attachments", {"name": "plan", "value": {"steps": 3}})
    await api.post("/v1/schedules", {"name": "hourly", "when": "every hour", "task": {"title": "t"}})
    await api.post("/v1/rules", RULE | {"name": "quiet"})
    await api.token_for("reader")
    # to an address inside the machine, which is refused: nothing leaves it
    await api.post("/v1/webhooks", {"url": "https://localhost/hook", "events": ["webhook.none"]})
    await api.post("/v1/sources", {"name": "github", "scheme": "github", "task": {"title": "{{ issue.title }}"}})
    reply = await api.call(name.split()[0], path, body)
    assert reply.status == status, reply
    assert reply.headers["X-Request-Id"]
    assert reply.headers["Content-Type"].startswith("application/json")
    route = next(route for route in all_routes() if f"{route.method} {route.path}" == name)
    assert route.success == status
    if name != "GET /openapi.json":
        assert_described(reply.json(), name)


@cache
def _description() -> dict[str, Any]:
    return document(all_routes())


def _closed(schema: Any) -> Any:
    """`schema`, which then lets no member in that it does not tell of."""
    if isinstance(schema, list):
        return [_closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _closed(entry) for name, entry in schema.items()}
    return {"additionalProperties": False, **inner} if isinstance(schema.get("properties"), dict) else inner


@cache
def _validator(name: str) -> Draft202012Validator:
    method, path = name.split()
    route = next(route for route in all_routes() if (route.method, route.path) == (method, path))
    operation = _description()["paths"][path][method.lower()]
    schema = operation["responses"][str(route.success)]["content"]["application/json"]["schema"]
    return Draft202012Validator(_closed({**schema, "components": _description()["components"]}))


def assert_described(reply: Any, name: str) -> None:
    """The document says what `reply` to the route `METHOD path` is, whole."""
    faults = [f"{error.json_path}: {error.message[:200]}" for error in _validator(name).iter_errors(reply)]
    assert not faults, faults[:5]


def test_every_reply_in_json_is_described() -> None:
    streams = {"GET /v1/events/stream", "GET /v1/events/ws", "GET /v1/claims/ws", "GET /metrics"}
    assert ANSWERS.keys() == {f"{route.method} {route.path}" for route in all_routes()} - streams
    models = {model for route in all_routes() for model in (route.body, route.alternative) if model}
    _, said = models_json_schema([(model, "validation") for model in models])
    assert not said["$defs"].keys() & (OF_TASKS.keys() | OF_OTHERS.keys()), "requests have names of their own"
    used = set(re.findall(r'"#/components/schemas/(\w+)"', orjson.dumps(_description()).decode()))
    assert used <= _description()["components"]["schemas"].keys()
    assert used >= OF_TASKS.keys() | OF_OTHERS.keys()


def test_what_is_left_out_is_described_as_it_is_taken() -> None:
    schemas = _description()["components"]["schemas"]
    assert schemas["CreateTask"]["properties"]["payload"]["default"] == {}
    assert schemas["CreateTask"]["properties"]["priority"]["default"] == 50


async def test_a_task_with_everything_is_described(api: Api) -> None:
    await api.post("/v1/forms", {"name": "f", "schema": {"properties": {"ok": {"type": "boolean"}}}, "layout": {}})
    gate = {"before": "complete", "evidence": ["commit"], "least": 1}
    turns = {"assignees": [{"assignee": "w", "seconds": 60}], "at_end": "open", "backoff_seconds": 1}
    await api.create(
        key="FULL", form={"name": "f"}, gates=[gate], run="r", extra={"delega": {"x": 1}}, unique_key="u", **turns
    )
    claims = await api.post("/v1/claims", {"worker": "w"})
    assert_described(claims, "POST /v1/claims")
    ask = {"fence": 1, "state": "waiting_input", "question": "?", "options": ["a"], "progress": 5, "detail": "d"}
    assert_described(await api.post("/v1/tasks/FULL/heartbeat", ask), "POST /v1/tasks/{ref}/heartbeat")
    assert_described(await api.get("/v1/attention"), "GET /v1/attention")
    assert_described(await api.get("/v1/leases"), "GET /v1/leases")
    await api.post("/v1/tasks/FULL/answer", {"answer": "a"})
    await api.patch("/v1/tasks/FULL/draft", {"fence": 1, "values": {"ok": True}})
    await api.post("/v1/tasks/FULL/fail", {"fence": 1, "error": "e", "delay_seconds": 0, "note": "n"})
    assert_described(await api.get("/v1/tasks/FULL/gates"), "GET /v1/tasks/{ref}/gates")
    assert_described(await api.get("/v1/tasks/FULL/assignments"), "GET /v1/tasks/{ref}/assignments")
    assert_described(await api.get("/v1/stats?hour=true"), "GET /v1/stats")
    assert_described(await api.post("/v1/claims", {"worker": "nobody"}), "POST /v1/claims")
    shown = {"evidence": [{"kind": "commit", "ref": "4f2a91c"}]}
    fence = (await api.claim("w"))["fence"]
    done = await api.post("/v1/tasks/FULL/complete", {"fence": fence, "shown": shown, "result": {"n": 1}})
    assert_described(done, "POST /v1/tasks/{ref}/complete")
    assert_described(await api.get("/v1/tasks/FULL/claims"), "GET /v1/tasks/{ref}/claims")
    assert_described(await api.get("/v1/events?limit=100"), "GET /v1/events")
    assert_described(await api.get("/v1/tasks?view=summary"), "GET /v1/tasks")
    assert_described(await api.get("/v1/search?q=task"), "GET /v1/search")


async def test_the_document_tells_how_to_write_once(api: Api) -> None:
    for route in all_routes():
        names = {p["name"] for p in _description()["paths"][route.path][route.method.lower()]["parameters"]}
        writes = route.method in ("POST", "PATCH", "DELETE", "PUT")
        assert names & {"Idempotency-Key", "Act-Id"} == ({"Idempotency-Key", "Act-Id"} if writes else set())


async def test_a_task_has_one_shape_everywhere(api: Api) -> None:
    wish = {"labels": ["b", "a"], "capabilities": ["c"], "payload": {"x": 1}, "due": "2030-01-01T00:00:00Z"}
    task = await api.create("t", description="d", **wish)
    assert task.keys() == SHAPE
    assert (task["labels"], task["due"], task["created_by"]) == (["a", "b"], "2030-01-01T00:00:00.000Z", "admin")
    claim = await api.claim(capabilities=["c"])
    assert claim["task"].keys() == SHAPE
    assert claim["task"]["claim"].keys() == CLAIM_SHAPE
    (listed,) = (await api.get("/v1/tasks"))["tasks"]
    assert listed == claim["task"] == await api.get(f"/v1/tasks/{task['id']}")
    (summary,) = (await api.get("/v1/tasks?view=summary"))["tasks"]
    assert summary == {name: value for name, value in listed.items() if name not in HEAVY}
    for ref in (task["number"], task["key"], task["id"].upper()):
        assert await api.get(f"/v1/tasks/{ref}") == listed


async def test_the_document_is_valid_and_lists_every_route(api: Api) -> None:
    document = await api.get("/openapi.json")
    validate(document)
    assert document["openapi"].startswith("3.1")
    listed = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert listed == {(route.method, route.path) for route in all_routes()}
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation["responses"].keys() >= {"default"}
            assert {p["name"] for p in operation["parameters"] if p["in"] == "path"} == set(_names_in(path))


async def test_the_document_says_what_a_repeated_wish_is_answered(api: Api) -> None:
    paths = (await api.get("/openapi.json"))["paths"]
    repeated = {route.path: route for route in all_routes() if route.already is not None}
    assert repeated.keys() >= {"/v1/workers", "/v1/tasks/{ref}/links", "/v1/tasks/{ref}/attachments"}
    await api.create(key="READY")
    await api.post("/v1/workers", {"id": "h"})
    for path, route in repeated.items():
        assert paths[path]["post"]["responses"].keys() >= {str(route.success), str(route.already)}
        _, where, document, _ = next(call for call in CALLS if call[0] == f"POST {path}")
        where = where.replace("HELD", "READY")
        assert (await api.call("POST", where, document)).status == route.success
        assert (await api.call("POST", where, document)).status == route.already


def _names_in(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


async def test_a_deck_without_room_on_its_disk_is_not_ready(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskdeck.http.looking.LEAST_FREE_BYTES", 1 << 62)
    reply = await api.call("GET", "/readyz")
    assert (reply.status, reply.json()["status"]) == (503, "not ready")
    assert reply.json()["checks"]["disk"].endswith(" bytes free")


async def test_the_figures_can_be_collected(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/projects", {"name": "other"})
    await api.create(project="other")
    await api.create()
    await api.post("/v1/projects/other/pause", {})
    await api.claim("w")
    clock.advance(1)
    reply = await api.call("GET", "/metrics")
    assert (reply.status, reply.headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }
    assert found["taskdeck_tasks", "default", "claimed"] == 1
    assert found["taskdeck_tasks", "other", "ready"] == 1
    assert (found["taskdeck_project_paused", "other"], found["taskdeck_project_paused", "default"]) == (1, 0)
    assert found["taskdeck_workers", "active"] == 1
    assert found["taskdeck_events_total",] == await api.last_seq()
    assert found["taskdeck_breaker_open",] == 0
    assert found["taskdeck_claims_per_second",] > 0
    made = await api.post("/v1/tokens", {"principal": "p", "role": "reader", "projects": ["other"]})
    some = await api.call("GET", "/metrics", token=made["secret"])
    assert b'project="default"' not in some.body
    assert b'project="other"' in some.body


async def test_stats_tell_the_truth(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/projects", {"name": "other"})
    await api.post("/v1/tasks", {"tasks": [{"title": "t", "project": p} for p in ("default", "other") * 6]})
    parent = await api.create("parent")
    await api.create("child", depends_on=[parent["id"]])
    await api.create("later", not_before="2999-01-01T00:00:00Z")
    claims = (await api.post("/v1/claims", {"worker": "w", "max_tasks": 5}))["claims"]
    await api.post(f"/v1/tasks/{claims[0]['task']['id']}/complete", {"fence": 1})
    await api.post(f"/v1/tasks/{claims[1]['task']['id']}/fail", {"fence": 1, "error": "e", "retry": False})
    await api.post(f"/v1/tasks/{claims[2]['task']['id']}/cancel")
    await api.delete(f"/v1/tasks/{claims[1]['task']['id']}")
    clock.advance(1)
    stats = await api.get("/v1/stats")
    for state in State:
        counted = len((await api.get(f"/v1/tasks?state={state}&limit=200"))["tasks"])
        assert stats["counts"][state] == counted, state
        for name in ("default", "other"):
            inside = len((await api.get(f"/v1/tasks?state={state}&project={name}&limit=200"))["tasks"])
            assert stats["projects"][name]["counts"][state] == inside
            assert (await api.get(f"/v1/projects/{name}"))["counts"][state] == inside
    assert stats["rates"]["claims_per_second"] == round(5 / 60, 3)
    assert [sum(series) for series in stats["rates"]["series"].values()] == [5, 1, 1]
    assert all(len(series) == 60 for series in stats["rates"]["series"].values())
    assert stats["wait_seconds"]["count"] == 5
    assert stats["run_seconds"]["count"] == 1
    assert stats["workers"] == {"total": 1, "active": 1, "idle": 0, "late": 0, "offline": 0, "draining": 0}
    assert stats["last_seq"] == len(await api.events())
    assert stats["database"]["bytes"] > 0
    assert stats["draining"] is False
