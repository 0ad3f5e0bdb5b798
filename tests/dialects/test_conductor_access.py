"""Conductor's human tasks: the acceptance list, items 34, 37 to 40: tokens, bodies, the second row of calls, others."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from office import GROUP, INPUT, JANE, JOHN, JOHN_USER, SAM, TASKS, TEMPLATE, Office, opened_office, user
from race import TASKS as MANY
from race import race


@pytest.fixture
async def office(speaking: Any) -> AsyncIterator[Office]:
    async with opened_office(speaking) as opened:
        yield opened


async def _exchange(office: Office, key: str, secret: str, **more: Any) -> Any:
    """Ask for a token, with one that means nothing on the way."""
    return await office.call("POST", "/api/token", {"keyId": key, "keySecret": secret, **more}, token="x.y.z")


async def test_34_tokens_are_exchanged(office: Office) -> None:
    reply = await _exchange(office, JANE, office.tokens[JANE])
    token = reply.json()["token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (JANE, 3600)
    who = (await office.call("GET", "/api/token/userInfo", token=token)).json()
    assert (who["id"], who["groups"], who["roles"][0]["name"]) == (JANE, [{"id": GROUP}], "USER")
    told = (await office.call("GET", "/api/token/userInfo?claims=true", token=f"Bearer {token}")).json()
    assert (told["user"], told["claims"]["sub"]) == (who, JANE)
    assert (await office.native.call("GET", "/v1/me", token=token)).status == 401
    task = await office.loan()
    claimed = await office.call("POST", f"{TASKS}/{task}/claim", token=token)
    assert claimed.json()["claimant"] == user(JANE)
    for wrong in ((JANE, "wrong"), (SAM, office.tokens[JANE]), ("", "")):
        assert (await _exchange(office, *wrong)).status == 401
    endless = (await _exchange(office, JANE, office.tokens[JANE], expiration=-1)).json()["token"]
    office.clock.advance(3601)
    reply = await office.call("POST", f"{TASKS}/search", {}, token=token)
    assert (reply.status, reply.json()["error"]) == (401, "EXPIRED_TOKEN")
    assert (await office.call("POST", f"{TASKS}/search", {}, token=endless)).status == 200
    reply = await office.call("POST", f"{TASKS}/search", {}, token="garbage")
    assert (reply.status, reply.json()["status"], reply.json()["error"]) == (403, 403, "INVALID_TOKEN")
    reply = await office.call("POST", f"{TASKS}/search", {}, as_=None)
    assert (reply.status, reply.json()["error"]) == (401, "UNAUTHORIZED")
    number = next(t["id"] for t in (await office.native.get("/v1/tokens"))["tokens"] if t["principal"] == JANE)
    await office.native.delete(f"/v1/tokens/{number}")
    assert (await office.call("POST", f"{TASKS}/search", {}, token=endless)).json()["error"] == "INVALID_TOKEN"


async def test_35_who_names_itself_is_believed_where_the_dialect_is_open(speaking: Any) -> None:
    async with opened_office(speaking, opened=True) as office:
        task = await office.loan(JANE)
        assert (await office.call("POST", f"{TASKS}/search", {}, as_=None)).json()["totalHits"] == 1
        token = (await office.call("POST", "/api/token", {"keyId": "new@acme.com", "keySecret": "x"}, as_=None)).json()
        again = (await office.call("POST", "/api/token", {"keyId": "new@acme.com", "keySecret": "y"}, as_=None)).json()
        claimed = await office.call("POST", f"{TASKS}/{task}/claim?overrideAssignment=true", token=token["token"])
        assert claimed.json()["claimant"] == user("new@acme.com")
        jane = (await office.call("POST", "/api/token", {"keyId": JANE, "keySecret": "x"}, as_=None)).json()["token"]
        assert (await office.call("GET", "/api/token/userInfo", token=jane)).json()["roles"][0]["name"] == "USER"
        assert (await office.call("GET", "/api/token/userInfo", token=again["token"])).json()["id"] == "new@acme.com"
        assert (await office.call("POST", "/api/token", {"keyId": " "}, as_=None)).status == 400
        owners = [t["principal"] for t in (await office.native.get("/v1/tokens"))["tokens"]]
        assert owners.count("new@acme.com") == 1
        # nobody knows that token's secret: the last admin is not one of these
        assert {
            t["role"] for t in (await office.native.get("/v1/tokens"))["tokens"] if t["principal"] == owners[-1]
        } == {"operator"}


async def test_37_bodies_that_come_in_pieces(office: Office) -> None:
    task, held = await office.loan(JOHN), await office.plain()
    await office.claim(held)

    async def pieces(document: Any) -> AsyncIterator[bytes]:
        text = json.dumps(document).encode()
        for at in range(0, len(text), 7):
            yield text[at : at + 7]

    template = {**TEMPLATE, "name": "Pieces"}
    for path, document in (
        (f"{TASKS}/{held}/update", {"text": "x" * 100}),
        (f"{TASKS}/search", {"states": ["ASSIGNED"]}),
        ("/api/human/template", template),
        (f"{TASKS}/{task}/reassign", [{"assignee": user(JANE)}]),
    ):
        reply = await office.call("POST", path, data=pieces(document))
        assert reply.status == 200, (path, reply)
    assert (await office.entry(held))["output"] == {"text": "x" * 100}
    assert (await office.entry(task))["assignee"] == user(JANE)


async def test_38_by_workflow_and_reference(office: Office) -> None:
    loose, bound = await office.loan(JOHN), await office.loan(JOHN, run="wf 7")
    for task in (loose, bound):
        entry = await office.entry(task)
        step = (await office.call("GET", f"{TASKS}/{task}/conductorTask")).json()
        assert (step["taskType"], step["status"], step["endTime"], step["seq"]) == ("HUMAN", "IN_PROGRESS", 0, 1)
        assert (step["inputData"], step["workflowInstanceId"]) == (entry["input"], entry["workflowId"])
        assert step["workflowTask"]["inputParameters"] == INPUT
        query = {"workflowId": entry["workflowId"], "taskRefName": "human_ref", "iteration": ["1", "2"]}
        path = f"{TASKS}/update/taskRef"
        assert (await office.call("PUT", path, {"comments": "c"}, params=query)).void
        done = await office.call("POST", path, {"approve": "No"}, params=query | {"complete": "true"})
        assert done.void
        entry = await office.entry(task)
        assert (entry["state"], entry["output"]) == ("COMPLETED", {"comments": "c", "approve": "No"})
        assert (await office.call("POST", path, {}, params=query | {"complete": "true"})).status == 400
        assert (await office.call("POST", path, {}, params=query | {"taskRefName": "other"})).status == 404
        assert (await office.call("POST", path, {}, params={"workflowId": entry["workflowId"]})).status == 400
    assert (await office.call("GET", f"{TASKS}/{loose}/conductorTask")).json()["status"] == "COMPLETED"
    assert (await office.call("GET", f"{TASKS}/7c1f0000-0000-4000-8000-000000000000/conductorTask")).status == 400
    names = f"{TASKS}/getTaskDisplayNames"
    assert (await office.call("GET", names)).status == 400
    assert (await office.call("GET", f"{names}?searchType=ADMIN")).json() == ["LoanApproval"]
    assert (await office.call("GET", f"{names}?searchType=ADMIN", as_=SAM)).json() == []
    assert (await office.call("GET", f"{TASKS}/backPopulateFullTextIndex?100=5")).json() == {}


async def test_39_deleting(office: Office) -> None:
    task = await office.loan(JANE, by=SAM)
    path = f"{TASKS}/delete"
    assert (await office.call("DELETE", f"{path}/{task}", as_=JANE)).status == 403
    assert (await office.call("DELETE", f"{path}/{task}", as_=SAM)).void
    assert (await office.entry(task))["state"] == "DELETED"
    assert await office.found() == set()
    assert await office.found(states=["DELETED"]) == {task}
    assert (await office.call("DELETE", f"{path}/{task}", as_=SAM)).status == 400
    assert (await office.claim(task)).status == 400
    others = [await office.loan(), await office.loan()]
    assert (await office.call("DELETE", path, [others[0], JANE], as_=SAM)).status == 403
    assert (await office.call("DELETE", path, [*others, task, "7c1f0000-0000-4000-8000-000000000000"])).void
    assert await office.found(states=["DELETED"]) == {task, *others}


async def test_40_a_human_task_among_others(office: Office) -> None:
    task = await office.loan()
    nothing = await office.native.post("/v1/claims", {"worker": "agent"})
    assert nothing["claims"] == []
    await office.claim(task)
    office.clock.advance(100_000_000)
    await office.native.tick()
    assert (await office.entry(task))["state"] == "IN_PROGRESS"
    (lease,) = (await office.native.get("/v1/leases"))["leases"]
    assert (lease["worker"], lease["expires_at"], lease["via"], lease["lapsed"]) == (JOHN, None, "conductor", False)
    (event,) = await office.native.events(type="task.claimed")
    assert (event["actor"], event["worker"], event["changes"]["claim"]["claimed_at"]) == (JOHN, JOHN, event["at"])
    workers = {worker["id"]: worker for worker in (await office.native.get("/v1/workers"))["workers"]}
    assert (workers[JOHN]["kind"], workers[JOHN]["via"]) == ("human", "conductor")


async def test_what_was_done_by_the_decks_own_api_shows_here(office: Office) -> None:
    plain = await office.native.create("Sum up", payload=[1, 2], priority=90)
    entry = await office.entry(plain["id"])
    assert (entry["state"], entry["displayName"], entry["taskRefName"]) == ("ASSIGNED", "Sum up", "sum_up_ref")
    assert (entry["input"]["value"], entry["workflowName"], entry["createdBy"]) == ([1, 2], "default", "admin")
    assert entry["humanTaskDef"]["assignments"] == []
    held = await office.native.claim("bot-1", task=plain["key"], lease_seconds=5)
    entry = await office.entry(plain["id"])
    assert (entry["state"], entry["claimant"]) == ("IN_PROGRESS", user("bot-1"))
    office.clock.advance(6)
    entry = await office.entry(plain["id"])
    actions = [one["action"] for one in entry["input"]["__humanTaskProcessContext"]["humanTaskActionLogs"]]
    assert (entry["state"], "claimant" in entry) == ("ASSIGNED", False)
    assert actions == ["ASSIGNMENTS_COMPLETED", "CLAIM", "RELEASE", "ASSIGNMENTS_COMPLETED"]
    assert (await office.claim(plain["id"], as_=SAM)).json()["claimant"] == user(SAM)
    late = await office.native.call("POST", f"/v1/tasks/{plain['id']}/complete", {"fence": held["fence"]})
    assert late.code == "stale_fence"
    await office.call("POST", f"{TASKS}/{plain['id']}/update?complete=true", {"sum": 3}, as_=SAM)
    done = await office.native.get(f"/v1/tasks/{plain['id']}")
    assert (done["state"], done["result"], done["completed_by"]["worker"]) == ("done", {"sum": 3}, SAM)
    waiting = await office.native.create("Then", depends_on=[plain["id"]])
    blocked = await office.native.create("Later", depends_on=[waiting["id"]], assignee=JANE)
    entry = await office.entry(blocked["id"])
    assert (entry["state"], entry["input"]["__humanTaskProcessContext"]["humanTaskActionLogs"]) == ("PENDING", [])
    taken = await office.native.claim("bot-1", task=waiting["id"])
    await office.native.post(f"/v1/tasks/{waiting['id']}/complete", {"fence": taken["fence"], "result": "text"})
    entry = await office.entry(blocked["id"])
    assert (entry["state"], entry["assignee"]) == ("ASSIGNED", user(JANE))
    assert (await office.entry(waiting["id"]))["output"] == {"value": "text"}
    await office.native.post("/v1/workers", {"id": "bot-2"})
    reason = {"reason": "r", "worker": "bot-2"}
    task = await office.loan(JOHN)
    await office.claim(task)
    await office.native.post(f"/v1/tasks/{task}/override", reason)
    assert (await office.entry(task))["claimant"] == user("bot-2")
    await office.native.post(f"/v1/tasks/{task}/override", {"reason": "r", "assignee": JANE})
    entry = await office.entry(task)
    assert (entry["assignee"], "claimant" in entry) == (user(JANE), False)


async def test_only_what_is_for_people_is_shown_where_the_operator_says_so(speaking: Any) -> None:
    async with opened_office(speaking, conductor={"scope": "human"}) as office:
        await office.native.create("for agents")
        task = await office.loan(JOHN)
        assert await office.found() == {task}


async def test_many_claimers_each_get_their_own(office: Office) -> None:
    wish = {"title": "t", "capabilities": ["human"]}
    made = await office.native.post("/v1/tasks", {"tasks": [wish] * MANY})
    left = [task["id"] for task in made["tasks"]]
    refused = 0

    async def claim(number: int) -> str | None:
        nonlocal refused
        while left:
            task = left[number % min(len(left), 32)]  # several at once for the same one
            reply = await office.claim(task, as_=(JOHN, JANE, SAM)[number % 3])
            if task in left:
                left.remove(task)
            if reply.status == 200:
                return str(reply.json()["taskId"])
            assert (reply.status, "already" in reply.json()["message"] or "held" in reply.json()["message"]) == (
                400,
                True,
            )
            refused += 1
        return None

    given = await race(claim)
    assert len(given) == len(set(given)) == MANY
    assert refused > 0


async def test_what_is_not_there_is_said_in_conductors_words(office: Office) -> None:
    for method, path, status in (
        ("GET", "/api/human/tasks", 404),
        ("GET", "/api/nothing", 404),
        ("GET", f"{TASKS}/search", 404),
        ("PATCH", f"{TASKS}/x/update", 405),
        ("POST", f"{TASKS}/x/complete", 404),
    ):
        reply = await office.call(method, path)
        assert (reply.status, reply.json()["status"]) == (status, status), path
        assert isinstance(reply.json()["message"], str)
    reply = await office.call("GET", f"{TASKS}/x", base=office.spoken.below)
    assert reply.status == 404
    below = await office.call("POST", f"{TASKS}/search", {}, base=office.spoken.below)
    assert below.json()["results"] == []
    async with asyncio.timeout(10):
        large = await office.call("POST", f"{TASKS}/search", data=io.BytesIO(b"x" * (20 << 20)))
    assert large.status == 413


async def test_07_john_is_named_when_it_is_his(office: Office) -> None:
    task = await office.loan(JOHN)
    await office.claim(task)
    message = (await office.claim(task, as_=JANE)).json()["message"]
    assert JOHN_USER["user"] in message
