"""The Delega dialect against its list: lists, what stands beside tasks, chains, agents, the whole fleet."""

from __future__ import annotations

from datetime import timedelta

import pytest
from delega_fleet import Fleet, error

from taskdeck.dialects.delega.words import day_of


def in_days(fleet: Fleet, days: int) -> str:
    return (day_of(fleet.clock.now_ms()) + timedelta(days=days)).isoformat()


async def test_29_lists_are_narrowed(fleet: Fleet) -> None:
    done = await fleet.make(content="done", due_date=in_days(fleet, -3))
    await fleet.on("A", done, "complete")
    await fleet.make(content="late", due_date=in_days(fleet, -1), labels=["a b", "c"], description="about Ships")
    await fleet.make(content="today", due_date=in_days(fleet, 0), labels=["a"], priority=2)
    await fleet.make(content="soon", due_date=in_days(fleet, 7), labels=["b"])
    await fleet.make(content="far", due_date=in_days(fleet, 8))
    for query, expected in {
        "": ["today", "late", "soon", "far"],
        "?completed=true": ["done"],
        "?include_completed=true": ["today", "late", "soon", "far", "done"],
        "?due=overdue": ["late"],
        "?due=today": ["today", "late"],
        "?due=upcoming": ["soon"],
        "?label=a%20b": ["late"],
        "?labels=a%20b&labels=c": ["late"],
        "?labels=a&labels=b": [],
        "?priority=2": ["today"],
        "?search=ships": ["late"],
        "?limit=2&offset=1": ["late", "soon"],
        f"?due_after={in_days(fleet, 7)}&due_before={in_days(fleet, 8)}": ["soon"],
        "?unknown=1": ["today", "late", "soon", "far"],
    }.items():
        assert await fleet.listed("A", query) == expected, query
    reply = await fleet.call("A", "GET", "/tasks?limit=1")
    assert reply.headers["X-Total-Count"] == "4"
    page = await fleet.ok("A", "GET", "/tasks?include=pagination&view=summary&limit=3&offset=0")
    assert (len(page["items"]), page["total"], page["has_more"], page["next_offset"]) == (3, 4, True, 3)
    last = await fleet.ok("A", "GET", "/tasks?include=pagination&limit=3&offset=3")
    assert (len(last["items"]), last["has_more"], last["next_offset"], last["offset"]) == (1, False, None, 3)
    error(await fleet.call("A", "GET", "/tasks?due=never"), 400)


async def test_pages_of_a_list_show_each_task_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        task = await fleet.make(content=str(number), due_date=in_days(fleet, 6 - number), priority=1 + number % 2)
    await fleet.on("R", await fleet.make(content="done"), "complete")
    expected = ["5", "3", "1", "4", "2", "0", "done"]

    async def turned(query: str = "") -> list[str]:
        pages = [
            await fleet.ok("A", "GET", f"/tasks?include=pagination&include_completed=1&limit=3&offset={at}{query}")
            for at in (0, 3, 6)
        ]
        assert [page["total"] for page in pages] == [7] * 3
        return [task["content"] for page in pages for task in page["items"]]

    assert await turned() == await turned("&sort=priority") == expected
    assert await turned("&sort=due") == ["5", "4", "3", "2", "1", "0", "done"]
    fleet.clock.advance(1)
    await fleet.on("A", task, "", {"labels": ["x"]}, "PUT")
    assert (await turned("&sort=updated"))[0] == "5"
    assert (await turned("&sort=completed"))[0] == "done"
    error(await fleet.call("A", "GET", "/tasks?sort=luck"), 400)
    monkeypatch.setattr("taskdeck.store.ordered.SORTED_MOST", 3)
    assert sorted(await turned()) == sorted(expected)


async def test_lists_tell_how_holders_are_doing(fleet: Fleet) -> None:
    held = {state: await fleet.take(await fleet.make(content=state)) for state in ("errored", "waiting_input", "none")}
    await fleet.make(content="open")
    for state in ("errored", "waiting_input"):
        await fleet.on("A", held[state], "state", {"state": state})
    for query, expected in {
        "?state=errored": ["errored"], "?state=waiting_input": ["waiting_input"], "?state=working": ["none"],
        "?state=errored&claimed=false": [], "?state=errored&completed=true": [],
    }.items():  # fmt: skip
        assert await fleet.listed("A", query) == expected, query
    error(await fleet.call("A", "GET", "/tasks?state=asleep"), 400)


