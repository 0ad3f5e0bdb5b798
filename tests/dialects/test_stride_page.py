"""The page that Stride's claim is published on: its requests, its replies, its two shell workflows."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from stride.board import Board, board_on

HERE = Path(__file__).parent / "stride"
PAGE: dict[str, Any] = orjson.loads((HERE / "claim_page.json").read_bytes())
"""Every JSON example of the page, by what it shows."""
CLAIM = "/api/tasks/claim"


@pytest.fixture
async def board(speaking: Any) -> AsyncIterator[Board]:
    async with speaking("stride") as spoken:
        made = await board_on(spoken.url, spoken.native, spoken.clock)
        async with made.stride:
            yield made


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
