"""The Stride dialect against its specification's list: producing and changing tasks."""

from __future__ import annotations

from typing import Any

import pytest
from stride.board import ROW, Board, error

TASKS, CLAIM = "/api/tasks", "/api/tasks/claim"


@pytest.mark.parametrize(
    ("document", "said"),
    [({"data": {"title": "t"}}, "request body key must be 'task', not 'data'"), ({}, "Missing 'task' key")],
    ids=["data", "nothing"],
)
async def test_28_a_creation_has_its_root(board: Board, document: Any, said: str) -> None:
    reply = await board.call("POST", TASKS, document)
    assert (reply.status, said in error(reply)) == (422, True)
    assert "title" in reply.json()["example"]["task"]


async def test_28_fields_are_checked_by_name(board: Board) -> None:
    async def errors(**fields: Any) -> Any:
        reply = await board.call("POST", TASKS, {"task": fields})
        assert reply.status == 422, reply
        return reply.json()["errors"]

    assert await errors() == {"title": ["can't be blank"]}
    assert await errors(title="  ") == {"title": ["can't be blank"]}
    assert await errors(title="x" * 300) == {"title": ["should be at most 255 character(s)"]}
    assert await errors(title="t", priority="urgent", why=["x"]) == {"priority": ["is invalid"], "why": ["is invalid"]}
    assert await errors(title="t", type="story") == {"type": ["is invalid"]}
    assert await errors(title="t", key_files=["a.py"]) == {"key_files": ["is invalid"]}
    rows = [{"file_path": "a.py", "position": 0}, {"file_path": "../b", "position": -1}, {"position": 0}]
    assert await errors(title="t", key_files=rows) == {
        "key_files": [
            {},
            {"file_path": ["leads upwards"], "position": ["is invalid"]},
            {"file_path": ["can't be blank"]},
        ]
    }
    assert (await board.make(type="task"))["type"] == "work"


async def test_28_a_creation_names_a_column_of_its_board(board: Board) -> None:
    columns = {"306,305": 400, "x": 400, True: 400, 999: 404, board.column(6): 404, board.column(3): 422}
    for column, status in columns.items():
        reply = await board.call("POST", TASKS, {"task": {"title": "t", "column_id": column}})
        assert reply.status == status, column
    assert (await board.make(column_id=str(board.ready)))["column_name"] == "Ready"


async def test_29_what_the_server_decides_is_not_taken_from_clients(board: Board) -> None:
    wish = {"title": "t", "status": "completed", "identifier": "W500", "assigned_to_id": 7, "parent_id": 7,
            "completed_at": "2026-01-01T00:00:00Z", "review_status": "approved", "parent_goal": "G1"}  # fmt: skip
    data = (await board.ok("POST", TASKS, {"task": wish}))["data"]
    names = ("status", "identifier", "assigned_to_id", "parent_id", "completed_at", "review_status")
    assert [data[name] for name in names] == ["open", "W1", None, None, None, None]


async def test_30_a_goal_is_made_with_its_tasks(board: Board) -> None:
    wish = {"title": "G", "column_id": board.ready, "agent_name": "x",
            "tasks": [{"title": "a"}, {"title": "b"}, {"title": "c", "dependencies": [0, 1]}]}  # fmt: skip
    reply = await board.call("POST", TASKS, {"task": wish})
    made = reply.json()
    assert (reply.status, "data" in made, reply.headers["Location"]) == (
        201, False, f"/api/tasks/{made['goal']['id']}",
    )  # fmt: skip
    assert (made["goal"]["identifier"], made["goal"]["type"], made["goal"]["status"]) == ("G1", "goal", "open")
    children = made["child_tasks"]
    assert [child["identifier"] for child in children] == ["W1", "W2", "W3"]
    assert all(child.keys() == ROW and child["parent_id"] == made["goal"]["id"] for child in children)
    assert (children[2]["dependencies"], children[2]["status"]) == (["W1", "W2"], "blocked")
    tree = (await board.ok("GET", f"/api/tasks/{made['goal']['id']}/tree"))["data"]
    assert [child["identifier"] for child in tree["children"]] == ["W1", "W2", "W3"]
    assert tree["counts"] == {"total": 4, "completed": 0, "blocked": 1}
    assert tree["task"]["column_name"] == "Ready"