async def test_30_comments(fleet: Fleet) -> None:
    made = await fleet.make()
    said = (await fleet.on("A", made, "comments", {"content": "hi", "author": "me"})).json()
    assert (said["content"], said["author"], said["task_id"]) == ("hi", "me", made["id"])
    assert (await fleet.on("A", made, "comments", {"content": "own"})).json()["author"] == "A"
    for wrong in ({"content": ""}, {}, {"content": "x" * 5001}):
        error(await fleet.on("A", made, "comments", wrong), 400)
    listed = await fleet.ok("A", "GET", f"/tasks/{made['id']}/comments")
    assert [one["content"] for one in listed] == ["hi", "own"]
    path = f"/tasks/{made['id']}/comments/{said['id']}"
    error(await fleet.call("C", "DELETE", path), 403)
    assert await fleet.ok("A", "DELETE", path) == {"ok": True, "deleted": said["id"]}


async def test_31_a_context_is_merged(fleet: Fleet) -> None:
    made = await fleet.make()
    path = f"/tasks/{made['id']}/context"
    assert await fleet.ok("A", "GET", path) == {"context": {}, "version": 0}
    first = await fleet.ok("A", "PATCH", f"{path}?expected_version=0", {"a": {"x": 1}})
    assert first == {"context": {"a": {"x": 1}}, "version": 1}
    merged = {"context": {"a": {"x": 1, "y": 2}}, "version": 2}
    assert await fleet.ok("A", "PATCH", path, {"a": {"y": 2}}) == merged
    assert await fleet.ok("A", "PATCH", path, {}) == merged
    shown = await fleet.show(made)
    assert (shown["context"], shown["context_version"]) == (merged["context"], 2)
    (listed,) = await fleet.ok("A", "GET", "/tasks")
    assert listed["context"] == merged["context"]
    assert (await fleet.claim())["context_version"] == 2
    for wrong in (b"[1]", b"{"):
        error(await fleet.call("A", "PATCH", path, wrong), 400)
    await fleet.ok("A", "PATCH", path, {"big": "x" * 40_000})
    error(await fleet.call("A", "PATCH", path, {"more": "x" * 40_000}), 400)
    with_context = await fleet.make(context={"k": 1})
    assert (with_context["context"], with_context["context_version"]) == ({"k": 1}, 1)


async def test_a_context_is_read_in_part(fleet: Fleet) -> None:
    task = await fleet.make(context={"a": {"x": 1}, "b": "long", "c": None})
    path = f"/tasks/{task['id']}/context"
    some = await fleet.ok("A", "GET", f'{path}?view=keys&keys=["b","z"]')
    assert some == {"context": {"b": "long"}, "missing_keys": ["z"], "version": 1}
    assert (await fleet.ok("A", "GET", f"{path}?view=full"))["context"]["c"] is None
    said = await fleet.ok("A", "GET", f"{path}?view=summary&key_limit=2")
    assert said["keys"] == {
        "items": [{"key": "a", "chars": 7}, {"key": "b", "chars": 6}],
        "total": 3, "limit": 2, "offset": 0, "has_more": True, "next_offset": 2,
    }  # fmt: skip
    last = (await fleet.ok("A", "GET", f"{path}?view=summary&key_limit=2&key_offset=2"))["keys"]
    assert ([one["key"] for one in last["items"]], last["has_more"], last["next_offset"]) == (["c"], False, None)
    for wrong in ("view=half", "view=keys&keys=a", "view=keys&keys=[1]", "key_limit=0"):
        error(await fleet.call("A", "GET", f"{path}?{wrong}"), 400)


async def test_32_a_stale_version_changes_nothing_and_tells_the_present(fleet: Fleet) -> None:
    made = await fleet.make()
    path = f"/tasks/{made['id']}/context"
    for value in (1, 2):
        await fleet.ok("A", "PATCH", path, {"a": value})
    reply = await fleet.call("A", "PATCH", f"{path}?expected_version=1", {"a": 3})
    error(reply, 409)
    assert (reply.json()["version"], reply.json()["context"]) == (2, {"a": 2})
    assert await fleet.ok("A", "GET", path) == {"context": {"a": 2}, "version": 2}


