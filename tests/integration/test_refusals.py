"""Bad requests: each gets a clear refusal with a stable code, quickly, and changes nothing."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from support.api import Api

T = "/v1/tasks"
W = "/v1/webhooks"
S = "/v1/sources"
DEEP = b"[" * 100_000 + b"]" * 100_000
TASK = b'{"title": "t", "payload": %s}'

BODIES: dict[str, tuple[str, str, bytes, int, str]] = {
    # name: method, path, body, status, code
    "no json": ("POST", T, b"title", 400, "bad_json"),
    "cut short": ("POST", T, b'{"title": "t', 400, "bad_json"),
    "two documents": ("POST", T, b'{"title": "t"} {}', 400, "bad_json"),
    "an array": ("POST", T, b"[]", 422, "invalid_request"),
    "a string": ("POST", T, b'"t"', 422, "invalid_request"),
    "null": ("POST", T, b"null", 422, "invalid_request"),
    "no utf-8": ("POST", T, b'{"title": "\xff"}', 400, "bad_json"),
    "a byte order mark": ("POST", T, b'\xef\xbb\xbf{"title": "t"}', 400, "bad_json"),
    "lone surrogate": ("POST", T, b'{"title": "\\ud800"}', 400, "bad_json"),
    "lone surrogate in a payload": ("POST", T, TASK % b'{"a": "\\udfff"}', 400, "bad_json"),
    "nan": ("POST", T, TASK % b"NaN", 400, "bad_json"),
    "infinity": ("POST", T, TASK % b"[-Infinity]", 400, "bad_json"),
    "nan as a number": ("POST", T, b'{"title": "t", "priority": NaN}', 400, "bad_json"),
    "deep": ("POST", T, TASK % DEEP, 400, "bad_json"),
    "integer of 300 digits": ("POST", T, TASK % (b"1" * 300), 422, "invalid_request"),
    "integer of 5,000 digits": ("POST", T, TASK % (b"1" * 5000), 400, "bad_json"),
    "nothing": ("POST", T, b"{}", 422, "invalid_request"),
    "no body": ("POST", T, b"", 422, "invalid_request"),
    "unknown field": ("POST", T, b'{"title": "t", "prioritty": 1}', 422, "unknown_field"),
    "unknown field of one of many": ("POST", T, b'{"tasks": [{"title": "t", "x": 1}]}', 422, "unknown_field"),
    "no tasks": ("POST", T, b'{"tasks": []}', 422, "invalid_request"),
    "nul in the title": ("POST", T, b'{"title": "a\\u0000b"}', 422, "invalid_request"),
    "nul in the description": ("POST", T, b'{"title": "t", "description": "\\u0000"}', 422, "invalid_request"),
    "empty title": ("POST", T, b'{"title": ""}', 422, "invalid_request"),
    "number as title": ("POST", T, b'{"title": 5}', 422, "invalid_request"),
    "priority as text": ("POST", T, b'{"title": "t", "priority": "5"}', 422, "invalid_request"),
    "priority as a fraction": ("POST", T, b'{"title": "t", "priority": 5.5}', 422, "invalid_request"),
    "priority as a truth": ("POST", T, b'{"title": "t", "priority": true}', 422, "invalid_request"),
    "priority too high": ("POST", T, b'{"title": "t", "priority": 101}', 422, "invalid_request"),
    "priority too low": ("POST", T, b'{"title": "t", "priority": -1}', 422, "invalid_request"),
    "priority beyond 64 bits": ("POST", T, b'{"title": "t", "priority": 99999999999999999999}', 422, "invalid_request"),
    "no attempts": ("POST", T, b'{"title": "t", "max_attempts": 0}', 422, "invalid_request"),
    "label with a control": ("POST", T, b'{"title": "t", "labels": ["a\\u001b"]}', 422, "invalid_request"),
    "label with bidi": ("POST", T, b'{"title": "t", "labels": ["a\\u202e"]}', 422, "invalid_request"),
    "no time": ("POST", T, b'{"title": "t", "due": "tomorrow"}', 422, "invalid_request"),
    "time without offset": ("POST", T, b'{"title": "t", "due": "2026-01-01T00:00:00"}', 422, "invalid_request"),
    "time before 1970": ("POST", T, b'{"title": "t", "due": "1960-01-01T00:00:00Z"}', 422, "invalid_request"),
    "time as a number": ("POST", T, b'{"title": "t", "not_before": 5}', 422, "invalid_request"),
    "time at the edge": ("POST", T, b'{"title": "t", "due": "0001-01-01T00:00:00+14:00"}', 422, "invalid_request"),
    "key of a number": ("POST", T, b'{"title": "t", "key": "12"}', 422, "invalid_request"),
    "unknown project": ("POST", T, b'{"title": "t", "project": "no"}', 404, "unknown_project"),
    "odd project": ("POST", T, b'{"title": "t", "project": "../x"}', 422, "invalid_request"),
    "unknown dependency": ("POST", T, b'{"title": "t", "depends_on": ["no"]}', 404, "unknown_task"),
    "taken key": ("POST", T, b'{"title": "t", "key": "HERE"}', 409, "key_taken"),
    "taken key of many": ("POST", T, b'{"tasks": [{"title": "t"}, {"title": "u", "key": "HERE"}]}', 409, "key_taken"),
    "claim of no worker": ("POST", "/v1/claims", b"{}", 422, "invalid_request"),
    "claim of an odd worker": ("POST", "/v1/claims", b'{"worker": "a/b"}', 422, "invalid_request"),
    "claim of 0": ("POST", "/v1/claims", b'{"worker": "w", "max_tasks": 0}', 422, "invalid_request"),
    "claim of 101": ("POST", "/v1/claims", b'{"worker": "w", "max_tasks": 101}', 422, "invalid_request"),
    "lease too short": ("POST", "/v1/claims", b'{"worker": "w", "lease_seconds": 4.9}', 422, "invalid_request"),
    "lease too long": ("POST", "/v1/claims", b'{"worker": "w", "lease_seconds": 86401}', 422, "invalid_request"),
    "wait too long": ("POST", "/v1/claims", b'{"worker": "w", "wait_seconds": 61}', 422, "invalid_request"),
    "claim of an unknown task": ("POST", "/v1/claims", b'{"worker": "w", "task": "no"}', 404, "unknown_task"),
    "claim in no project": ("POST", "/v1/claims", b'{"worker": "w", "project": "no"}', 404, "unknown_project"),
    "odd override": ("POST", "/v1/claims", b'{"worker": "w", "override": {"reason": "r"}}', 422, "invalid_request"),
    "heartbeat without fence": ("POST", T + "/HERE/heartbeat", b"{}", 422, "invalid_request"),
    "heartbeat with a huge fence": ("POST", T + "/HERE/heartbeat", b'{"fence": 1e30}', 422, "invalid_request"),
    "progress of 101": ("POST", T + "/HERE/heartbeat", b'{"fence": 1, "progress": 101}', 422, "invalid_request"),
    "heartbeat of nothing": ("POST", T + "/NO/heartbeat", b'{"fence": 1}', 404, "unknown_task"),
    "stale heartbeat": ("POST", T + "/HERE/heartbeat", b'{"fence": 1}', 409, "stale_fence"),
    "stale completion": ("POST", T + "/HERE/complete", b'{"fence": 0}', 409, "stale_fence"),
    "fail without error": ("POST", T + "/HERE/fail", b'{"fence": 1}', 422, "invalid_request"),
    "retry of a ready task": ("POST", T + "/HERE/retry", b"{}", 409, "wrong_state"),
    "promotion of a ready task": ("POST", T + "/HERE/promote", b"{}", 409, "wrong_state"),
    "approval of a ready task": ("POST", T + "/HERE/approve", b"{}", 409, "wrong_state"),
    "rejection of a ready task": ("POST", T + "/HERE/reject", b'{"note": "n"}', 409, "wrong_state"),
    "rejection without a word": ("POST", T + "/HERE/reject", b"{}", 422, "invalid_request"),
    "rejection to nobody": ("POST", T + "/HERE/reject", b'{"note": "n", "to": "x"}', 422, "invalid_request"),
    "verdict on a ready task": ("POST", T + "/HERE/judge", b'{"verdict": "approved"}', 409, "wrong_state"),
    "verdict of no kind": ("POST", T + "/HERE/judge", b'{"verdict": "fine"}', 422, "invalid_request"),
    "verdict without a word": ("POST", T + "/HERE/judge", b'{"verdict": "rejected"}', 422, "invalid_request"),
    "heeding nothing": ("POST", T + "/HERE/heed", b"{}", 409, "wrong_state"),
    "gate of nothing": ("POST", T, b'{"title": "t", "gates": [{"before": "claim"}]}', 422, "invalid_request"),
    "gate of no kind": (
        "POST", T, b'{"title": "t", "gates": [{"before": "claim", "evidence": []}]}', 422, "invalid_request",
    ),
    "gate before another verb": (
        "POST", T, b'{"title": "t", "gates": [{"before": "fail", "hook": "h"}]}', 422, "invalid_request",
    ),
    "exit code as a truth": (
        "POST", "/v1/claims",
        b'{"worker": "w", "shown": {"hooks": {"h": {"exit_code": false, "output": "", "duration_ms": 1}}}}', 422,
        "invalid_request",
    ),
    "exit code as a fraction": (
        "POST", "/v1/claims",
        b'{"worker": "w", "shown": {"hooks": {"h": {"exit_code": 0.0, "output": "", "duration_ms": 1}}}}', 422,
        "invalid_request",
    ),
    "evidence of no kind": (
        "POST", "/v1/claims", b'{"worker": "w", "shown": {"evidence": [{"kind": "oath", "ref": "x"}]}}', 422,
        "invalid_request",
    ),
    "skip of nobody": ("POST", T + "/HERE/skip", b"{}", 409, "wrong_state"),
    "assignees and an assignee": (
        "POST", T, b'{"title": "t", "assignee": "a", "assignees": [{"assignee": "b"}]}', 422, "invalid_request",
    ),
    "no assignees": ("POST", T + "/HERE/assign", b'{"assignees": []}', 422, "invalid_request"),
    "turn of no time": (
        "POST", T + "/HERE/assign", b'{"assignees": [{"assignee": "a", "seconds": 0}]}', 422, "invalid_request",
    ),
    "odd review": ("POST", T, b'{"title": "t", "review": "maybe"}', 422, "invalid_request"),
    "override without target": ("POST", T + "/HERE/override", b'{"reason": "r"}', 422, "invalid_request"),
    "override to two": (
        "POST", T + "/HERE/override", b'{"reason": "r", "worker": "w", "release": true}', 422, "invalid_request",
    ),
    "override of no claim": ("POST", T + "/HERE/override", b'{"reason": "r", "release": true}', 409, "wrong_state"),
    "override for no reason": ("POST", T + "/HERE/override", b'{"release": true}', 422, "invalid_request"),
    "assign to nothing said": ("POST", T + "/HERE/assign", b"{}", 422, "invalid_request"),
    "edit of nothing": ("PATCH", T + "/HERE", b"{}", 422, "invalid_request"),
    "edit to null": ("PATCH", T + "/HERE", b'{"title": null}', 422, "invalid_request"),
    "edit of the state": ("PATCH", T + "/HERE", b'{"state": "done"}', 422, "unknown_field"),
    "edit of another version": ("PATCH", T + "/HERE", b'{"title": "x", "version": 9}', 409, "version_conflict"),
    "dependency on itself": ("PATCH", T + "/HERE", b'{"depends_on": ["HERE"]}', 422, "dependency_cycle"),
    "worker's heartbeat of nobody": ("POST", "/v1/workers/no/heartbeat", b"{}", 404, "unknown_worker"),
    "project that exists": ("POST", "/v1/projects", b'{"name": "default"}', 409, "project_exists"),
    "prefix that exists": ("POST", "/v1/projects", b'{"name": "p", "prefix": "T"}', 409, "project_exists"),
    "odd prefix": ("POST", "/v1/projects", b'{"name": "p", "prefix": "t1"}', 422, "invalid_request"),
    "cap below the backoff": (
        "POST", "/v1/projects", b'{"name": "p", "backoff_seconds": 9, "backoff_cap_seconds": 5}', 422,
        "invalid_request",
    ),
    "project of another version": ("PATCH", "/v1/projects/default", b'{"version": 9}', 409, "version_conflict"),
    "pass without end": ("POST", "/v1/passes", b'{"life_seconds": 0}', 422, "invalid_request"),
    "tags of no form": ("PATCH", "/v1/forms/no/tags", b'{"tags": {"a": "b"}}', 404, "unknown_form"),
    "tags of nothing": ("PATCH", "/v1/forms/no/tags", b'{"tags": {}}', 422, "invalid_request"),
    "extra of no dialect": ("POST", T, b'{"title": "t", "extra": {"x": {}}}', 422, "invalid_request"),
    "claim on behalf of nobody's task": (
        "POST", "/v1/claims", b'{"worker": "w", "on_behalf_of": ["x"]}', 422, "invalid_request",
    ),
    "token of no role": ("POST", "/v1/tokens", b'{"principal": "p", "role": "king"}', 422, "invalid_request"),
    "other rights": ("POST", "/v1/tokens", b'{"principal": "admin", "role": "agent"}', 409, "principal_exists"),
    "unknown token": ("DELETE", "/v1/tokens/99", b"", 404, "unknown_token"),
    "webhook of no url": ("POST", W, b'{"url": "example.org", "events": ["*"]}', 422, "invalid_request"),
    "webhook by file": ("POST", W, b'{"url": "file:///etc/passwd", "events": ["*"]}', 422, "invalid_request"),
    "webhook by http": ("POST", W, b'{"url": "http://example.org", "events": ["*"]}', 422, "invalid_request"),
    "webhook inwards": ("POST", W, b'{"url": "https://[::ffff:10.0.0.1]/", "events": ["*"]}', 422, "invalid_request"),
    "webhook with a password": (
        "POST", W, b'{"url": "https://a:b@example.org", "events": ["*"]}', 422, "invalid_request",
    ),
    "webhook of port 0": ("POST", W, b'{"url": "https://example.org:0", "events": ["*"]}', 422, "invalid_request"),
    "webhook with controls": (
        "POST", W, b'{"url": "https://example.org/\\r\\nX: y", "events": ["*"]}', 422, "invalid_request",
    ),
    "webhook of no events": ("POST", W, b'{"url": "https://example.org", "events": []}', 422, "invalid_request"),
    "webhook of odd events": ("POST", W, b'{"url": "https://example.org", "events": ["ta*"]}', 422, "invalid_request"),
    "webhook of no projects": (
        "POST", W, b'{"url": "https://example.org", "events": ["*"], "projects": []}', 422, "invalid_request",
    ),
    "webhook of an unknown project": (
        "POST", W, b'{"url": "https://example.org", "events": ["*"], "projects": ["no"]}', 404, "unknown_project",
    ),
    "webhook with a short secret": (
        "POST", W, b'{"url": "https://example.org", "events": ["*"], "secret": "whsec_QUJD"}', 422, "invalid_request",
    ),
    "unknown webhook": ("PATCH", W + "/99", b'{"active": true}', 404, "unknown_webhook"),
    "webhook edited to nothing": ("PATCH", W + "/99", b'{"version": 1}', 422, "invalid_request"),
    "overlap too long": ("POST", W + "/99/rotate", b'{"overlap_seconds": 604801}', 422, "invalid_request"),
    "odd webhook": ("DELETE", W + "/x", b"", 404, "unknown_webhook"),
    "source of no title": ("POST", S, b'{"name": "s", "task": {}}', 422, "invalid_request"),
    "source of an odd name": ("POST", S, b'{"name": "S/", "task": {"title": "t"}}', 422, "invalid_request"),
    "source with odd braces": ("POST", S, b'{"name": "s", "task": {"title": "{{ a() }}"}}', 422, "invalid_request"),
    "source with an odd path": (
        "POST", S, b'{"name": "s", "task": {"title": "t"}, "filters": [{"path": "a[0]"}]}', 422, "invalid_request",
    ),
    "source with an odd filter": (
        "POST", S, b'{"name": "s", "task": {"title": "t"}, "filters": [{"path": "a", "op": "run"}]}', 422,
        "invalid_request",
    ),
    "source in no list": (
        "POST", S, b'{"name": "s", "task": {"title": "t"}, "filters": [{"path": "a", "op": "in", "value": 1}]}', 422,
        "invalid_request",
    ),
    "source with an unknown field": (
        "POST", S, b'{"name": "s", "task": {"title": "t", "holder": "me"}}', 422, "unknown_field",
    ),
    "source of an odd secret": (
        "POST", S, b'{"name": "s", "task": {"title": "t"}, "secret": "a secret of sixteen"}', 422, "invalid_request",
    ),
    "source of no project": (
        "POST", S, b'{"name": "s", "task": {"title": "t"}, "project": "no"}', 404, "unknown_project",
    ),
    "source of an odd priority": (
        "POST", S, b'{"name": "s", "task": {"title": "t", "priority": "{{ a }}"}}', 422, "invalid_request",
    ),
    "source edited to nothing": ("PATCH", S + "/s", b"{}", 422, "invalid_request"),
    "unknown source": ("PATCH", S + "/s", b'{"active": false}', 404, "unknown_source"),
    "event of nobody": ("POST", "/v1/inbound/s", b"{}", 401, "bad_signature"),
    "odd token": ("DELETE", "/v1/tokens/x", b"", 404, "unknown_token"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_body_is_refused(api: Api, name: str) -> None:
    method, path, body, status, code = BODIES[name]
    await api.create("here", key="HERE")
    before = await api.last_seq()
    begun = time.monotonic()
    reply = await api.raw(method, path, body)
    assert time.monotonic() - begun < 1
    assert (reply.status, reply.code) == (status, code), reply.json()
    problem = reply.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["hint"]
    assert problem["request_id"] == reply.headers["X-Request-Id"]
    assert problem["retryable"] is False
    assert await api.last_seq() == before
    assert (await api.get("/v1/tasks"))["tasks"][0]["version"] == 1


QUERIES = {
    "/v1/tasks?state=gone": "invalid_request",
    "/v1/tasks?sort=colour": "invalid_request",
    "/v1/tasks?limit=0": "invalid_request",
    "/v1/tasks?limit=201": "invalid_request",
    "/v1/tasks?limit=many": "invalid_request",
    "/v1/tasks?cursor=x": "invalid_request",
    "/v1/tasks?cursor=%00": "invalid_request",
    "/v1/tasks?cursor=WyJudW1iZXIiLDFd": "invalid_request",
    "/v1/tasks?view=all": "invalid_request",
    "/v1/tasks?colour=red": "unknown_field",
    "/v1/tasks/HERE?fence=x": "invalid_request",
    "/v1/tasks/HERE/explain?worker=a/b": "invalid_request",
    "/v1/leases?cursor=W10": "invalid_request",
    "/v1/events?after=-1": "invalid_request",
    "/v1/events?q=colour:red": "invalid_request",
    "/v1/events?limit=1001": "invalid_request",
    "/v1/events?after=99999999999999999999999": "invalid_request",
    "/v1/me?x=1": "unknown_field",
}


@pytest.mark.parametrize("path", QUERIES)
async def test_a_bad_query_is_refused(api: Api, path: str) -> None:
    await api.create("here", key="HERE")
    reply = await api.raw("GET", path)
    assert (reply.status, reply.code) == (422, QUERIES[path]), reply.json()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/tasks?q=" + "%20".join("a" * 60),
        "/v1/tasks?state=" + ",".join(["done"] * 1500),
        "/v1/tasks?q=%25_%5B%5D%22%27%00",
        "/v1/tasks?q=%ED%A0%80",
        "/v1/tasks?label=%FF",
        "/v1/tasks?project=%ED%B0%80&assignee=%00&worker=%F0%9F",
        "/v1/tasks?cursor=",
        "/v1/events?type=%FF&project=%ED%A0%80",
        "/v1/events?before=0",
        "/v1/events?after=2&before=1",
    ],
    ids=lambda path: path[:40],
)
async def test_an_odd_but_valid_query_is_answered(api: Api, path: str) -> None:
    reply = await api.raw("GET", path)
    assert reply.status in (200, 422), reply


@pytest.mark.parametrize(
    "ref", ["no", "0", "-1", "99999999999999999999999", "%00", "%FF", "%ED%A0%80", "a%2Fb", "..%2F..", "'%20OR", "😀"]
)
async def test_an_unknown_ref_is_refused(api: Api, ref: str) -> None:
    await api.create()
    for path in (f"/v1/tasks/{ref}", f"/v1/tasks/{ref}?fence=1", f"/v1/tasks/{ref}/events"):
        reply = await api.raw("GET", path)
        assert reply.status == 404, (path, reply)
        assert reply.code in ("unknown_task", "not_found")


async def test_a_kind_of_task_that_came_to_nothing_is_forgotten(api: Api) -> None:
    wishes = [{"title": "a", "labels": ["new"], "backlog": True}, {"title": "b", "depends_on": ["T99"]}]
    assert (await api.call("POST", "/v1/tasks", {"tasks": wishes})).code == "unknown_task"
    assert (await api.post("/v1/claims", {"worker": "w"}))["claims"] == []
    await api.create(labels=["newer"])
    assert (await api.claim("w"))["task"]["labels"] == ["newer"]


async def test_a_number_with_zeros_before_it_names_no_other_task(api: Api) -> None:
    tasks = (await api.post("/v1/tasks", {"tasks": [{"title": str(n)} for n in range(13)]}))["tasks"]
    padded = f"{'0' * 18}12{'3'}"
    reply = await api.raw("GET", f"/v1/tasks/{padded}")
    assert reply.status == 404
    assert (await api.get("/v1/tasks/12"))["id"] == tasks[11]["id"]


async def test_documents_have_their_limits(api: Api) -> None:
    fits = "x" * (256 * 1024 - 2)
    task = await api.create("t", payload=fits)
    assert (await api.get(f"/v1/tasks/{task['id']}"))["payload"] == fits
    for field in ("payload", "metadata"):
        reply = await api.call("POST", "/v1/tasks", {"title": "t", field: fits + "x"})
        assert (reply.status, reply.json()["errors"][0]["field"]) == (422, field)
    assert (await api.call("POST", "/v1/tasks", {"title": "x" * 500})).status == 201
    assert (await api.call("POST", "/v1/tasks", {"title": "x" * 501})).status == 422
    assert (await api.call("POST", "/v1/tasks", {"title": "t", "labels": [str(n) for n in range(33)]})).status == 422
    assert (await api.call("POST", "/v1/tasks", {"title": "t", "depends_on": ["a"] * 101})).status == 422
    many = {"tasks": [{"title": "t"}] * 1001}
    assert (await api.call("POST", "/v1/tasks", many)).status == 422
    assert len((await api.get("/v1/tasks"))["tasks"]) == 2


async def test_a_body_too_large_is_refused(api: Api) -> None:
    before = await api.last_seq()
    reply = await api.raw("POST", "/v1/tasks", b'{"title": "' + b"x" * (1024 * 1024) + b'"}')
    assert (reply.status, reply.code) == (413, "body_too_large")
    assert await api.last_seq() == before


async def test_what_is_json_comes_back_as_it_was(api: Api) -> None:
    payload: dict[str, Any] = {"ünïcode": "😀\u0000\u202e", "n": [0, -1, 1.5, 2**53, 2**63], "e": {}, "x": None}
    task = await api.create("[red]x[/] \x1b[2J \u202e", payload=payload)
    shown = await api.get(f"/v1/tasks/{task['key']}")
    assert shown["payload"] == payload
    assert shown["title"] == "[red]x[/] \x1b[2J \u202e"
    raw = await api.raw("POST", "/v1/tasks", b'{"title": "tasks", "labels": ["tasks"]}')
    assert raw.status == 201, raw
    assert orjson.loads(raw.body)["title"] == "tasks"
    both = await api.raw("POST", "/v1/tasks", b' {  "tasks"  : [{"title": "one"}] }')
    assert len(both.json()["tasks"]) == 1
