"""Real `taskdeck` processes for acceptance tests: a server to talk to, and commands that talk."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import quick
from support.server import environment as clean_environment

from taskdeck.client import local

PATIENCE = 60.0
"""Seconds after which what should have happened has not."""
TASKDECK = (sys.executable, "-m", "taskdeck")


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without any setting of taskdeck's own, and with `extra`."""
    return {**clean_environment(), "PYTHONUNBUFFERED": "1", "COLUMNS": "200", **extra}


def taskdeck(*args: str, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return quick.run(args, stdin or "", environment(**env), PATIENCE)


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {PATIENCE:g} s")


@dataclass
class Served:
    """A server process on a data folder of its own, and how commands reach it."""

    data: Path
    url: str
    process: subprocess.Popen[str]

    def __call__(self, *args: str, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        return taskdeck(*args, stdin=stdin, TASKDECK_DATA=str(self.data), **env)

    def json(self, *args: str, stdin: str | None = None) -> Any:
        """The parsed answer of a command that succeeds."""
        done = self(*args, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ask(self, method: str, *args: Any, **fields: Any) -> Any:
        """One call of the client, where the command line is not what is tested: quicker than a process."""

        async def call() -> Any:
            async with local(self.data) as client:
                return await getattr(client, method)(*args, **fields)

        return asyncio.run(call())

    def token(self, role: str) -> str:
        """The secret of a new token."""
        return str(self.ask("create_token", f"test-{role}", role)["secret"])


@contextmanager
def serving(data: Path, *args: str) -> Iterator[Served]:
    """`taskdeck serve` on `data` and a free port; ended at the latest with the context."""
    with (data.parent / f"{data.name}.output").open("w+") as output:
        process = subprocess.Popen(
            [*TASKDECK, "serve", "--data", str(data), "--port", "0", *args],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment(),
        )
        try:
            url = until(lambda: process.poll() is not None or _announced(data), "the server's start")
            output.seek(0)
            assert isinstance(url, str), f"the server ended: {output.read()}"
            yield Served(data, url, process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def _announced(data: Path) -> str | None:
    try:
        return str(json.loads((data / "deck.lock").read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None