async def test_33_who_said_what(fleet: Fleet) -> None:
    made = await fleet.make()
    path = f"/tasks/{made['id']}/context"
    for value in (1, 2):
        await fleet.ok("A", "PATCH", path, {"a": value})
    assert "provenance" not in await fleet.ok("A", "GET", path)
    behind = (await fleet.ok("A", "GET", f"{path}?include=provenance"))["provenance"]["a"]
    assert (behind["author_name"], behind["source"], behind["version"]) == ("A", "agent_inferred", 2)
    history = await fleet.ok("A", "GET", f"{path}/history?key=a")
    newest, oldest = history["entries"]
    assert (newest["value"], newest["superseded_at"]) == (2, None)
    assert (oldest["value"], oldest["superseded_by"]) == (1, newest["id"])
    page = await fleet.ok("A", "GET", f"{path}/history?limit=1")
    (rest,) = (await fleet.ok("A", "GET", f"{path}/history?limit=1&cursor={page['next_cursor']}"))["entries"]
    assert rest["id"] == oldest["id"]
    for source in ("human_stated", "imported"):
        error(await fleet.call("A", "PATCH", f"{path}?source={source}", {"b": 1}), 403)
    await fleet.ok("R", "PATCH", f"{path}?source=human_stated", {"b": 1})
    stale = await fleet.ok("A", "POST", f"{path}/supersede", {"key": "a"})
    assert (stale["superseded"]["key"], stale["superseded"]["superseded_at"] is not None) == ("a", True)
    error(await fleet.call("A", "POST", f"{path}/supersede", {"key": "a"}), 404)
    assert set((await fleet.ok("A", "GET", f"{path}?include=provenance"))["provenance"]) == {"b"}


async def test_34_and_35_delegation_and_its_chain(fleet: Fleet) -> None:
    for by in ("R", "C"):
        parent = await fleet.make(by)
        reply = await fleet.on(by, parent, "delegate", {"content": "child", "assigned_to_agent_id": "B"})
        assert reply.status == 201, reply
        child = reply.json()
        shown = [child[name] for name in ("delegation_depth", "parent_task_id", "root_task_id", "accountable_agent_id")]
        assert shown == [1, parent["id"], parent["id"], by]
        assert (child["delegated_by_agent_id"], child["assigned_to_agent_id"]) == (by, "B")
        assert (await fleet.show(parent))["status"] == "delegated"
        assert await fleet.claim("A") is None
        chain = await fleet.ok(by, "GET", f"/tasks/{child['id']}/chain")
        assert [chain[name] for name in ("root_id", "depth", "completed_count", "total_count")] == [
            parent["id"], 1, 0, 2,
        ]  # fmt: skip
        assert [task["id"] for task in chain["chain"]] == [parent["id"], child["id"]]
        await fleet.take(child, "B")
        await fleet.on("B", child, "complete")
        assert (await fleet.ok(by, "GET", f"/tasks/{parent['id']}/chain"))["completed_count"] == 1
        await fleet.on(by, parent, "complete")
    error(await fleet.on("A", parent, "delegate", {"content": "x"}), 404)
    lone = await fleet.make()
    chain = await fleet.ok("A", "GET", f"/tasks/{lone['id']}/chain")
    assert (chain["depth"], chain["total_count"], chain["root"]["id"]) == (0, 1, lone["id"])
    error(await fleet.on("A", lone, "delegate", {"content": "x", "assigned_to_agent_id": "B"}), 403)


async def test_34_a_holder_delegates_and_finishes_before_its_children(fleet: Fleet) -> None:
    made = await fleet.make()
    await fleet.take(made)
    child = (await fleet.on("A", made, "delegate", {"content": "c"})).json()
    assert (await fleet.on("A", made, "heartbeat", {})).status == 200
    assert (await fleet.on("A", made, "release", {})).json()["status"] == "delegated"
    assert (await fleet.on("A", made, "complete")).json()["completed"]
    assert (await fleet.show(child))["status"] == "open"
    other = await fleet.make()
    below = await fleet.make(parent_task_id=other["id"])
    assert (below["parent_task_id"], below["delegation_depth"]) == (other["id"], 1)
    assert (await fleet.show(other))["status"] == "open"


