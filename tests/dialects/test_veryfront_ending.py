"""Veryfront's acceptance list, items 15 to 28: what a run tells, how it ends, and what a lost lease loses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.api import Api
from veryfront_client import VeryfrontWorker, register

if TYPE_CHECKING:
    from conftest import Spoken  # type: ignore[import-not-found]

PROJECTION = {
    "run_id", "conversation_id", "message_id", "project_id", "requested_by_user_id", "agent_id", "status",
    "implementation_kind", "worker_key", "source_target_kind", "source_target_environment_id",
    "source_target_branch_id", "source_target_release_version", "runtime_target_kind", "runtime_target_environment_id",
    "runtime_target_branch_id", "parent_run_id", "latest_event_id", "latest_external_event_sequence",
    "waiting_tool_call_id", "waiting_tool_name", "terminal_error_code", "terminal_error_message", "created_at",
    "started_at", "finished_at",
}  # fmt: skip
HI, YOU = {"type": "TEXT_MESSAGE_CHUNK", "delta": "hi"}, {"type": "TEXT_MESSAGE_CHUNK", "delta": " you"}


async def test_15_events_are_appended_under_a_cursor(spoken: Spoken, w: VeryfrontWorker) -> None:
    await spoken.native.create("T")
    run = await w.claim()
    reply = await w.append(run, HI, YOU, expected_previous_external_event_sequence=0)
    told = reply.json()
    assert (reply.status, told["appended_count"], told["latest_external_event_sequence"]) == (200, 2, 2)
    assert told["latest_event_id"] == run["latest_event_id"] + 2
    assert told["run"].keys() == PROJECTION
    assert (told["run"]["status"], told["run"]["implementation_kind"], told["run"]["worker_key"]) == (
        "running", "probe", "a",
    )  # fmt: skip
    told = (await w.append(run, HI, expected_previous_external_event_sequence=2)).json()
    assert told["latest_external_event_sequence"] == 3
    quiet = {"type": "AGENT_RUN_MODEL_CALL_CONTEXT"}
    told = (await w.append(run, quiet, expected_previous_event_id=told["latest_event_id"])).json()
    assert (told["latest_external_event_sequence"], told["latest_event_id"]) == (3, run["latest_event_id"] + 4)
    assert (await w.append(run, HI)).json()["latest_external_event_sequence"] == 4


async def test_16_17_a_wrong_cursor_is_refused_and_a_replay_adds_nothing(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    run = await w.claim()
    await w.append(run, HI, YOU, expected_previous_external_event_sequence=0)
    before = await spoken.native.last_seq()
    other = {"type": "TEXT_MESSAGE_CHUNK", "delta": "no"}
    for events, cursor in (
        ([other], {"expected_previous_external_event_sequence": 0}),
        ([HI], {"expected_previous_external_event_sequence": 7}),
        ([HI], {"expected_previous_event_id": 99}),
        ([HI], {"expected_previous_event_id": 3, "expected_previous_external_event_sequence": 1}),
    ):
        reply = await w.append(run, *events, **cursor)
        assert (reply.status, reply.json()["detail"]) == (400, "External run event cursor mismatch"), cursor
        assert reply.json()["code"] == "event_cursor_mismatch"
        assert reply.headers["X-Run-Latest-Event-Id"] == "3"
        assert reply.headers["X-Run-Latest-External-Sequence"] == "2"
    for cursor in ({"expected_previous_external_event_sequence": 0}, {"expected_previous_event_id": 1}):
        reply = await w.append(run, {"delta": "hi", "type": "TEXT_MESSAGE_CHUNK"}, YOU, **cursor)
        told = reply.json()
        assert (reply.status, told["appended_count"], told["latest_external_event_sequence"]) == (200, 0, 2), cursor
    assert await spoken.native.last_seq() == before
    assert len((await spoken.native.get(f"/v1/tasks/{task['key']}/log"))["entries"]) == 2


async def test_18_what_events_may_not_be(spoken: Spoken, w: VeryfrontWorker) -> None:
    await spoken.native.create("T")
    run = await w.claim()
    for wrong in (
        [],
        [HI] * 101,
        [{"delta": "x"}],
        [{"type": "RUN_FINISHED"}],
        [{"type": ""}],
        ["x"],
        [HI, {"type": 1}],
    ):
        reply = await w.append(run, *wrong)
        assert (reply.status, reply.json()["code"]) == (400, "input_validation_failed"), wrong
    large = await w.append(run, {"type": "CUSTOM", "value": "x" * 300 * 1024})
    assert (large.status, large.json()["code"]) == (400, "payload_too_large")
    assert large.json()["detail"] == "Agent run event payload must be less than 256 KB"
    many = await w.append(run, *[{"type": "CUSTOM", "value": "x" * 32 * 1024}] * 96)
    assert (many.status, many.json()["appended_count"]) == (200, 96)
    for size in (10 * 1024 * 1024 + 1, 12 * 1024 * 1024):
        path = f"/conversations/{run['conversation_id']}/runs/{run['run_id']}/events"
        huge = await w.raw("POST", path, b" " * size)
        assert (huge.status, huge.json()["detail"]) == (400, "Run event request payload must be less than 10 MB")
    foreign = run | {"conversation_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}
    assert (await w.append(foreign, HI)).status == 404
    assert (await w.read(foreign)).status == 404


async def test_20_21_completed_once_and_for_all(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    run = await w.claim()
    await w.append(run, {"type": "TEXT_MESSAGE_CONTENT", "messageId": "old", "delta": "nothing"})
    await w.append(run, {"type": "TEXT_MESSAGE_CONTENT", "messageId": "new", "delta": "done"}, {"type": "STEP_STARTED"})
    await w.append(run, {"type": "TEXT_MESSAGE_CHUNK", "messageId": "new", "payload": {"delta": " well"}})
    reply = await w.complete(run["run_id"], metadata={"model": "m"})
    told = reply.json()
    assert (reply.status, told["completed"], told["run"]["status"]) == (200, True, "completed")
    assert (len(told["run"]), told["run"]["run_id"]) == (33, run["run_id"])
    shown = await spoken.native.get(f"/v1/tasks/{task['key']}")
    assert (shown["state"], shown["result"]) == ("done", {"text": "done well", "metadata": {"model": "m"}})
    before = await spoken.native.last_seq()
    again = await w.complete(run["run_id"], metadata={"model": "m"})
    assert (again.status, again.json()) == (200, told)
    other = await w.complete(run["run_id"], "failed")
    assert (other.status, other.json()["code"]) == (409, "run_terminal")
    late = await w.append(run, HI)
    assert (late.status, late.json()["detail"]) == (400, "Cannot append external events to a terminal run")
    assert await w.renew(run["run_id"]) is None
    assert await spoken.native.last_seq() == before
    read = (await w.read(run)).json()
    assert (read["status"], read["latest_event_id"], read["latest_external_event_sequence"]) == ("completed", 6, 4)


async def test_20_an_output_is_the_result(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    run = await w.claim()
    assert (await w.complete(run["run_id"], "done")).status == 400
    assert (await w.complete(run["run_id"], output={"x": [1]})).json()["run"]["output"] == {"x": [1]}
    assert (await spoken.native.get(f"/v1/tasks/{task['key']}"))["result"] == {"x": [1]}


async def test_22_failed_with_code_and_message(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T", max_attempts=1)
    run = await w.claim()
    reply = await w.complete(run["run_id"], "failed", terminal_error_code="MODEL", terminal_error_message="no answer")
    assert reply.json()["run"]["error"] == {"message": "no answer", "code": "MODEL"}
    whole = (await w.raw("GET", f"/runs/run_{task['number']}")).json()
    assert (whole["status"], whole["error"]) == ("failed", {"message": "no answer", "code": "MODEL"})
    read = (await w.read(run)).json()
    assert (read["terminal_error_code"], read["terminal_error_message"]) == ("MODEL", "no answer")
    assert (await spoken.native.get(f"/v1/tasks/{task['key']}"))["state"] == "failed"


async def test_22_a_failure_with_attempts_left_is_tried_again(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    run = await w.claim()
    assert (await w.complete(run["run_id"], "failed")).json()["run"]["status"] == "failed"
    assert (await w.complete(run["run_id"], "failed")).status == 200
    assert (await w.complete(run["run_id"], "completed")).json()["code"] == "run_terminal"
    assert (await w.raw("GET", f"/runs/run_{task['number']}")).json()["status"] == "pending"
    spoken.clock.advance(3600)
    again = await w.claim()
    assert again["run_id"] == f"run_{task['number']}.2"
    assert (await w.complete(run["run_id"], "failed")).status == 200
    assert (await w.read(run)).json()["status"] == "failed"
    assert (await w.read(again)).json()["status"] == "running"


async def test_23_24_another_takes_over_what_was_lost(spoken: Spoken, w: VeryfrontWorker, v: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    old = await w.claim(5)
    await w.append(old, HI)
    session = (await w.session(old["run_id"], "s1")).json()["session"]
    spoken.clock.advance(6)
    new = await v.claim()
    assert new["worker_session"] == session | {"run_id": new["run_id"]}
    assert new["run_id"] == f"run_{task['number']}.2"
    assert new["conversation_id"] == old["conversation_id"]
    assert (new["latest_external_event_sequence"], new["latest_event_id"]) == (1, 4)
    assert await w.renew(old["run_id"]) is None
    lost = await w.complete(old["run_id"])
    assert (lost.status, lost.json()["code"], lost.json()["title"]) == (409, "lease_lost", "Run lease lost")
    late = await w.append(old, HI)
    assert (late.status, late.json()["detail"]) == (400, "Cannot append external events to a terminal run")
    read = (await w.read(old)).json()
    assert (read["status"], read["terminal_error_code"]) == ("failed", "LEASE_EXPIRED")
    assert (await w.read(new, w.token)).status == 403
    assert (await w.read(old, w.token)).status == 200
    own = await w.raw("POST", f"/runs/{new['run_id']}/complete", {"status": "completed"}, token=w.token)
    assert own.status == 403
    assert (await v.read(new)).json()["status"] == "running"
    assert (await v.complete(new["run_id"])).status == 200
    shown = await spoken.native.get(f"/v1/tasks/{task['key']}")
    assert (shown["state"], shown["completed_by"]["worker"]) == ("done", v.id)


async def test_25_a_lease_that_ended_is_lost_even_if_nobody_took_it(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    run = await w.claim(5)
    spoken.clock.advance(5)
    assert (await w.complete(run["run_id"])).json()["code"] == "lease_lost"
    assert await w.renew(run["run_id"]) is None
    assert (await w.raw("GET", f"/runs/run_{task['number']}")).json()["status"] == "pending"
    assert (await w.read(run)).json()["terminal_error_code"] == "LEASE_EXPIRED"
    assert (await w.claim())["run_id"] == f"run_{task['number']}.2"


async def test_26_cancelled_by_an_operator(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    run = await w.claim()
    await spoken.native.post(f"/v1/tasks/{task['key']}/cancel", {"reason": "moot"})
    assert await w.renew(run["run_id"]) is None
    read = (await w.read(run)).json()
    assert (read["status"], read["terminal_error_message"]) == ("cancelled", "moot")
    late = await w.append(run, HI)
    assert late.json()["detail"] == "Cannot append external events to a terminal run"
    assert (await w.complete(run["run_id"])).status == 409
    assert (await w.complete(run["run_id"], "cancelled")).status == 200


async def test_26_taken_back_by_an_operator(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    run = await w.claim()
    await spoken.native.post(f"/v1/tasks/{task['key']}/override", {"release": True, "reason": "mine"})
    read = (await w.read(run)).json()
    assert (read["status"], read["terminal_error_code"]) == ("cancelled", "RELEASED")
    assert (await w.complete(run["run_id"], "cancelled")).json()["code"] == "lease_lost"


async def test_27_below_the_prefix_and_with_a_slash_it_is_the_same(spoken: Spoken) -> None:
    async with Api(spoken.below, spoken.native.token) as api:
        w = await register(api, "a")
        assert (await w.own("POST", "/heartbeat")).status == 200
        assert await w.claim() is None
        await spoken.native.create("T")
        run = await w.claim()
        assert (await w.append(run, HI, YOU, expected_previous_external_event_sequence=0)).status == 200
        assert (await w.complete(run["run_id"])).json()["run"]["status"] == "completed"


async def test_28_whatever_is_not_there_is_refused_in_the_same_form(w: VeryfrontWorker) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/agent-workers/workers/abc/claim", 405),
        ("POST", "/runs/run_1/complete", 400),
        ("GET", "/runs/run_1", 404),
        ("GET", "/runs/%00", 404),
        ("POST", "/runs/run_9.9/cancel", 404),
    ):
        assert (await w.raw(method, path)).status == status, path
