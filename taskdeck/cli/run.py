"""`taskdeck run -- CMD…`: claim one task, let a command do it, report how it went."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, Self, TypeVar

import typer

from taskdeck.cli.claims import LeaseOption
from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import ExitCode, Failure, report
from taskdeck.cli.tasks import WorkerOption
from taskdeck.cli.values import given, seconds, worker_name

T = TypeVar("T")

DEFAULT_LEASE_SECONDS = 120
MOMENT_SECONDS = 1.0
"""How long a claim under way is waited for when an end is asked for: what it gives is to be given back."""
GRACE_SECONDS = 10.0
"""How long a command that is told to stop may take to do so."""
ENDING_ATTEMPTS = 20
"""How often a deck that does not answer is told how the command ended, over a minute: done work is worth the wait."""
LONGEST_VARIABLE = 100_000
"""Longer payloads reach the command on its standard input alone: systems bound a variable's length."""


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    command(app, "run", "Work")(run)


async def run(
    deck: Deck,
    argv: Annotated[
        list[str],
        typer.Argument(metavar="CMD", help="What does the task, behind two dashes: taskdeck run -- ./work.sh"),
    ],
    worker: WorkerOption = None,
    project: Annotated[str | None, typer.Option("--project", "-p", help="Of this project alone.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="May be repeated.")] = None,
    capability: Annotated[list[str] | None, typer.Option("--cap", help="What the command is able to.")] = None,
    lease: LeaseOption = None,
    wait: Annotated[str | None, typer.Option(help="Wait for work this long, at most 60s.")] = None,
) -> int:
    """Claim one task and run a command for it: exit 0 completes the task, all else fails it.

    The command finds TASKDECK_TASK_KEY, _ID, _FENCE, _TITLE and _PAYLOAD in its environment and the payload
    as JSON on its standard input. The claim is kept meanwhile; a command whose claim is lost is stopped.
    Exits with 0 when the task was completed, 1 when the command failed, 3 when there was nothing to claim.
    """
    if shutil.which(argv[0]) is None:
        raise Failure(f"there is no command {argv[0]}", "nothing was claimed; check the name and PATH")
    name, length = worker_name(worker), seconds(lease) or DEFAULT_LEASE_SECONDS
    with _Stop() as stop:
        asking = deck.client.claim(
            name,
            lease_seconds=length,
            **given(project=project, labels=label, capabilities=capability, wait_seconds=seconds(wait)),
        )
        reply = await stop.unless_asked(asking)
        if reply is None:
            return 128 + stop.number
        if not reply["claims"]:
            why = "; ".join(reason["detail"] for reason in reply["reasons"])
            raise Failure(f"nothing to claim: {why}", code="nothing", status=ExitCode.NOTHING)
        claimed = reply["claims"][0]
        return await _Attempt(deck, stop, claimed["task"], claimed["fence"], length).make(argv)


class _Stop:
    """Whether a signal asked for an end; it is heeded from before the claim, so that none is left behind."""

    _NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.number = 0
        self._asked = asyncio.Event()

    def __enter__(self) -> Self:
        for number in self._NUMBERS:
            asyncio.get_running_loop().add_signal_handler(number, self._ask, number)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._NUMBERS:
            asyncio.get_running_loop().remove_signal_handler(number)

    def _ask(self, number: int) -> None:
        self.number = number
        self._asked.set()

    async def wait(self) -> None:
        """Return when an end is asked for."""
        await self._asked.wait()

    async def unless_asked(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What `work` comes to; None if an end is asked for and it takes longer than a moment from then."""
        working, stopping = asyncio.create_task(work), asyncio.create_task(self.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({working}, timeout=MOMENT_SECONDS)
            return working.result() if working.done() else None
        finally:
            working.cancel()
            stopping.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)


class _Attempt:
    """One claimed task, worked on by one child process in a process group of its own."""

    def __init__(self, deck: Deck, stop: _Stop, task: dict[str, Any], fence: int, lease_seconds: int) -> None:
        self._client, self._out, self._stop = deck.client, deck.out, stop
        self._task, self._fence, self._lease = task, fence, lease_seconds
        self._key = str(task["key"])
        self._lost: Exception | None = None

    async def make(self, argv: list[str]) -> int:
        try:
            child = await asyncio.create_subprocess_exec(
                *argv, stdin=subprocess.PIPE, env=self._environment(), process_group=0
            )
        except OSError as error:
            await self._client.release(self._task["id"], self._fence, note=f"could not start: {error}")
            raise Failure(f"{argv[0]} cannot be started: {error.strerror}", "the task was released") from None
        status = await self._watch(child)
        if self._lost is not None:
            return report(self._lost)
        if self._stop.number:
            name = signal.Signals(self._stop.number).name
            await self._client.release(self._task["id"], self._fence, note=f"interrupted by {name}")
            print(f"released {self._key}: interrupted by {name}", file=sys.stderr)
            return 128 + self._stop.number
        self._client.attempts = ENDING_ATTEMPTS
        if status == 0:
            ending = self._client.complete(self._task["id"], self._fence, {"exit_code": 0})
        else:
            said = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
            ending = self._client.fail(self._task["id"], self._fence, f"{argv[0]}: {said}")
        task = await self._stop.unless_asked(ending)
        if task is None:
            return 128 + self._stop.number
        if self._out.as_json:
            self._out.document(task)
        else:
            print(f"{self._key} is {task['state']} (command ended with {status})", file=sys.stderr)
        return ExitCode.OK if status == 0 else ExitCode.FAULT

    async def _watch(self, child: asyncio.subprocess.Process) -> int:
        feeding = asyncio.create_task(self._feed(child))
        beating = asyncio.create_task(self._beat())
        ending = asyncio.create_task(child.wait())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({ending, beating, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                await _end(child, self._stop.number or signal.SIGTERM)
            if beating.done():
                beating.result()
            return await ending
        finally:
            for task in (feeding, beating, stopping):
                task.cancel()
            await asyncio.gather(feeding, beating, stopping, return_exceptions=True)

    async def _feed(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin is not None  # noqa: S101 - asked for as a pipe
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a command need not read it
            child.stdin.write(json.dumps(self._task["payload"]).encode())
            await child.stdin.drain()
        child.stdin.close()

    async def _beat(self) -> None:
        """Keep the claim; returns only when it is lost."""
        from taskdeck.client import ApiError, Unreachable

        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                await self._client.heartbeat(self._task["id"], self._fence, lease_seconds=self._lease)
            except Unreachable as error:  # the lease may outlast this; the fence guards what comes after it
                print(f"heartbeat of {self._key}: {error.detail}", file=sys.stderr)
            except ApiError as error:
                if error.retryable:
                    continue
                self._lost = error
                return

    def _environment(self) -> dict[str, str]:
        payload = json.dumps(self._task["payload"])
        told = {
            "TASKDECK_TASK_KEY": self._key,
            "TASKDECK_TASK_ID": str(self._task["id"]),
            "TASKDECK_TASK_FENCE": str(self._fence),
            "TASKDECK_TASK_TITLE": str(self._task["title"]),
            "TASKDECK_TASK_PAYLOAD": payload if len(payload) <= LONGEST_VARIABLE else "",
        }
        return {**os.environ, **{name: _for_environment(value) for name, value in told.items()}}


def _for_environment(text: str) -> str:
    """`text` as a variable can hold it: no NUL, and nothing that is not UTF-8."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode("utf-8")


async def _end(child: asyncio.subprocess.Process, number: int) -> None:
    """Ask the command and its children to stop, then make them."""
    for sign in (number, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, sign)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), GRACE_SECONDS)
            return
