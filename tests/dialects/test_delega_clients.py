"""The Delega dialect beside other ways in: its page's examples, other dialects, the race, its Python SDK."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import delega
import pytest
from delega_fleet import Fleet, error
from race import CLAIMERS, TASKS, race
from support.api import Api

PAGE = json.loads((Path(__file__).parent / "delega" / "pages.json").read_text())


async def _queue(fleet: Fleet) -> dict[str, Any]:
    """A queue of one task for each thing that the page speaks of, by content."""
    await fleet.ok("R", "POST", "/projects", {"name": "web"})
    made = {
        "most urgent": await fleet.make("R", "most urgent", priority=4),
        "in web": await fleet.make("R", "in web", project_id="web"),
        "labelled": await fleet.make("R", "labelled", labels=["docs", "easy", "more"]),
        "half labelled": await fleet.make("R", "half labelled", labels=["docs"], priority=3),
        "plain": await fleet.make("R", "plain"),
        "completed": await fleet.make("R", "completed"),
        "another's": await fleet.make("R", "another's", assigned_to_agent_id="B", priority=4),
        "held": await fleet.make("R", "held"),
    }
    await fleet.on("R", made["completed"], "complete")
    await fleet.take(made["held"], "B")
    return made


@pytest.mark.parametrize("example", PAGE["examples"], ids=lambda example: json.dumps(example["request"]))
async def test_the_page_promises_and_the_dialect_keeps(fleet: Fleet, example: Any) -> None:
    queue = await _queue(fleet)
    target = f"/{queue[example['task']]['id']}" if "task" in example else ""
    reply = await fleet.call("A", "POST", f"/tasks{target}/claim", example["request"])
    if example["status"] != 200:
        error(reply, example["status"])
        return
    task = reply.json()["task"]
    if example["claims"] is None:
        assert (reply.status, task) == (200, None)
        return
    assert (reply.status, task["content"], task["status"]) == (200, example["claims"], "claimed")
    if "lease" in example:
        fleet.clock.advance(example["lease"] - 1)
        assert await _lives(fleet, task)
        fleet.clock.advance(2)
        assert not await _lives(fleet, task)


async def _lives(fleet: Fleet, task: Any) -> bool:
    """Whether A's claim stands in the way of others."""
    return (await fleet.on("C", task, "claim", {"lease_seconds": 30})).status == 409


@pytest.mark.parametrize("then", PAGE["then"], ids=lambda then: then["verb"])
async def test_what_the_page_says_comes_after_a_claim(fleet: Fleet, then: Any) -> None:
    await _queue(fleet)
    task = await fleet.claim()
    reply = await fleet.on("A", task, then["verb"], then["request"])
    assert (reply.status, reply.json()["status"]) == (200, then["status"])


async def test_tasks_cross_to_and_from_the_native_api(fleet: Fleet) -> None:
    native = await fleet.native.create("theirs", priority=80, labels=["x"], due="2030-01-01T12:00:00Z")
    claimed = await fleet.claim("A", labels=["x"])
    assert [claimed[name] for name in ("content", "priority", "due_date", "created_by_agent_id")] == [
        "theirs", 3, "2030-01-01", "admin",
    ]  # fmt: skip
    seen = await fleet.native.get(f"/v1/tasks/{native['key']}")
    assert (seen["state"], seen["claim"]["worker"], seen["claim"]["via"]) == ("claimed", "A", "delega")
    assert {w["id"]: w["via"] for w in (await fleet.native.get("/v1/workers"))["workers"]} == {"A": "delega"}
    assert (await fleet.on("A", claimed, "complete", {"evidence": [{"kind": "pr", "ref": "5"}]})).status == 200
    seen = await fleet.native.get(f"/v1/tasks/{native['key']}")
    assert (seen["state"], seen["proof"]["complete"]["evidence"][0]["ref"]) == ("done", "5")

    ours = await fleet.make("B", "ours", priority=4, context={"k": 1})
    held = await fleet.native.claim("w")
    assert (held["task"]["title"], held["task"]["priority"], held["task"]["claim"]["via"]) == ("ours", 95, "native")
    shown = await fleet.show(ours, "B")
    assert (shown["status"], shown["claimed_by_agent_id"]) == ("claimed", "w")
    assert "w holds" in error(await fleet.on("A", ours, "claim", {}), 409)
    await fleet.native.post(f"/v1/tasks/{held['task']['key']}/cancel")
    assert ((await fleet.show(ours, "B"))["status"], await fleet.listed("B")) == ("cancelled", [])


