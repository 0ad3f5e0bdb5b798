"""The Stride dialect against its specification's list: finishing, reviewing, goals, reading."""

from __future__ import annotations

from typing import Any

from stride.board import ACK, FIN, REVIEWED, Board, choose, error

SELF = {
    "dispatched": False,
    "reason": "self_reported_review",
    "summary": "Walked the diff against every criterion of the task, twice.",
}
THIN = {"dispatched": True, "summary": "Looked at every file that was changed, twice over.", "duration_ms": 1,
        "acceptance_criteria_checked": 1, "issues_found": 0}  # fmt: skip
FULL: dict[str, Any] = (
    THIN
    | {
        "issues": [],
        "acceptance_criteria": [],
        "project_checks": [],
        "schema_version": "1.0",
        "status": "approved",
    }
    | {key: {"status": "passed"} for key in ("testing_strategy", "patterns", "pitfalls", "security_considerations")}
)


def hooks(document: Any) -> list[str]:
    return [hook["name"] for hook in document["hooks"]]


async def test_20_a_completion_without_review_is_done(board: Board) -> None:
    made = await board.make()
    claimed = await board.claimed()
    document = (await board.finish(made, completion_notes="n", review_report="r", workflow_steps=[])).json()
    data = document["data"]
    assert (data["status"], data["column_name"], data["completed_by_id"]) == ("completed", "Done", board.ids["A"])
    assert data["completed_at"] is not None
    assert hooks(document) == ["after_doing", "before_review", "after_review"]
    assert document["hooks"][0]["env"]["COLUMN_NAME"] == "Done"
    told = {name: FIN[name] for name in ("completion_summary", "actual_complexity", "time_spent_minutes")}
    assert {name: data[name] for name in told} == told
    kept = ("claimed_at", "claim_expires_at", "assigned_to_id")
    assert {name: data[name] for name in kept} == {name: claimed[name] for name in kept}


async def test_21_a_completion_with_review_waits_for_it(board: Board) -> None:
    made = await board.make(needs_review=True)
    await board.claimed()
    document = (await board.finish(made, agent_name="Claude")).json()
    data = document["data"]
    assert (data["status"], data["column_name"], data["completed_at"]) == ("in_progress", "Review", None)
    assert (hooks(document), data["completed_by_agent"]) == (["after_doing", "before_review"], "Claude")
    second = await board.make()
    await board.claimed("TM")
    done = (await board.finish(second, "TM", agent_name="Claude")).json()["data"]
    assert done["completed_by_agent"] == "ai_agent:claude-opus"


async def test_22_what_a_completion_lacks_is_said(board: Board) -> None:
    made = await board.make()
    await board.claimed()

    async def refused(leave: str = "", **more: Any) -> Any:
        document = {name: value for name, value in (FIN | more).items() if name not in leave.split()}
        reply = await board.call("PATCH", f"/api/tasks/{made['id']}/complete", document)
        assert reply.status == 422
        return reply.json()

    assert (await refused("before_review_result"))["hook"] == "before_review"
    assert (await refused("before_review_result after_doing_result"))["hook"] == "after_doing"
    assert (await refused("completion_summary"))["errors"] == {"completion_summary": ["can't be blank"]}
    assert list((await refused(actual_complexity="huge"))["errors"]) == ["actual_complexity"]
    assert list((await refused(actual_files_changed=["a"]))["errors"]) == ["actual_files_changed"]
    assert list((await refused(time_spent_minutes=-1))["errors"]) == ["time_spent_minutes"]
    steps = [{"name": "x", "dispatched": False}]
    assert list((await refused(workflow_steps=steps))["errors"]) == ["workflow_steps"]
    assert (await board.finish(made, time_spent_minutes="5")).json()["data"]["time_spent_minutes"] == 5


async def test_23_only_what_one_holds_is_completed(board: Board) -> None:
    made = await board.make()
    early = await board.finish(made)
    assert (early.status, "must be in progress or blocked" in error(early)) == (422, True)
    await board.claimed("B")
    other = await board.finish(made)
    assert (other.status, "only complete tasks that you are assigned to" in error(other)) == (403, True)
    blocked = await board.make(dependencies=["W99"])
    assert (await board.finish(blocked)).status == 403
    gone = await board.call("PATCH", "/api/tasks/999999/complete")
    assert (gone.status, error(gone)) == (404, "Task not found")


