"""The npm package `veryfront` against a deck: the items of the acceptance list that are marked so."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Spoken  # type: ignore[import-not-found]

pytestmark = pytest.mark.node

PACKAGE = "veryfront@0.1.1031"
DRIVER = Path(__file__).parent / "veryfront" / "driver.mjs"
CHUNK = "TEXT_MESSAGE_CHUNK"
INSTALL_S, ANSWER_S = 90.0, 20.0
FOR_PAGES = ("@veryfront/ext-", "@types/", "react-dom", "scheduler")
"""Dependencies that no client of the package loads; they are ten times as large as the others."""


class Driver:
    """A Node process that does what it is told with the package's clients."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, client: str, call: str, *arguments: Any) -> Any:
        """What the call answers.

        Raises:
            RuntimeError: it threw.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"client": client, "call": call, "with": arguments}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(ANSWER_S):
            told = json.loads(await self._process.stdout.readline())
        if "error" in told:
            raise RuntimeError(told["error"])
        return told["value"]

    async def worker(self, call: str, **fields: Any) -> Any:
        return await self.ask("worker", call, fields)

    async def refused(self, call: str, **fields: Any) -> Any:
        """The body of the refusal, which the client throws as its message."""
        with pytest.raises(RuntimeError) as refusal:
            await self.worker(call, **fields)
        return json.loads(str(refusal.value))

    async def register(self, key: str, reference: str = "default") -> Any:
        return await self.worker(
            "registerWorker",
            projectReference=reference,
            implementationKind="probe",
            implementationDisplayName="Probe",
            workerKey=key,
        )


@pytest.fixture(scope="session")
def package(request: pytest.FixtureRequest) -> Path:
    """A folder in which the package is installed, once for this checkout."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("did not run: node and npm are not on this machine")
    folder = Path(request.config.cache.mkdir(f"{PACKAGE.replace('@', '-')}-clients"))  # type: ignore[union-attr]
    with (folder / "lock").open("w") as lock:  # tests run beside each other install it once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _install(folder)
        shutil.copy(DRIVER, folder / DRIVER.name)
    return folder


def _install(folder: Path) -> None:
    """The package as it is published, with those of its dependencies that its clients load: most are for its pages."""
    _npm("pack", "--silent", "--pack-destination", str(folder), PACKAGE)
    (packed,) = folder.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    wanted = json.loads((folder / "package" / "package.json").read_text())["dependencies"]
    needed = [f"{name}@{version}" for name, version in wanted.items() if not name.startswith(FOR_PAGES)]
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--prefer-offline")
    _npm("install", *quiet, "--prefix", str(folder), *needed)
    (folder / "package").rename(folder / "node_modules" / "veryfront")
    (folder / "done").touch()


def _npm(*arguments: str) -> None:
    try:
        done = subprocess.run(["npm", *arguments], capture_output=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"did not run: npm was not done within {INSTALL_S:g} s")
    if done.returncode:
        pytest.skip(f"did not run: npm cannot install {PACKAGE}: {done.stderr[-200:].decode()}")


