"""The Stride dialect against its specification's list: reading, uploads, onboarding."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import orjson
import pytest
from stride.board import ACK, ROW, Board, choose, error


async def test_34_the_board_is_listed_by_column(board: Board) -> None:
    late = await board.make("late", ready=False)
    goal = {"title": "goal", "column_id": board.ready, "tasks": [{"title": "child", "priority": "low"}]}
    await board.ok("POST", "/api/tasks", {"task": goal})
    ready = await board.make("ready")
    held = await board.make("held", priority="critical")
    await board.claimed()
    listed = (await board.ok("GET", "/api/tasks"))["data"]
    assert [task["title"] for task in listed] == ["late", "goal", "child", "ready", "held"]
    assert [task["column_name"] for task in listed] == ["Backlog", "Ready", "Ready", "Ready", "Doing"]
    only = (await board.ok("GET", f"/api/tasks?column_id={board.ready}"))["data"]
    assert [task["title"] for task in only] == ["goal", "child", "ready"]
    assert (await board.call("GET", "/api/tasks?column_id=x")).status == 400
    assert (await board.call("GET", "/api/tasks?column_id=999999")).status == 404
    rows = (await board.ok("GET", "/api/tasks?response_view=slim"))["data"]
    assert [row["id"] for row in rows] == [task["id"] for task in listed]
    assert all(row.keys() == ROW for row in rows)
    for path in ("/api/tasks/", "//api/tasks", "/api//tasks//"):
        assert (await board.ok("GET", path))["data"] == listed
    assert {late["id"], ready["id"], held["id"]} < {task["id"] for task in listed}


async def test_34_what_a_human_cancels_leaves_the_board_and_stays_readable(board: Board) -> None:
    made = await board.make()
    await board.native.post(f"/v1/tasks/{made['id']}/cancel")
    assert (await board.ok("GET", "/api/tasks"))["data"] == []
    assert (await board.ok("GET", f"/api/tasks/{made['id']}"))["data"]["id"] == made["id"]


async def test_35_a_task_is_shown_whole_or_by_its_fields(board: Board) -> None:
    made = await board.make()
    path = f"/api/tasks/{made['id']}"
    assert (await board.call("GET", path)).body == (await board.call("GET", f"/api/tasks/{made['identifier']}")).body
    assert (await board.ok("GET", f"{path}?fields=status,%20needs_review,,status"))["data"] == {
        "id": made["id"], "identifier": made["identifier"], "status": "open", "needs_review": False,
    }  # fmt: skip
    for query in ("fields=column_id", "fields[]=title", "fields=" + ",".join(f"x{n}" for n in range(12))):
        refused = await board.call("GET", f"{path}?{query}")
        assert (refused.status, error(refused)) == (422, "task fields rejected")
    assert len(refused.json()["failures"][0]["errors"]) == 11
    both = await board.call("GET", f"{path}?fields=title&response_view=slim")
    assert (both.status, "mutually exclusive" in error(both)) == (422, True)
    assert (await board.ok("GET", f"{path}?fields="))["data"] == (await board.ok("GET", path))["data"]


FILES = [{"path": "lib/a.py", "diff": "@@ -1 +1 @@"}, {"path": "b.py", "diff": None}]
PACKED = base64.b64encode(orjson.dumps(FILES)).decode()
ZIPPED = base64.b64encode(gzip.compress(orjson.dumps(FILES))).decode()


@pytest.mark.parametrize(
    "document",
    [
        {"changed_files": FILES},
        FILES,
        {"changed_files": {"encoding": "base64", "data": PACKED}},
        {"changed_files": {"encoding": "gzip+base64", "data": ZIPPED}},
    ],
    ids=["list", "bare", "base64", "gzip"],
)
async def test_37_changed_files_come_in_several_wraps(board: Board, document: Any) -> None:
    made = await board.make()
    path = f"/api/tasks/{made['id']}"
    assert (await board.ok("PUT", f"{path}/changed_files", document))["data"]["changed_files"] == FILES
    assert (await board.ok("GET", path))["data"]["changed_files"] == FILES
    slim = await board.ok("PUT", f"{path}/changed_files?response_view=slim", document)
    assert (list(slim), slim["data"].keys()) == (["data"], ACK)
    await board.claimed()
    done = (await board.finish(made, changed_files=[])).json()["data"]
    assert done["changed_files"] == FILES
    assert (await board.ok("PUT", f"{path}/changed_files", {"changed_files": []}))["data"]["changed_files"] == []


async def test_37_odd_uploads_change_nothing(board: Board) -> None:
    made = await board.make()
    path = f"/api/tasks/{made['id']}/changed_files"
    bomb = base64.b64encode(gzip.compress(b" " * 20_000_000)).decode()
    cases: list[tuple[Any, str]] = [
        ({"changed_files": [{"path": "../x"}]}, "changed_file_path"),
        ({"changed_files": [{"path": "/x"}]}, "changed_file_path"),
        ({"changed_files": [{"path": 7}]}, "changed_file_path"),
        ({"changed_files": ["x"]}, "changed_file_entry"),
        ({"changed_files": [{"path": "x", "diff": "\n" * 501}]}, "changed_file_diff"),
        ({"changed_files": {"encoding": "rot13", "data": ""}}, "changed_files"),
        ({"changed_files": {"encoding": "base64", "data": "?"}}, "changed_files"),
        ({"changed_files": {"encoding": "gzip+base64", "data": bomb}}, "changed_files"),
        ({"changed_files": None}, "changed_files"),
    ]
    before = await board.native.last_seq()
    for document, field in cases:
        refused = await board.call("PUT", path, document)
        (failure,) = refused.json()["failures"]
        assert (refused.status, failure["field"]) == (422, "changed_files"), document
        assert failure["errors"][0]["field"] == field, document
    empty = await board.call("PUT", path, {})
    assert "must be present (send [] to clear)" in empty.json()["failures"][0]["errors"][0]["message"]
    assert (await board.call("PUT", path, [], by="TR")).status == 403
    assert await board.native.last_seq() == before


async def test_37_a_large_upload_is_taken(board: Board) -> None:
    made = await board.make()
    files = [{"path": f"f{number}.py", "diff": "x" * 30_000} for number in range(100)]
    path = f"/api/tasks/{made['id']}/changed_files?response_view=slim"
    for url in (board.url, f"{board.native.url}/stride"):
        board.stride.url = url
        await board.ok("PUT", path, {"changed_files": files})
    huge = await board.stride.raw(
        "PUT", path, b"[" + b" " * 13_000_000, {"Authorization": f"Bearer {board.tokens['A']}"}
    )
    assert huge.status == 413


async def test_41_what_stands_around_a_task_is_shown(board: Board) -> None:
    first = await board.make("X")
    second = await board.make("Y", dependencies=[first["identifier"], "W99"])
    third = await board.make("Z", dependencies=[second["identifier"]])
    tree = await board.ok("GET", f"/api/tasks/{third['id']}/dependencies")
    (node,) = tree["dependencies"]
    assert (node["task"]["id"], node["task"].keys(), tree["task"]["id"]) == (second["id"], ROW, third["id"])
    assert [inner["task"]["id"] for inner in node["dependencies"]] == [first["id"]]
    after = await board.ok("GET", f"/api/tasks/{first['identifier']}/dependents")
    assert ([row["id"] for row in after["dependents"]], after["task"].keys()) == ([second["id"]], ROW)
    for name in ("dependencies", "dependents", "tree", "after_goal_status"):
        assert (await board.call("GET", f"/api/tasks/W500/{name}")).status == 404


@choose(before_doing_ms=1_000, other_hooks_ms=2_000, claim_minutes=1)
async def test_43_onboarding_needs_no_token(board: Board) -> None:
    told = await board.ok("GET", "/api/agent/onboarding", by=None)
    assert (told["version"], told["api_base_url"]) == ("1.0", board.url)
    assert told["workflow"][0]["name"] == "claim_task"
    hooks_told = told["hooks"]["available_hooks"]
    assert [hook["timeout"] for hook in hooks_told] == [1_000, 2_000, 2_000, 2_000, 2_000]
    template = told["file_templates"]["stride_auth_md"]
    assert f"- **API URL:** `{board.url}`" in template
    assert "- **API Token:** `<token>`" in template
    below = await board.native.get("/stride/api/agent/onboarding")
    assert below["api_base_url"] == f"{board.native.url}/stride"
    await board.make()
    assert (await board.claim()).json()["hook"]["timeout"] == 1_000