async def test_24_a_short_reply_has_what_clients_count_on(board: Board) -> None:
    for view, keys in (("slim", ACK), ("SLIM", None)):
        made = await board.make()
        await board.claimed()
        path = f"/api/tasks/{made['id']}/complete?response_view={view}"
        document = await board.ok("PATCH", path, FIN)
        assert document.keys() == {"data", "hooks", "current_skills_version"}
        assert document["data"].keys() == keys if keys else len(document["data"]) > 60


async def test_25_a_task_is_marked_reviewed_after_its_verdict(board: Board) -> None:
    task = await board.handed_in()
    path = f"/api/tasks/{task['id']}/mark_reviewed"
    unjudged = await board.call("PATCH", path, REVIEWED)
    assert (unjudged.status, "must have a review status" in error(unjudged)) == (422, True)
    unproven = await board.call("PATCH", path, {})
    assert (unproven.status, unproven.json()["hook"]) == (422, "after_review")
    other = await board.make()
    misplaced = await board.call("PATCH", f"/api/tasks/{other['id']}/mark_reviewed", REVIEWED)
    assert (misplaced.status, "Review column" in error(misplaced)) == (422, True)
    reader = await board.call("PATCH", path, REVIEWED, by="TR")
    assert (reader.status, error(reader)) == (422, "Unexpected mark_reviewed error")


async def test_26_a_verdict_is_followed(board: Board) -> None:
    task = await board.handed_in()
    path = f"/api/tasks/{task['id']}"
    await board.judge(task, "approved", "fine")
    waiting = (await board.ok("GET", path))["data"]
    assert (waiting["column_name"], waiting["review_status"], waiting["review_notes"]) == ("Review", "approved", "fine")
    document = await board.ok("PATCH", f"{path}/mark_reviewed", REVIEWED)
    data = document["data"]
    assert (data["status"], data["column_name"], data["review_status"]) == ("completed", "Done", "approved")
    assert (hooks(document), document["hook"]["name"]) == (["after_review"], "after_review")
    assert (data["reviewed_by_id"], data["reviewed_at"] is not None) == (board.ids["A"], True)

    task = await board.handed_in()
    path = f"/api/tasks/{task['id']}"
    board.clock.advance(60)
    await board.judge(task, "changes_requested", "no tests")
    document = await board.ok("PATCH", f"{path}/mark_reviewed", REVIEWED, by="B")
    data = document["data"]
    assert (data["status"], data["column_name"]) == ("in_progress", "Doing")
    assert (data["assigned_to_id"], "hooks" in document) == (board.ids["A"], False)
    assert data["claim_expires_at"] > task["claim_expires_at"]
    again = (await board.finish(task)).json()["data"]
    assert (again["review_status"], again["review_notes"]) == (None, "no tests")
    await board.judge(task, "rejected", "no")
    assert (await board.ok("PATCH", f"{path}/mark_reviewed", REVIEWED))["data"]["column_name"] == "Doing"


async def test_26_a_human_that_approves_or_sends_back_at_once_needs_no_marking(board: Board) -> None:
    task = await board.handed_in()
    await board.native.post(f"/v1/tasks/{task['id']}/approve", {})
    assert (await board.ok("GET", f"/api/tasks/{task['id']}"))["data"]["column_name"] == "Done"
    task = await board.handed_in()
    await board.native.post(f"/v1/tasks/{task['id']}/reject", {"note": "n", "to": "worker"})
    back = (await board.ok("GET", f"/api/tasks/{task['id']}"))["data"]
    assert (back["column_name"], back["review_status"], back["assigned_to_id"]) == ("Doing", "rejected", board.ids["A"])


async def test_26_what_was_sent_back_and_given_back_is_nobodys(board: Board) -> None:
    task = await board.handed_in()
    await board.judge(task, "changes_requested", "no tests")
    await board.ok("PATCH", f"/api/tasks/{task['id']}/mark_reviewed", REVIEWED)
    back = (await board.ok("POST", f"/api/tasks/{task['id']}/unclaim"))["data"]
    assert (back["status"], back["review_notes"], back["completion_summary"]) == ("open", "no tests", "s")
    assert [back[name] for name in ("assigned_to_id", "claimed_at", "claim_expires_at", "completed_at")] == [None] * 4


