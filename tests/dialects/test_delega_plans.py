"""The Delega dialect: what is told to others, and what recurs."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import delega.webhooks
import pytest
from delega_fleet import Fleet, error
from support.clock import FakeClock
from support.receiver import Receiver

from taskdeck.dialects.delega.letters import EVENTS, events_of, patterns_of

DAY_S = 86_400


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"webhook_networks": ("127.0.0.0/8",)}


@pytest.fixture(autouse=True)
def _sdk_clock(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK compares times with the test's clock."""

    class Now(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.fromtimestamp(clock.now_ms() / 1000, tz)

    monkeypatch.setattr(delega.webhooks, "datetime", Now)


async def test_44_a_webhook_is_told_of_a_claim_as_the_sdk_verifies(fleet: Fleet, there: Receiver) -> None:
    hook = await fleet.ok("R", "POST", "/webhooks", {"url": there.url, "events": ["task.claimed"], "secret": "s3cret"})
    assert (hook["events"], hook["active"], hook["secret"], hook["agent_id"]) == (["task.claimed"], True, "s3cret", "R")
    made = await fleet.make()
    await fleet.claim()
    await there.until(1)
    (told,) = there.got
    assert told.headers["X-Delega-Event"] == "task.claimed"
    signature, sent_at = told.headers["X-Delega-Signature"], told.headers["X-Delega-Timestamp"]
    assert delega.webhooks.verify_webhook(told.body, signature, sent_at, "s3cret")
    document = told.json()
    assert (document["event"], document["task"]["id"], document["agent"]["name"]) == ("task.claimed", made["id"], "A")
    assert document["task"]["status"] == "claimed"
    (delivery,) = await fleet.ok("R", "GET", f"/webhooks/{hook['id']}/deliveries")
    assert delivery["event"] == "task.claimed"


async def test_webhooks_hear_what_they_asked_for_in_delegas_words(fleet: Fleet, there: Receiver) -> None:
    await fleet.ok("R", "POST", "/webhooks", {"url": there.url, "events": list(EVENTS)})
    made = await fleet.make()
    await fleet.take(made)
    await fleet.on("A", made, "heartbeat", {})  # of which nobody hears
    await fleet.on("A", made, "state", {"state": "errored", "detail": "d"})
    await fleet.on("A", made, "", {"priority": 3}, "PUT")
    await fleet.on("R", made, "", {"assigned_to_agent_id": "A"}, "PUT")
    await fleet.on("A", made, "comments", {"content": "c"})
    await fleet.on("A", made, "links", {"kind": "pr", "ref": "1"})
    await fleet.on("A", made, "release")
    await fleet.on("A", made, "complete")
    await fleet.on("A", made, "", None, "DELETE")
    kinds = ["created", "claimed", "state_changed", "updated", "assigned", "commented", "linked", "released"]
    expected = [f"task.{kind}" for kind in [*kinds, "completed", "deleted"]]
    await there.until(len(expected))
    assert sorted(told.headers["X-Delega-Event"] for told in there.got) == sorted(expected)


async def test_webhooks_are_the_admins_and_made_here(fleet: Fleet, there: Receiver) -> None:
    error(await fleet.call("A", "GET", "/webhooks"), 403)
    for wrong in ({"url": there.url, "events": []}, {"url": there.url, "events": ["task.sung"]}, {"url": there.url}):
        error(await fleet.call("R", "POST", "/webhooks", wrong), 400)
    error(await fleet.call("R", "POST", "/webhooks", {"url": "http://10.0.0.1/x", "events": ["task.created"]}), 400)
    native = (await fleet.native.post("/v1/webhooks", {"url": there.url, "events": ["task.*"]}))["webhook"]
    error(await fleet.call("R", "DELETE", f"/webhooks/{native['id']}"), 404)
    made = await fleet.ok("R", "POST", "/webhooks", {"url": there.url, "events": ["task.updated", "task.created"]})
    assert made["secret"].startswith("whsec_")
    (listed,) = await fleet.ok("R", "GET", "/webhooks")
    assert set(listed["events"]) == {"task.updated", "task.created"} and "secret" not in listed
    path = f"/webhooks/{made['id']}"
    assert (await fleet.ok("R", "PUT", path, {"active": False}))["active"] is False
    assert (await fleet.ok("R", "PUT", path, {"active": True, "events": ["task.deleted"]}))["events"] == [
        "task.deleted"
    ]
    assert await fleet.ok("R", "DELETE", path) == {"ok": True, "deleted": made["id"]}
    assert all(events_of(patterns_of([event])) == [event] for event in EVENTS)


async def test_a_recurrence_makes_a_task_and_rolls_on(fleet: Fleet) -> None:
    document = {
        "content": "backup", "rule_type": "daily", "interval": 2, "next_due_at": "2026-11-20T09:00:00Z",
        "labels": ["ops"], "priority": 3,
    }  # fmt: skip
    made = await fleet.ok("A", "POST", "/recurrences", document)
    shown = [made[name] for name in ("rule_type", "interval", "next_due_at", "active", "skip_if_open", "priority")]
    assert shown == ["daily", 2, "2026-11-20T09:00:00.000Z", True, True, 3]
    assert (made["last_spawned_at"], made["created_by_agent_id"]) == (None, "A")
    fleet.clock.advance(2 * DAY_S)
    task = await fleet.claim(labels=["ops"])
    assert (task["content"], task["source_recurrence_id"], task["due_date"]) == ("backup", made["id"], "2026-11-20")
    after = await fleet.ok("A", "GET", f"/recurrences/{made['id']}")
    assert (after["last_spawned_at"], after["next_due_at"]) == (
        "2026-11-20T09:00:00.000Z", "2026-11-22T09:00:00.000Z",
    )  # fmt: skip
    fleet.clock.advance(10 * DAY_S)  # the last one is open: nothing more is made
    assert await fleet.claim(labels=["none"]) is None
    assert len(await fleet.ok("R", "GET", "/tasks?label=ops")) == 1
    assert (await fleet.ok("R", "GET", "/recurrences"))[0]["next_due_at"] > "2026-11-30"


async def test_recurrences_are_changed_by_who_made_them(fleet: Fleet) -> None:
    for wrong in (
        {"content": "x"}, {"content": "x", "rule_type": "hourly"},
        {"content": "x", "rule_type": "daily", "interval": 0},
        {"content": "x", "rule_type": "daily", "timezone": "Mars/Base"}, {"content": " ", "rule_type": "daily"},
        {"content": "x", "rule_type": "daily", "next_due_at": "soon"},
    ):  # fmt: skip
        error(await fleet.call("A", "POST", "/recurrences", wrong), 400)
    made = await fleet.ok("A", "POST", "/recurrences", {"content": "r", "rule_type": "monthly", "anchor_day": 31})
    path = f"/recurrences/{made['id']}"
    assert made["next_due_at"] == "2026-11-30T00:00:00.000Z"
    error(await fleet.call("B", "GET", path), 404)
    error(await fleet.call("C", "PUT", path, {"content": "x"}), 403)
    changed = await fleet.ok("A", "PUT", path, {"rule_type": "weekly", "anchor_weekday": 0, "active": False})
    assert (changed["rule_type"], changed["anchor_weekday"], changed["active"]) == ("weekly", 0, False)
    again = await fleet.ok("A", "PATCH", path, {"active": True, "skip_if_open": False, "description": "d"})
    assert (again["active"], again["skip_if_open"], again["next_due_at"]) == (True, False, "2026-11-22T00:00:00.000Z")
    yearly = {"content": "y", "rule_type": "yearly", "anchor_month": 2, "anchor_day": 29, "timezone": "Europe/Berlin"}
    assert (await fleet.ok("A", "POST", "/recurrences", yearly))["next_due_at"] == "2027-02-27T23:00:00.000Z"
    assert len(await fleet.ok("A", "GET", "/recurrences")) == 2
    assert await fleet.ok("B", "GET", "/recurrences") == []
    assert (await fleet.ok("A", "DELETE", path))["ok"]
    error(await fleet.call("A", "GET", path), 404)


async def test_the_sdk_plans(fleet: Fleet, there: Receiver) -> None:
    def plan() -> None:
        client = delega.Delega(api_key=fleet.keys["R"], base_url=fleet.url)
        made = client.recurrences.create("weekly report", rule_type="weekly", anchor_weekday=1)
        assert client.recurrences.update(made.id, active=False).active is False
        assert [one.id for one in client.recurrences.list()] == [made.id]
        assert client.recurrences.delete(made.id)
        assert client.webhooks.list() == []

    await asyncio.to_thread(plan)
