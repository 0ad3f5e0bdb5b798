"""The page that Stride's claim is published on: its requests, its replies, its two shell workflows."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from stride.board import FIN, Board
from stride.plugin import Plugin

HERE = Path(__file__).parent / "stride"
PAGE: dict[str, Any] = orjson.loads((HERE / "claim_page.json").read_bytes())
"""Every JSON example of the page, by what it shows."""
CLAIM = "/api/tasks/claim"


def same_shape(shown: Any, page: Any, at: str = "") -> None:
    """Every field of the page is there, of the same type, or null where it may be."""
    if isinstance(page, dict):
        assert isinstance(shown, dict), at
        for name, value in page.items():
            assert name in shown, f"{at}.{name}"
            same_shape(shown[name], value, f"{at}.{name}")
    elif isinstance(page, list):
        assert isinstance(shown, list), at
    else:
        assert type(shown) is type(page), f"{at}: {shown!r}"


async def _page_task(board: Board, **more: Any) -> Any:
    """The task of the page's example, as far as clients say what it is."""
    claimed = PAGE["claimed"]["data"]
    names = ("title", "description", "priority", "complexity", "needs_review")
    return await board.make(**{name: claimed[name] for name in names} | more)


async def test_a_claim_is_answered_as_on_the_page(board: Board) -> None:
    made = await _page_task(board)
    reply = await board.call("POST", CLAIM, PAGE["claim_next"])
    shown, page = reply.json(), PAGE["claimed"]
    assert reply.status == 200
    same_shape(shown, page)
    same = ("title", "description", "status", "priority", "complexity", "needs_review", "column_name", "dependencies")
    assert {name: shown["data"][name] for name in same} == {name: page["data"][name] for name in same}
    hook, told = shown["hook"], page["hook"]
    assert (hook["name"], hook["timeout"], hook["blocking"]) == (told["name"], told["timeout"], told["blocking"])
    assert hook["env"].keys() == told["env"].keys()
    fixed = {name: value for name, value in told["env"].items() if name.split("_")[-1] not in ("ID", "IDENTIFIER")}
    fixed["BOARD_NAME"] = "board"
    assert {name: hook["env"][name] for name in fixed} == fixed
    assert hook["env"]["TASK_IDENTIFIER"] == made["identifier"]


async def test_a_claim_by_name_is_answered_as_on_the_page(board: Board) -> None:
    for number in range(21):
        await board.make(str(number))
    named = await board.call("POST", CLAIM, PAGE["claim_named"])
    assert (named.status, named.json()["data"]["identifier"]) == (200, "W21")
    again = await board.call("POST", CLAIM, PAGE["claim_named"])
    assert (again.status, again.json()["error"]) == (409, PAGE["not_available"]["error"])
    same_shape(again.json(), PAGE["not_available"])


async def test_refusals_are_those_of_the_page(board: Board) -> None:
    nothing = await board.call("POST", CLAIM, PAGE["claim_next"])
    assert (nothing.status, nothing.json()["error"]) == (409, PAGE["nothing"]["error"])
    unproven = await board.call("POST", CLAIM, {"agent_name": "x"})
    page = PAGE["unproven"]
    assert unproven.status == 422
    same_shape(unproven.json(), page)
    same = ("error", "hook", "documentation", "related_docs", "required_format")
    assert {name: unproven.json()[name] for name in same} == {name: page[name] for name in same}
    assert len(unproven.json()["common_causes"]) == len(page["common_causes"])
    failed = await board.call("POST", CLAIM, {"before_doing_result": PAGE["hook_result"] | {"exit_code": 1}})
    page = PAGE["failed_hook"]
    assert failed.status == 422
    assert {name: failed.json()[name] for name in page} == page


async def test_another_failure_is_told_with_its_reason(board: Board) -> None:
    gates = [{"before": "claim", "evidence": ["pr"]}]
    task = await board.native.post("/v1/tasks", {"title": "t", "project": "board", "gates": gates})
    reply = await board.call("POST", CLAIM, PAGE["claim_next"])
    assert (reply.status, reply.json()["error"]) == (422, PAGE["other_failure"]["error"])
    same_shape(reply.json(), PAGE["other_failure"])
    assert task["key"] in reply.json()["reason"]


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A clone with an origin to pull from, and nothing that npm would have to install."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    env = _environment(tmp_path)
    for arguments in (
        ["init", "-q", "-b", "main", str(origin)],
        ["-C", str(origin), "commit", "-q", "--allow-empty", "-m", "first"],
        ["clone", "-q", str(origin), str(clone)],
        ["-C", str(origin), "commit", "-q", "--allow-empty", "-m", "second"],
    ):
        subprocess.run(["git", *arguments], check=True, env=env)
    (clone / "package.json").write_text('{"name": "clone", "private": true}')
    return clone