async def test_27_a_task_in_review_is_called_done(board: Board) -> None:
    task = await board.handed_in()
    waiting = await board.make(dependencies=[task["identifier"]])
    path = f"/api/tasks/{task['id']}/mark_done"
    assert (await board.call("PATCH", path, by="TR")).status == 403
    done = (await board.ok("PATCH", path))["data"]
    assert (done["status"], done["column_name"]) == ("completed", "Done")
    assert (await board.ok("GET", f"/api/tasks/{waiting['id']}"))["data"]["status"] == "open"
    again = await board.call("PATCH", path)
    assert (again.status, "Review column" in error(again)) == (422, True)


async def _goal(board: Board, tasks: int = 1) -> tuple[Any, list[Any]]:
    wish = {
        "title": "G",
        "description": "d",
        "column_id": board.ready,
        "tasks": [{"title": str(n)} for n in range(tasks)],
    }
    made = await board.ok("POST", "/api/tasks", {"task": wish})
    return made["goal"], made["child_tasks"]


async def _finished(board: Board, task: Any) -> Any:
    await board.claimed(identifier=task["identifier"])
    reply = await board.finish(task)
    assert reply.status == 200
    return reply.json()


@choose(after_goal_ms=60_000)
async def test_38_a_goal_waits_for_the_report_of_its_hook(board: Board) -> None:
    goal, children = await _goal(board, 2)
    assert "after_goal" not in hooks(await _finished(board, children[0]))
    document = await _finished(board, children[1])
    assert hooks(document)[-1] == "after_goal"
    env = document["hooks"][-1]["env"]
    assert (env["GOAL_ID"], env["GOAL_IDENTIFIER"], env["TASK_IDENTIFIER"]) == (
        str(goal["id"]), "G1", children[1]["identifier"],
    )  # fmt: skip
    path = f"/api/tasks/{goal['id']}"
    assert (await board.ok("GET", path))["data"]["column_name"] != "Done"
    status = await board.ok("GET", f"/api/tasks/{children[1]['id']}/after_goal_status")
    assert (status["after_goal_armed"], status["goal_id"], len(status["env"])) == (True, goal["id"], 7)
    failed = await board.ok("PATCH", f"{path}/after_goal", {"exit_code": 1, "output": "no", "duration_ms": 1})
    assert failed["data"]["status"] == "open"
    board.clock.advance(120)
    await board.native.tick()
    assert (await board.ok("GET", path))["data"]["status"] == "open"  # a failure stops the clock
    done = await board.ok("PATCH", f"{path}/after_goal", {"exit_code": 0, "output": "", "duration_ms": 0})
    assert (done["data"]["status"], done["data"]["column_name"]) == ("completed", "Done")
    assert (await board.ok("GET", f"{path}/after_goal_status"))["after_goal_armed"] is False
    assert (
        await board.call("PATCH", f"{path}/after_goal", {"exit_code": 0, "output": "", "duration_ms": 0})
    ).status == 200


@choose(after_goal_ms=50)
async def test_38_a_goal_is_done_shortly_after_without_a_report(board: Board) -> None:
    goal, children = await _goal(board)
    await _finished(board, children[0])
    board.clock.advance(0.05)
    await board.native.tick()
    assert (await board.ok("GET", f"/api/tasks/{goal['id']}"))["data"]["column_name"] == "Done"


@choose(after_goal_ms=60_000)
async def test_38_what_is_called_done_ends_its_goal_at_once(board: Board) -> None:
    wish = {"title": "G", "column_id": board.ready, "tasks": [{"title": "t", "needs_review": True}]}
    made = await board.ok("POST", "/api/tasks", {"task": wish})
    (child,) = made["child_tasks"]
    await _finished(board, child)
    assert (await board.ok("GET", "/api/tasks/G1"))["data"]["column_name"] == "Review"
    await board.ok("PATCH", f"/api/tasks/{child['id']}/mark_done")
    assert (await board.ok("GET", "/api/tasks/G1"))["data"]["status"] == "completed"


async def test_39_only_a_goal_in_flight_takes_reports(board: Board) -> None:
    made = await board.make()
    good = {"exit_code": 0, "output": "", "duration_ms": 0}
    wrong = await board.call("PATCH", f"/api/tasks/{made['id']}/after_goal", good)
    assert (wrong.status, error(wrong)) == (422, "after_goal can only be reported against tasks of type goal")
    goal, children = await _goal(board)
    path = f"/api/tasks/{goal['id']}/after_goal"
    fresh = await board.call("PATCH", path, good)
    assert (fresh.status, "no in-flight after_goal lifecycle" in error(fresh)) == (422, True)
    assert (await board.call("PATCH", path, good, by="TR")).status == 403
    await _finished(board, children[0])
    for odd in ({"duration_ms": -1}, {"exit_code": True}, {"output": None}):
        refused = await board.call("PATCH", path, good | odd)
        assert (refused.status, "after_goal payload requires" in error(refused)) == (422, True), odd