async def test_tasks_cross_to_another_dialect(fleet: Fleet) -> None:
    made = await fleet.make("A", "shared", priority=4)
    project = (await fleet.native.get("/v1/projects"))["projects"][0]
    main = f"{fleet.native.url}/stride"
    token = await fleet.native.token_for("agent", "stan", projects=[project["name"]])
    ok = {"exit_code": 0, "output": "ok", "duration_ms": 1}
    async with Api(main, token) as stride:
        reply = await stride.call("POST", "/api/tasks/claim", {"before_doing_result": ok, "agent_name": "Stan"})
        assert reply.status == 200, reply
        assert (reply.json()["data"]["title"], reply.json()["data"]["priority"]) == ("shared", "critical")
    shown = await fleet.show(made, "A")
    assert (shown["status"], shown["claimed_by_agent_id"]) == ("claimed", "Stan@stan")
    (native,) = (await fleet.native.get("/v1/tasks"))["tasks"]
    assert native["claim"]["via"] == "stride"


async def test_many_claimers_get_each_task_once(fleet: Fleet) -> None:
    await fleet.native.post("/v1/tasks", {"tasks": [{"title": str(number)} for number in range(TASKS)]})
    names = [f"n{number}" for number in range(CLAIMERS)]
    for name in names:
        fleet.keys[name] = await fleet.native.token_for("agent", name)

    async def claim(number: int) -> str | None:
        task = await fleet.claim(names[number])
        return None if task is None else str(task["content"])

    given = await race(claim)
    assert sorted(given, key=int) == [str(number) for number in range(TASKS)]


async def test_43_the_python_sdk_runs_its_whole_loop(fleet: Fleet) -> None:
    assert delega.__version__ == "0.6.5"

    def loop() -> None:
        client = delega.Delega(api_key=fleet.keys["A"], base_url=f"{fleet.url}/v1")
        made = client.tasks.create("write it", labels=["a b"], due_date="2026-12-01", description="d")
        assert (made.priority, made.labels, made.completed) == (2, ["a b"], False)
        assert [task.id for task in client.tasks.list(labels=["a b"])] == [made.id]
        task = client.tasks.claim(labels=["a b"], lease_seconds=60)
        assert task is not None and (task.id, task.claimed_by_agent_id) == (made.id, "A")
        assert client.tasks.heartbeat(task.id, lease_seconds=600).lease_expires_at > task.lease_expires_at
        assert client.tasks.set_state(task.id, "waiting_input", detail="key?").session_state == "waiting_input"
        assert client.tasks.update_context(task.id, {"a": 1}, expected_version=0) == {"a": 1}
        assert client.tasks.get_context(task.id, include_provenance=True).version == 1
        (entry,) = client.tasks.context_history(task.id).entries
        assert (entry.key, entry.value) == ("a", 1)
        assert client.tasks.supersede_context(task.id, "a").superseded_at is not None
        client.tasks.add_comment(task.id, "hm")
        (comment,) = client.tasks.list_comments(task.id)
        assert (comment.content, comment.task_id) == ("hm", task.id)
        link = client.tasks.add_link(task.id, "pr", "5", repo="o/r")
        assert [one.id for one in client.tasks.list_links(task.id)] == [link.id]
        client.tasks.delete_link(task.id, link.id)
        child = client.tasks.delegate(task.id, "part")
        assert client.tasks.chain(child.id).root_id == task.id
        assert client.tasks.find_duplicates("write it").has_duplicates
        assert client.tasks.release(task.id).status == "delegated"
        assert client.tasks.complete(child.id).completed
        again = client.tasks.claim(task_id=task.id)
        assert again is not None and client.tasks.complete(task.id).completed
        assert not client.tasks.uncomplete(task.id).completed
        assert client.usage()["plan"] == "self-hosted"
        assert client.me()["name"] == "A"
        assert client.tasks.complete(task.id).status == "completed"
        assert client.tasks.claim() is None
        with pytest.raises(delega.DelegaAPIError):
            client.tasks.heartbeat(task.id)

    await asyncio.to_thread(loop)


async def test_43_the_asynchronous_sdk_changes_a_task(fleet: Fleet) -> None:
    client = delega.AsyncDelega(api_key=fleet.keys["A"], base_url=f"{fleet.url}/v1")
    made = await client.tasks.create("x")
    assert (await client.tasks.update(made.id, content="y", priority=4)).content == "y"
    assert (await client.me())["name"] == "A"
    close = getattr(client, "aclose", None) or client.close
    await close()


async def test_43_the_sdk_administers(fleet: Fleet) -> None:
    def loop() -> None:
        client = delega.Delega(api_key=fleet.keys["R"], base_url=f"{fleet.url}")
        agent = client.agents.create("new", display_name="New", role="coordinator")
        assert agent.api_key is not None
        assert delega.Delega(api_key=agent.api_key, base_url=fleet.url).me()["role"] == "coordinator"
        assert client.agents.set_role("new", "worker").name == "new"
        assert "new" in [one.name for one in client.agents.list()]
        assert client.agents.rotate_key("new")["api_key"] != agent.api_key
        assert client.agents.delete("new")
        assert client.projects.list() == []

    await asyncio.to_thread(loop)
