"""Gates over the API: refused without what they ask for, told beforehand, kept afterwards."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.environment import check_environment
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.finish import complete
from taskdeck.service.requests import ClaimRequest, NewTask

BEGIN = {"before": "claim", "hook": "before_doing", "timeout_seconds": 60}
LINT = {"before": "claim", "hook": "lint", "blocking": False}
LINKS = {"before": "complete", "evidence": ["commit", "pr"], "least": 1}
AGREED = {"before": "approve", "hook": "merge"}
OK = {"exit_code": 0, "output": "fine", "duration_ms": 12}
COMMIT = {"kind": "commit", "ref": "4f2a91c", "summary": None}
KEPT = COMMIT | {"strong": True}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    yield made
    made.close()


async def _claimed(api: Api, **shown: Any) -> Any:
    return (await api.post("/v1/claims", {"worker": "w", "shown": shown}))["claims"][0]


async def test_a_claim_shows_what_is_asked_for(api: Api) -> None:
    task = await api.create(gates=[BEGIN, LINT])
    before = await api.last_seq()
    for wish in ({"worker": "w"}, {"worker": "w", "task": task["key"]}, {"worker": "w", "wait_seconds": 1}):
        reply = await api.call("POST", "/v1/claims", wish)
        assert (reply.status, reply.code) == (422, "gate_unmet")
        (missing,) = reply.json()["gates"]
        assert (missing["gate"], "before_doing" in missing["detail"]) == ("before_doing", True)
    assert await api.last_seq() == before
    bad = {"hooks": {"before_doing": OK | {"exit_code": 2}}}
    reply = await api.call("POST", "/v1/claims", {"worker": "w", "shown": bad})
    assert "exit code 2" in reply.json()["detail"]
    given = (await api.post("/v1/claims", {"worker": "w", **missing["example"]}))["claims"][0]
    proof = given["task"]["proof"]["claim"]
    assert proof == {"hooks": missing["example"]["shown"]["hooks"], "evidence": []}
    event = (await api.events(type="task.claimed"))[-1]
    assert (event["facts"]["shown"], event["changes"]["proof"]) == (proof, {"claim": proof})


async def test_a_completion_shows_evidence_and_an_approval_a_hook(api: Api) -> None:
    task = await api.create(gates=[LINKS, AGREED], review="required")
    claim = await api.claim()
    path = f"/v1/tasks/{task['id']}"
    weak = {"evidence": [{"kind": "command_output", "ref": "make test"}]}
    for shown in ({}, weak):
        reply = await api.call("POST", f"{path}/complete", {"fence": claim["fence"], "shown": shown})
        assert (reply.status, reply.code) == (422, "gate_unmet")
    assert (await api.get(path))["state"] == "claimed"
    done = await api.post(f"{path}/complete", {"fence": claim["fence"], "shown": {"evidence": [COMMIT]}})
    assert (done["state"], done["proof"]["complete"]["evidence"]) == ("review", [KEPT])
    assert (await api.call("POST", f"{path}/approve", {})).code == "gate_unmet"
    approved = await api.post(f"{path}/approve", {"shown": {"hooks": {"merge": OK}}})
    assert (approved["state"], sorted(approved["proof"])) == ("done", ["approve", "complete"])


async def test_proof_begins_anew_with_each_attempt(api: Api) -> None:
    task = await api.create()
    claim = await _claimed(api, evidence=[COMMIT])
    assert claim["task"]["proof"]["claim"]["evidence"] == [KEPT]
    await api.post(f"/v1/tasks/{task['id']}/release", {"fence": claim["fence"]})
    assert (await api.claim())["task"]["proof"] is None


async def test_gates_are_told_beforehand(api: Api) -> None:
    task = await api.create("Title; $(rm -rf /)", gates=[BEGIN, LINKS])
    told = await api.get(f"/v1/tasks/{task['id']}/gates?worker=w1")
    hook, links = told["gates"]
    assert (hook["before"], hook["hook"], hook["timeout_seconds"], hook["blocking"]) == (
        "claim",
        "before_doing",
        60,
        True,
    )
    assert (links["before"], links["evidence"], links["least"]) == ("complete", ["commit", "pr"], 1)
    environment = hook["environment"]
    assert all(isinstance(value, str) for value in environment.values())
    assert (environment["TASKDECK_TASK_KEY"], environment["TASKDECK_WORKER"], environment["TASKDECK_HOOK"]) == (
        task["key"], "w1", "before_doing",
    )  # fmt: skip
    assert environment["TASKDECK_TASK_TITLE"] == "Title; $(rm -rf /)"
    check_environment(environment)
    (failed,) = [
        check for check in (await api.get(f"/v1/tasks/{task['id']}/explain?worker=w1"))["checks"] if not check["passed"]
    ]
    assert (failed["rule"], "before_doing" in failed["detail"]) == ("gate_unmet", True)
    plain = await api.create("plain")
    assert (await api.get(f"/v1/tasks/{plain['id']}/gates"))["gates"] == []


async def test_a_project_puts_its_gates_before_the_tasks_own(api: Api) -> None:
    old = await api.create()
    await api.patch("/v1/projects/default", {"gates": [BEGIN]})
    task = await api.create(gates=[LINKS])
    assert [gate["before"] for gate in task["gates"]] == ["claim", "complete"]
    assert (await api.get(f"/v1/tasks/{old['id']}"))["gates"] is None
    await api.patch("/v1/projects/default", {"gates": []})
    assert (await api.get("/v1/projects/default"))["gates"] == []
    assert (await api.create())["gates"] is None
    assert (await api.patch(f"/v1/tasks/{task['id']}", {"gates": []}))["gates"] is None


async def test_an_override_passes_the_gates(api: Api) -> None:
    task = await api.create(gates=[BEGIN])
    claim = await api.claim("w", task=task["key"], override={"reason": "urgent"})
    assert claim["task"]["state"] == "claimed"


async def test_a_claim_that_waits_learns_of_a_gate_that_is_shut(api: Api) -> None:
    waiting = asyncio.create_task(api.call("POST", "/v1/claims", {"worker": "w", "wait_seconds": 30}))
    await api.until_waiting(1)
    await api.create(gates=[BEGIN])
    reply = await waiting
    assert (reply.status, reply.code) == (422, "gate_unmet")


def test_a_task_without_gates_writes_nothing_more(store: BareStore) -> None:
    """What a claim and a completion write of a plain task: its row, and once who completed it."""
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default")]))
    seen: list[str] = []
    store.runner.connection.set_trace_callback(seen.append)
    (task,) = store(lambda unit: claim(unit, ROOT, ClaimRequest("w"))).tasks
    store(lambda unit: complete(unit, ROOT, task.key, task.fence))
    store.runner.connection.set_trace_callback(None)
    assert sum(sql.startswith("UPDATE tasks SET") for sql in seen) == 2
    (outcome,) = [sql for sql in seen if "UPDATE bodies SET" in sql]
    assert re.fullmatch(r"UPDATE bodies SET completed_by = '[^']+' WHERE task = \d+", outcome.strip())


async def test_a_claim_without_a_name_passes_over_what_its_gates_keep_from_it(api: Api) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": "t", "priority": 90, "gates": [BEGIN]}] * 3})
    asks = {**BEGIN, "blocking": False}
    await api.post("/v1/tasks", {"tasks": [{"title": "asks", "gates": [asks]}, {"title": "plain"}]})
    assert [(await api.claim())["task"]["key"] for _ in range(2)] == ["T4", "T5"]
    reply = await api.call("POST", "/v1/claims", {"worker": "w"})
    assert (reply.status, reply.code, "T1" in reply.json()["detail"]) == (422, "gate_unmet", True)
    given = await api.claim(shown={"hooks": {"before_doing": {"exit_code": 0, "output": "", "duration_ms": 5}}})
    assert given["task"]["key"] == "T1"
    checks = (await api.get("/v1/tasks/T2/explain?worker=w"))["checks"]
    (failed,) = [check for check in checks if not check["passed"]]
    assert (failed["rule"], "given the next task instead" in failed["detail"]) == ("gate_unmet", True)


async def test_gates_that_are_changed_count_at_once(api: Api) -> None:
    task = await api.create(priority=90)
    await api.create("plain")
    await api.patch(f"/v1/tasks/{task['id']}", {"gates": [BEGIN, LINKS]})
    assert (await api.claim())["task"]["key"] == "T2"
    await api.patch(f"/v1/tasks/{task['id']}", {"gates": [LINKS]})
    assert (await api.claim())["task"]["key"] == "T1"


def test_a_claim_passes_over_a_long_queue_without_reading_it(store: BareStore) -> None:
    gates = orjson.dumps([BEGIN]).decode()
    wishes = [NewTask("t", "default", priority=90, gates=gates) for _ in range(500)]
    store(lambda unit: create(unit, ROOT, [*wishes, NewTask("plain", "default", key="PLAIN")]))
    store.close()
    store.open()
    store.batch()
    seen: list[str] = []
    store.runner.connection.set_trace_callback(seen.append)
    (task,) = store(lambda unit: claim(unit, ROOT, ClaimRequest("w"))).tasks
    store.runner.connection.set_trace_callback(None)
    assert task.key == "PLAIN"
    assert len([sql for sql in seen if sql.startswith("SELECT") and " tasks" in sql]) == 1
    store.check()


async def test_evidence_is_strong_or_weak(api: Api) -> None:
    kinds = ["commit", "command_output"]
    wanted = [{"before": "complete", "evidence": kinds[:count]} for count in (1, 2)]
    task = await api.create(gates=wanted)
    gates = (await api.get(f"/v1/tasks/{task['key']}/gates"))["gates"]
    assert [gate["strong"] for gate in gates] == [True, False]
    fence = (await api.claim("w"))["fence"]
    shown = {"evidence": [{"kind": kind, "ref": kind} for kind in kinds]}
    done = await api.post(f"/v1/tasks/{task['key']}/complete", {"fence": fence, "shown": shown})
    assert [item["strong"] for item in done["proof"]["complete"]["evidence"]] == [True, False]