async def test_42_a_thin_review_is_refused(board: Board) -> None:
    made = await board.make(acceptance_criteria="a\n\nb", testing_strategy={"unit_tests": ["t"]})
    await board.claimed()
    thin = await board.finish(made, reviewer_result=THIN)
    (failure,) = thin.json()["failures"]
    assert (thin.status, error(thin), failure["field"]) == (422, "completion validation failed", "reviewer_result")
    wrong = await board.finish(made, reviewer_result=SELF | {"reason": "because"})
    assert (wrong.status, list(wrong.json()["errors"])) == (422, ["reviewer_result"])
    assert (await board.finish(made, explorer_result={"dispatched": 1})).status == 422
    for more, field in (
        ({}, "acceptance_criteria"),
        ({"testing_strategy": {"status": "not_assessed"}}, "testing_strategy"),
        ({"patterns": {"status": "failed", "note": "TODO: write why it failed"}}, "patterns"),
    ):
        refused = await board.finish(made, reviewer_result=FULL | more)
        assert field in [entry["field"] for entry in refused.json()["failures"][0]["errors"]]
    told = FULL | {"acceptance_criteria": [{"status": "met"}, {"status": "not_met"}]}
    done = await board.finish(made, reviewer_result=told, explorer_result=SELF)
    assert (done.status, done.json()["data"]["reviewer_result"]) == (200, told)


async def test_42_one_that_reviewed_itself_may(board: Board) -> None:
    made = await board.make()
    await board.claimed()
    assert (await board.finish(made, reviewer_result=SELF)).status == 200


@choose(completion_contract="lenient")
async def test_42_a_lenient_deck_keeps_whatever_is_told(board: Board) -> None:
    made = await board.make()
    await board.claimed()
    done = await board.finish(made, reviewer_result=THIN)
    assert (done.status, done.json()["data"]["reviewer_result"]) == (200, THIN)


@choose(completion_contract="strict")
async def test_42_a_strict_deck_wants_both(board: Board) -> None:
    made = await board.make()
    await board.claimed()
    refused = await board.finish(made, reviewer_result=SELF)
    assert refused.json()["failures"][0]["field"] == "explorer_result"
    assert (await board.finish(made, reviewer_result=SELF, explorer_result={"dispatched": False})).status == 422
    assert (await board.finish(made, reviewer_result=SELF, explorer_result=SELF)).status == 200


async def test_42_a_matrix_of_behaviours_is_whole(board: Board) -> None:
    names = ("Happy path", "Boundary", "Error / exception", "Null / empty", "Concurrency", "Lifecycle / wiring")
    rows = [{"category": name, "behaviour": "b", "test_name": "t", "type": "unit/manual"} for name in names]
    last = {"category": "Contract / serialization", "behaviour": "b", "status": "not_applicable", "na_reason": "r"}
    made = await board.make(behaviour_test_matrix=[*rows, last])
    assert len(made["behaviour_test_matrix"]) == 7
    for matrix in (rows, [*rows, last | {"na_reason": ""}], [*rows, last | {"status": "planned"}]):
        wish = {"task": {"title": "t", "behaviour_test_matrix": matrix}}
        refused = await board.call("POST", "/api/tasks", wish)
        assert (refused.status, list(refused.json()["errors"])) == (422, ["behaviour_test_matrix"])


async def test_people_promote_a_goal_with_its_tasks(board: Board) -> None:
    made = await board.ok("POST", "/api/tasks/batch", {"goals": [{"title": "G", "tasks": [{"title": "a"}]}]})
    (goal,) = made["goals"]
    path = f"/api/tasks/{goal['goal']['id']}"
    assert (await board.ok("GET", path))["data"]["column_name"] == "Backlog"
    assert (await board.claim()).status == 409
    await board.native.post(f"/v1/tasks/{goal['goal']['id']}/promote", {"children": True})
    assert (await board.ok("GET", path))["data"]["column_name"] == "Ready"
    assert (await board.claimed())["title"] == "a"
    assert (await board.ok("GET", path))["data"]["column_name"] == "Doing"
