"""Veryfront's acceptance list, items 1 to 14, against a real port: workers, claims, leases and sessions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import pytest
from support.api import Api
from veryfront_client import VeryfrontWorker, register

from taskdeck.domain.clock import from_rfc3339

if TYPE_CHECKING:
    from conftest import Spoken  # type: ignore[import-not-found]

RUN = {
    "run_id", "conversation_id", "message_id", "project_id", "agent_id", "status", "request_snapshot",
    "latest_event_id", "latest_external_event_sequence", "lease_owner", "lease_expires_at", "worker_session",
    "source_target_kind", "source_target_release_version", "source_target_environment_id", "source_target_branch_id",
    "runtime_target_kind", "runtime_target_environment_id", "runtime_target_branch_id",
}  # fmt: skip
WORKER = {
    "id", "project_id", "implementation_kind", "worker_key", "display_name", "status", "metadata", "last_heartbeat_at",
    "created_at", "updated_at",
}  # fmt: skip
SESSION = {
    "id", "run_id", "implementation_kind", "worker_id", "session_key", "status", "metadata", "created_at",
    "updated_at", "ended_at",
}  # fmt: skip


async def test_01_a_worker_registers(w: VeryfrontWorker) -> None:
    assert w.document.keys() == WORKER
    assert {UUID(w.document[name]).version for name in ("id", "project_id")} <= {4, 5}
    assert w.token.startswith("vfw_")
    assert len(w.token) >= 36
    assert w.document["status"] == "active"
    assert (w.document["display_name"], w.document["metadata"]) == (None, None)


async def test_02_registering_again_changes_it_and_both_tokens_work(
    spoken: Spoken, api: Api, w: VeryfrontWorker
) -> None:
    spoken.clock.advance(5)
    wish = {"implementation_kind": "probe", "worker_key": "a", "display_name": "Ann", "metadata": {"cpu": 8}}
    reply = await w.raw("POST", "/agent-workers/projects/default/workers", wish)
    worker = reply.json()["worker"]
    assert (reply.status, worker["id"], worker["display_name"]) == (201, w.id, "Ann")
    assert worker["updated_at"] > w.document["updated_at"]
    assert worker["created_at"] == w.document["created_at"]
    for token in (w.token, reply.json()["token"]):
        assert (await w.raw("POST", f"/agent-workers/workers/{w.id}/heartbeat", token=token)).status == 200
    kept = (await register(api, "a")).document
    assert (kept["display_name"], kept["metadata"]) == ("Ann", {"cpu": 8})
    (shown,) = (await spoken.native.get("/v1/workers"))["workers"]
    assert (shown["label"], shown["via"]) == ("Ann", "veryfront")


@pytest.mark.parametrize(
    "wish",
    [
        {"implementation_kind": "probe", "worker_key": "a b"},
        {"implementation_kind": "k" * 65, "worker_key": "a"},
        {"implementation_kind": "probe"},
        {"implementation_kind": "probe", "worker_key": "a", "display_name": ""},
        {"implementation_kind": "probe", "worker_key": "a\n"},
        {"implementation_kind": "probe", "worker_key": "a", "metadata": [1]},
        [1],
        b"{",
    ],
)
async def test_03_a_bad_registration_is_refused(spoken: Spoken, api: Api, wish: Any) -> None:
    before = await spoken.native.last_seq()
    reply = await VeryfrontWorker(api).raw("POST", "/agent-workers/projects/default/workers", wish)
    assert (reply.status, reply.json()["code"]) == (400, "input_validation_failed")
    assert await spoken.native.last_seq() == before


async def test_04_a_reference_may_be_any_text(spoken: Spoken, api: Api) -> None:
    made = await register(api, "a", "team/x y")
    names = {
        project["name"]: project["description"] for project in (await spoken.native.get("/v1/projects"))["projects"]
    }
    (name,) = [name for name, description in names.items() if description == "team/x y"]
    await spoken.native.create("T", project=name)
    assert (await made.claim())["project_id"] == made.document["project_id"]
    again = await register(api, "a", "team/x y")
    by_id = await register(api, "a", made.document["project_id"])
    assert again.id == by_id.id == made.id
    reply = await VeryfrontWorker(api).raw(
        "POST",
        "/agent-workers/projects/3c90c3cc-0d44-4b50-8888-8dd25736052a/workers",
        {"implementation_kind": "probe", "worker_key": "a"},
    )
    assert (reply.status, reply.json()["code"]) == (404, "not_found")
    agent = await spoken.token("agent", "mere")
    reply = await made.raw("POST", "/agent-workers/projects/new/workers",
                           {"implementation_kind": "probe", "worker_key": "a"}, token=agent)  # fmt: skip
    assert reply.status == 404  # projects are made by operators, here as in the deck's own API


async def test_05_a_heartbeat_without_a_body(spoken: Spoken, w: VeryfrontWorker, v: VeryfrontWorker) -> None:
    path = f"/agent-workers/workers/{w.id}/heartbeat"
    spoken.clock.advance(3)
    reply = await w.raw("POST", path, token=w.token)
    assert (reply.status, reply.json()["token"]) == (200, None)
    assert reply.json()["worker"]["last_heartbeat_at"] > w.document["last_heartbeat_at"]
    assert (await w.raw("POST", path)).status == 200
    assert (await w.raw("POST", path, token=v.token)).status == 403
    for token in ("", "vf_live_key", "vfw_wrong"):
        reply = await w.raw("POST", path, token=token)
        assert (reply.status, reply.json()["code"]) == (401, "unauthorized")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    by_key = await w.api.raw("POST", path, b"", {"Authorization": "", "X-API-Key": w.token})
    assert by_key.status == 200


async def test_06_unknown_and_impossible_workers(w: VeryfrontWorker) -> None:
    for path in ("heartbeat", "claim", "runs/run_1.1/lease"):
        unknown = await w.raw("POST", f"/agent-workers/workers/3c90c3cc-0d44-4b50-8888-8dd25736052a/{path}")
        assert (unknown.status, unknown.json()["code"]) == (404, "not_found")
        assert (await w.raw("POST", f"/agent-workers/workers/abc/{path}")).status == 400


async def test_07_nothing_to_claim_is_null(w: VeryfrontWorker) -> None:
    reply = await w.own("POST", "/claim", {"lease_duration_seconds": 30})
    assert (reply.status, reply.body) == (200, b'{"run":null}')


async def test_08_a_lease_lasts_5_to_300_whole_seconds(w: VeryfrontWorker) -> None:
    for wrong in (4, 301, 5.5, "30", True, None):
        assert (await w.own("POST", "/claim", {"lease_duration_seconds": wrong})).status == 400, wrong
    for right in ({"lease_duration_seconds": 5}, {"lease_duration_seconds": 300}, {}, b""):
        assert (await w.own("POST", "/claim", right)).status == 200, right


async def test_09_a_native_task_is_claimed(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T", priority=70)
    number = task["number"]
    run = await w.claim(30)
    assert run.keys() == RUN
    assert (run["run_id"], run["status"], run["lease_owner"]) == (f"run_{number}.1", "running", w.id)
    assert from_rfc3339(run["lease_expires_at"]) == spoken.clock.now_ms() + 30_000
    asked = run["request_snapshot"]
    assert asked["messages"][0]["parts"] == [{"type": "text", "text": "T"}]
    ours = asked["forwardedProps"]["taskdeck"]
    assert (ours["task_id"], ours["queue"], ours["priority"], ours["attempt"]) == (str(number), "default", 70, 1)
    assert (asked["tools"], asked["context"], asked["taskId"]) == ([], [], str(number))
    assert (run["agent_id"], run["latest_event_id"], run["latest_external_event_sequence"]) == ("taskdeck", 1, 0)
    for name in ("conversation_id", "message_id", "project_id"):
        assert UUID(run[name]).version == 5
    shown = await spoken.native.get(f"/v1/tasks/{number}")
    assert (shown["state"], shown["claim"]["worker"], shown["claim"]["via"]) == ("claimed", w.id, "veryfront")


def test_09_ids_are_made_as_the_specification_reckons_them() -> None:
    from taskdeck.dialects.veryfront.words import SPACE, made_of, project_id

    assert project_id("default") == "e0717b78-4434-54bf-b281-106f84e561a5"
    assert made_of("conversation", "42") == "0b6b9818-6ccf-5915-9338-13b24721401c"
    assert made_of("message", "run_42.1") == "37c94ffb-b359-5d39-8749-0caaaf78b9dc"
    for number in range(100):
        assert made_of("message", f"ö{number}") == str(uuid5(SPACE, f"message:ö{number}"))


async def test_10_a_payload_may_carry_the_whole_request(spoken: Spoken, w: VeryfrontWorker) -> None:
    messages = [
        {"role": "system", "content": "Be short."},
        {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Go"}, {"no": "type"}], "metadata": 7},
    ]
    payload = {"messages": messages, "tools": [{"name": "t"}], "context": ["c"], "traceContext": {"traceFlags": 1}}
    task = await spoken.native.create("T", payload=payload, description="d", labels=["task:summarise"])
    asked = (await w.claim())["request_snapshot"]
    first, second = asked["messages"]
    assert UUID(first["id"]).version == 5
    assert first["parts"] == [{"type": "text", "text": "Be short."}]
    assert (second["id"], second["parts"], "metadata" in second) == ("m1", [{"type": "text", "text": "Go"}], False)
    assert (asked["tools"], asked["context"], asked["traceContext"]) == ([{"name": "t"}], ["c"], {"traceFlags": 1})
    ours = asked["forwardedProps"]["taskdeck"]
    assert (ours["payload"], ours["type"], ours["task_id"]) == (payload, "summarise", str(task["number"]))


async def test_11_a_task_may_be_for_a_kind_or_key_alone(spoken: Spoken, api: Api, w: VeryfrontWorker) -> None:
    for only in ({"implementation_kind": "other"}, {"worker_key": "b"}):
        task = await spoken.native.create("T", payload={"veryfront": only | {"agent_id": "writer"}})
        assert await w.claim() is None
        fitting = await register(api, only.get("worker_key", "c"), kind=only.get("implementation_kind", "probe"))
        run = await fitting.claim()
        assert (run["run_id"], run["agent_id"]) == (f"run_{task['number']}.1", "writer")
    reply = await spoken.native.call(
        "POST", "/v1/tasks", {"title": "T", "payload": {"veryfront": {"worker_key": "a b"}}}
    )
    assert (reply.status, reply.code) == (422, "invalid_request")
    assert (await spoken.native.get("/v1/tasks?state=ready"))["tasks"] == []


async def test_12_concurrent_claims_get_different_runs(spoken: Spoken, w: VeryfrontWorker) -> None:
    for _ in range(10):
        await spoken.native.create("T")
    runs = await asyncio.gather(*(w.claim() for _ in range(20)))
    assert len({run["run_id"] for run in runs if run is not None}) == 10
    assert runs.count(None) == 10


async def test_13_only_the_holder_renews(spoken: Spoken, w: VeryfrontWorker, v: VeryfrontWorker) -> None:
    await spoken.native.create("T")
    run = (await w.claim(30))["run_id"]
    spoken.clock.advance(10)
    renewed = await w.renew(run, 60)
    assert renewed.keys() == RUN
    assert from_rfc3339(renewed["lease_expires_at"]) == spoken.clock.now_ms() + 60_000
    assert await v.renew(run, 300) is None
    held = (await spoken.native.get("/v1/leases"))["leases"][0]
    assert held["expires_at"] == renewed["lease_expires_at"]
    # the deck never cuts a lease short
    assert (await w.renew(run, 5))["lease_expires_at"] == renewed["lease_expires_at"]
    for unknown in ("run_999.1", f"{run}9", "nothing"):
        reply = await w.own("POST", f"/runs/{unknown}/lease", {})
        assert (reply.status, reply.json()["code"]) == (404, "not_found")


async def test_14_a_session_is_opened_changed_and_ended(spoken: Spoken, w: VeryfrontWorker, v: VeryfrontWorker) -> None:
    await spoken.native.create("T")
    run = (await w.claim())["run_id"]
    reply = await w.session(run, "s1")
    made = reply.json()["session"]
    assert (reply.status, made.keys()) == (200, SESSION)
    assert (made["status"], made["metadata"], made["ended_at"]) == ("active", None, None)
    assert (made["run_id"], made["worker_id"], made["session_key"]) == (run, w.id, "s1")
    assert UUID(made["id"]).version == 5
    spoken.clock.advance(1)
    done = (await w.session(run, "s1", status="completed", metadata={"n": 1})).json()["session"]
    assert (done["id"], done["status"], done["metadata"]) == (made["id"], "completed", {"n": 1})
    assert done["ended_at"] == done["updated_at"] > done["created_at"]
    kept = (await w.session(run, "s1")).json()["session"]
    assert (kept["status"], kept["metadata"], kept["ended_at"]) == ("completed", {"n": 1}, done["ended_at"])
    again = (await w.session(run, "s1", status="active")).json()["session"]
    assert (again["status"], again["ended_at"]) == ("active", None)
    assert (await w.session(run, "s2")).json()["session"]["id"] != made["id"]
    assert (await w.renew(run))["worker_session"]["session_key"] == "s2"
    for wrong in ({"session_key": ""}, {"session_key": "k" * 513}, {}, {"session_key": "s", "status": "done"}):
        assert (await w.own("PUT", f"/runs/{run}/session", wrong)).status == 400, wrong
    assert (await v.session(run, "s1")).json()["code"] == "lease_lost"
    await w.complete(run)
    assert (await w.session(run, "s1", status="completed")).status == 200
    assert (await v.session(run, "s1")).json()["code"] == "lease_lost"
    shown = await spoken.native.get(f"/v1/workers/{w.id}/sessions")
    assert [one["task"] for one in shown["sessions"]] == ["T1", "T1"]


async def test_14_sessions_that_nobody_ends_do_not_keep_a_worker_from_new_ones(
    spoken: Spoken, w: VeryfrontWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskdeck.service.sessions.MAX_OPEN", 2)
    for _ in range(3):
        await spoken.native.create("T")
        run = (await w.claim())["run_id"]
        assert (await w.session(run, "s")).status == 200
        await w.complete(run)
    await spoken.native.create("T")
    run = (await w.claim())["run_id"]
    assert [(await w.session(run, f"s{number}")).status for number in range(3)] == [200, 200, 409]
