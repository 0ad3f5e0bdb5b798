"""Veryfront's runs as makers see them, credentials of a claim, and what crosses to the deck's own API."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import orjson
from race import TASKS, race
from support.api import Api
from veryfront_client import VeryfrontWorker, checked, register

if TYPE_CHECKING:
    from conftest import Speaking, Spoken  # type: ignore[import-not-found]

HI = {"type": "TEXT_MESSAGE_CHUNK", "delta": "hi"}
SPACE = UUID("4522e9f5-0bc9-5684-a062-1394a144aec9")
RUN = {
    "run_id", "kind", "status", "owner", "parent_run_id", "root_run_id", "waiting_reason", "metadata", "target",
    "workflow_id", "schedule_id", "batch_id", "runtime_target_kind", "runtime_target_environment_id",
    "runtime_target_branch_id", "input", "config", "output", "error", "logs", "artifacts", "duration_ms", "exit_code",
    "start_mode", "timeout_seconds", "backoff_limit", "trigger_kind", "trigger_id", "created_by", "updated_at",
    "created_at", "started_at", "completed_at",
}  # fmt: skip


async def test_29_a_task_run_is_created_claimed_followed_listed_and_cancelled(
    spoken: Spoken, w: VeryfrontWorker
) -> None:
    wish = {
        "kind": "task",
        "owner": {"kind": "project", "id": w.document["project_id"]},
        "public_id": "nightly/1",
        "request": {"target": "task:ingest", "name": "Ingest", "config": {"n": 7}, "backoff_limit": 2,
                    "timeout_seconds": 60},
    }  # fmt: skip
    reply = await w.raw("POST", "/runs", wish)
    made = reply.json()
    assert (reply.status, made["accepted"], made["duplicate"]) == (202, True, False)
    run = made["run"]
    assert run.keys() == RUN
    assert (run["run_id"], run["root_run_id"], run["status"], run["kind"]) == (
        "nightly/1",
        "nightly/1",
        "pending",
        "task",
    )
    assert (run["target"], run["config"], run["backoff_limit"], run["timeout_seconds"]) == (
        "task:ingest",
        {"n": 7},
        2,
        60,
    )
    assert run["owner"] == {"kind": "project", "id": w.document["project_id"]}
    again = (await w.raw("POST", "/runs", wish)).json()
    assert (again["duplicate"], again["run"]["created_at"]) == (True, run["created_at"])
    (task,) = (await spoken.native.get("/v1/tasks"))["tasks"]
    assert (task["title"], task["max_attempts"], task["labels"]) == ("Ingest", 3, ["task:ingest"])
    held = await w.claim()
    assert held["request_snapshot"]["forwardedProps"]["taskdeck"]["payload"] == {"n": 7}
    assert (held["agent_id"], held["run_id"]) == ("ingest", f"run_{task['number']}.1")
    spoken.clock.advance(2)
    await w.append(held, HI)
    shown = (await w.raw("GET", "/runs/nightly%2F1")).json()
    assert (shown["status"], shown["started_at"] is not None, shown["completed_at"]) == ("running", True, None)
    first = (await w.raw("GET", "/runs/nightly%2F1/events?limit=1")).json()
    assert [(e["event_id"], e["event_type"]) for e in first["data"]] == [(1, "RUN_STARTED")]
    assert first["page_info"] == {"self": None, "first": None, "next": "1", "prev": None}
    rest = (await w.raw("GET", "/runs/nightly%2F1/events?after_event_id=1")).json()
    assert [(e["event_id"], e["event_type"], e["payload"]) for e in rest["data"]] == [(2, "TEXT_MESSAGE_CHUNK", HI)]
    assert rest["page_info"]["next"] is None
    other = await spoken.native.create("other")
    listed = (await w.raw("GET", "/projects/default/runs?limit=1")).json()
    assert [one["run_id"] for one in listed["data"]] == [f"run_{other['number']}"]
    listed = (await w.raw("GET", f"/projects/default/runs?cursor={listed['page_info']['next']}")).json()
    assert [one["run_id"] for one in listed["data"]] == ["nightly/1"]
    cancelled = (await w.raw("POST", "/runs/nightly%2F1/cancel")).json()
    assert (cancelled["cancelled"], cancelled["run"]["status"]) == (True, "cancelled")
    assert (await w.raw("POST", "/runs/nightly%2F1/cancel")).json()["cancelled"] is True
    assert await w.renew(held["run_id"]) is None
    ended = (await w.raw("GET", "/runs/nightly%2F1/events?after_event_id=2")).json()["data"]
    assert [(e["event_id"], e["event_type"]) for e in ended] == [(3, "RUN_ERROR")]


async def test_29_an_agent_run_of_a_conversation(spoken: Spoken, w: VeryfrontWorker) -> None:
    own = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
    wish = {
        "kind": "agent",
        "owner": {"kind": "conversation", "id": own.upper()},
        "request": {"agent_id": "writer", "worker_key": "a", "initial_status": "pending", "input": "Write it\nwell",
                    "source_target_kind": "project", "source_target_branch_id": own,
                    "source_target_environment_id": "3c90c3cc-0d44-0b50-8888-8dd25736052a"},
    }  # fmt: skip
    made = (await w.raw("POST", "/runs", wish)).json()["run"]
    assert (made["kind"], made["owner"], made["run_id"]) == ("agent", {"kind": "conversation", "id": own}, "run_1")
    held = await w.claim()
    assert (held["conversation_id"], held["agent_id"]) == (own, "writer")
    assert (held["source_target_kind"], held["source_target_branch_id"]) == ("project", own)
    assert held["source_target_environment_id"] is None  # the client takes no such UUID
    assert held["request_snapshot"]["messages"][0]["parts"] == [{"type": "text", "text": "Write it\nwell"}]
    assert (await w.complete(held["run_id"])).json()["run"]["status"] == "completed"
    cancelled = (await w.raw("POST", "/runs/run_1/cancel")).json()
    assert (cancelled["cancelled"], cancelled["run"]["status"]) == (False, "completed")


async def test_29_what_cannot_be_created(spoken: Spoken, w: VeryfrontWorker) -> None:
    owner = {"kind": "project", "id": "default"}
    fine = {"kind": "task", "owner": owner, "request": {"target": "task:t"}}
    agent = {"kind": "agent", "owner": owner}
    before = await spoken.native.last_seq()
    for wrong in (
        fine | {"kind": "workflow"},
        fine | {"owner": {"kind": "conversation", "id": "x"}},
        fine | {"owner": {"kind": "conversation", "id": "3c90c3cc-0d44-0b50-8888-8dd25736052a"}},
        fine | {"request": {"target": "workflow:t"}},
        fine | {"request": {"target": "task:\x01"}},
        fine | {"request": {"target": "task:t", "name": "a\0b"}},
        fine | {"public_id": "run_7"},
        fine | {"public_id": ""},
        fine | {"request": {"target": "task:t", "config": "x" * 262_144}},
        agent | {"request": {"initial_status": "running"}},
        agent | {"request": {"worker_key": "a b"}},
    ):
        assert (await w.raw("POST", "/runs", wrong)).status == 400, wrong
    taken = await spoken.native.create("T", key="TAKEN")
    assert (await w.raw("POST", "/runs", fine | {"public_id": "TAKEN"})).status == 404
    assert (await w.raw("GET", f"/runs/{taken['key']}")).status == 404
    assert await spoken.native.last_seq() == before + 1
    for query in ("limit=0", "limit=501", "limit=x", "after_event_id=-1"):
        assert (await w.raw("GET", f"/runs/run_{taken['number']}/events?{query}")).status == 400
    assert (await w.raw("GET", "/projects/default/runs?cursor=x")).status == 400
    assert (await w.raw("GET", "/projects/none/runs")).status == 404


async def test_29_what_a_workers_own_token_is_not_for(w: VeryfrontWorker) -> None:
    for method, path in (
        ("POST", "/runs"),
        ("POST", "/runs/run_1/cancel"),
        ("GET", "/projects/default/runs"),
        ("GET", "/agent-workers/projects/default/workers"),
        ("POST", "/agent-workers/projects/default/workers"),
        ("DELETE", f"/agent-workers/workers/{w.id}"),
    ):
        reply = await w.raw(method, path, token=w.token)
        assert (reply.status, reply.json()["code"]) == (403, "forbidden"), path


async def test_a_worker_is_listed_disabled_and_registered_again(spoken: Spoken, w: VeryfrontWorker) -> None:
    async def connection() -> str:
        found = (await w.raw("GET", "/agent-workers/projects/default/workers")).json()["data"]
        return str(found[0]["connection_status"])

    await spoken.native.create("T")
    await spoken.native.claim("native")
    assert await connection() == "online"
    spoken.clock.advance(91)
    assert await connection() == "offline"
    await spoken.native.create("T")
    run = await w.claim()
    gone = (await w.raw("DELETE", f"/agent-workers/workers/{w.id}")).json()["worker"]
    assert (gone["status"], await connection()) == ("disabled", "disabled")
    assert (await w.raw("POST", f"/agent-workers/workers/{w.id}/claim")).status == 403
    assert (await w.raw("POST", f"/agent-workers/workers/{w.id}/claim", token=w.token)).status == 401
    assert (await w.read(run)).json()["status"] == "running"  # its lease runs to its end
    assert (await w.complete(run["run_id"])).status == 200
    again = await register(w.api, "a")
    assert (again.id, again.document["status"]) == (w.id, "active")
    assert await again.claim() is None


async def test_30_credentials_end_their_own_run(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    old = (await w.own("POST", "/claim", {"lease_duration_seconds": 5})).json()
    held = old["credentials"]
    head, middle, tail = held["run_terminal_token"].split(".")
    claims = orjson.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    run = old["run"]["run_id"]
    path = str(uuid5(SPACE, f"run:{run}"))
    assert claims | {"iat": 0} == {
        "tokenUse": "run_event_writer", "writerPurpose": "current_run_terminal", "runId": run, "canonicalRunId": path,
        "dispatchNonce": "1", "iat": 0,
    }  # fmt: skip
    assert (len(held["run_terminal_token"]) < 16_384, held["auth_token"], bool(tail), bool(head)) == (
        True, w.token, True, True,
    )  # fmt: skip
    told = await w.raw("POST", f"/runs/{path}/events", {"events": [HI]}, token=held["run_event_token"])
    assert (told.status, told.json()["appended_count"]) == (200, 1)
    spoken.clock.advance(6)
    new = (await w.own("POST", "/claim", {"lease_duration_seconds": 30})).json()
    fresh, now = new["credentials"], str(uuid5(SPACE, f"run:{new['run']['run_id']}"))

    async def finalize(path: str, token: str, document: Any, key: str) -> Any:
        headers = {"Authorization": f"Bearer {w.token}", "X-Veryfront-Run-Terminal-Token": token,
                   "Idempotency-Key": key}  # fmt: skip
        return checked(await w.api.raw("POST", f"/runs/{path}/finalize", orjson.dumps(document), headers))

    done = {"status": "completed", "output": {"ok": 1}}
    stale = await finalize(path, held["run_terminal_token"], done, "1")
    assert (stale.status, stale.json()["code"]) == (409, "lease_lost")
    assert (await finalize(path, fresh["run_terminal_token"], done, "2")).status == 403
    assert (await finalize(now, fresh["run_terminal_token"] + "x", done, "3")).status == 401
    assert (await finalize(now, w.token, done, "4")).status == 401
    for token, size, status in (("", 2, 401), ("vfw_x", 2, 401), ("", 2 << 20, 400), ("vfw_x", 2 << 20, 400)):
        assert (await w.raw("POST", f"/runs/{path}/events", b" " * size, token=token)).status == status
    late = await w.raw("POST", f"/runs/{path}/events", {"events": [HI]}, token=held["run_event_token"])
    assert late.json()["detail"] == "Cannot append external events to a terminal run"
    first = await finalize(now, fresh["run_terminal_token"], done, "5")
    assert (first.status, first.json()["status"], first.json()["output"]) == (200, "completed", {"ok": 1})
    assert (await finalize(now, fresh["run_terminal_token"], done, "5")).json() == first.json()
    assert (await spoken.native.get(f"/v1/tasks/{task['key']}"))["result"] == {"ok": 1}


async def test_30_credentials_fail_and_cancel_too(spoken: Spoken, w: VeryfrontWorker) -> None:
    for end, status in (("finalize", "failed"), ("cancel", "cancelled")):
        task = await spoken.native.create("T", max_attempts=1)
        given = (await w.own("POST", "/claim")).json()
        path = uuid5(SPACE, f"run:{given['run']['run_id']}")
        headers = {"Authorization": f"Bearer {given['credentials']['auth_token']}",
                   "X-Veryfront-Run-Terminal-Token": given["credentials"]["run_terminal_token"]}  # fmt: skip
        document = {"status": "failed", "error": {"code": "C", "message": "m"}}
        reply = await w.api.raw("POST", f"/runs/{path}/{end}", orjson.dumps(document), headers)
        assert reply.status == 200, reply
        assert (await spoken.native.get(f"/v1/tasks/{task['key']}"))["state"] == status
    keyed = await w.api.raw("POST", f"/agent-workers/workers/{w.id}/claim", b"", {"Idempotency-Key": "k"})
    assert "credentials" not in keyed.json()


async def test_crossing_to_the_decks_own_api_and_back(spoken: Spoken, w: VeryfrontWorker) -> None:
    made = await w.raw("POST", "/runs", {"kind": "task", "owner": {"kind": "project", "id": "default"},
                                         "request": {"target": "task:x", "config": {"a": 1}}})  # fmt: skip
    theirs = made.json()["run"]["run_id"]
    low = await spoken.native.create("low", priority=10)
    high = await spoken.native.create("high", priority=90, max_attempts=1)
    held = await w.claim()
    assert held["request_snapshot"]["forwardedProps"]["taskdeck"] | {"payload": {}} == {
        "task_id": str(high["number"]), "type": None, "queue": "default", "priority": 90, "attempt": 1, "payload": {},
    }  # fmt: skip
    native = await spoken.native.claim("native")
    assert (native["task"]["payload"], native["task"]["labels"]) == ({"a": 1}, ["task:x"])
    whole = (await w.raw("GET", f"/runs/{theirs}")).json()
    assert (whole["status"], whole["started_at"]) == ("running", native["task"]["claim"]["claimed_at"])
    assert await w.renew(f"{theirs}.1") is None
    assert (await w.complete(f"{theirs}.1")).status == 200  # the same principal's API token holds it
    vias = {lease["worker"]: lease["via"] for lease in (await spoken.native.get("/v1/leases"))["leases"]}
    assert vias == {w.id: "veryfront"}
    await w.complete(held["run_id"], "failed", terminal_error_message="broke")
    assert (await spoken.native.get(f"/v1/tasks/{high['key']}"))["error"]["message"] == "broke"
    run = await w.claim()
    assert run["run_id"] == f"run_{low['number']}.1"
    await spoken.native.register("native")
    overridden = await spoken.native.post(f"/v1/tasks/{low['key']}/override", {"worker": "native", "reason": "r"})
    assert (overridden["fence"], overridden["claim"]["worker"]) == (2, "native")
    assert (await w.complete(run["run_id"])).json()["code"] == "lease_lost"
    assert (await w.read(run)).json()["terminal_error_code"] == "RELEASED"


async def test_crossing_to_another_dialect_and_back(spoken: Spoken, w: VeryfrontWorker) -> None:
    token = await spoken.token("agent", "bob", projects=["default"])
    proof = {"exit_code": 0, "output": "ok", "duration_ms": 1}
    wish = {"kind": "task", "owner": {"kind": "project", "id": "default"}, "request": {"target": "task:x", "name": "X"}}
    theirs = (await w.raw("POST", "/runs", wish)).json()["run"]["run_id"]
    async with Api(f"{spoken.running.url}/stride/api", token) as stride:
        claim = {"agent_name": "Bot", "before_doing_result": proof}
        held = (await stride.post("/tasks/claim", claim))["data"]
        assert held["title"] == "X"
        assert (await w.raw("GET", f"/runs/{theirs}")).json()["status"] == "running"
        assert await w.claim() is None
        assert await w.renew(f"{theirs}.1") is None
        done = {"agent_name": "Bot", "completion_summary": "done", "actual_complexity": "small",
                "actual_files_changed": "a.py", "time_spent_minutes": 1, "after_doing_result": proof,
                "before_review_result": proof}  # fmt: skip
        await stride.patch(f"/tasks/{held['id']}/complete", done)
        assert (await w.raw("GET", f"/runs/{theirs}")).json()["status"] == "completed"
        made = (await stride.post("/tasks", {"task": {"title": "Y", "priority": "high", "status": "open"}}))["data"]
        if (await spoken.native.get(f"/v1/tasks/{made['id']}"))["state"] == "backlog":
            await spoken.native.post(f"/v1/tasks/{made['id']}/promote", {})
        run = await w.claim()
        ours = run["request_snapshot"]["forwardedProps"]["taskdeck"]
        assert (run["run_id"], ours["priority"]) == (f"run_{made['id']}.1", 75)
        assert (await stride.get(f"/tasks/{made['id']}"))["data"]["status"] == "in_progress"
        via = {one["id"]: one["via"] for one in (await spoken.native.get("/v1/workers"))["workers"]}
        assert set(via.values()) == {"stride", "veryfront"}
        await w.complete(run["run_id"], output={"done": True})
        assert (await stride.get(f"/tasks/{made['id']}"))["data"]["status"] == "completed"


async def test_reviewed_work_is_completed_here_and_waits_there(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T", review="required")
    run = await w.claim()
    assert (await w.complete(run["run_id"])).json()["run"]["status"] == "completed"
    whole = (await w.raw("GET", f"/runs/run_{task['number']}")).json()
    assert (whole["status"], whole["waiting_reason"]) == ("waiting", "review")
    assert (await w.read(run | {"run_id": f"run_{task['number']}"})).json()["status"] == "completed"
    await spoken.native.post(f"/v1/tasks/{task['key']}/approve", {})
    assert (await w.raw("GET", f"/runs/run_{task['number']}")).json()["status"] == "completed"


async def test_the_tasks_own_id_is_no_lease(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    whole = f"run_{task['number']}"
    assert (await w.raw("GET", f"/runs/{whole}")).json()["status"] == "pending"
    run = await w.claim() | {"run_id": whole}
    assert await w.renew(whole) is None
    assert (await w.complete(whole)).json()["code"] == "lease_lost"
    assert (await w.session(whole, "s")).json()["code"] == "lease_lost"
    assert (await w.append(run, HI)).json()["code"] == "run_terminal"
    assert (await w.read(run)).json()["status"] == "running"


async def test_a_run_that_waits_takes_no_events(spoken: Spoken, w: VeryfrontWorker) -> None:
    task = await spoken.native.create("T")
    run = await w.claim()
    await spoken.native.post(f"/v1/tasks/{task['key']}/heartbeat", {"fence": 1, "state": "waiting_input"})
    late = await w.append(run, HI)
    assert late.json()["detail"] == "Cannot append external events while the run is waiting for a tool result"
    assert (await w.read(run)).json()["status"] == "waiting_for_tool"
    assert (await w.raw("GET", f"/runs/run_{task['number']}")).json()["status"] == "waiting"


async def test_opened_it_takes_any_token_or_none(speaking: Speaking) -> None:
    async with speaking("veryfront", opened=True) as spoken, Api(spoken.url, "whatever") as api:
        await spoken.native.create("T")
        worker = await register(api, "a")
        given = (await worker.raw("POST", f"/agent-workers/workers/{worker.id}/claim")).json()
        assert given["credentials"]["auth_token"] == "open"
        assert given["run"]["lease_owner"] == worker.id
        api.token = None
        path = uuid5(SPACE, f"run:{given['run']['run_id']}")
        headers = {"X-Veryfront-Run-Terminal-Token": given["credentials"]["run_terminal_token"]}
        reply = await api.raw("POST", f"/runs/{path}/finalize", b'{"status": "completed"}', headers)
        assert (reply.status, reply.json()["created_by"]) == (200, "admin")
        assert (await api.raw("POST", "/runs/run_1/cancel")).status == 200  # it has ended: nothing to cancel


async def test_race_each_task_to_one_claimer(spoken: Spoken) -> None:
    for _ in range(TASKS // 500):
        await spoken.native.post("/v1/tasks", {"tasks": [{"title": "t"}] * 500})
    async with Api(spoken.url, spoken.native.token) as caller:
        workers = [await register(caller, f"w{number}") for number in range(64)]

        async def claim(number: int) -> str | None:
            run = await workers[number].claim()
            return None if run is None else str(run["run_id"])

        given = await race(claim)
    assert len(given) == len(set(given)) == TASKS
    assert {name.rpartition(".")[2] for name in given} == {"1"}
