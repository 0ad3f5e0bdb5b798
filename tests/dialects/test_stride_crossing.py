"""Stride beside the deck's own API: one task in both words; many claimers at once; what its bench sends."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from race import CLAIMERS, TASKS, race
from stride.board import FIN, NOTHING, PROVEN, Board, board_on
from support.api import Api
from veryfront_client import register

from taskdeck.bench.dialects import stride as load
from taskdeck.bench.line import Site
from taskdeck.bench.scripts import PROJECT
from taskdeck.client import Client
from taskdeck.dialects.stride.words import person_id


async def test_a_task_made_natively_is_claimed_and_finished_here(board: Board) -> None:
    wish = {"title": "n", "project": "board", "priority": 80, "capabilities": ["testing"], "description": "d",
            "review": "required", "labels": ["x"], "payload": {"a": 1}}  # fmt: skip
    task = await board.native.post("/v1/tasks", wish)
    data = await board.claimed("A", agent_name="Claude Opus")
    assert (data["identifier"], data["priority"], data["status"]) == (task["key"], "high", "in_progress")
    assert (data["required_capabilities"], data["needs_review"], data["type"]) == (["testing"], True, "work")
    held = await board.native.get(f"/v1/tasks/{task['id']}")
    claim = {name: held["claim"][name] for name in ("worker", "principal", "via")}
    assert claim == {"worker": "Claude+Opus@ana-board", "principal": "ana-board", "via": "stride"}
    workers = (await board.native.get("/v1/workers"))["workers"]
    assert [(worker["id"], worker["via"]) for worker in workers] == [("Claude+Opus@ana-board", "stride")]
    await board.finish(data, completion_notes="n")
    done = await board.native.get(f"/v1/tasks/{task['id']}")
    assert (done["state"], done["result"]["completion_summary"], done["payload"]) == ("review", "s", {"a": 1})
    assert done["completed_by"]["principal"] == "ana-board"
    await board.native.post(f"/v1/tasks/{task['id']}/approve")
    assert (await board.ok("GET", f"/api/tasks/{task['key']}"))["data"]["status"] == "completed"


async def test_a_task_made_here_is_claimed_and_finished_natively(board: Board) -> None:
    made = await board.make(priority="critical", complexity="large", why="y", required_capabilities=["git"])
    native = await board.native.get(f"/v1/tasks/{made['id']}")
    key = native["key"]
    assert (key.rpartition("-")[2], native["state"], native["priority"], native["capabilities"]) == (
        "W1", "ready", 100, ["git"],
    )  # fmt: skip
    assert native["extra"]["stride"] == {"complexity": "large", "why": "y"}
    claim = await board.native.claim("w", capabilities=["git"], project="board")
    shown = (await board.ok("GET", "/api/tasks/W1"))["data"]
    assert (shown["column_name"], shown["assigned_to_name"]) == ("Doing", "admin")
    assert (await board.finish(made)).status == 403
    await board.native.post(f"/v1/tasks/{key}/complete", {"fence": claim["fence"], "result": {"summary": "well"}})
    done = (await board.ok("GET", "/api/tasks/W1"))["data"]
    assert (done["status"], done["completion_summary"], done["actual_complexity"]) == ("completed", "well", None)


@pytest.mark.parametrize(("verb", "body", "said"), [
    ("cancel", {}, ("Done", "completed")),
    ("shelve", {}, ("Backlog", "open")),
], ids=["cancelled", "shelved"])  # fmt: skip
async def test_what_people_do_is_seen_here(board: Board, verb: str, body: Any, said: tuple[str, str]) -> None:
    made = await board.make()
    await board.native.post(f"/v1/tasks/{made['id']}/{verb}", body)
    shown = (await board.ok("GET", f"/api/tasks/{made['id']}"))["data"]
    assert (shown["column_name"], shown["status"]) == said
    assert (await board.claim()).status == 409


async def test_what_fails_or_is_put_off_natively_is_blocked_here(board: Board) -> None:
    wish = {"title": "t", "project": "board", "not_before": "2999-01-01T00:00:00Z"}
    later = await board.native.post("/v1/tasks", wish)
    assert (await board.ok("GET", f"/api/tasks/{later['key']}"))["data"]["status"] == "blocked"
    task = await board.native.post("/v1/tasks", {"title": "t", "project": "board", "max_attempts": 1})
    await board.claimed()
    board.clock.advance(3_601)
    await board.native.tick()
    failed = (await board.ok("GET", f"/api/tasks/{task['key']}"))["data"]
    assert (failed["status"], failed["completed_at"]) == ("blocked", None)
    assert (await board.finish(failed, "B")).status == 403
    assert (await board.finish(failed, "A")).status == 200


async def test_gates_of_the_deck_see_the_proof_of_hooks(board: Board) -> None:
    gates = [{"before": "claim", "hook": "before_doing"}, {"before": "complete", "hook": "after_doing"},
             {"before": "approve", "hook": "after_review"}]  # fmt: skip
    wish = {"title": "t", "project": "board", "gates": gates, "review": "required"}
    task = await board.native.post("/v1/tasks", wish)
    data = await board.claimed()
    assert (await board.finish(data)).status == 200
    await board.judge(data, "approved")
    path = f"/api/tasks/{data['id']}/mark_reviewed"
    done = await board.ok("PATCH", path, {"after_review_result": PROVEN["before_doing_result"]})
    assert done["data"]["status"] == "completed"
    proof = (await board.native.get(f"/v1/tasks/{task['id']}"))["proof"]
    assert proof.keys() == {"claim", "complete", "approve"}
    made = await board.make()
    await board.claimed()
    await board.finish(made)
    assert (await board.native.get(f"/v1/tasks/{made['id']}"))["proof"] is None


async def test_a_task_made_here_is_done_through_another_dialect(board: Board) -> None:
    made = await board.make("X", description="what to do", priority="high")
    token = await board.native.token_for("agent", "vera", projects=["board"])
    async with Api(f"{board.native.url}/veryfront", token) as caller:
        worker = await register(caller, "a", "board")
        run = await worker.claim(30)
        assert run["request_snapshot"]["forwardedProps"]["taskdeck"]["task_id"] == str(made["id"])
        held = (await board.ok("GET", f"/api/tasks/{made['id']}"))["data"]
        assert (held["status"], held["column_name"], held["assigned_to_name"]) == ("in_progress", "Doing", "vera")
        assert (await board.native.get(f"/v1/tasks/{made['id']}"))["claim"]["via"] == "veryfront"
        assert (await board.claim(identifier=made["identifier"])).status == 409
        assert (await worker.complete(run["run_id"])).status == 200
    done = (await board.ok("GET", f"/api/tasks/{made['id']}"))["data"]
    assert (done["status"], done["completed_by_id"]) == ("completed", person_id("vera"))


async def test_a_claim_and_its_end_run_the_same_statements_as_natively(speaking: Any) -> None:
    async with speaking("stride") as spoken:
        board = await board_on(spoken.url, spoken.native, spoken.clock)

        async def here() -> None:
            assert (await board.finish(await board.claimed())).status == 200

        async def natively() -> None:
            held = await board.native.claim("native", project="board")
            await board.native.post(f"/v1/tasks/{held['task']['key']}/complete", {"fence": 1, "result": {}})

        async with board.stride:
            for _ in range(4):
                await board.make()
            await natively()
            await here()
            assert await spoken.statements(here) == await spoken.statements(natively)


async def test_two_boards_count_for_themselves(board: Board) -> None:
    first = await board.make()
    other = (await board.ok("POST", "/api/tasks", {"task": {"title": "t"}}, by="TX"))["data"]
    assert first["identifier"] == other["identifier"] == "W1"
    assert (await board.ok("GET", "/api/tasks/W1", by="TX"))["data"]["id"] == other["id"]
    assert (await board.ok("GET", "/api/tasks/W1"))["data"]["id"] == first["id"]


async def test_a_race_gives_each_task_to_one(board: Board) -> None:
    wish = {"title": "t", "project": "board"}
    await board.native.post("/v1/tasks", {"tasks": [wish] * TASKS})
    told: Counter[str] = Counter()
    async with Api(board.url, None) as caller:

        async def claim(number: int) -> str | None:
            reply = await caller.call("POST", "/api/tasks/claim", PROVEN, token=board.tokens["AB"[number % 2]])
            if reply.status == 200:
                return str(reply.json()["data"]["id"])
            assert reply.status == 409
            told[reply.json()["error"]] += 1
            return None

        given = await race(claim)
    assert len(given) == len(set(given)) == TASKS
    assert told == {NOTHING: CLAIMERS}


async def test_what_the_bench_sends_is_taken(board: Board) -> None:
    host, _, port = board.native.url.removeprefix("http://").rpartition(":")
    site = Site(host, int(port), board.native.token or "")
    await board.native.post("/v1/projects", {"name": PROJECT})
    await board.native.post("/v1/tasks", load.TASK)
    async with Client(board.native.url, token=board.native.token) as client:
        await load.prepare(site, client)
    script, statuses = load.cycles(site, 0), []
    ask = next(script)
    with pytest.raises(StopIteration):
        while True:
            status, body = await _play(board, ask.request)
            statuses.append(status)
            ask = script.send(body)
    assert statuses == [200, 200, 409]


async def _play(board: Board, request: bytes) -> tuple[int, bytes]:
    """Send what the bench would."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    reply = await board.native.raw(method, path, body, dict(line.split(": ", 1) for line in lines))
    return reply.status, reply.body