@asynccontextmanager
async def driving(package: Path, url: str, token: str) -> AsyncIterator[Driver]:
    told = json.dumps({"url": url, "token": token})
    process = await asyncio.create_subprocess_exec(
        "node",
        DRIVER.name,
        told,
        cwd=package,
        env={name: value for name, value in os.environ.items() if not name.startswith("VERYFRONT_")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Driver(process)
    finally:
        process.kill()
        await process.wait()


def chunk(text: str) -> dict[str, str]:
    return {"type": CHUNK, "delta": text}


async def test_01_to_24_the_whole_loop_of_the_worker_client(package: Path, spoken: Spoken) -> None:
    token = spoken.native.token
    async with driving(package, spoken.url, token) as node:
        w = await node.register("a")  # 1
        assert (w["status"], w["implementation_kind"]) == ("active", "probe")
        await node.register("a", "team/x y")  # 4
        beaten = await node.ask("worker", "heartbeatWorker", w["id"])  # 5
        assert beaten["last_heartbeat_at"]
        assert await node.worker("claimRun", workerId=w["id"], leaseDurationSeconds=30) is None  # 7
        task = await spoken.native.create("T", max_attempts=3)
        run = await node.worker("claimRun", workerId=w["id"], leaseDurationSeconds=5)  # 9
        assert (run["run_id"], run["lease_owner"], run["status"]) == (f"run_{task['number']}.1", w["id"], "running")
        assert run["request_snapshot"]["messages"][0]["parts"] == [{"type": "text", "text": "T"}]
        assert run["request_snapshot"]["forwardedProps"]["taskdeck"]["task_id"] == str(task["number"])
        renewed = await node.worker("renewLease", workerId=w["id"], runId=run["run_id"], leaseDurationSeconds=5)  # 13
        assert renewed["run_id"] == run["run_id"]
        told = {"workerId": w["id"], "runId": run["run_id"], "sessionKey": "s1"}
        session = await node.worker("recordSession", **told)  # 14
        assert (session["status"], session["metadata"], session["ended_at"]) == ("active", None, None)
        ended = await node.worker("recordSession", **told, status="completed", metadata={"n": 1})
        assert (ended["id"], ended["status"], ended["metadata"]) == (session["id"], "completed", {"n": 1})
        where = {"conversationId": run["conversation_id"], "runId": run["run_id"]}
        cursor = {"expectedPreviousExternalEventSequence": 0}
        await node.worker("appendRunEvents", **where, events=[chunk("a"), chunk("b")], **cursor)  # 15
        await node.worker("appendRunEvents", **where, events=[chunk("a"), chunk("b")], **cursor)  # 17: a replay
        wrong = await node.refused("appendRunEvents", **where, events=[chunk("x")], **cursor)
        assert wrong["detail"] == "External run event cursor mismatch"
        await node.worker("appendRunEvents", **where, events=[chunk("c")], expectedPreviousExternalEventSequence=2)
        assert (await spoken.native.get(f"/v1/tasks/{task['key']}"))["entries"] == 3
        queue = {"conversationId": run["conversation_id"], "runId": run["run_id"], "latestEventId": 0,
                 "latestExternalEventSequence": 0, "events": [chunk("d")]}  # fmt: skip
        flushed = await node.ask("queue", "flush", queue)  # 19
        assert (flushed["outcome"], flushed["latestExternalEventSequence"]) == ("flushed", 4)
        assert (await spoken.native.get(f"/v1/tasks/{task['key']}"))["entries"] == 4
        v = await node.register("b")
        spoken.clock.advance(6)
        taken = await node.worker("claimRun", workerId=v["id"], leaseDurationSeconds=30)  # 23
        assert (taken["run_id"], taken["conversation_id"]) == (f"run_{task['number']}.2", run["conversation_id"])
        assert taken["latest_external_event_sequence"] == 4
        assert taken["worker_session"] == ended | {"run_id": taken["run_id"]}
        lost = {"workerId": w["id"], "runId": run["run_id"], "leaseDurationSeconds": 30}
        assert await node.worker("renewLease", **lost) is None  # 24
        assert (await node.refused("completeRun", runId=run["run_id"], status="completed"))["code"] == "lease_lost"
        late = await node.refused("appendRunEvents", **where, events=[chunk("late")])
        assert late["detail"] == "Cannot append external events to a terminal run"
        stopped = await node.ask("queue", "flush", queue)
        assert (stopped["outcome"], stopped["disableReason"]) == ("stopped", "ignorable_append_rejection")
        await node.worker("completeRun", runId=taken["run_id"], status="completed")  # 20
        done = await spoken.native.get(f"/v1/tasks/{task['key']}")
        assert (done["state"], done["completed_by"]["worker"]) == ("done", v["id"])
        failing = await spoken.native.create("F", max_attempts=1)
        run = await node.worker("claimRun", workerId=v["id"])
        end = {"status": "failed", "terminalErrorCode": "C", "terminalErrorMessage": "m"}
        await node.worker("completeRun", runId=run["run_id"], **end)  # 22
        whole = await node.ask("runs", "get", f"run_{failing['number']}")
        assert (whole["status"], whole["error"]) == ("failed", {"message": "m", "code": "C"})


async def test_27_29_below_the_prefix_and_runs_of_its_makers(package: Path, spoken: Spoken) -> None:
    async with driving(package, f"{spoken.below}/", spoken.native.token) as node:
        w = await node.register("a")
        assert (await node.ask("worker", "heartbeatWorker", w["id"]))["id"] == w["id"]
        assert await node.worker("claimRun", workerId=w["id"], leaseDurationSeconds=30) is None
        wish = {"projectId": w["project_id"], "target": "task:ingest", "name": "N", "config": {"n": 1}}
        made = await node.ask("runs", "createTaskRun", wish)
        run = await node.worker("claimRun", workerId=w["id"], leaseDurationSeconds=30)
        assert run["request_snapshot"]["forwardedProps"]["taskdeck"]["payload"] == {"n": 1}
        where = {"conversationId": run["conversation_id"], "runId": run["run_id"]}
        await node.worker("appendRunEvents", **where, events=[chunk("hi")], expectedPreviousExternalEventSequence=0)
        name = made["run"]["run_id"]
        assert (await node.ask("runs", "get", name))["status"] == "running"
        told = await node.ask("runs", "events", name, {"afterEventId": 1})
        assert [event["payload"] for event in told["data"]] == [chunk("hi")]
        await node.worker("completeRun", runId=run["run_id"], status="completed")
        second = (await node.ask("runs", "createTaskRun", wish))["run"]["run_id"]
        listed = await node.ask("runs", "list", {"projectReference": "default"})
        assert [one["status"] for one in listed["data"]] == ["pending", "completed"]
        assert (await node.ask("runs", "cancel", second))["run"]["status"] == "cancelled"
