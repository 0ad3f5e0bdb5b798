"""What a refusal says: enough for a caller that can ask nobody to mend its request."""

from __future__ import annotations

import pytest
from support.api import Api
from support.clock import FakeClock


@pytest.mark.parametrize(
    ("path", "body", "field", "meant"),
    [
        ("/v1/claims", {"worker": "w", "lease": 60}, "lease", "lease_seconds"),
        ("/v1/tasks", {"titel": "t"}, "titel", "title"),
        ("/v1/tasks", {"tasks": [{"title": "t"}, {"title": "u", "prio": 1}]}, "tasks.1.prio", "priority"),
        ("/v1/forms", {"name": "f", "ui_schema": {}}, "ui_schema", "schema"),
        ("/v1/tasks/T1/complete", {"fence": 1, "shown": {"hook": {}}}, "shown.hook", "hooks"),
    ],
)
async def test_a_misspelt_field_is_guessed(api: Api, path: str, body: object, field: str, meant: str) -> None:
    reply = await api.call("POST", path, body)
    assert (reply.status, reply.code) == (422, "unknown_field")
    assert f"{field} (did you mean {meant}?)" in reply.json()["detail"]
    said = {"field": field, "message": f"there is no such field; did you mean {meant}?"}
    assert said in reply.json()["errors"]


async def test_a_field_like_no_other_is_not_guessed(api: Api) -> None:
    reply = await api.call("POST", "/v1/tasks", {"title": "t", "zzz": 1})
    assert reply.json()["detail"] == "unknown: zzz"
    assert reply.json()["errors"] == [{"field": "zzz", "message": "there is no such field"}]
    assert "did you mean state?" in (await api.raw("GET", "/v1/tasks?stat=ready")).json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "near"),
    [
        ("GET", "/v1/task", "GET|POST /v1/tasks"),
        ("GET", "/v1/tasks/", "GET|POST /v1/tasks"),
        ("POST", "/v1/claim", "POST /v1/claims"),
        ("POST", "/v1/tasks/T1/claim", "POST /v1/claims"),
        ("POST", "/v1/tasks/T1/done", None),
        ("GET", "/", None),
    ],
)
async def test_an_unknown_path_names_those_near_it(api: Api, method: str, path: str, near: str | None) -> None:
    reply = await api.raw(method, path)
    assert (reply.status, reply.code) == (404, "not_found")
    hint = reply.json()["hint"]
    assert "GET /openapi.json" in hint
    assert near is None or near in hint


async def test_one_of_many_that_is_refused_is_named(api: Api) -> None:
    reply = await api.call("POST", "/v1/tasks", {"tasks": [{"title": "a"}, {"title": "b", "depends_on": ["T99"]}]})
    assert [error["field"] for error in reply.json()["errors"]] == ["tasks.1.depends_on"]
    await api.create(key="MINE")
    reply = await api.call("POST", "/v1/tasks", {"tasks": [{"title": "a"}, {"title": "b", "key": "MINE"}]})
    assert (reply.code, reply.json()["errors"][0]["field"]) == ("key_taken", "tasks.1")


async def test_a_token_that_expired_is_told_from_an_unknown_one(api: Api, clock: FakeClock) -> None:
    made = await api.post("/v1/tokens", {"principal": "p", "role": "agent", "expires_in_seconds": 60})
    clock.advance(61)
    expired = await api.call("GET", "/v1/me", token=made["secret"])
    assert (expired.code, expired.json()["detail"]) == ("token_expired", "the token has expired")
    unknown = await api.call("GET", "/v1/me", token="td_nobodys")
    assert (unknown.code, unknown.json()["detail"]) == ("unauthorized", "the token is unknown or revoked")


async def test_what_is_no_number_is_named_as_it_came(api: Api) -> None:
    reply = await api.raw("DELETE", "/v1/tokens/abc")
    assert (reply.status, reply.code) == (404, "unknown_token")
    assert "'abc'" in reply.json()["detail"]


async def test_a_stale_fence_tells_a_lost_reply_from_a_lost_claim(api: Api) -> None:
    task = await api.create()
    claim = await api.claim()
    path, fence = f"/v1/tasks/{task['key']}", claim["fence"]
    never = await api.call("POST", f"{path}/complete", {"fence": fence + 1})
    assert f"fence {fence + 1} of {task['key']} was never given" in never.json()["detail"]
    await api.post(f"{path}/complete", {"fence": fence})
    again = await api.call("POST", f"{path}/complete", {"fence": fence})
    assert (again.code, "It was completed" in again.json()["hint"]) == ("stale_fence", True)


async def test_an_act_without_its_kind_is_said_so(api: Api) -> None:
    reply = await api.call("POST", "/v1/rules", {"name": "r", "events": ["task.failed"], "acts": [{"message": "m"}]})
    assert reply.json()["errors"] == [{"field": "acts.0", "message": "needs 'act', which says of what kind it is"}]


async def test_a_webhook_for_an_event_that_never_comes_is_refused(api: Api) -> None:
    wish = {"url": "https://localhost/hook", "events": ["task.claim"]}
    reply = await api.call("POST", "/v1/webhooks", wish)
    assert (reply.status, reply.code) == (422, "invalid_request")
    assert "there is no event task.claim; did you mean task.claimed?" in reply.json()["detail"]
    for event in ("task.claimed", "task.commented", "task.*"):
        await api.post("/v1/webhooks", wish | {"events": [event]})
