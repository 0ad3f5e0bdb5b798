"""The Delega dialect: events from outside become tasks."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import orjson
import pytest
from delega_fleet import Fleet, error
from support.api import Reply

SOURCES = "/ingress-sources"
TEMPLATE = {
    "content": "#{{issue.number}} {{ issue.title }}", "description": "{{issue.body}}", "priority": 3,
    "labels": ["bug", "{{issue.kind}}"], "dedupe_key": "{{issue.number}}",
}  # fmt: skip
EVENT = {"action": "opened", "issue": {"number": 7, "title": "It breaks", "body": "b", "kind": "ui"}}


async def source(fleet: Fleet, **fields: Any) -> Any:
    return await fleet.ok("R", "POST", SOURCES, {"name": "Tracker", "template": TEMPLATE} | fields)


async def send(fleet: Fleet, to: Any, document: Any = EVENT, *, late_s: int = 0, **wrong: Any) -> Reply:
    """What an event is answered that nobody but its signature vouches for."""
    raw = document if isinstance(document, bytes) else orjson.dumps(document)
    at = str(fleet.clock.now_ms() // 1000 - late_s)
    secret = wrong.get("secret", to["secret"])
    signature = hmac.new(secret.encode(), at.encode() + b"." + raw, hashlib.sha256).hexdigest()
    header = wrong.get("header", f"t={at},v1={signature}")
    path = to["ingest_path"].removeprefix("/v1")
    return await fleet.call(None, "POST", path, raw, {"X-Delega-Ingress-Signature": header})


@pytest.mark.parametrize("prefix", ["/v1", "/api"])
async def test_a_signed_event_becomes_a_task(fleet: Fleet, prefix: str) -> None:
    fleet.prefix = prefix
    made = await source(fleet, default_assignee_agent_id="B")
    assert made["template"] == TEMPLATE
    shown = [made[name] for name in ("name", "scheme", "active", "delivery_count", "last_delivery_at", "filters")]
    assert shown == ["Tracker", "hmac-sha256", True, 0, None, []]
    reply = await send(fleet, made)
    assert reply.status == 201, reply
    task = await fleet.show({"id": reply.json()["task_id"]})
    assert (task["content"], task["description"], task["priority"]) == ("#7 It breaks", "b", 3)
    assert (task["labels"], task["source_ingress_id"]) == (["bug", "ingress", "ui", "untrusted"], made["id"])
    assert task["assigned_to_agent_id"] == "B" and await fleet.claim("A") is None
    (listed,) = await fleet.ok("R", "GET", SOURCES)
    assert listed == await fleet.ok("R", "GET", f"{SOURCES}/{made['id']}") and "secret" not in listed
    assert (listed["delivery_count"], listed["last_delivery_at"]) == (1, task["created_at"])


async def test_the_same_event_makes_one_task(fleet: Fleet) -> None:
    keyed = await source(fleet)
    first = (await send(fleet, keyed)).json()["task_id"]
    other = EVENT | {"action": "edited"}
    again = await send(fleet, keyed, other)  # the key is the same
    assert (again.status, again.json()["task_id"]) == (200, first)
    await fleet.ok("R", "POST", f"/tasks/{first}/complete")
    assert (await send(fleet, keyed, other)).json()["task_id"] == first
    assert (await send(fleet, keyed, {"issue": {"number": 8}})).status == 201
    plain = await source(fleet, template={"content": "c"})
    replies = [await send(fleet, plain, document) for document in (EVENT, EVENT, other)]
    assert [reply.status for reply in replies] == [201, 200, 201]
    task = await fleet.show({"id": replies[0].json()["task_id"]})
    assert (task["priority"], task["project_id"], task["assigned_to_agent_id"]) == (1, None, None)


async def test_an_event_needs_the_signature_of_its_source(fleet: Fleet) -> None:
    made = await source(fleet)
    for wrong in (
        {"secret": "other"}, {"header": ""}, {"header": "t=,v1="}, {"header": "v1=00"}, {"late_s": 301},
        {"late_s": -301}, {"header": "t=99999999999999999999,v1=é"},
    ):  # fmt: skip
        error(await send(fleet, made, **wrong), 401)
    error(await send(fleet, made, b"{"), 400)
    error(await send(fleet, made, b'"' + b"x" * 65_536 + b'"'), 413)
    error(await send(fleet, made | {"ingest_path": "/v1/ingress/none"}), 404)
    assert await fleet.listed("R") == []
    assert (await send(fleet, made, late_s=299)).status == 201
    path = f"{SOURCES}/{made['id']}"
    renewed = await fleet.ok("R", "PUT", path, {"rotate_secret": True})
    error(await send(fleet, made, {"issue": {"number": 2}}), 401)
    assert (await send(fleet, renewed, {"issue": {"number": 2}})).status == 201
    await fleet.ok("R", "PUT", path, {"active": False})
    error(await send(fleet, renewed), 404)
    assert (await fleet.ok("R", "DELETE", path)) == {"ok": True, "deleted": made["id"]}
    error(await send(fleet, renewed), 404)
    error(await fleet.call("R", "GET", path), 404)


async def test_filters_and_fields_are_changed_as_a_whole(fleet: Fleet) -> None:
    filters = [
        {"path": "action", "op": "eq", "value": "opened"}, {"path": "issue.kind", "op": "neq", "value": "x"},
        {"path": "issue.number", "op": "exists", "value": None}, {"path": "bot", "op": "not_exists", "value": None},
    ]  # fmt: skip
    made = await source(fleet, filters=filters)
    assert made["filters"] == filters
    path = f"{SOURCES}/{made['id']}"
    ignored = await send(fleet, made, EVENT | {"bot": 1})
    assert (ignored.status, ignored.json()["task_id"]) == (200, None)
    await fleet.native.post("/v1/projects", {"name": "web"})
    changes = {"name": "New", "filters": [], "default_project_id": "web", "default_assignee_agent_id": "A"}
    changed = await fleet.ok("R", "PUT", path, changes)
    assert changed.items() >= changes.items()
    assert "secret" not in changed and changed["template"] == TEMPLATE
    cleared = {"default_project_id": None, "default_assignee_agent_id": None, "template": {"content": "c"}}
    assert (await fleet.ok("R", "PUT", path, cleared))["template"]["dedupe_key"] is None
    task = await fleet.show({"id": (await send(fleet, made, EVENT | {"bot": 1})).json()["task_id"]})
    assert (task["content"], task["project_id"], task["assigned_to_agent_id"]) == ("c", None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "}, {"name": "x" * 81}, {"template": {}}, {"template": {"content": "{{a b}}"}},
        {"template": {"content": "x" * 2_001}}, {"template": {"content": "x", "labels": ["l"] * 11}},
        {"template": {"content": "x", "priority": 5}}, {"filters": [{"path": "a", "op": "eq"}] * 11},
        {"filters": [{"path": "a", "op": "like"}]}, {"filters": [{"path": "a b", "op": "exists"}]},
    ],
    ids=lambda wrong: str(wrong)[:60],
)  # fmt: skip
async def test_a_source_that_cannot_be_is_refused(fleet: Fleet, wrong: Any) -> None:
    error(await fleet.call("R", "POST", SOURCES, {"name": "n", "template": {"content": "c"}} | wrong), 400)
    assert await fleet.ok("R", "GET", SOURCES) == []


async def test_sources_are_the_admins_and_those_that_delega_cannot_say_are_not_shown(fleet: Fleet) -> None:
    error(await fleet.call("A", "POST", SOURCES, {"name": "n", "template": TEMPLATE}), 403)
    error(
        await fleet.call("R", "POST", SOURCES, {"name": "n", "template": TEMPLATE} | {"default_project_id": "x"}), 404
    )
    await fleet.native.post("/v1/sources", {"name": "gh", "scheme": "github", "task": {"title": "t"}})
    assert await fleet.ok("R", "GET", SOURCES) == []
    error(await fleet.call("R", "DELETE", f"{SOURCES}/gh"), 404)
    error(await send(fleet, {"ingest_path": "/v1/ingress/gh", "secret": "s"}), 404)