async def test_30_tasks_of_a_goal_may_depend_on_later_ones_but_not_in_a_circle(board: Board) -> None:
    wish: dict[str, Any] = {"title": "G", "tasks": [{"title": "a", "dependencies": [1, "W77"]}, {"title": "b"}]}
    first, second = (await board.ok("POST", TASKS, {"task": wish}))["child_tasks"]
    assert (first["dependencies"], first["status"], second["status"]) == (["W2", "W77"], "blocked", "open")
    before = await board.native.last_seq()
    for dependencies in ([1], [2], [-1], ["x" * 300]):
        wish["tasks"] = [{"title": "a", "dependencies": dependencies}, {"title": "b", "dependencies": [0]}]
        reply = await board.call("POST", TASKS, {"task": wish})
        assert reply.status == 422, dependencies
    assert await board.native.last_seq() == before


async def test_30_nothing_waits_for_itself(board: Board) -> None:
    refused = await board.call("POST", TASKS, {"task": {"title": "t", "dependencies": ["W1"]}})
    assert (refused.status, list(refused.json()["errors"])) == (422, ["dependencies"])
    assert (await board.make())["identifier"] == "W1"


async def test_30_a_goal_has_so_many_tasks_and_no_more(board: Board) -> None:
    wish = {"title": "G", "tasks": [{"title": "t"}] * 251}
    refused = await board.call("POST", TASKS, {"task": wish})
    assert (refused.status, refused.json()["errors"]) == (422, {"tasks": ["should have at most 250 item(s)"]})
    assert (await board.ok("GET", TASKS))["data"] == []


async def test_31_goals_are_made_one_after_another(board: Board) -> None:
    goals = [{"title": "one", "tasks": [{"title": "a"}]}, {"title": "two"}]
    made = await board.ok("POST", "/api/tasks/batch", {"goals": goals, "agent_name": "Seeder"})
    assert (made["success"], made["total"]) == (True, 2)
    assert [goal["goal"]["title"] for goal in made["goals"]] == ["one", "two"]
    assert [len(goal["child_tasks"]) for goal in made["goals"]] == [1, 0]
    failed = await board.call("POST", "/api/tasks/batch", {"goals": [{"title": "three"}, {"tasks": []}]})
    assert (failed.status, failed.json()) == (422, {
        "error": "Failed to create goal at index 1", "index": 1, "details": {"title": ["can't be blank"]},
    })  # fmt: skip
    assert [task["title"] for task in (await board.ok("GET", TASKS))["data"] if task["type"] == "goal"] == [
        "one", "two", "three",
    ]  # fmt: skip
    for document, said in (({"tasks": []}, "must be 'goals', not 'tasks'"), ({}, "Missing 'goals' key")):
        refused = await board.call("POST", "/api/tasks/batch", document)
        assert (refused.status, said in error(refused)) == (422, True)
    assert (await board.ok("POST", "/api/tasks/batch", {"goals": []}))["total"] == 0


async def test_31_a_batch_under_a_key_is_made_once(board: Board) -> None:
    document = {"goals": [{"title": "one"}, {"title": "two"}]}
    made = [await board.stride.call("POST", "/api/tasks/batch", document, key="k", token=board.tokens["A"])
            for _ in range(2)]  # fmt: skip
    assert made[0].body == made[1].body
    assert len((await board.ok("GET", TASKS))["data"]) == 2


