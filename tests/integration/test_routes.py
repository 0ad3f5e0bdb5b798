"""Every route does what it says when nothing is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate
from support.api import Api
from support.clock import FakeClock

from taskdeck.domain.states import State
from taskdeck.http.server import all_routes

SHAPE = {
    "id", "number", "key", "project", "title", "description", "state", "priority", "labels", "capabilities", "payload",
    "metadata", "files", "assignee", "depends_on", "not_before", "due", "attempt", "max_attempts", "result", "error",
    "claim", "fence", "created_by", "created_at", "ready_at", "updated_at", "finished_at", "version",
}  # fmt: skip
CLAIM_SHAPE = {
    "worker", "principal", "fence", "claimed_at", "expires_at", "lease_seconds", "heartbeat_at", "lapsed", "state",
    "detail", "progress", "session", "question",
}  # fmt: skip

HEAVY = {"description", "payload", "metadata", "files", "result"}

# route, path, body, status
CALLS: list[tuple[str, str, Any, int]] = [
    ("POST /v1/tasks", "/v1/tasks", {"title": "new"}, 201),
    ("GET /v1/tasks", "/v1/tasks?state=ready,claimed&q=t&sort=priority&view=summary", None, 200),
    ("GET /v1/tasks/{ref}", "/v1/tasks/READY", None, 200),
    ("PATCH /v1/tasks/{ref}", "/v1/tasks/READY", {"title": "changed", "due": "2030-01-01T00:00:00+02:00"}, 200),
    ("DELETE /v1/tasks/{ref}", "/v1/tasks/READY", None, 200),
    ("GET /v1/tasks/{ref}/explain", "/v1/tasks/READY/explain?worker=w", None, 200),
    ("GET /v1/tasks/{ref}/events", "/v1/tasks/READY/events?after=1&limit=5", None, 200),
    ("POST /v1/claims", "/v1/claims", {"worker": "w"}, 200),
    ("POST /v1/tasks/{ref}/heartbeat", "/v1/tasks/HELD/heartbeat", {"fence": 1}, 200),
    ("POST /v1/tasks/{ref}/release", "/v1/tasks/HELD/release", {"fence": 1, "note": "n"}, 200),
    ("POST /v1/tasks/{ref}/complete", "/v1/tasks/HELD/complete", {"fence": 1, "result": [1]}, 200),
    ("POST /v1/tasks/{ref}/fail", "/v1/tasks/HELD/fail", {"fence": 1, "error": "e"}, 200),
    ("POST /v1/tasks/{ref}/retry", "/v1/tasks/ENDED/retry", {"delay_seconds": 5}, 200),
    ("POST /v1/tasks/{ref}/cancel", "/v1/tasks/READY/cancel", {}, 200),
    ("POST /v1/tasks/{ref}/assign", "/v1/tasks/READY/assign", {"assignee": "a"}, 200),
    ("POST /v1/tasks/{ref}/reprioritize", "/v1/tasks/READY/reprioritize", {"priority": 99}, 200),
    ("POST /v1/tasks/{ref}/answer", "/v1/tasks/ASKS/answer", {"answer": "yes", "fence": 1}, 200),
    ("POST /v1/tasks/{ref}/override", "/v1/tasks/HELD/override", {"reason": "r", "worker": "x"}, 200),
    ("GET /v1/leases", "/v1/leases?limit=5", None, 200),
    ("GET /v1/workers", "/v1/workers", None, 200),
    ("GET /v1/workers/{id}", "/v1/workers/h", None, 200),
    ("POST /v1/workers", "/v1/workers", {"id": "new", "kind": "human", "heartbeat_seconds": 5}, 201),
    ("GET /v1/workers/{id}/sessions", "/v1/workers/h/sessions?open=true&limit=5", None, 200),
    ("POST /v1/workers/{id}/sessions", "/v1/workers/h/sessions", {"session": "s", "task": "HELD"}, 201),
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
    ("GET /v1/me", "/v1/me", None, 200),
    ("GET /v1/tokens", "/v1/tokens", None, 200),
    ("POST /v1/tokens", "/v1/tokens", {"principal": "p", "role": "agent", "expires_in_seconds": 60}, 201),
    ("DELETE /v1/tokens/{id}", "/v1/tokens/2", None, 200),
    ("GET /v1/events", "/v1/events?type=task.created&limit=1", None, 200),
    ("GET /v1/events/stream", "", None, 0),  # has tests of its own
    ("GET /v1/stats", "/v1/stats", None, 200),
    ("GET /v1/attention", "/v1/attention?project=default&limit=5", None, 200),
    ("GET /healthz", "/healthz", None, 200),
    ("GET /readyz", "/readyz", None, 200),
    ("GET /openapi.json", "/openapi.json", None, 200),
]


def test_every_route_is_called_here() -> None:
    assert {name for name, *_ in CALLS} == {f"{route.method} {route.path}" for route in all_routes()}


@pytest.mark.parametrize(("name", "path", "body", "status"), CALLS, ids=[name for name, *_ in CALLS])
async def test_a_route_answers(api: Api, name: str, path: str, body: Any, status: int) -> None:
    if not path:
        return
    await api.create("held", key="HELD", priority=100)
    await api.claim("h")
    await api.create("asks", key="ASKS", priority=99)
    await api.claim("a")
    await api.post("/v1/tasks/ASKS/heartbeat", {"fence": 1, "state": "waiting_input", "question": "?"})
    await api.create("ended", key="ENDED")
    await api.post("/v1/tasks/ENDED/cancel")
    await api.create("ready", key="READY")
    await api.post("/v1/workers", {"id": "idle"})
    await api.token_for("reader")
    reply = await api.call(name.split()[0], path, body)
    assert reply.status == status, reply
    assert reply.headers["X-Request-Id"]
    assert reply.headers["Content-Type"].startswith("application/json")
    route = next(route for route in all_routes() if f"{route.method} {route.path}" == name)
    assert route.success == status


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


def _names_in(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


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
