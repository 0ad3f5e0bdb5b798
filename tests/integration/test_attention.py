"""What needs a human: every reason, in order, for those who may see it; and questions that get their answers."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.domain.attention import Need
from taskdeck.domain.clock import rfc3339


async def _items(api: Api, query: str = "", **more: Any) -> list[tuple[str, str | None]]:
    """Reason and task of what needs a human."""
    found = await api.get(f"/v1/attention{query}", **more)
    return [(item["reason"], item["task"] and item["task"]["key"]) for item in found["items"]]


async def _hold(api: Api, key: str, worker: str = "w", **claim: Any) -> int:
    """Create a task and claim it; its fence."""
    await api.create(f"title of {key}", key=key)
    return int((await api.claim(worker, task=key, **claim))["fence"])


async def _beat(api: Api, key: str, fence: int = 1, **fields: Any) -> Any:
    return await api.post(f"/v1/tasks/{key}/heartbeat", {"fence": fence, **fields})


async def test_nothing_needs_anybody_while_all_is_well(api: Api, clock: FakeClock) -> None:
    await _hold(api, "HELD")
    await api.create(key="READY", due=rfc3339(clock.now_ms() + 1000))
    await api.post("/v1/projects/default/pause")
    found = await api.get("/v1/attention")
    assert (found["items"], set(found["counts"].values())) == ([], {0})
    assert found["counts"].keys() == {need.value for need in Need}


async def test_every_reason_in_its_order(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/projects", {"name": "shut"})
    await api.post("/v1/projects/shut/pause", {"reason": "deploy"})
    clock.advance(3601)
    await _hold(api, "ERR")
    await _beat(api, "ERR", state="errored", detail="disk full")
    await _hold(api, "GONE", "ghost", lease_seconds=86_400)
    await _hold(api, "LEFT", "ghost", lease_seconds=60)
    await _hold(api, "LAPSED", lease_seconds=5)
    await _hold(api, "ASKS")
    await _beat(api, "ASKS", state="waiting_input", question="which one?", options=["a", "b"])
    await api.create(key="LATE", due=rfc3339(clock.now_ms() + 1000))
    await api.create(key="GPU", capabilities=["gpu"])
    await api.create(key="GPU2", capabilities=["gpu"], labels=["x"])
    await api.create(key="LOOP")
    for fence in (1, 2, 3):
        await api.claim("w", task="LOOP")
        await api.post("/v1/tasks/LOOP/release", {"fence": fence})
    await _hold(api, "LOST")
    await api.post("/v1/tasks/LOST/fail", {"fence": 1, "error": "no such host", "retry": False})
    for _ in range(3):
        clock.advance(50)
        await api.post("/v1/workers/w/heartbeat", {})
    found = await api.get("/v1/attention")
    told = [(i["reason"], i["task"] and i["task"]["key"], i["detail"], i["next"]) for i in found["items"]]
    assert told == [
        ("waiting_input", "ASKS", "w asks: which one?", _next("answer", "POST", "tasks/ASKS/answer")),
        ("abandoned", "LEFT", "the lease of ghost lapsed, and it is offline; nobody has taken the task since",
         _next("explain", "GET", "tasks/LEFT/explain")),
        ("lapsed", "LAPSED", "the lease of w lapsed, which may still finish; nobody has taken the task since",
         _next("explain", "GET", "tasks/LAPSED/explain")),
        ("errored", "ERR", "w reports an error: disk full", _next("events", "GET", "tasks/ERR/events")),
        ("silent", "GONE", told[4][2], _next("show", "GET", "workers/ghost")),
        ("looping", "LOOP", "claimed 3 times and not finished", _next("events", "GET", "tasks/LOOP/events")),
        ("overdue", "LATE", told[6][2], _next("explain", "GET", "tasks/LATE/explain")),
        ("no_worker", "GPU", "2 ready in default, which need gpu: no living worker may have them",
         _next("explain", "GET", "tasks/GPU/explain")),
        ("failed", "LOST", "failed for good: no such host", _next("events", "GET", "tasks/LOST/events")),
        ("paused_long", None, "project shut is paused by admin: deploy", _next("show", "GET", "projects/shut")),
    ]  # fmt: skip
    assert found["counts"] == dict.fromkeys(Need, 1) | {"review": 0}
    assert found["items"][0]["question"]["options"] == ["a", "b"]
    assert {item["since"] for item in found["items"][:1] + found["items"][4:5]} == {rfc3339(clock.now_ms() - 150_000)}
    for item in found["items"]:
        if item["next"]["method"] == "GET":
            await api.get(item["next"]["path"])


def _next(verb: str, method: str, path: str) -> dict[str, str]:
    return {"verb": verb, "method": method, "path": f"/v1/{path}"}


async def test_a_task_is_listed_once_under_its_most_urgent_reason(api: Api, clock: FakeClock) -> None:
    await api.create(key="T", due=rfc3339(clock.now_ms() + 1000), max_attempts=9)
    for fence in (1, 2, 3):
        await api.claim("w", task="T")
        await api.post("/v1/tasks/T/release", {"fence": fence})
    await api.claim("w", task="T", lease_seconds=5)
    clock.advance(10)
    await api.tick()
    (item,) = (await api.get("/v1/attention"))["items"]
    assert (item["reason"], item["also"]) == ("lapsed", ["looping", "overdue"])


async def test_a_first_or_second_try_is_no_loop(api: Api) -> None:
    await api.create(key="T")
    for fence in (1, 2):
        await api.claim("w", task="T")
        assert await _items(api) == []
        await api.post("/v1/tasks/T/release", {"fence": fence})
    await api.claim("w", task="T")
    assert await _items(api) == [], "the third try runs"
    await api.post("/v1/tasks/T/release", {"fence": 3})
    assert await _items(api) == [("looping", "T")]
    await api.claim("w", task="T")
    await api.post("/v1/tasks/T/complete", {"fence": 4})
    assert await _items(api) == []


async def test_a_failure_is_history_after_a_day(api: Api, clock: FakeClock) -> None:
    await _hold(api, "T")
    await api.post("/v1/tasks/T/fail", {"fence": 1, "error": "e", "retry": False})
    clock.advance(86_399)
    assert await _items(api) == [("failed", "T")]
    clock.advance(2)
    assert await _items(api) == []


async def test_ready_work_that_nobody_living_may_have(api: Api, clock: FakeClock) -> None:
    crew = await api.token_for("agent", "ann", groups=["crew"], capabilities=["gpu"])
    inside = await api.token_for("agent", "bob", projects=["side"])
    await api.post("/v1/projects", {"name": "side"})
    await api.create(key="FOR", assignee="crew")
    await api.create(key="CAP", capabilities=["gpu", "sql"])
    await api.create(key="ANY")
    assert sorted(await _items(api)) == [("no_worker", "ANY"), ("no_worker", "CAP"), ("no_worker", "FOR")]
    await api.post("/v1/workers", {"id": "b"}, token=inside)
    assert len(await _items(api)) == 3, "let into another project alone"
    await api.post("/v1/workers", {"id": "a"}, token=crew)
    assert await _items(api) == [("no_worker", "CAP")], "capabilities of the worker and its principal add up"
    await api.post("/v1/workers", {"id": "a", "capabilities": ["sql"]}, token=crew)
    assert await _items(api) == []
    await api.post("/v1/workers/a/drain")
    assert len(await _items(api)) == 3
    await api.post("/v1/workers/a/drain", {"draining": False})
    clock.advance(121)
    assert len(await _items(api)) == 3, "offline"
    await api.post("/v1/projects/default/pause")
    assert await _items(api) == [], "what is paused is not to be had by anybody"


async def test_what_is_for_people_waits_for_no_worker_once_it_is_offered_to_one(api: Api) -> None:
    await api.create(key="SOMEBODY", capabilities=["human"])
    await api.create(key="ANN", capabilities=["human"], assignee="ann")
    assert await _items(api) == [("no_worker", "SOMEBODY")]
    await api.post("/v1/workers", {"id": "bob", "kind": "human"})
    assert await _items(api) == []


async def test_a_review_calls_until_somebody_has_judged_it(api: Api) -> None:
    for key in ("A", "B"):
        await api.create(key=key, review="required")
        await api.claim("w", task=key)
        await api.post(f"/v1/tasks/{key}/complete", {"fence": 1})
    assert await _items(api) == [("review", "A"), ("review", "B")]
    await api.post("/v1/tasks/A/judge", {"verdict": "approved"})
    found = await api.get("/v1/attention?limit=1")
    assert ([item["task"]["key"] for item in found["items"]], found["counts"]["review"]) == (["B"], 1)


async def test_lists_are_cut_and_counted(api: Api) -> None:
    for n in range(7):
        await _hold(api, f"K{n}")
        await _beat(api, f"K{n}", state="errored")
    found = await api.get("/v1/attention?limit=3")
    assert ([item["task"]["key"] for item in found["items"]], found["counts"]["errored"]) == (["K0", "K1", "K2"], 7)
    for query in ("?limit=0", "?limit=201", "?reason=x"):
        assert (await api.call("GET", f"/v1/attention{query}")).status == 422


async def test_each_sees_what_needs_a_human_in_its_own_projects(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/projects", {"name": "side"})
    for project in ("default", "side"):
        await api.create(key=f"OF-{project}", project=project)
        await api.claim("w", task=f"OF-{project}")
        await _beat(api, f"OF-{project}", state="errored")
        await api.create(key=f"NEEDS-{project}", project=project, capabilities=["c"])
        await api.post(f"/v1/projects/{project}/pause")
    clock.advance(3601)
    await api.post("/v1/workers/w/heartbeat", {})
    token = await api.token_for("reader", "inside", projects=["side"])
    inside = await api.get("/v1/attention", token=token)
    assert {item["project"] for item in inside["items"]} == {"side"}
    assert len(inside["items"]) == 2
    assert inside == await api.get("/v1/attention?project=side")
    assert len(await _items(api)) == 4
    for project in ("default", "none"):
        reply = await api.call("GET", f"/v1/attention?project={project}", token=token)
        assert (reply.status, reply.code) == (404, "unknown_project")


async def test_a_question_gets_its_answer(api: Api, clock: FakeClock) -> None:
    agent = await api.token_for("agent", "ann")
    await api.create(key="T")
    await api.post("/v1/claims", {"worker": "w"}, token=agent)
    ask = {"fence": 1, "state": "waiting_input", "question": "red or blue?", "options": ["red", "blue"]}
    beat = await api.post("/v1/tasks/T/heartbeat", ask, token=agent)
    assert (beat["signal"], beat["answer"]) == ("continue", None)
    asked = beat["task"]["claim"]["question"]
    assert (asked["text"], asked["options"], asked["asked_at"]) == (
        "red or blue?", ["red", "blue"], rfc3339(clock.now_ms()),
    )  # fmt: skip
    clock.advance(5)
    expires = beat["expires_at"]
    answered = await api.post("/v1/tasks/T/answer", {"answer": "green", "fence": 1})
    assert answered["claim"]["expires_at"] == expires, "the holder is not heard of by it"
    assert answered["claim"]["question"] == asked | {
        "answer": "green", "answered_by": "admin", "answered_at": rfc3339(clock.now_ms()),
    }  # fmt: skip
    (event,) = await api.events(type="task.answered")
    assert event["facts"] == {"question": "red or blue?", "answer": "green", "to_worker": "w"}
    assert await _items(api) == []
    reply = await api.call("POST", "/v1/tasks/T/answer", {"answer": "no, red"})
    assert (reply.status, reply.code) == (409, "already_answered")
    for _ in range(2):
        assert (await _beat(api, "T"))["answer"] == "green"
    beat = await _beat(api, "T", state="waiting_input", question="how much?")
    assert (beat["answer"], await _items(api)) == (None, [("waiting_input", "T")])
    beat = await _beat(api, "T", state="working")
    assert (beat["answer"], beat["task"]["claim"]["question"]) == (None, None)


async def test_a_detail_alone_can_be_answered(api: Api) -> None:
    await _hold(api, "T")
    await _beat(api, "T", state="waiting_input", detail="which key?")
    await api.post("/v1/tasks/T/answer", {"answer": "the blue one"})
    beat = await _beat(api, "T")
    assert (beat["answer"], beat["task"]["claim"]["question"]["text"]) == ("the blue one", "which key?")


async def test_an_answer_without_a_question_is_refused(api: Api) -> None:
    await api.create(key="READY")
    await _hold(api, "T")
    before = await api.last_seq()
    for key in ("READY", "T"):
        reply = await api.call("POST", f"/v1/tasks/{key}/answer", {"answer": "x"})
        assert (reply.status, reply.code) == (409, "no_question")
    reply = await api.call("POST", "/v1/tasks/T/answer", {"answer": "x", "fence": 9})
    assert (reply.status, reply.code) == (409, "stale_fence")
    agent = await api.token_for("agent")
    before = await api.last_seq()
    assert (await api.call("POST", "/v1/tasks/T/answer", {"answer": "x"}, token=agent)).status == 403
    assert await api.last_seq() == before


async def test_a_question_ends_with_its_claim(api: Api) -> None:
    await _hold(api, "T")
    await _beat(api, "T", state="waiting_input", question="?")
    await api.register("v")
    await api.post("/v1/tasks/T/override", {"reason": "r", "worker": "v"})
    assert (await api.get("/v1/tasks/T"))["claim"]["question"] is None
    assert await _items(api) == []


@pytest.mark.parametrize(
    "body",
    [
        {"question": "?"},
        {"state": "working", "question": "?"},
        {"state": "waiting_input", "options": ["a"]},
        {"state": "waiting_input", "question": ""},
        {"state": "waiting_input", "question": "x" * 2001},
        {"state": "waiting_input", "question": "?", "options": ["a"] * 21},
        {"state": "waiting_input", "question": "?", "options": ["x" * 201]},
    ],
)
async def test_odd_questions_are_refused(api: Api, body: dict[str, Any]) -> None:
    await _hold(api, "T")
    reply = await api.call("POST", "/v1/tasks/T/heartbeat", {"fence": 1, **body})
    assert (reply.status, reply.code) == (422, "invalid_request")


async def test_a_heartbeat_tells_whether_to_go_on(api: Api) -> None:
    await _hold(api, "T")
    assert (await _beat(api, "T"))["signal"] == "continue"
    assert (await api.post("/v1/workers/w/heartbeat", {}))["signal"] == "continue"
    await api.post("/v1/workers/w/drain")
    assert (await _beat(api, "T"))["signal"] == "drain"
    assert (await api.post("/v1/workers/w/heartbeat", {}))["signal"] == "drain"
    await api.post("/v1/tasks/T/cancel")
    reply = await api.call("POST", "/v1/tasks/T/heartbeat", {"fence": 1})
    assert (reply.code, reply.json()["signal"]) == ("task_cancelled", "stop")
    await _hold(api, "U", "v")
    reply = await api.call("POST", "/v1/tasks/U/heartbeat", {"fence": 9})
    assert (reply.code, reply.json()["signal"]) == ("stale_fence", "stop")
    assert "signal" not in (await api.call("POST", "/v1/tasks/U/answer", {"answer": "x"})).json()