async def test_32_who_created_is_remembered(board: Board) -> None:
    async def created(by: str = "A", **more: Any) -> Any:
        document = {"task": {"title": "t"} | more.pop("task", {})} | more
        return (await board.ok("POST", TASKS, document, by=by))["data"]["created_by_agent"]

    assert await created() is None
    assert await created(agent_name="Unknown") is None
    assert await created(agent_name="Seeder") == "Seeder"
    assert await created() == "Seeder"
    assert await created(agent_name=" ") == "Seeder"
    assert await created(task={"created_by_agent": "Told"}) == "Told"
    assert await created("B") is None
    assert await created("TM", agent_name="Claude") == "ai_agent:claude-opus"


async def test_33_each_type_counts_for_itself(board: Board) -> None:
    made = [(await board.make(type=kind))["identifier"] for kind in ("defect", "goal", "work", "defect")]
    assert made == ["D1", "G1", "W1", "D2"]


async def test_36_a_change_says_what_a_task_is(board: Board) -> None:
    made = await board.make(pitfalls=["p"])
    path = f"/api/tasks/{made['id']}"
    files = [{"file_path": "a.py", "note": "n", "position": 0}]
    for method, title in (("PATCH", "n"), ("PUT", "m")):
        changed = (await board.ok(method, path, {"task": {"title": title, "why": "y", "key_files": files}}))["data"]
        assert (changed["title"], changed["why"], changed["key_files"], changed["pitfalls"]) == (
            title, "y", files, ["p"],
        )  # fmt: skip
    refused = await board.call("PATCH", path, {"task": {"title": "z", "status": "completed", "changed_files": []}})
    (failure,) = refused.json()["failures"]
    assert (refused.status, error(refused), failure["field"]) == (422, "task update rejected", "task")
    told = {entry["field"]: entry["message"] for entry in failure["errors"]}
    assert told.keys() == {"status", "changed_files"}
    assert "PUT /api/tasks/:id/changed_files" in told["changed_files"]
    assert (await board.ok("GET", path))["data"]["title"] == "m"
    moved = await board.call("PATCH", path, {"task": {"column_id": board.column(1)}})
    assert (moved.status, "cannot move tasks between columns" in error(moved)) == (403, True)
    assert (await board.call("PATCH", path, {"task": {"column_id": board.ready}})).status == 200
    wrong = await board.call("PATCH", path, {"task": {"key_files": ["a.py"]}})
    assert (wrong.status, wrong.json()["errors"]) == (422, {"key_files": ["is invalid"]})


async def test_36_a_change_of_dependencies_blocks_and_frees(board: Board) -> None:
    first, second = await board.make("X"), await board.make("Y")
    path = f"/api/tasks/{second['identifier']}"
    blocked = (await board.ok("PATCH", path, {"task": {"dependencies": [first["identifier"], "W99"]}}))["data"]
    assert (blocked["status"], blocked["dependencies"]) == ("blocked", [first["identifier"], "W99"])
    round_about = {"task": {"dependencies": [second["identifier"]]}}
    refused = await board.call("PATCH", f"/api/tasks/{first['identifier']}", round_about)
    assert (refused.status, list(refused.json()["errors"])) == (422, ["dependencies"])
    freed = (await board.ok("PATCH", path, {"task": {"dependencies": []}}))["data"]
    assert (freed["status"], freed["dependencies"]) == ("open", [])
    several = {"priority": "high", "complexity": "large", "needs_review": True, "human_task": True, "type": "defect",
               "required_capabilities": ["git"], "description": "d"}  # fmt: skip
    changed = (await board.ok("PATCH", path, {"task": several}))["data"]
    assert {name: changed[name] for name in several} == several
    back = (await board.ok("PATCH", path, {"task": {"human_task": False, "unknown": 1}}))["data"]
    assert (back["human_task"], back["required_capabilities"]) == (False, ["git"])
    assert (await board.call("PATCH", path, {"task": {"type": "goal"}})).status == 422
    assert (await board.call("PATCH", path, {"data": {}})).status == 422
    assert (await board.call("PATCH", path, several, by="TR")).status == 422
    assert (await board.call("PATCH", path, {"task": several}, by="TR")).status == 403