async def test_36_who_a_task_is_assigned_to(fleet: Fleet) -> None:
    made = await fleet.make()
    given = (await fleet.on("R", made, "", {"assigned_to_agent_id": "B"}, "PUT")).json()
    assert (given["assigned_to_agent"]["name"], given["assigned_to_agent_id"]) == ("B", "B")
    assert (await fleet.on("R", made, "", {"assigned_to_agent_id": None}, "PUT")).json()["assigned_to_agent_id"] is None
    error(await fleet.on("R", made, "", {"assigned_to_agent_id": "nobody"}, "PUT"), 404)
    error(await fleet.on("A", made, "", {"assigned_to_agent_id": "B"}, "PUT"), 403)
    error(await fleet.call("A", "POST", "/tasks", {"content": "x", "assigned_to_agent_id": "B"}), 403)
    assert (await fleet.make(assigned_to_agent_id="A"))["assigned_to_agent_id"] == "A"
    cleared = await fleet.make(description="d", due_date="2026-12-01", labels=["l"], priority=3)
    nothing = {"description": None, "due_date": None, "labels": None, "priority": None, "project_id": None}
    shown = (await fleet.on("A", cleared, "", nothing, "PATCH")).json()
    assert [shown[name] for name in nothing] == [None, None, [], 1, None]
    assert (await fleet.on("A", cleared, "", {"completed": True}, "PUT")).json()["completed"]
    assert not (await fleet.on("A", cleared, "", {"completed": False}, "PUT")).json()["completed"]


async def test_37_a_link_is_there_once(fleet: Fleet) -> None:
    made = await fleet.make()
    document = {"kind": "pr", "repo": "o/r", "ref": "5", "url": None}
    first, again = [await fleet.on("A", made, "links", document) for _ in range(2)]
    assert (first.status, again.status, again.json()) == (201, 200, first.json())
    assert first.json().keys() >= {"id", "task_id", "kind", "repo", "ref", "url", "created_by_agent_id", "created_at"}
    path = f"/tasks/{made['id']}/links"
    assert await fleet.ok("A", "GET", path) == [first.json()]
    for wrong in ({"kind": "foo", "ref": "x"}, {"kind": "url", "ref": "x", "url": "ftp://x"}, {"kind": "pr"}):
        error(await fleet.call("A", "POST", path, wrong), 400)
    await fleet.ok("A", "DELETE", f"{path}/{first.json()['id']}")
    assert await fleet.ok("A", "GET", path) == []


async def test_38_and_39_stats_and_usage(fleet: Fleet) -> None:
    await fleet.make(due_date=in_days(fleet, -1))
    await fleet.make("B")
    done = await fleet.make()
    await fleet.on("A", done, "complete")
    stats = await fleet.ok("R", "GET", "/stats")
    for name, expected in {
        "total": 3, "total_tasks": 3, "pending_tasks": 2, "completed_tasks": 1, "total_completed": 1,
        "completed_today": 1, "due_today": 0, "overdue": 1, "upcoming": 0, "claimed": 0, "by_project": {"Inbox": 2},
    }.items():  # fmt: skip
        assert stats[name] == expected, name
    assert stats["total_agents"] == stats["active_agents"] == 5
    own = await fleet.ok("A", "GET", "/stats")
    assert (own["total"], own["pending_tasks"], own["completed_today"]) == (2, 1, 1)
    fleet.clock.advance(86_400)
    assert (await fleet.ok("R", "GET", "/stats"))["completed_today"] == 0
    usage = await fleet.ok("A", "GET", "/usage")
    assert (usage["plan"], usage["task_limit"], usage["task_count_month"]) == ("self-hosted", None, 3)
    assert "rate_limit_rpm" not in usage


async def test_40_what_needs_attention(fleet: Fleet) -> None:
    quiet = await fleet.ok("R", "GET", "/fleet/attention")
    assert (quiet["count"], set(quiet["buckets"])) == (
        0, {"abandoned_claims", "silent_holders", "errored", "waiting_input", "overdue", "looping"},
    )  # fmt: skip
    errored, abandoned = [await fleet.make() for _ in range(2)]
    late = await fleet.make("B", due_date=in_days(fleet, -1))
    await fleet.take(abandoned, lease_seconds=30)
    fleet.clock.advance(31)
    await fleet.take(errored, "B")
    await fleet.on("B", errored, "state", {"state": "errored", "detail": "boom"})
    told = await fleet.ok("R", "GET", "/fleet/attention")
    found = {name: [task["id"] for task in tasks] for name, tasks in told["buckets"].items() if tasks}
    assert found == {
        "errored": [errored["id"]], "abandoned_claims": [abandoned["id"]], "overdue": [late["id"]],
    }  # fmt: skip
    assert told["count"] == 3
    assert told["buckets"]["errored"][0]["session_state_detail"] == "boom"
    assert (await fleet.ok("A", "GET", "/fleet/attention"))["count"] == 2
    held = await fleet.make()
    await fleet.take(held, lease_seconds=3600)
    fleet.clock.advance(601)
    silent = (await fleet.ok("R", "GET", "/fleet/attention"))["buckets"]["silent_holders"]
    assert [task["id"] for task in silent] == [held["id"]]
    for _ in range(3):
        await fleet.on("A", held, "release")
        await fleet.take(held)
    looping = (await fleet.ok("R", "GET", "/fleet/attention"))["buckets"]["looping"]
    assert [task["id"] for task in looping] == [held["id"]]


