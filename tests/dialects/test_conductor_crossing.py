"""Conductor beside another dialect and the deck's own API: one task in the words of each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from office import JOHN, SAM, TASKS, Office, opened_office, user
from stride.board import Board, board_on

from taskdeck.bench.dialects import conductor as load
from taskdeck.bench.line import Site
from taskdeck.client import Client


@pytest.fixture
async def office(speaking: Any) -> AsyncIterator[Office]:
    async with opened_office(speaking) as opened:
        yield opened


@pytest.fixture
async def board(office: Office) -> AsyncIterator[Board]:
    """Stride on the same deck."""
    made = await board_on(f"{office.spoken.running.url}/stride", office.native, office.clock)
    async with made.stride:
        yield made


async def test_a_task_made_by_stride_is_claimed_and_completed_here(office: Office, board: Board) -> None:
    made = await board.make("Look it over", priority="high")
    native = await office.native.get(f"/v1/tasks/{made['id']}")
    entry = (await office.claim(native["id"])).json()
    assert (entry["displayName"], entry["workflowName"]) == ("Look it over", "board")
    assert (entry["claimant"], entry["createdBy"]) == (user(JOHN), "ana-board")
    shown = (await board.ok("GET", f"/api/tasks/{made['id']}"))["data"]
    assert (shown["status"], shown["assigned_to_name"], shown["priority"]) == ("in_progress", JOHN, "high")
    assert (await board.finish(made)).status == 403
    held = await office.native.get(f"/v1/tasks/{made['id']}")
    assert (held["claim"]["via"], held["claim"]["expires_at"]) == ("conductor", None)
    await office.call("POST", f"{TASKS}/{native['id']}/update?complete=true", {"seen": True})
    assert (await board.ok("GET", f"/api/tasks/{made['id']}"))["data"]["status"] == "completed"
    assert (await office.native.get(f"/v1/tasks/{made['id']}"))["result"] == {"seen": True}


async def test_a_task_claimed_by_stride_shows_its_holder_here(office: Office, board: Board) -> None:
    made = await board.make("Build it")
    task = (await office.native.get(f"/v1/tasks/{made['id']}"))["id"]
    await board.claimed("A", agent_name="Claude Opus")
    entry = await office.entry(task)
    holder = user("Claude+Opus@ana-board")
    assert (entry["state"], entry["claimant"]) == ("IN_PROGRESS", holder)
    assert await office.found(claimants=[{"user": "Claude*"}]) == {task}
    assert (await office.claim(task, "?overrideAssignment=true")).status == 400
    await board.finish(made)
    done = await office.entry(task)
    assert (done["state"], done["claimant"], done["output"]["completion_summary"]) == ("COMPLETED", holder, "s")
    workers = {worker["id"]: worker["via"] for worker in (await office.native.get("/v1/workers"))["workers"]}
    assert workers == {"Claude+Opus@ana-board": "stride"}


async def test_what_is_for_people_is_no_other_dialects_next(office: Office, board: Board) -> None:
    wish = {"title": "Sign it", "capabilities": ["human"], "project": "board"}
    made = await office.native.post("/v1/tasks", wish, token=office.tokens[JOHN])
    assert (await board.claim("A")).status == 409
    assert (await office.claim(made["id"], as_=SAM)).status == 200
    shown = (await board.ok("GET", f"/api/tasks/{made['number']}"))["data"]
    assert (shown["human_task"], shown["status"], shown["assigned_to_name"]) == (True, "in_progress", SAM)
    assert (await office.call("POST", f"{TASKS}/{made['id']}/release", as_=SAM)).void
    entry = await office.entry(made["id"])
    assert [one["actedBy"] for one in entry["input"]["__humanTaskProcessContext"]["humanTaskActionLogs"]] == [
        "system", f"CONDUCTOR_USER:{SAM}", SAM, "system",
    ]  # fmt: skip


async def test_a_human_task_is_claimed_and_ended_by_the_decks_own_api(office: Office) -> None:
    task = await office.loan(JOHN)
    claim = await office.native.post("/v1/claims", {"worker": "desk", "task": task}, token=office.tokens[JOHN])
    fence = claim["claims"][0]["fence"]
    entry = await office.entry(task)
    assert (entry["state"], entry["claimant"]) == ("IN_PROGRESS", user("desk"))
    result = {"fence": fence, "result": {"approve": "No", "comments": "thin"}}
    await office.native.post(f"/v1/tasks/{task}/complete", result, token=office.tokens[JOHN])
    done = await office.entry(task)
    assert (done["state"], done["output"]["approve"], done["claimant"]) == ("COMPLETED", "No", user("desk"))
    failed = await office.loan(JOHN)
    claim = await office.native.post("/v1/claims", {"worker": "desk", "task": failed}, token=office.tokens[JOHN])
    wrong = {"fence": claim["claims"][0]["fence"], "error": "e", "retry": False}
    await office.native.post(f"/v1/tasks/{failed}/fail", wrong, token=office.tokens[JOHN])
    assert (await office.entry(failed))["state"] == "DELETED"


async def test_what_the_bench_sends_is_taken(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "STOCK", 2)
    monkeypatch.setattr(load, "MADE_AT_ONCE", 1)
    native = office.native
    host, _, port = native.url.removeprefix("http://").rpartition(":")
    site = Site(host, int(port), native.token or "")
    await native.post("/v1/projects", {"name": load.TASK["project"]})
    async with Client(native.url, token=native.token) as client:
        await load.prepare(site, client)
    await native.post("/v1/tasks", load.TASK)  # this one it must look for
    script, asked = load.cycles(site, 0), []
    ask = next(script)
    with pytest.raises(StopIteration):
        while True:
            head, _, body = ask.request.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            method, path, _ = first.split(" ")
            reply = await native.raw(method, path, body, dict(line.split(": ", 1) for line in lines))
            assert reply.status == 200, reply
            asked.append(ask.kind)
            ask = script.send(reply.body)
    assert (asked.count("claim"), asked.count("complete")) == (3, 3)
    done = (await native.get(f"/v1/tasks?project={load.TASK['project']}&state=done"))["tasks"]
    assert len(done) == 3