async def test_work_goes_round_from_a_goal_to_its_end(board: Board) -> None:
    """The shapes that clients send, one after another, as a producer and an agent send them."""
    enriched = {"title": "Add login", "type": "work", "column_id": board.ready, "needs_review": False,
                "key_files": [{"file_path": "lib/a.py", "note": "core", "position": 0}],
                "verification_steps": [{"step_type": "command", "step_text": "pytest", "position": 0}],
                "testing_strategy": {"unit_tests": ["t1"]}, "pitfalls": ["p"],
                "acceptance_criteria": "a\nb"}  # fmt: skip
    made = await board.ok("POST", "/api/tasks", {"agent_name": "Claude Opus 4.6", "task": enriched})
    assert made["data"]["created_by_agent"] == "Claude Opus 4.6"
    assert {name: made["data"][name] for name in ("pitfalls", "testing_strategy")} == {
        "pitfalls": ["p"], "testing_strategy": {"unit_tests": ["t1"]},
    }  # fmt: skip
    more = {"why": "w", "what": "x", "security_considerations": ["s"]}
    await board.ok("PATCH", "/api/tasks/W1", {"task": more})
    claimed = await board.ok("POST", "/api/tasks/claim", {
        "identifier": "W1", "agent_name": "Claude Opus 4.6", "skills_version": "1.0",
        "before_doing_result": {"exit_code": 0, "output": "Executed by hooks", "duration_ms": 0},
    })  # fmt: skip
    number = claimed["data"]["id"]
    skipped = {
        "dispatched": False,
        "summary": "Read the key files inline and found the pattern that the change mirrors.",
    }
    completion = FIN | {
        "agent_name": "Claude Opus 4.6", "skills_version": "1.0", "completion_notes": "n",
        "explorer_result": skipped | {"reason": "no_subagent_support"},
        "reviewer_result": skipped | {"reason": "self_reported_review"},
        "workflow_steps": [
            {"name": "explorer", "dispatched": False, "reason": "matrix", "reason_code": "decision_matrix_skip"},
            {"name": "implementation", "dispatched": True, "duration_ms": 1000},
        ],
    }  # fmt: skip
    done = await board.ok("PATCH", f"/api/tasks/{number}/complete?response_view=slim", completion)
    assert (done["data"]["needs_review"], done["data"]["status"]) == (False, "completed")
    shown = (await board.ok("GET", f"/api/tasks/{number}"))["data"]
    assert (shown["why"], [step["name"] for step in shown["workflow_steps"]]) == ("w", ["explorer", "implementation"])
    assert (await board.ok("GET", f"/api/tasks/{number}/after_goal_status"))["after_goal_armed"] is False
