"""Conductor's own client for Node against a deck: the acceptance list, items 34 to 36, and every call of it in turn."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from office import JANE, JOHN, SAM, Office, opened_office, user

pytestmark = pytest.mark.node

HERE = Path(__file__).parent / "conductor"
PACKAGE = "@io-orkes/conductor-javascript"


async def _run(*command: str, cwd: Path, patience_s: float) -> tuple[int, str]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CONDUCTOR_")}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=settings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(patience_s):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return 1, f"{command[0]} was not done within {patience_s:g} s"
    return process.returncode or 0, output.decode()


async def _client(folder: Path, version: str) -> Path:
    """A folder in which the client of that version is installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("did not run: node and npm are not on this machine")
    quiet = ("--no-audit", "--no-fund", "--legacy-peer-deps", "--omit=optional", "--ignore-scripts", "--prefer-offline")
    code, output = await _run(
        "npm", "install", *quiet, "--prefix", str(folder), f"{PACKAGE}@{version}", cwd=folder, patience_s=60
    )
    if code:
        pytest.skip(f"did not run: npm cannot install {PACKAGE}@{version}: {output[-200:]}")
    return folder


async def _drive(folder: Path, script: str, *arguments: str) -> Any:
    shutil.copy(HERE / script, folder / script)
    code, output = await _run("node", script, *arguments, cwd=folder, patience_s=60)
    assert code == 0, output
    return json.loads(output.split("@@")[-1])


async def _tasks(office: Office) -> list[str]:
    """A task to work on, two for somebody outside, one to be skipped and one that is held."""
    tasks = [await office.loan(JOHN), await office.loan(), await office.loan(JANE), await office.loan(JOHN)]
    held = await office.loan()
    await office.claim(held, as_=SAM)
    return [*tasks, held]


DONE = {"state": "COMPLETED", "output": {"approve": "Yes", "comments": "fine"}}


def _check(said: Any, tasks: list[str], claimant: str) -> None:
    worked, outside, strange, skipped, held = tasks
    assert said["found"] == sorted([worked, outside, strange, skipped])
    assert said["plain"] == 5
    assert said["claimed"] == {"state": "IN_PROGRESS", "claimant": user(claimant), "template": "LoanApproval"}
    assert "is held by" in said["again"]
    assert set(said["voids"]) == {True}
    assert said["done"] == DONE
    assert said["outside"] == user("jane doe+x@acme.com", "EXTERNAL_USER")
    assert said["strange"] == user("a/b", "EXTERNAL_USER")
    assert (said["template"], said["skipped"]) == (1, [0])
    assert SAM in said["refused"]
    assert said["refused"].startswith(f"Failed to claim human task '{held}'")


async def test_34_35_36_the_newest_client_works_unchanged(speaking: Any, tmp_path: Path) -> None:
    folder = tmp_path / "npm"
    folder.mkdir()
    await _client(folder, "4.0.0")
    async with opened_office(speaking) as office:
        tasks = await _tasks(office)
        said = await _drive(folder, "newest.cjs", office.spoken.url, JOHN, office.tokens[JOHN], ",".join(tasks))
        _check(said, tasks, JOHN)


@pytest.mark.parametrize("suffix", ["", "/api"])
async def test_35_the_newest_client_needs_no_token_where_it_is_open(speaking: Any, tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "npm"
    folder.mkdir()
    await _client(folder, "4.0.0")
    async with opened_office(speaking, opened=True) as office:
        tasks = await _tasks(office)
        await office.call("POST", f"/api/human/tasks/{tasks[0]}/reassign", [])
        said = await _drive(folder, "newest.cjs", office.spoken.url + suffix, "", "", ",".join(tasks))
        _check(said, tasks, "conductor")


async def test_35_the_oldest_client_works_unchanged(speaking: Any, tmp_path: Path) -> None:
    folder = tmp_path / "npm"
    folder.mkdir()
    await _client(folder, "2.1.4")
    async with opened_office(speaking, opened=True) as office:
        worked, outside = await office.loan(), await office.loan()
        said = await _drive(folder, "oldest.cjs", f"{office.spoken.url}/api", "", "", f"{worked},{outside}")
        assert (said["found"], said["claimed"], said["done"]) == (2, "IN_PROGRESS", DONE)
        assert said["outside"] == user("a/b", "EXTERNAL_USER")
        assert "is not claimed" in said["refused"]


async def test_34_the_newest_client_renews_a_token_that_ran_out(speaking: Any, tmp_path: Path) -> None:
    folder = tmp_path / "npm"
    folder.mkdir()
    await _client(folder, "4.0.0")
    shutil.copy(HERE / "expired.cjs", folder / "expired.cjs")
    async with opened_office(speaking) as office:
        await office.loan(JOHN)
        process = await asyncio.create_subprocess_exec(
            *("node", "expired.cjs", office.spoken.url, JOHN, office.tokens[JOHN]),
            cwd=folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(60):
                assert process.stdin is not None
                assert process.stdout is not None
                await process.stdout.readuntil(b"ready\n")
                office.clock.advance(3601)
                process.stdin.write(b"go\n")
                said = json.loads((await process.stdout.read()).split(b"@@")[-1])
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    assert said == {"found": 1, "before": 1, "after": 2}