async def test_41_agents(fleet: Fleet) -> None:
    made = await fleet.call("R", "POST", "/agents", {"name": "n", "role": "worker", "display_name": "Nan"})
    assert made.status == 201
    agent = made.json()
    assert agent["api_key"].startswith("dlg_") and len(agent["api_key"]) > 40
    assert [agent[name] for name in ("role", "permissions", "is_admin", "active")] == ["worker", [], False, True]
    fleet.keys["n"] = agent["api_key"]
    assert (await fleet.ok("n", "GET", "/agent/me"))["name"] == "n"
    error(await fleet.call("R", "POST", "/agents", {"name": "n"}), 409)
    error(await fleet.call("A", "POST", "/agents", {"name": "m"}), 403)
    for wrong in (
        {},
        {"name": "a/b"},
        {"name": "m", "role": "boss"},
        {"name": "m", "role": "worker", "permissions": []},
    ):
        error(await fleet.call("R", "POST", "/agents", wrong), 400)
    raised = await fleet.ok("R", "PUT", "/agents/n", {"role": "coordinator"})
    assert (raised["role"], raised["permissions"]) == ("coordinator", ["tasks.read_all", "tasks.comment_all"])
    assert (await fleet.ok("n", "PATCH", "/agents/n", {"display_name": "Nina"}))["display_name"] == "Nina"
    error(await fleet.call("n", "PUT", "/agents/n", {"role": "admin"}), 403)
    given = await fleet.make("R", assigned_to_agent_id="n")
    error(await fleet.call("R", "DELETE", "/agents/n"), 409)
    await fleet.ok("R", "PUT", f"/tasks/{given['id']}", {"assigned_to_agent_id": None})
    rotated = await fleet.ok("n", "POST", "/agents/n/rotate-key")
    error(await fleet.call("n", "GET", "/agent/me"), 401)
    fleet.keys["n"] = rotated["api_key"]
    assert (await fleet.ok("n", "GET", "/agent/me"))["agent"]["role"] == "coordinator"
    assert not (await fleet.ok("R", "PUT", "/agents/n", {"active": False}))["active"]
    error(await fleet.call("n", "GET", "/agent/me"), 401)
    await fleet.ok("R", "DELETE", "/agents/n")
    error(await fleet.call("R", "GET", "/agents/n"), 404)
    error(await fleet.call("R", "DELETE", "/agents/R"), 409)


async def test_41_the_directory_tells_less_to_others_than_admins(fleet: Fleet) -> None:
    brief = await fleet.ok("A", "GET", "/agents")
    whole = await fleet.ok("R", "GET", "/agents")
    assert {agent["name"] for agent in brief} == {agent["name"] for agent in whole} == {"A", "B", "C", "R", "admin"}
    assert all(set(one) == {"id", "name", "display_name", "role", "active", "last_seen_at"} for one in brief)
    assert all("open_task_count" in one and "api_key" not in one for one in whole)
    error(await fleet.call("A", "GET", "/agents/B"), 403)
    assert (await fleet.ok("A", "GET", "/agents/A"))["is_admin"] is False


async def test_projects_are_the_decks(fleet: Fleet) -> None:
    made = await fleet.ok("R", "POST", "/projects", {"name": "My Project", "emoji": "x"})
    assert (made["id"], made["name"]) == ("my-project", "My Project")
    error(await fleet.call("A", "POST", "/projects", {"name": "x"}), 403)
    error(await fleet.call("R", "POST", "/projects", {"name": "my project"}), 409)
    task = await fleet.make(project_id="my-project")
    moved = await fleet.ok("A", "PUT", f"/tasks/{task['id']}", {"project_id": None})
    assert moved["project_id"] is None
    assert await fleet.listed("A", "?project_id=my-project") == []
    error(await fleet.call("A", "POST", "/tasks", {"content": "x", "project_id": "none"}), 404)
    assert (await fleet.ok("R", "PUT", "/projects/my-project", {"name": "Renamed"}))["name"] == "Renamed"
    assert [each["id"] for each in await fleet.ok("A", "GET", "/projects")] == ["my-project"]
    error(await fleet.call("R", "DELETE", "/projects/my-project"), 409)