def _environment(home: Path) -> dict[str, str]:
    """The machine's own commands, with a home of their own; where there is no npm, a command of that name."""
    commands = home / "bin"
    commands.mkdir(exist_ok=True)
    if shutil.which("npm") is None:
        (commands / "npm").write_text("#!/bin/sh\necho up to date\n")
        (commands / "npm").chmod(0o755)
    who = {f"GIT_{role}_{what}": f"{what.lower()}@example.org" for role in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")}  # fmt: skip
    quiet = {"npm_config_offline": "true", "npm_config_audit": "false", "npm_config_fund": "false",
             "npm_config_update_notifier": "false"}  # fmt: skip
    return {"HOME": str(home), "PATH": f"{os.environ['PATH']}:{commands}", **who, **quiet}


@pytest.mark.parametrize("name", ["claim_next.sh", "claim_named.sh"])
async def test_a_shell_workflow_of_the_page_runs_as_it_is_written(board: Board, workplace: Path, name: str) -> None:
    for number in range(21):
        await board.make(str(number))
    written = (HERE / name).read_text()
    assert "curl -X POST" in written
    script = written.replace("https://www.stridelikeaboss.com", board.url)
    script = script.replace("stride_dev_abc123...", board.tokens["A"])
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=workplace, env=_environment(workplace.parent),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err
    document = orjson.loads(out)
    assert document["data"]["identifier"] == ("W1" if name == "claim_next.sh" else "W21")
    assert (document["data"]["status"], document["hook"]["env"]["AGENT_NAME"]) == ("in_progress", "Claude Sonnet 4.5")


@pytest.fixture
async def plugin(board: Board, tmp_path: Path) -> Plugin:
    """A plugin set up from the templates that the deck hands out; each hook notes what it was told."""
    templates = (await board.ok("GET", "/api/agent/onboarding", by=None))["file_templates"]
    (tmp_path / ".stride_auth.md").write_text(templates["stride_auth_md"].replace("<token>", board.tokens["A"]))
    note = 'echo "${0##*/}" "$TASK_IDENTIFIER" "$BOARD_NAME" "$AGENT_NAME" "$GOAL_IDENTIFIER" "$GOAL_TITLE" >> told'
    (tmp_path / ".stride.md").write_text(templates["stride_md"].replace("\ntrue\n", f"\n{note}\n"))
    return Plugin(tmp_path)


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut short"])
async def test_45_a_plugin_works_from_the_claim_to_the_end_of_a_goal(
    board: Board, plugin: Plugin, tmp_path: Path, cut: bool
) -> None:
    wish = {"title": "The goal", "column_id": board.ready, "tasks": [{"title": "t"}]}
    await board.ok("POST", "/api/tasks", {"task": wish})
    assert (plugin.url, plugin.token) == (board.url, board.tokens["A"])
    proven = {"before_doing_result": plugin.run("before_doing", {})}
    plugin.claimed(await board.call("POST", CLAIM, proven | {"agent_name": "Claude"}))
    told = (tmp_path / "told").read_text().splitlines()
    assert told[-1].split()[1:] == ["W1", "board", "Claude"]
    results = {f"{hook}_result": plugin.run(hook, {}) for hook in ("after_doing", "before_review")}
    files = [{"path": "lib/a.py", "diff": "@@ -1 +1 @@"}]
    assert [await plugin.upload(files) for _ in range(2)] == [200, 200]
    reply = await board.call("PATCH", f"/api/tasks/{plugin.task}/complete", FIN | results | {"agent_name": "Claude"})
    ran = await plugin.completed(reply.body[: len(reply.body) // 2] if cut else reply.body)
    assert ran[-1] == "after_goal"
    assert (tmp_path / "told").read_text().splitlines()[-1].split()[-3:] == ["G1", "The", "goal"]
    path = "/api/tasks/G1/after_goal"
    done = await board.ok("PATCH", path, {"exit_code": 0, "output": "", "duration_ms": 0})
    assert (done["data"]["status"], (await board.ok("GET", "/api/tasks/W1"))["data"]["changed_files"]) == (
        "completed", files,
    )  # fmt: skip
