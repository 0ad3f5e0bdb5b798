"""The Delega dialect against its specification's list, item by item, on a real port: claiming, writing, finishing."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Any

from delega_fleet import Fleet, error
from support.api import Api

from taskdeck.dialects.delega.dialect import DIALECT

FIELDS = {
    "id", "content", "description", "project_id", "project_name", "project", "labels", "priority", "due_date", "status",
    "completed", "completed_at", "created_at", "updated_at", "created_by_agent_id", "assigned_to_agent_id",
    "completed_by_agent_id", "claimed_by_agent_id", "delegated_by_agent_id", "accountable_agent_id", "claimed_at",
    "lease_expires_at", "session_state", "session_state_detail", "handoff_note", "handoff_by_agent_id", "handoff_state",
    "parent_task_id", "root_task_id", "delegation_depth", "context", "context_version", "evidence_policy",
    "completion_evidence", "source_ingress_id", "source_recurrence_id", "subtasks",
}  # fmt: skip


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def seconds(task: Any) -> float:
    """How long the lease of a task is."""
    return (moment(task["lease_expires_at"]) - moment(task["claimed_at"])).total_seconds()


async def test_03_a_key_comes_in_its_own_header_or_as_a_bearers(fleet: Fleet) -> None:
    assert await fleet.ok("A", "GET", "/projects") == []
    bearer = {"Authorization": f"Bearer {fleet.keys['A']}", "CF-Access-Client-Id": "x", "CF-Access-Client-Secret": "y"}
    assert (await fleet.call(None, "GET", "/projects", headers=bearer)).status == 200


async def test_04_a_wrong_key_is_refused_in_json(fleet: Fleet) -> None:
    for by in ("wrong-key-of-no-one", None):
        for method, path in (("GET", "/tasks"), ("POST", "/tasks/claim"), ("DELETE", "/tasks/x")):
            error(await fleet.call(by, method, path), 401)
    error(await fleet.call("A", "GET", "/nowhere"), 404)
    error(await fleet.call("A", "GET", "/tasks/x/human-request"), 404)
    error(await fleet.call("A", "GET", "/tasks/a%2Fb%20c%3F"), 404)


async def test_05_a_new_task_says_all_that_clients_read(fleet: Fleet) -> None:
    made = await fleet.make(content="x", labels=["a"], priority=4, due_date="2026-12-01")
    assert re.fullmatch(r"[a-f0-9]{32}", made["id"])
    assert made.keys() >= FIELDS
    shown = [made[name] for name in ("content", "labels", "priority", "due_date", "completed", "status")]
    assert shown == ["x", ["a"], 4, "2026-12-01", False, "open"]
    assert (made["context"], made["context_version"], made["root_task_id"]) == ({}, 0, made["id"])
    assert made["created_by_agent"] == {"id": "A", "name": "A", "display_name": "A"}
    assert await fleet.show(made) == made
    assert (await fleet.make(content="plain"))["priority"] == 1


async def test_05_a_long_content_is_kept_whole(fleet: Fleet) -> None:
    long = "word " * 399 + "end"
    made = await fleet.make(content=long)
    assert made["content"] == long
    changed = await fleet.ok("A", "PUT", f"/tasks/{made['id']}", {"content": "short"})
    assert changed["content"] == "short"
    again = await fleet.ok("A", "PUT", f"/tasks/{made['id']}", {"content": long[:1999]})
    assert again["content"] == long[:1999]
    (native,) = (await fleet.native.get("/v1/tasks"))["tasks"]
    await fleet.native.patch(f"/v1/tasks/{native['key']}", {"title": "renamed"})
    assert (await fleet.show(made))["content"] == "renamed"


async def test_06_what_makes_no_sense_is_400(fleet: Fleet) -> None:
    made = await fleet.make()
    for document in (
        {"content": "  "}, {}, {"content": "x", "root_task_id": "1"}, {"content": "x", "delegation_depth": 2},
        {"content": "x" * 2001}, {"content": "x", "priority": 0}, {"content": "x", "due_date": "soon"},
        {"content": "x", "evidence_policy": "maybe"}, {"content": "x", "labels": "a"}, b"{", b"[]",
        b'{"content": "x", "context": {"a": 1e400}}', b'{"content": "x", "context": {"a": NaN}}',
    ):  # fmt: skip
        error(await fleet.call("A", "POST", "/tasks", document), 400)
    for document in ({"priority": 9}, {"parent_task_id": "1"}, {"root_task_id": "1"}, {"content": None}):
        error(await fleet.on("A", made, "", document, "PUT"), 400)
    assert await fleet.listed("A") == ["t"]
    error(await fleet.call("A", "POST", "/tasks", b'{"content": "%s"}' % (b"x" * 70_000)), 413)


async def test_07_an_empty_queue_is_no_error(fleet: Fleet) -> None:
    reply = await fleet.call("A", "POST", "/tasks/claim", {})
    assert (reply.status, reply.json()) == (200, {"task": None})
    assert (await fleet.call("A", "POST", "/tasks/claim")).json() == {"task": None}


async def test_08_the_most_urgent_is_claimed_first_then_the_oldest(fleet: Fleet) -> None:
    for priority in (1, 4, 3):
        await fleet.make(content=f"p{priority}", priority=priority)
    assert [(await fleet.claim())["priority"] for _ in range(3)] == [4, 3, 1]
    for name in ("older", "newer"):
        await fleet.make(content=name)
    assert [(await fleet.claim())["content"] for _ in range(2)] == ["older", "newer"]


async def test_09_a_claim_is_given_what_carries_every_label(fleet: Fleet) -> None:
    await fleet.make(content="one", labels=["a"])
    await fleet.make(content="both", labels=["a", "b"])
    assert (await fleet.claim(labels=["a", "b"]))["content"] == "both"
    assert await fleet.claim(labels=["a", "b"]) is None
    assert await fleet.claim(labels=["A"]) is None


async def test_10_a_project_narrows_a_claim_whatever_its_id_is_written_as(fleet: Fleet) -> None:
    project = await fleet.ok("R", "POST", "/projects", {"name": "3"})
    await fleet.make(content="elsewhere", priority=4)
    for content in ("first", "second"):
        await fleet.make(content=content, project_id=project["id"])
    assert (await fleet.claim(project_id="3"))["content"] == "first"
    claimed = await fleet.claim(project_id=3)
    assert (claimed["content"], claimed["project_id"], claimed["project"]["name"]) == ("second", "3", "3")
    assert await fleet.claim(project_id=3) is None
    assert await fleet.claim(project_id="nowhere") is None


async def test_11_what_is_assigned_is_skipped_by_others(fleet: Fleet) -> None:
    await fleet.make("R", "his", assigned_to_agent_id="B")
    assert await fleet.claim("A") is None
    assert (await fleet.claim("B"))["assigned_to_agent_id"] == "B"
    await fleet.make()
    claimed = await fleet.claim()
    assert (claimed["assigned_to_agent_id"], claimed["claimed_by_agent_id"]) == (None, "A")


async def test_12_a_lease_is_as_long_as_asked_within_bounds(fleet: Fleet) -> None:
    made = await fleet.make()
    for wrong in (29, 3601, "x", 30.5, True):
        error(await fleet.call("A", "POST", "/tasks/claim", {"lease_seconds": wrong}), 400)
        error(await fleet.on("A", made, "claim", {"lease_seconds": wrong}), 400)
    assert (await fleet.show(made))["status"] == "open"
    claimed = await fleet.claim()
    assert seconds(claimed) == 300
    assert (claimed["session_state"], claimed["session_state_detail"]) == (None, None)
    await fleet.make()
    assert seconds(await fleet.claim(lease_seconds=60)) == 60


async def test_13_claimers_at_once_get_a_task_each(fleet: Fleet) -> None:
    for number in range(10):
        await fleet.make(content=str(number))
    agents = [f"n{number}" for number in range(20)]
    for name in agents:
        fleet.keys[name] = await fleet.native.token_for("agent", name)
    given = await asyncio.gather(*(fleet.claim(name) for name in agents))
    assert sorted(task["content"] for task in given if task) == [str(number) for number in range(10)]
    assert given.count(None) == 10


async def test_14_a_claimed_task_is_listed_as_such(fleet: Fleet) -> None:
    await fleet.make(content="held", priority=4)
    await fleet.make(content="free")
    held = await fleet.claim()
    assert (await fleet.show(held))["status"] == "claimed"
    assert await fleet.listed("A", "?claimed=true") == ["held"]
    assert await fleet.listed("A", "?claimed=False") == ["free"]


async def test_15_why_one_task_cannot_be_claimed(fleet: Fleet) -> None:
    held, done, his = [await fleet.make("R") for _ in range(3)]
    await fleet.take(held)
    assert "A holds a claim" in error(await fleet.on("B", held, "claim", {}), 409)
    assert "heartbeat" in error(await fleet.on("A", held, "claim", {}), 409)
    await fleet.on("R", done, "complete")
    error(await fleet.on("B", done, "claim", {}), 409)
    await fleet.ok("R", "PUT", f"/tasks/{his['id']}", {"assigned_to_agent_id": "A"})
    error(await fleet.on("B", his, "claim", {}), 409)
    error(await fleet.call("B", "POST", "/tasks/none/claim", {}), 404)
    error(await fleet.on("R", held, "claim", {}), 409)


async def test_16_a_lapsed_claim_is_taken_over_and_lost(fleet: Fleet) -> None:
    made = await fleet.make()
    await fleet.take(made, lease_seconds=30)
    fleet.clock.advance(31)
    shown = await fleet.show(made)
    assert (shown["status"], shown["claimed_by_agent_id"]) == ("claimed", "A")
    await fleet.take(made, "B")
    error(await fleet.on("A", made, "heartbeat", {}), 409)
    error(await fleet.on("A", made, "complete"), 409)
    assert (await fleet.on("B", made, "complete")).status == 200


async def test_16_a_lapsed_claim_that_nobody_took_may_be_completed_and_released(fleet: Fleet) -> None:
    for verb in ("complete", "release"):
        made = await fleet.make("R")
        await fleet.take(made, lease_seconds=30)
        fleet.clock.advance(31)
        error(await fleet.on("A", made, "heartbeat", {}), 409)
        error(await fleet.on("A", made, "state", {"state": "working"}), 409)
        assert (await fleet.on("A", made, verb)).status == 200


async def test_16_no_number_of_lapses_ends_a_task(fleet: Fleet) -> None:
    made = await fleet.make()
    for _ in range(6):
        await fleet.take(made, lease_seconds=30)
        fleet.clock.advance(31)
    assert (await fleet.claim("B"))["id"] == made["id"]


async def test_17_a_heartbeat_sets_the_lease_and_the_state(fleet: Fleet) -> None:
    made = await fleet.make()
    await fleet.take(made)
    fleet.clock.advance(10)
    document = {"lease_seconds": 600, "state": "waiting_input", "detail": "needs key"}
    beat = (await fleet.on("A", made, "heartbeat", document)).json()
    assert seconds(beat) == 610
    assert (beat["session_state"], beat["session_state_detail"]) == ("waiting_input", "needs key")
    fleet.clock.advance(400)
    again = (await fleet.on("A", made, "heartbeat", {})).json()
    assert seconds(again) == 410 + 300
    assert (again["session_state"], again["session_state_detail"]) == ("waiting_input", "needs key")
    # a lease is never cut short: one that ends later stays
    assert (await fleet.on("A", made, "heartbeat", {"lease_seconds": 30})).json()["lease_expires_at"] == (
        again["lease_expires_at"]
    )


async def test_18_a_report_that_makes_no_sense_is_400(fleet: Fleet) -> None:
    made = await fleet.make()
    await fleet.take(made)
    for document in ({"detail": "d"}, {"state": "sleeping"}, {"state": "working", "detail": "x" * 501}):
        error(await fleet.on("A", made, "heartbeat", document), 400)
    for document in ({}, {"state": "sleeping"}, {"state": "errored", "detail": "x" * 501}):
        error(await fleet.on("A", made, "state", document), 400)


async def test_19_and_20_a_state_leaves_the_lease_and_is_shown(fleet: Fleet) -> None:
    made = await fleet.make()
    claimed = await fleet.take(made)
    fleet.clock.advance(5)
    told = (await fleet.on("A", made, "state", {"state": "errored", "detail": "boom"})).json()
    assert told["lease_expires_at"] == claimed["lease_expires_at"]
    shown = await fleet.show(made)
    assert [shown[name] for name in ("status", "session_state", "session_state_detail")] == [
        "claimed", "errored", "boom",
    ]  # fmt: skip
    assert (await fleet.on("A", made, "state", {"state": "working"})).json()["session_state"] == "working"


async def test_21_a_release_hands_off(fleet: Fleet) -> None:
    made = await fleet.make()
    await fleet.take(made)
    await fleet.on("A", made, "state", {"state": "errored", "detail": "boom"})
    released = (await fleet.on("A", made, "release", {"handoff": "step 2 left"})).json()
    assert released["status"] == "open"
    for name in ("claimed_by_agent_id", "claimed_at", "lease_expires_at", "session_state", "session_state_detail"):
        assert released[name] is None, name
    next_one = await fleet.claim("B")
    left = [next_one[f"handoff_{name}"] for name in ("note", "by_agent_id", "state")]
    assert left == ["step 2 left", "A", "errored"]


async def test_22_who_releases_and_what_is_left_without_a_note(fleet: Fleet) -> None:
    made = await fleet.make()
    await fleet.take(made)
    await fleet.on("A", made, "state", {"state": "errored", "detail": "boom"})
    error(await fleet.on("C", made, "release", {}), 403)
    assert (await fleet.on("A", made, "release", {"handoff": ""})).json()["handoff_note"] == "boom"
    error(await fleet.on("A", made, "release", {}), 409)
    await fleet.take(made)
    assert (await fleet.on("R", made, "release", {})).status == 200
    await fleet.take(made)
    assert (await fleet.on("A", made, "release")).status == 200
    error(await fleet.on("A", made, "release", {"handoff": "x" * 501}), 400)


async def test_23_who_only_reads_is_told_to_claim_first(fleet: Fleet) -> None:
    made = await fleet.make("A")
    refused = error(await fleet.on("C", made, "", {"priority": 3}, "PUT"), 403)
    assert "claim it first" in refused and "/tasks/:id/claim" in refused
    await fleet.take(made, "C")
    assert (await fleet.on("C", made, "", {"priority": 3}, "PUT")).json()["priority"] == 3


async def test_24_a_live_claim_keeps_others_off_but_not_their_words(fleet: Fleet) -> None:
    made = await fleet.make("B")
    await fleet.take(made, "A")
    for verb, document, method in (("", {"priority": 3}, "PUT"), ("complete", None, "POST"), ("", None, "DELETE")):
        assert "A" in error(await fleet.on("B", made, verb, document, method), 409)
    assert (await fleet.on("R", made, "", {"priority": 3}, "PUT")).status == 200
    assert (await fleet.on("C", made, "comments", {"content": "hm"})).status == 201


async def test_25_workers_see_what_they_have_a_part_in(fleet: Fleet) -> None:
    made = await fleet.make("A", "private")
    error(await fleet.call("B", "GET", f"/tasks/{made['id']}"), 404)
    for verb, document in (("complete", None), ("comments", {"content": "x"}), ("heartbeat", {}), ("release", {})):
        error(await fleet.on("B", made, verb, document), 404)
    assert await fleet.listed("B") == []
    assert await fleet.listed("C") == ["private"]
    await fleet.take(made, "B")
    await fleet.on("B", made, "complete")
    assert await fleet.listed("B", "?completed=true") == ["private"]
    assert (await fleet.show(made, "B"))["completed_by_agent_id"] == "B"


async def test_26_a_completion_without_evidence(fleet: Fleet) -> None:
    made = await fleet.make()
    await fleet.take(made)
    done = (await fleet.on("A", made, "complete")).json()
    assert [done[name] for name in ("status", "completed", "completed_by_agent_id")] == ["completed", True, "A"]
    assert done["lease_expires_at"] is done["claimed_by_agent_id"] is None
    before = await fleet.native.last_seq()
    assert (await fleet.on("A", made, "complete")).json() == done
    assert (await fleet.on("C", made, "complete")).status == 200
    assert await fleet.native.last_seq() == before
    opened = (await fleet.on("A", made, "uncomplete")).json()
    assert (opened["status"], opened["completed"], opened["completed_at"]) == ("open", False, None)
    # not claimed: its maker completes it
    assert (await fleet.on("A", made, "complete", {"evidence": []})).json()["completed"]


async def test_27_evidence_is_asked_for_where_the_policy_says_so(fleet: Fleet) -> None:
    made = await fleet.make(evidence_policy="required")
    assert made["evidence_policy"] == "required"
    weak = {"kind": "command_output", "ref": "ok"}
    for document in (None, {"evidence": []}, {"evidence": [weak]}):
        error(await fleet.on("A", made, "complete", document), 422)
        assert (await fleet.show(made))["status"] == "open"
    for wrong in ([weak] * 6, [{"kind": "song", "ref": "x"}], [{"kind": "commit", "ref": ""}]):
        error(await fleet.on("A", made, "complete", {"evidence": wrong}), 400)
    shown = [{"kind": kind, "ref": "r", "summary": None} for kind in ("commit", "deploy_sha", "artifact_url")]
    done = (await fleet.on("A", made, "complete", {"evidence": [*shown, weak]})).json()
    assert done["completion_evidence"] == [*shown, weak | {"summary": None}]
    assert (await fleet.show(made))["completion_evidence"] == done["completion_evidence"]


async def test_28_only_admins_take_the_policy_away(fleet: Fleet) -> None:
    made = await fleet.make(evidence_policy="required")
    error(await fleet.on("A", made, "", {"evidence_policy": None}, "PUT"), 403)
    assert (await fleet.on("R", made, "", {"evidence_policy": None}, "PUT")).json()["evidence_policy"] is None
    assert (await fleet.on("A", made, "", {"evidence_policy": "required"}, "PUT")).json()["evidence_policy"]


async def test_42_a_task_is_removed(fleet: Fleet) -> None:
    made = await fleet.make()
    assert await fleet.ok("A", "DELETE", f"/tasks/{made['id']}") == {"ok": True, "deleted": made["id"]}
    error(await fleet.call("A", "GET", f"/tasks/{made['id']}"), 404)
    held = await fleet.make()
    await fleet.take(held)
    assert (await fleet.on("A", held, "", None, "DELETE")).status == 200


async def test_45_both_prefixes_are_the_same(fleet: Fleet) -> None:
    routes = {(route.method, route.path): route.handler for route in DIALECT.routes.routes}
    old = {(method, path.removeprefix("/api")): h for (method, path), h in routes.items() if path.startswith("/api")}
    new = {(method, path.removeprefix("/v1")): h for (method, path), h in routes.items() if path.startswith("/v1")}
    assert old == new and len(old) > 40
    made = await fleet.make()
    for method, path in (("GET", "/tasks"), ("GET", f"/tasks/{made['id']}"), ("GET", "/projects"), ("GET", "/x")):
        replies = []
        for fleet.prefix in ("/v1", "/api"):
            reply = await fleet.call("A", method, path)
            replies.append((reply.status, reply.body.replace(b"/api/", b"/v1/")))
        assert replies[0] == replies[1]
    async with Api(fleet.url, None) as nobody:
        assert (await nobody.get("/health"))["status"] == "ok"
        assert (await nobody.get("/api/health"))["service"] == "taskdeck"
