"""Tasks for people: forms kept in versions, filled in step by step, and leases without end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "approve": {"enum": ["yes", "no"]},
        "amount": {"type": "integer", "minimum": 1},
        "who": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    },
    "required": ["approve", "amount"],
    "additionalProperties": False,
}


@pytest.fixture
async def loan(api: Api) -> Any:
    """The form `loan`, version 1."""
    layout = {"type": "VerticalLayout", "elements": []}
    return await api.post("/v1/forms", {"name": "loan", "schema": SCHEMA, "layout": layout})


async def _held(api: Api, **fields: Any) -> tuple[str, int]:
    """The path and fence of a claimed task with the form."""
    task = await api.create(**({"form": {"name": "loan"}} | fields))
    claim = await api.claim(task=task["key"])
    return f"/v1/tasks/{task['id']}", claim["fence"]


async def test_forms_are_kept_in_versions(api: Api, loan: Any) -> None:
    assert (loan["name"], loan["version"], loan["schema"], loan["created_by"]) == ("loan", 1, SCHEMA, "admin")
    second = await api.post("/v1/forms", {"name": "loan", "schema": {"type": "object"}})
    assert (second["version"], second["layout"]) == (2, {})
    replaced = await api.post("/v1/forms", {"name": "loan", "version": 1, "schema": {"title": "new"}})
    assert (replaced["version"], replaced["schema"]) == (1, {"title": "new"})
    await api.post("/v1/forms", {"name": "a", "schema": {}})
    listed = (await api.get("/v1/forms"))["forms"]
    assert [(form["name"], form["version"]) for form in listed] == [("a", 1), ("loan", 2), ("loan", 1)]
    assert [form["version"] for form in (await api.get("/v1/forms?name=loan"))["forms"]] == [2, 1]
    assert [form["name"] for form in (await api.get("/v1/forms?after=a&limit=1"))["forms"]] == ["loan"]
    assert (await api.get("/v1/forms/loan/latest"))["version"] == 2
    assert await api.get("/v1/forms/loan/1") == replaced
    assert (await api.delete("/v1/forms/loan/2")) == {"deleted": "loan", "version": 2}
    assert (await api.get("/v1/forms/loan/latest"))["version"] == 1
    for method, path in (("GET", "loan/7"), ("GET", "no/latest"), ("DELETE", "loan/2"), ("DELETE", "loan/latest")):
        reply = await api.call(method, f"/v1/forms/{path}")
        assert (reply.status, reply.code) == (404, "unknown_form"), path
    saved = [event["type"] for event in await api.events() if event["type"].startswith("form.")]
    assert saved == ["form.saved"] * 4 + ["form.deleted"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "thing"},
        {"$ref": "http://127.0.0.1:1/x"},
        {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
        {"properties": {"a": {"pattern": "(a+)+$"}}},
        {"patternProperties": {"(a*)*b": {}}},
        {"properties": {"a": {"pattern": "["}}},
    ],
)
async def test_a_schema_that_is_none_or_not_safe_is_refused(api: Api, schema: Any) -> None:
    before = await api.last_seq()
    reply = await api.call("POST", "/v1/forms", {"name": "f", "schema": schema})
    assert (reply.status, reply.code) == (422, "invalid_request")
    assert reply.json()["errors"][0]["field"] == "schema"
    assert await api.last_seq() == before


async def test_a_form_is_filled_in_step_by_step(api: Api, loan: Any, clock: FakeClock) -> None:
    path, fence = await _held(api)
    clock.advance(100)
    one = await api.patch(f"{path}/draft", {"fence": fence, "values": {"amount": 5}})
    assert (one["draft"], one["form"], one["state"]) == ({"amount": 5}, {"name": "loan", "version": 1}, "claimed")
    two = await api.patch(f"{path}/draft", {"fence": fence, "values": {"amount": 6, "who": {"name": "Ann"}}})
    assert two["draft"] == {"amount": 6, "who": {"name": "Ann"}}
    assert (await api.events())[-1]["facts"] == {"fields": ["amount", "who"]}
    before = await api.last_seq()
    for values, field in (({"amount": 0}, "amount"), ({"who": {}}, "who.name"), ({"approve": 1}, "approve")):
        reply = await api.call("PATCH", f"{path}/draft", {"fence": fence, "values": values})
        assert (reply.status, reply.code) == (422, "form_invalid")
        assert [error["field"] for error in reply.json()["errors"]] == [field]
    short = await api.call("POST", f"{path}/complete", {"fence": fence})
    assert (short.code, [error["field"] for error in short.json()["errors"]]) == ("form_invalid", ["approve"])
    odd = await api.call("POST", f"{path}/complete", {"fence": fence, "result": [1]})
    assert odd.code == "form_invalid"
    more = await api.call("POST", f"{path}/complete", {"fence": fence, "result": {"approve": "yes", "x": 1}})
    assert more.code == "form_invalid"
    assert await api.last_seq() == before
    done = await api.post(f"{path}/complete", {"fence": fence, "result": {"approve": "yes"}})
    assert (done["state"], done["draft"]) == ("done", None)
    assert done["result"] == {"amount": 6, "who": {"name": "Ann"}, "approve": "yes"}


async def test_what_was_filled_in_outlasts_its_holder(api: Api, loan: Any) -> None:
    path, fence = await _held(api)
    await api.patch(f"{path}/draft", {"fence": fence, "values": {"amount": 5}})
    released = await api.post(f"{path}/release", {"fence": fence})
    assert released["draft"] == {"amount": 5}
    claim = await api.claim("other")
    stale = await api.call("PATCH", f"{path}/draft", {"fence": fence, "values": {"amount": 7}})
    assert stale.code == "stale_fence"
    done = await api.post(f"{path}/complete", {"fence": claim["fence"], "result": {"approve": "no"}})
    assert done["result"] == {"amount": 5, "approve": "no"}


async def test_a_task_keeps_the_version_it_was_made_with(api: Api, loan: Any) -> None:
    path, fence = await _held(api)
    await api.post("/v1/forms", {"name": "loan", "schema": {"required": ["other"]}})
    assert (await api.post(f"{path}/complete", {"fence": fence, "result": {"approve": "no", "amount": 1}}))[
        "state"
    ] == "done"
    assert (await api.create(form={"name": "loan"}))["form"]["version"] == 2
    assert (await api.create(form={"name": "loan", "version": 1}))["form"]["version"] == 1
    for wanted in ({"name": "no"}, {"name": "loan", "version": 9}):
        reply = await api.call("POST", "/v1/tasks", {"title": "t", "form": wanted})
        assert (reply.status, reply.code) == (404, "unknown_form")
    orphan, held = await _held(api, form={"name": "loan", "version": 1})
    await api.delete("/v1/forms/loan/1")
    assert (await api.post(f"{orphan}/complete", {"fence": held}))["result"] == {}


async def test_a_schema_that_leads_nowhere_is_refused_when_it_is_followed(api: Api) -> None:
    for schema in ({"$ref": "#/definitions/none"}, {"$ref": "#"}):
        await api.post("/v1/forms", {"name": "loan", "schema": schema})
        path, fence = await _held(api)
        reply = await api.call("POST", f"{path}/complete", {"fence": fence, "result": {"a": 1}})
        assert (reply.status, reply.code) == (422, "form_invalid")


async def test_a_result_is_drafted_without_a_form_too(api: Api) -> None:
    path = f"/v1/tasks/{(await api.create())['id']}"
    fence = (await api.claim())["fence"]
    assert (await api.patch(f"{path}/draft", {"fence": fence, "values": {"a": 1, "b": 1}}))["draft"] == {"a": 1, "b": 1}
    done = await api.post(f"{path}/complete", {"fence": fence, "result": {"b": 2}})
    assert (done["result"], done["draft"]) == ({"a": 1, "b": 2}, None)


async def test_people_hold_tasks_without_end(api: Api, loan: Any, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "ann", "kind": "human"})
    plain, form = await api.create("plain"), await api.create("form", form={"name": "loan"})
    reply = await api.call("POST", "/v1/claims", {"worker": "bot", "task": plain["key"], "lease_seconds": None})
    assert (reply.status, reply.json()["errors"][0]["field"]) == (422, "lease_seconds")
    held = [
        await api.claim("ann", task=plain["key"], lease_seconds=None),
        await api.claim("bot", task=form["key"], lease_seconds=None),
    ]
    assert [(claim["expires_at"], claim["task"]["claim"]["lease_seconds"]) for claim in held] == [(None, None)] * 2
    clock.advance(10_000_000)
    await api.tick()
    beaten = await api.post(f"/v1/tasks/{plain['id']}/heartbeat", {"fence": held[0]["fence"], "progress": 5})
    assert (beaten["expires_at"], beaten["task"]["claim"]["lapsed"]) == (None, False)
    taken = await api.call("POST", "/v1/claims", {"worker": "x", "task": plain["key"]})
    assert taken.code == "claimed_by_other"
    assert (await api.post(f"/v1/tasks/{plain['id']}/complete", {"fence": held[0]["fence"]}))["state"] == "done"


async def test_of_several_tasks_those_are_given_that_may_be_held_without_end(api: Api, loan: Any) -> None:
    forms = [await api.create(form={"name": "loan"}, priority=90) for _ in range(2)]
    await api.create(priority=50)
    wish = {"worker": "bot", "max_tasks": 5, "lease_seconds": None}
    given = (await api.post("/v1/claims", wish))["claims"]
    assert [claim["task"]["key"] for claim in given] == [form["key"] for form in forms]
    assert (await api.call("POST", "/v1/claims", wish)).code == "invalid_request"


async def test_leases_without_end_are_listed_page_by_page_with_the_others(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "ann", "kind": "human"})
    for n in range(7):
        await api.create()
        await api.claim("ann", lease_seconds=None if n % 2 else 100 + n)
    clock.advance(101)
    await api.tick()
    seen, cursor = [], ""
    while True:
        page = await api.get(f"/v1/leases?limit=2{cursor}")
        seen += [lease["task"]["number"] for lease in page["leases"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [1, 2, 4, 6, 3, 5, 7]


async def test_a_form_is_filed_under_tags(api: Api, loan: Any) -> None:
    assert (await api.get("/v1/forms/loan/tags"))["tags"] == {}
    await api.patch("/v1/forms/loan/tags", {"tags": {"team": "loans", "kind": "x"}})
    assert (await api.patch("/v1/forms/loan/tags", {"tags": {"kind": None, "a": "1"}}))["tags"] == {
        "a": "1",
        "team": "loans",
    }
    before = await api.last_seq()
    await api.patch("/v1/forms/loan/tags", {"tags": {"a": "1"}})
    assert await api.last_seq() == before
    assert (await api.get("/v1/forms/loan/tags"))["tags"] == {"a": "1", "team": "loans"}
    many = {f"k{n}": "v" for n in range(99)}
    assert (await api.call("PATCH", "/v1/forms/loan/tags", {"tags": many})).code == "too_many"
    assert (await api.call("GET", "/v1/forms/no/tags")).code == "unknown_form"


async def test_a_task_says_which_run_it_is_of_and_carries_what_a_dialect_knows(api: Api) -> None:
    extra = {"conductor": {"displayName": "Loan"}}
    task = await api.create(run="run 7", extra=extra)
    await api.create()
    assert (task["run"], task["extra"]) == ("run 7", extra)
    assert [one["id"] for one in (await api.get("/v1/tasks?run=run%207"))["tasks"]] == [task["id"]]
    for bad in ({"nobody": {}}, {"stride": 1}, {"stride": {"a": "x" * 70_000}}):
        assert (await api.call("POST", "/v1/tasks", {"title": "t", "extra": bad})).status == 422


async def test_what_takes_long_to_check_keeps_nobody_else_waiting(api: Api) -> None:
    slow = {"type": "object", "properties": {"a": {"type": "array", "uniqueItems": True}}}
    await api.post("/v1/forms", {"name": "slow", "schema": slow})
    task = await api.create("long", form={"name": "slow"})
    fence = (await api.claim(task=task["id"]))["fence"]
    path, values = f"/v1/tasks/{task['id']}/draft", {"a": [{"n": n} for n in range(500)]}
    filling = asyncio.create_task(api.patch(path, {"fence": fence, "values": values}))
    await asyncio.sleep(0)
    made = await api.create("meanwhile")
    assert not filling.done()
    assert made["state"] == "ready"
    assert (await filling)["draft"] == values
    twice = await api.call("PATCH", path, {"fence": fence, "values": {"a": [1, 1]}})
    assert (twice.status, twice.code) == (422, "form_invalid")
    assert [event["type"] for event in await api.events(type="task.filled")] == ["task.filled"]
