"""The Stride dialect against its specification's list, item by item, on a real port: claiming and producing."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from stride.board import NOTHING, OK, PROVEN, Board, error

ENV = {
    "TASK_ID", "TASK_IDENTIFIER", "TASK_TITLE", "TASK_DESCRIPTION", "TASK_STATUS", "TASK_COMPLEXITY", "TASK_PRIORITY",
    "TASK_NEEDS_REVIEW", "BOARD_ID", "BOARD_NAME", "COLUMN_ID", "COLUMN_NAME", "AGENT_NAME", "HOOK_NAME",
}  # fmt: skip
TASKS, CLAIM = "/api/tasks", "/api/tasks/claim"


async def test_01_without_a_good_token_nothing_is_told(board: Board) -> None:
    reply = await board.call("POST", CLAIM, PROVEN, by=None)
    assert (reply.status, reply.json()) == (401, {"error": "Missing or invalid Authorization header"})
    unknown = await board.stride.call("POST", CLAIM, PROVEN, token="nope")
    assert (unknown.status, unknown.json()) == (401, {"error": "Invalid API token"})
    listed = (await board.native.get("/v1/tokens"))["tokens"]
    (number,) = (token["id"] for token in listed if token["principal"] == "ana-board")
    await board.native.delete(f"/v1/tokens/{number}")
    revoked = await board.claim("A")
    assert (revoked.status, revoked.body) == (401, unknown.body)
    for header in ("bearer x", "Basic x", "Bearer"):
        odd = await board.stride.raw("POST", CLAIM, b"{}", {"Authorization": header})
        assert odd.json() == {"error": "Missing or invalid Authorization header"}, header


async def test_01_who_guesses_tokens_is_told_to_wait(board: Board) -> None:
    statuses = [(await board.stride.call("GET", TASKS, token="nope")).status for _ in range(21)]
    assert statuses == [401] * 20 + [429]
    waits = await board.stride.call("GET", TASKS, token="nope")
    assert (waits.json(), waits.headers["retry-after"]) == ({"error": "Too many requests"}, "61")
    assert (await board.call("GET", TASKS)).status == 200
    board.clock.advance(60)
    assert (await board.stride.call("GET", TASKS, token="nope")).status == 401


async def test_01_an_expired_token_is_as_good_as_none(board: Board) -> None:
    rights = {"projects": ["board"], "expires_in_seconds": 60}
    secret = await board.native.token_for("agent", "eva", **rights)
    assert (await board.stride.call("GET", TASKS, token=secret)).status == 200
    board.clock.advance(61)
    expired = await board.stride.call("GET", TASKS, token=secret)
    assert (expired.status, expired.json()) == (401, {"error": "Invalid API token"})


async def test_02_proof_is_asked_for_before_anything_else(board: Board) -> None:
    reply = await board.call("POST", CLAIM, {})
    told = reply.json()
    assert (reply.status, told["error"], told["hook"]) == (422, "before_doing hook result is required", "before_doing")
    assert told["required_format"]["before_doing_result"]["exit_code"] == 0
    assert {"documentation", "related_docs", "common_causes"} <= told.keys()


@pytest.mark.parametrize(
    ("result", "said"),
    [("x", "must be a map"), ({}, "must include exit_code, output, and duration_ms fields")]
    + [({"exit_code": code, "output": "", "duration_ms": 1}, "blocking hook and failed with exit code")
       for code in (1, "0", False, 0.0, None)],
    ids=repr,
)  # fmt: skip
async def test_03_proof_that_proves_nothing_is_refused(board: Board, result: Any, said: str) -> None:
    reply = await board.call("POST", CLAIM, {"before_doing_result": result})
    assert reply.status == 422
    assert said in error(reply)


async def test_04_an_empty_board_has_nothing_to_claim(board: Board) -> None:
    reply = await board.claim()
    assert (reply.status, error(reply)) == (409, NOTHING)
    assert isinstance(reply.json()["common_causes"], list)


async def test_05_a_new_task_waits_in_the_backlog(board: Board) -> None:
    reply = await board.call("POST", TASKS, {"task": {"title": "t"}})
    data = reply.json()["data"]
    assert (reply.status, reply.headers["Location"]) == (201, f"/api/tasks/{data['id']}")
    wanted = {"identifier": "W1", "type": "work", "priority": "medium", "complexity": "small", "needs_review": False,
              "status": "open", "column_name": "Backlog", "created_by_id": board.ids["A"]}  # fmt: skip
    assert {name: data[name] for name in wanted} == wanted
    assert len(data) == 66
    below = await board.native.call("POST", f"/stride{TASKS}", {"task": {"title": "t"}}, token=board.tokens["B"])
    assert below.headers["Location"] == f"/stride/api/tasks/{below.json()['data']['id']}"
    none = await board.call("GET", "/api/tasks/next")
    assert (none.status, none.json()) == (
        404, {"error": "No tasks available in Ready column matching your capabilities"},
    )  # fmt: skip
    refused = await board.claim(identifier="W1")
    assert refused.status == 409
    assert any("Backlog" in cause and "claimable column" in cause for cause in refused.json()["common_causes"])


async def test_06_the_next_task_is_shown_and_left(board: Board) -> None:
    made = await board.make()
    first = await board.call("GET", "/api/tasks/next")
    assert (first.status, first.json()["data"]["id"], first.json()["data"]["status"]) == (200, made["id"], "open")
    assert first.json()["current_skills_version"] == "1.0"
    assert (await board.call("GET", "/api/tasks/next")).body == first.body


async def test_07_a_claim_gives_the_task_and_its_hook(board: Board) -> None:
    made = await board.make(description=None)
    document = (await board.claim(agent_name="Claude Sonnet 4.5")).json()
    data, hook = document["data"], document["hook"]
    assert (data["id"], data["status"], data["column_name"]) == (made["id"], "in_progress", "Doing")
    assert (data["assigned_to_id"], data["assigned_to_name"]) == (board.ids["A"], "ana-board")
    assert (data["board_id"], data["board_name"]) == (board.number, "board")
    lasts = _time(data["claim_expires_at"]) - _time(data["claimed_at"])
    assert (lasts.total_seconds(), data["claimed_at"][-1]) == (3600, "Z")
    assert (hook["name"], hook["blocking"], hook["timeout"]) == ("before_doing", True, 60_000)
    assert hook["env"].keys() == ENV
    assert all(isinstance(value, str) for value in hook["env"].values())
    told = {"AGENT_NAME": "Claude Sonnet 4.5", "TASK_STATUS": "in_progress", "COLUMN_NAME": "Doing",
            "TASK_DESCRIPTION": "", "TASK_NEEDS_REVIEW": "false", "TASK_ID": str(made["id"])}  # fmt: skip
    assert {name: hook["env"][name] for name in told} == told


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_08_an_agent_without_a_name_is_unknown(board: Board) -> None:
    await board.make()
    assert (await board.claim()).json()["hook"]["env"]["AGENT_NAME"] == "Unknown"


@pytest.mark.parametrize("tasks", [1, 5])
async def test_09_claims_at_once_each_get_another_task(board: Board, tasks: int) -> None:
    for _ in range(tasks):
        await board.make()
    replies = await asyncio.gather(*(board.claim("AB"[number % 2]) for number in range(20)))
    given = [reply.json()["data"]["id"] for reply in replies if reply.status == 200]
    assert len(given) == len(set(given)) == tasks
    assert [reply.status for reply in replies].count(409) == 20 - tasks


async def test_10_priority_comes_before_place(board: Board) -> None:
    made = [await board.make(priority=word) for word in ("low", "critical", "medium", "critical")]
    given = [(await board.claimed())["id"] for _ in made]
    assert given == [made[at]["id"] for at in (1, 3, 2, 0)]


async def test_11_a_task_is_claimed_by_its_identifier(board: Board) -> None:
    made = [await board.make() for _ in range(3)]
    assert (await board.claimed(identifier=made[2]["identifier"]))["id"] == made[2]["id"]
    for name in ("W999", made[2]["identifier"], str(made[0]["id"]), "G1"):
        refused = await board.claim("B", identifier=name)
        assert (refused.status, f"Task '{name}' is not available" in error(refused)) == (409, True)
    mine = await board.claim("A", identifier=made[2]["identifier"])
    assert mine.status == 409


async def test_12_what_is_assigned_is_for_its_assignee(board: Board) -> None:
    made = await board.make()
    await board.native.post(f"/v1/tasks/{made['id']}/assign", {"assignee": "bob-board"})
    before = await board.native.last_seq()
    refused = await board.claim("A", identifier=made["identifier"])
    assert (refused.status, "assigned to a different user" in error(refused)) == (403, True)
    assert (await board.claim("A")).status == 409
    shown = (await board.ok("GET", f"/api/tasks/{made['id']}"))["data"]
    assert (shown["status"], shown["assigned_to_id"]) == ("open", board.ids["B"])
    assert all(e["task"] is None for e in await board.native.events(before))
    assert (await board.claimed("B"))["id"] == made["id"]


async def test_13_capabilities_bind_whoever_has_some(board: Board) -> None:
    made = await board.make(required_capabilities=["devops"])
    assert (await board.claim("A")).status == 409
    assert (await board.claim("A", identifier=made["identifier"])).status == 409
    assert (await board.claimed("T0"))["required_capabilities"] == ["devops"]
    wish = {"task": {"title": "t", "required_capabilities": ["devops", "cooking"]}}
    refused = await board.call("POST", TASKS, wish)
    assert (refused.status, "cooking" in refused.json()["errors"]["required_capabilities"][0]) == (422, True)


async def test_14_dependencies_block_until_they_are_completed(board: Board) -> None:
    first = await board.make("X")
    second = await board.make("Y", dependencies=[first["identifier"]])
    lost = await board.make("Z", dependencies=["W777", first["identifier"]])
    assert (second["status"], lost["status"], lost["dependencies"]) == (
        "blocked", "blocked", [first["identifier"], "W777"],
    )  # fmt: skip
    assert (await board.claimed())["id"] == first["id"]
    assert (await board.claim()).status == 409
    assert (await board.finish(first)).status == 200
    assert (await board.ok("GET", f"/api/tasks/{second['id']}"))["data"]["status"] == "open"
    assert (await board.claimed())["id"] == second["id"]
    assert (await board.ok("GET", f"/api/tasks/{lost['id']}"))["data"]["status"] == "blocked"
    backlog = await board.make("B", ready=False, dependencies=["W778"])
    assert (backlog["status"], backlog["column_name"]) == ("blocked", "Backlog")


async def test_15_tasks_about_the_same_file_are_not_given_side_by_side(board: Board) -> None:
    def about(*paths: str) -> Any:
        return [{"file_path": path, "position": at} for at, path in enumerate(paths)]

    first = await board.make("1", key_files=about("lib/a.py", "lib/b.py"))
    second = await board.make("2", key_files=about("lib//b.py"))
    third = await board.make("3", priority="low", key_files=about("c.py"))
    assert (await board.claimed())["id"] == first["id"]
    assert (await board.ok("GET", "/api/tasks/next"))["data"]["id"] == third["id"]
    assert (await board.claimed("B"))["id"] == third["id"]
    assert (await board.claim("B")).status == 409
    assert (await board.claimed("B", identifier=second["identifier"]))["id"] == second["id"]
    await board.ok("POST", f"/api/tasks/{second['id']}/unclaim", by="B")
    await board.finish(first)
    assert (await board.claimed())["id"] == second["id"]
    fourth = await board.make("4")
    changed = {"task": {"key_files": about("lib/b.py")}}
    assert len((await board.ok("PATCH", f"/api/tasks/{fourth['id']}", changed))["data"]["key_files"]) == 1
    assert (await board.claim("B")).status == 409


async def test_16_goals_and_tasks_for_people_are_not_given_to_agents(board: Board) -> None:
    human = await board.make(human_task=True)
    assert human["human_task"] is True
    goal = await board.make(type="goal")
    assert (await board.call("GET", "/api/tasks/next")).status == 404
    for by in ("A", "T0"):
        assert (await board.claim(by)).status == 409
        for task in (human, goal):
            assert (await board.claim(by, identifier=task["identifier"])).status == 409


async def test_17_readers_read_and_others_see_nothing(board: Board) -> None:
    made = await board.make()
    claim = await board.claim("TR")
    assert (claim.status, error(claim)) == (403, "You do not have write access to claim tasks on this board")
    create = await board.call("POST", TASKS, {"task": {"title": "t"}}, by="TR")
    assert (create.status, error(create)) == (403, "Not authorized — board write access (owner or modify) required")
    assert (await board.call("GET", TASKS, by="TR")).status == 200
    for name in (made["id"], made["identifier"]):
        hidden = await board.call("GET", f"/api/tasks/{name}", by="TX")
        assert (hidden.status, hidden.json()) == (404, {"error": "Task not found"})
    assert (await board.ok("GET", TASKS, by="TX"))["data"] == []


async def test_18_a_task_is_given_back_by_who_claimed_it(board: Board) -> None:
    made = await board.make()
    path = f"/api/tasks/{made['id']}/unclaim"
    await board.claimed()
    other = await board.call("POST", path, {"reason": "x"}, by="B")
    assert (other.status, error(other)) == (403, "You can only unclaim tasks that you claimed")
    back = (await board.ok("POST", path, {"reason": "x"}))["data"]
    assert (back["status"], back["column_name"]) == ("open", "Ready")
    assert [back[name] for name in ("assigned_to_id", "claimed_at", "claim_expires_at")] == [None] * 3
    again = await board.call("POST", path)
    assert (again.status, error(again)) == (422, "Task is not currently claimed")
    await board.claimed()
    empty = await board.stride.raw(
        "POST", f"/api/tasks/{made['identifier']}/unclaim", b"", {"Authorization": f"Bearer {board.tokens['A']}"}
    )
    assert empty.status == 200


async def test_19_an_expired_claim_is_its_holders_until_another_takes_it(board: Board) -> None:
    made = await board.make()
    first = await board.claimed("A")
    assert (await board.claim("B")).status == 409
    board.clock.advance(3_601)
    late = await board.ok("GET", f"/api/tasks/{made['id']}")
    assert (late["data"]["column_name"], late["data"]["status"]) == ("Doing", "in_progress")
    taken = await board.claimed("B")
    assert (taken["id"], taken["assigned_to_id"]) == (made["id"], board.ids["B"])
    assert taken["claimed_at"] > first["claimed_at"]
    lost = await board.finish(made, "A")
    assert (lost.status, "only complete tasks that you are assigned to" in error(lost)) == (403, True)
    board.clock.advance(3_601)
    assert (await board.finish(made, "B")).status == 200


async def test_40_a_client_with_other_skills_is_told(board: Board) -> None:
    for number, version in enumerate(("0.1", "1.0", "", None, 7)):
        await board.make(str(number))
        document = (await board.claim(skills_version=version)).json()
        told = document.get("skills_update_required")
        assert (told and told["your_version"]) == (version if version == "0.1" else None)
        assert document["current_skills_version"] == "1.0"
    await board.make()
    shown = await board.ok("GET", "/api/tasks/next?skills_version=99.0")
    assert "/plugin update stride" in shown["skills_update_required"]["action"]
    assert "current_skills_version" in shown


async def test_44_what_is_too_long_is_refused(board: Board) -> None:
    long = await board.call("POST", TASKS, {"task": {"title": "t", "description": "x" * 100_001}})
    assert long.json()["errors"] == {"description": ["should be at most 100000 character(s)"]}
    wide = await board.call("POST", TASKS, {"task": {"title": "t", "why": "x" * 70_000}})
    assert (wide.status, list(wide.json()["errors"])) == (422, ["base"])
    made = await board.make()
    await board.claimed()
    told = await board.finish(made, completion_summary="x" * 300_000)
    assert (told.status, list(told.json()["errors"])) == (422, ["base"])
    odd = await board.claim(identifier={"a": "x" * 500})
    assert (odd.status, len(error(odd)) < 300) == (409, True)


async def test_44_what_is_not_there_is_not_found(board: Board) -> None:
    for method, path in (("DELETE", "/api/tasks/1"), ("GET", "/api/nope"), ("PUT", "/api/tasks")):
        reply = await board.call(method, path, by=None)
        assert (reply.status, reply.json()) == (404, {"errors": {"detail": "Not Found"}})
    malformed = await board.stride.raw("POST", CLAIM, b"{", {"Authorization": f"Bearer {board.tokens['A']}"})
    assert (malformed.status, malformed.json()) == (400, {"errors": {"detail": "Bad Request"}})
    assert error(await board.call("GET", CLAIM)) == "Task not found"
    form = {"Authorization": f"Bearer {board.tokens['A']}", "Content-Type": "application/x-www-form-urlencoded"}
    await board.make()
    given = await board.stride.raw("POST", "//api//tasks/claim/", b'{"before_doing_result": %s}' % _json(OK), form)
    assert given.status == 200
    back = await board.stride.raw("POST", f"/api/tasks/{given.json()['data']['id']}/unclaim", b"reason=x", form)
    assert back.status == 200


def _json(document: Any) -> bytes:
    return str(document).replace("'", '"').encode()
