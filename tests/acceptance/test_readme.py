"""The transcript in the README is true: run as it stands, it prints what it shows."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import environment, serving, until

from taskdeck.app import running_deck
from taskdeck.config import Settings

README = Path(__file__).parents[2] / "README.md"
MARK = "=== end of step"


def transcript() -> list[tuple[str, list[str]]]:
    """The steps of the transcript: a command and the lines it is said to print."""
    text = README.read_text(encoding="utf-8")
    block = text.partition("<!-- transcript -->\n```console\n")[2].partition("\n```")[0]
    steps: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif line:
            steps[-1][1].append(line)
    return steps


def as_pattern(line: str) -> re.Pattern[str]:
    """What a printed line must look like: three dots stand for anything."""
    return re.compile(".*".join(re.escape(part) for part in line.split("...")), re.DOTALL)


async def test_the_transcript_prints_what_it_shows(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        pytest.fail("this test needs bash and curl")
    steps = transcript()
    assert len(steps) > 20
    script = "\n".join(f"{command}\necho '{MARK}'" for command, _ in steps)
    async with running_deck(Settings.load(data=tmp_path / "deck", port=0)) as deck:
        token = (tmp_path / "deck" / "admin.token").read_text().strip()
        process = await asyncio.create_subprocess_exec(
            bash,
            "-c",
            script,
            cwd=tmp_path,
            env={"DECK": deck.url, "TOKEN": token, "PATH": "/usr/local/bin:/usr/bin:/bin"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
    printed = output.decode().split(f"{MARK}\n")
    for (command, expected), real in zip(steps, printed, strict=False):
        lines = [line for line in real.splitlines() if line]
        assert len(lines) == len(expected), f"{command}\n{real}"
        for line, pattern in zip(lines, expected, strict=True):
            assert as_pattern(pattern).fullmatch(line), f"{command}\nshown:   {pattern}\nprinted: {line}"


def test_the_worker_in_python_outlives_its_deck(tmp_path: Path) -> None:
    """Run as it stands, but for address and token: the deck is killed and comes back, and the worker goes on."""
    script = README.read_text(encoding="utf-8").partition("```python\n")[2].partition("\n```")[0]
    with serving(tmp_path / "data") as deck:
        port = deck.url.rsplit(":", 1)[1]
        token = deck.token("agent")
        for shown, real in (("http://127.0.0.1:7337", deck.url), ("td_…", token)):
            assert script.count(shown) == 1
            script = script.replace(shown, real)
        worker = subprocess.Popen([sys.executable, "-c", script], env=environment())
        try:
            first = deck.ask("create", title="before")["key"]
            until(lambda: deck.ask("task", first)["state"] == "done", "the first task")
            deck.process.send_signal(signal.SIGKILL)
            deck.process.wait()
            (deck.data / "deck.lock").write_text("")  # or the next server would seem to listen already
            with serving(tmp_path / "data", "--port", port) as again:
                second = again.ask("create", title="after")["key"]
                until(lambda: again.ask("task", second)["result"] == {"letters": 5}, "the second task")
            assert worker.poll() is None
        finally:
            worker.kill()
            worker.wait()
