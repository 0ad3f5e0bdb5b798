"""The client against a real deck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from taskdeck.app import RunningDeck, running_deck
from taskdeck.client import ApiError, Beat, Client, Unreachable, local
from taskdeck.config import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
async def deck(tmp_path: Path) -> AsyncIterator[RunningDeck]:
    async with running_deck(Settings(data=tmp_path / "data", port=0)) as running:
        yield running


@pytest.fixture
async def client(deck: RunningDeck) -> AsyncIterator[Client]:
    async with local(deck.data) as connected:
        yield connected


async def test_a_task_through_its_life(client: Client) -> None:
    task = await client.create(title="t", labels=["a"], payload={"n": 1})
    claimed = (await client.claim("w", task=task["key"], lease_seconds=30))["claims"][0]
    beat = await client.heartbeat(task["id"], claimed["fence"], progress=10)
    assert beat["fence"] == claimed["fence"]
    done = await client.complete(task["number"], claimed["fence"], {"ok": True})
    assert (done["state"], done["result"]) == ("done", {"ok": True})
    events = (await client.task_events(task["key"]))["events"]
    assert [event["type"] for event in events] == [
        "task.created",
        "task.claimed",
        "task.heartbeat",
        "task.completed",
    ]


async def test_every_other_verb_reaches_its_route(client: Client) -> None:
    await client.create_project("p", prefix="P")
    first, second, third = await client.create_many({"title": f"t{i}", "project": "p"} for i in range(3))
    ref = first["id"]
    assert (await client.edit(ref, title="new"))["title"] == "new"
    assert (await client.reprioritize(ref, 90))["priority"] == 90
    assert (await client.assign(ref, "w"))["assignee"] == "w"
    assert (await client.explain(ref, "w"))["claimable"]
    assert (await client.cancel(ref, "why"))["state"] == "cancelled"
    assert (await client.retry(ref))["state"] == "ready"
    fence = (await client.claim("w", task=ref))["claims"][0]["fence"]
    assert [lease["task"]["id"] for lease in (await client.leases())["leases"]] == [ref]
    await client.register_worker("v")
    assert (await client.override(ref, "stuck", worker="v"))["claim"]["worker"] == "v"
    with pytest.raises(ApiError) as stale:
        await client.release(ref, fence)
    assert (stale.value.status, stale.value.code) == (409, "stale_fence")
    assert stale.value.problem["task"]["worker"] == "v"
    claimed = (await client.claim("w", task=second["id"]))["claims"][0]
    assert (await client.fail(second["id"], claimed["fence"], "broke", retry=False))["state"] == "failed"
    claimed = (await client.claim("w", task=third["id"]))["claims"][0]
    assert (await client.release(third["id"], claimed["fence"], note="n"))["state"] == "ready"
    assert await client.delete(third["id"]) == {"deleted": third["key"]}
    assert (await client.pause("p", "deploy"))["paused"]["reason"] == "deploy"
    assert (await client.resume("p"))["paused"] is None
    assert (await client.edit_project("p", lease_seconds=77))["lease_seconds"] == 77
    assert (await client.project("p"))["lease_seconds"] == 77
    assert "p" in [project["name"] for project in await client.projects()]


async def test_what_is_said_beside_a_task(client: Client) -> None:
    ref = (await client.create(title="t"))["key"]
    said = await client.comment(ref, "hm", byline="me")
    assert (await client.edit_comment(ref, said["id"], "well"))["text"] == "well"
    assert [one["text"] for one in (await client.comments(ref, limit=5))["comments"]] == ["well"]
    assert await client.delete_comment(ref, said["id"]) == {"deleted": said["id"]}
    known = await client.change_context(ref, {"a": {"x": 1}}, source="stated")
    assert await client.context(ref) == known
    assert (await client.retract(ref, "a"))["provenance"]["a"]["retracted"]["by"] == known["provenance"]["a"]["author"]
    assert len((await client.context_history(ref, key="a"))["entries"]) == 2
    await client.comment(ref, "a heron stands there")
    assert [find["part"] for find in await client.search("HERON", parts=["comment", "context"])] == ["comment"]
    made = await client.link(ref, "pr", "5", repository="o/r")
    assert await client.link(ref, "pr", "5", repository="o/r") == made
    assert await client.links(ref) == [made]
    assert await client.unlink(ref, made["id"]) == {"deleted": made["id"]}
    attached = await client.attach(ref, "a/b c?", value=[1])
    assert await client.attachments(ref) == [attached] == [await client.attachment(ref, "a/b c?")]
    assert await client.detach(ref, "a/b c?") == {"deleted": "a/b c?"}


async def test_webhooks_reach_their_routes(client: Client) -> None:
    made = await client.create_webhook("https://localhost/hook", ["task.*"], description="d")
    number = made["webhook"]["id"]
    assert made["secret"].startswith("whsec_")
    assert [one["id"] for one in await client.webhooks()] == [number]
    assert (await client.edit_webhook(number, events=["worker.*"]))["events"] == ["worker.*"]
    assert (await client.rotate_webhook(number, overlap_seconds=5))["secret"] != made["secret"]
    assert (await client.webhook(number))["description"] == "d"
    assert await client.deliveries(number, limit=5) == {"deliveries": [], "next_cursor": None}
    with pytest.raises(ApiError) as unknown:
        await client.redeliver(number, "none")
    assert unknown.value.code == "unknown_delivery"
    assert await client.delete_webhook(number) == {"deleted": number}


async def test_sources_reach_their_routes(client: Client) -> None:
    made = await client.create_source("hub", {"title": "{{ t }}"}, scheme="github", per_minute=5)
    assert [one["name"] for one in await client.sources()] == ["hub"]
    assert (await client.edit_source("hub", active=False))["active"] is False
    assert (await client.rotate_source("hub", overlap_seconds=5))["secret"] != made["secret"]
    assert (await client.source("hub"))["per_minute"] == 5
    assert await client.delete_source("hub") == {"deleted": "hub"}


async def test_workers_tokens_and_the_view_of_all(client: Client) -> None:
    await client.register_worker("w@host", kind="human", capabilities=["x"])
    assert (await client.worker_heartbeat("w@host", detail="here"))["detail"] == "here"
    assert (await client.drain_worker("w@host"))["draining"]
    assert [worker["id"] for worker in await client.workers()] == ["w@host"]
    assert (await client.worker("w@host"))["metrics"]["claims"] == 0
    assert (await client.record_session("w@host", "s", client="c"))["status"] == "active"
    assert [s["session"] for s in (await client.sessions("w@host", open=True))["sessions"]] == ["s"]
    assert (await client.leave("w@host"))["released"] == []
    assert await client.delete_worker("w@host") == {"deleted": "w@host"}
    made = await client.create_token("bot", "reader")
    listed = await client.tokens()
    assert made["token"]["id"] in [token["id"] for token in listed]
    await client.revoke_token(made["token"]["id"])
    assert (await client.me())["role"] == "admin"
    assert (await client.stats())["last_seq"] == (await client.events(before=2**53, limit=1))["events"][0]["seq"]


async def test_tasks_are_paged_with_filters_as_lists(client: Client) -> None:
    await client.create_many({"title": f"t{i}"} for i in range(5))
    first = await client.tasks(state=["ready", "done"], limit=3)
    rest = await client.tasks(state=["ready", "done"], limit=3, cursor=first["next_cursor"])
    assert [task["title"] for task in first["tasks"] + rest["tasks"]] == ["t4", "t3", "t2", "t1", "t0"]
    assert rest["next_cursor"] is None


async def test_the_stream_resumes_where_it_was_left(client: Client) -> None:
    await client.create(title="one")
    await client.create(title="two")
    everything = (await client.events(after=0))["events"]
    async with asyncio.timeout(10):
        seen = []
        async for item in client.stream(everything[0]["seq"]):
            if not isinstance(item, Beat):
                seen.append(item)
            if len(seen) == len(everything) - 1:
                break
    assert seen == everything[1:]


async def test_the_stream_brings_what_happens_now(client: Client) -> None:
    stream = client.stream()
    async with asyncio.timeout(10):
        assert isinstance(await anext(stream), Beat)
        task = await client.create(title="now")
        async for item in stream:
            if not isinstance(item, Beat):
                assert (item["type"], item["task"]["key"]) == ("task.created", task["key"])
                break
    await stream.aclose()  # type: ignore[attr-defined]


async def test_over_tcp_a_token_is_needed_and_enough(deck: RunningDeck) -> None:
    async with Client(deck.url) as nobody:
        with pytest.raises(ApiError) as refused:
            await nobody.stats()
        assert (refused.value.status, refused.value.code) == (401, "unauthorized")
        with pytest.raises(ApiError):
            await anext(nobody.stream())
    async with Client(deck.url, token=(deck.data / "admin.token").read_text().strip()) as admin:
        assert (await admin.me())["role"] == "admin"


async def test_references_are_quoted_and_cannot_leave_their_place(client: Client) -> None:
    for ref in ("a/b", "x?y#z", "%2e%2e", "ü \u202e", "a" * 900):
        with pytest.raises(ApiError) as missing:
            await client.task(ref)
        assert missing.value.status in (404, 400, 422), ref
    for ref in ("", ".", ".."):
        with pytest.raises(ValueError, match="reference"):
            await client.task(ref)


async def test_a_deck_that_ended_is_named_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no deck serves"):
        local(tmp_path)
    async with running_deck(Settings(data=tmp_path / "data", port=0)) as deck:
        gone = local(deck.data)
    async with gone:
        with pytest.raises(Unreachable):
            await gone.stats()
    with pytest.raises(Unreachable, match="no deck serves"):
        local(tmp_path / "data")


async def test_what_is_asked_of_a_closed_client_opens_no_connection(deck: RunningDeck) -> None:
    """What comes late, such as what is read while the dashboard ends, leaves nothing open."""
    connected = local(deck.data)
    async with connected:
        await connected.stats()
    with pytest.raises(Unreachable, match="closed"):
        await connected.stats()
    with pytest.raises(Unreachable, match="closed"):
        await anext(connected.stream())
    async with connected:
        assert (await connected.stats())["draining"] is False