async def test_duplicates_and_recall(fleet: Fleet) -> None:
    made = await fleet.make(content="Fix the login page")
    await fleet.make("B", content="Fix the login page")
    found = await fleet.ok("A", "POST", "/tasks/dedup", {"content": "task: fix the login page"})
    assert [match["task_id"] for match in found["matches"]] == [made["id"]]
    assert (await fleet.ok("A", "POST", "/tasks/dedup", {"content": "Water the plants"}))["has_duplicates"] is False
    error(await fleet.call("A", "POST", "/tasks/dedup", {"content": " "}), 400)
    error(await fleet.call("A", "POST", "/tasks/dedup", {"content": "x", "threshold": 2}), 400)
    reply = await fleet.call("A", "POST", "/tasks", {"content": "Fix the login page"}, {"X-Dedup-Check": "true"})
    error(reply, 409)
    assert [match["task_id"] for match in reply.json()["matches"]] == [made["id"]]
    path = f"/tasks/{made['id']}/context"
    await fleet.ok("A", "PATCH", path, {"engine": {"name": "postgres"}})
    await fleet.ok("A", "PATCH", path, {"engine": {"name": "sqlite"}})
    (hit,) = (await fleet.ok("A", "GET", "/context/search?q=sqlite"))["results"]
    assert (hit["task_id"], hit["key"], hit["value"]) == (made["id"], "engine", {"name": "sqlite"})
    assert (await fleet.ok("A", "GET", "/context/search?q=postgres"))["count"] == 0
    old = await fleet.ok("A", "GET", "/context/search?q=postgres&include_superseded=true")
    assert old["results"][0]["superseded_at"] is not None
    assert (await fleet.ok("B", "GET", "/context/search?q=sqlite"))["count"] == 0


async def test_recall_finds_what_has_some_of_the_words_and_only_what_is_ones_own(fleet: Fleet) -> None:
    mine, theirs = await fleet.make("A"), await fleet.make("B")
    for task, by, text in ((mine, "A", "auth tokens expire after a day"), (theirs, "B", "auth tokens never expire")):
        await fleet.on(by, task, "context", {"decision": text}, "PATCH")
    for _ in range(3):
        await fleet.on("B", theirs, "context", {"decision": "auth tokens live long"}, "PATCH")
    found = await fleet.ok("A", "GET", "/context/search?q=token%20auth%20tokens%20expiry%20policy&limit=1")
    assert [(one["task_id"], one["key"]) for one in found["results"]] == [(mine["id"], "decision")]
    whole = await fleet.ok("R", "GET", "/context/search?q=auth%20day&include_superseded=true")
    assert (whole["count"] > 1, whole["results"][0]["task_id"]) == (True, mine["id"])


async def test_people_read_what_projects_and_agents_are_called(fleet: Fleet) -> None:
    project = await fleet.ok("R", "POST", "/projects", {"name": "My Web"})
    task = await fleet.make(project_id=project["id"])
    shown = await fleet.show(task)
    for told in (task, shown):
        assert (told["project_id"], told["project_name"], told["project"]["name"]) == ("my-web", "My Web", "My Web")
    assert (await fleet.ok("R", "GET", "/stats"))["by_project"] == {"My Web": 1}
    await fleet.ok("A", "PUT", "/agents/A", {"display_name": "Ann"})
    assert (await fleet.ok("A", "GET", "/agent/me"))["agent"]["display_name"] == "Ann"
    assert (await fleet.on("A", task, "comments", {"content": "c"})).json()["author"] == "Ann"


async def test_what_one_does_not_see_is_denied_in_the_words_for_what_there_is_not(fleet: Fleet) -> None:
    unseen, none = (await fleet.make("A"))["id"], "0" * 32
    for method, path in (("GET", ""), ("GET", "/links"), ("PUT", ""), ("DELETE", ""), ("POST", "/complete")):
        told = [error(await fleet.call("B", method, f"/tasks/{ref}{path}"), 404) for ref in (unseen, none)]
        assert told[0].replace(unseen, none) == told[1], path
    assert "not found" in error(await fleet.call("B", "POST", f"/tasks/{none}/claim"), 404)
    assert "a/b c?" in error(await fleet.call("B", "GET", "/tasks/a%2Fb%20c%3F"), 404)
