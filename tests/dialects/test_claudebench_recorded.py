"""What the original answered while it ran, request by request, compared with what the ClaudeBench dialect answers."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from claudebench_calls import Calls, Socket
from conftest import Speaking, Spoken

RECORDED = Path(__file__).parent / "claudebench" / "recorded"

OTHERWISE = {
    # the form of the page instead of the code's
    "worker never registered",
    "claim while OFFLINE",
    "claim: heartbeat does not clear OFFLINE",
    "33 s after register: lease gone",
    # what the original remembers for up to a minute, where this does at once what it is asked
    "heartbeat right after (the cached negative answer)",
    "state with two instances",
    "state: h-2 is absent",
    "claim: still unregistered",
    # what its documents promise and it does not do
    "unregister while a task has attachments",
    "unregister worker holding a task",
    "the task stays in_progress and assigned",
    # its own client sends it, and expects an answer
    "array sent to /rpc",
    # ten of twelve in no particular order; clients of it that are gone
    "state is capped at 10 and 10 in no particular order",
    "ws stats",
    "ws stats with one client",
    # numbers and schemas of its own
    "metrics",
    "discover task domain",
    "schema of task.claim",
    # the recording leaves the long text out
    "2 MB result accepted",
}
"""Exchanges whose answer is meant to differ, each for a reason that the specification names."""
WAITS = {
    "27 s later without heartbeat: still allowed": 27,
    "33 s after register: lease gone": 6,
    "register worker-b": 1.6,
    "force the worker OFFLINE with a 1 ms timeout": 0.01,
}
_VARIES = re.compile(r"t-\d{3,}|ta-\d+-\w+|evt-\d+-\w+|ws-\d+-\w+|\d{4}-\d\d-\d\dT[\d:.]+Z|\d{13}")
_OWN = {"createdBy", "assignedBy", "updatedBy", "unassignedBy", "deletedBy", "completedBy", "instanceId", "eventId"}
_COUNTED = {"duration", "timestamp", "lastSeen", "tasksReassigned"}
TASK = re.compile(r"t-\d{13}")


@pytest.fixture
async def spoken(speaking: Speaking) -> AsyncIterator[Spoken]:
    async with speaking("claudebench", opened=True) as spoken:
        yield spoken


def compare(wanted: Any, found: Any, path: str, *, some: bool = False) -> None:
    """The same members of the same types, the same constants; ids and times may differ, and the server's own name.

    With `some`, members that were left out of the recording may be there.
    """
    if isinstance(wanted, dict):
        assert isinstance(found, dict), path
        if "assignedAt" not in found:  # of a task that has ended it is not known
            wanted.pop("assignedAt", None)
        assert wanted.keys() <= found.keys() if some else wanted.keys() == found.keys(), (path, wanted, found)
        for name, value in wanted.items():
            if name in _OWN:
                assert isinstance(found[name], str), path
            elif name in _COUNTED:
                assert type(found[name]) is type(value), f"{path}.{name}"
            else:
                compare(value, found[name], f"{path}.{name}", some=some)
    elif isinstance(wanted, list):
        assert len(wanted) == len(found), (path, wanted, found)
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            compare(one, other, f"{path}[{number}]", some=some)
    elif isinstance(wanted, str) and _VARIES.fullmatch(wanted):
        assert _VARIES.fullmatch(found), (path, found)
    else:
        assert (type(found), found) == (type(wanted), wanted), path


class Replay:
    """Sends recorded requests again, with the ids of the tasks that were made here in place of the recorded ones."""

    def __init__(self, spoken: Spoken, calls: Calls) -> None:
        self._spoken = spoken
        self._calls = calls
        self.ids: dict[str, str] = {}

    def here(self, document: Any) -> Any:
        text = json.dumps(document)
        return json.loads(TASK.sub(lambda found: self.ids.get(found[0], found[0]), text))

    async def again(self, one: dict[str, Any]) -> None:
        self._spoken.clock.advance(WAITS.get(one["label"], 0) + 0.02)
        request = one["request"]
        if request["method"] == "POST":
            sent = self.here(request["body"]) if "body" in request else request.get("raw_body", "").encode()
            status, body = await self._calls.send(sent, request["path"])
        else:
            reply = await self._calls.get(request["path"], request["method"])
            status = reply.status
            body = None
            if reply.content_type == "application/json":
                body = await reply.json()
            elif status != 204:
                body = "404 Not Found" if status == 404 else ""
        self._learn(one["body"], body)
        if one["label"] in OTHERWISE:
            return
        assert status == one["status"], (one["label"], status, body)
        wanted = _without_rows_that_broke(self.here(one["body"]))
        if isinstance(wanted, dict) and "tasks" in (wanted.get("result") or {}) and "list all" in one["label"]:
            kept = {task["id"] for task in wanted["result"]["tasks"]}
            body["result"]["tasks"] = [task for task in body["result"]["tasks"] if task["id"] in kept]
        shortened = "shortened" in one["label"]
        by = request["body"]["params"].get("orderBy", "createdAt") if shortened else "createdAt"
        if by != "createdAt":  # in which order rows come that are alike is not said
            wanted, body = ([row[by] for row in answer["result"]["tasks"]] for answer in (wanted, body))
        compare(wanted, body, one["label"], some=shortened)

    def _learn(self, recorded: Any, found: Any) -> None:
        """Note which task here is which of the recorded ones."""
        pairs = zip(recorded, found, strict=True) if isinstance(recorded, list) else [(recorded, found)]
        for one, other in pairs:
            for name in ("result", "data"):
                if isinstance(one, dict) and isinstance(one.get(name), dict) and isinstance(other.get(name), dict):
                    id = one[name].get("id")
                    if isinstance(id, str) and TASK.fullmatch(id):
                        self.ids.setdefault(id, other[name]["id"])


def _without_rows_that_broke(answer: Any) -> Any:
    """The original cannot store 0, false and "": rows of such tasks show its own fault."""
    if isinstance(answer, dict) and isinstance(answer.get("result"), dict) and "tasks" in answer["result"]:
        rows = answer["result"]["tasks"]
        answer["result"]["tasks"] = [row for row in rows if not (row.get("error") or "").startswith("Failed to store")]
    return answer


SCENARIOS = ("01-roundtrip", "02-envelope", "03-claim-order", "04-claim-errors", "05-complete",
             "06-update-assign-delete", "07-attachments-in-claim", "08-system", "09-rest-and-meta", "13-liveness",
             "14-redistribution", "19-list-and-state")  # fmt: skip
UNTOLD = {"06-update-assign-delete": {2, 4}}
"""Events that are not told here, by their place: of an update and an assignment that change nothing."""
TOLD_MORE = {"01-roundtrip": {6}, "08-system": {3, 8}, "13-liveness": {6}}
"""Events that are told here and were not there, by their place: of instances that register or leave at once."""


@pytest.mark.parametrize("name", SCENARIOS)
async def test_06_recorded_answers(spoken: Spoken, name: str) -> None:
    recorded = json.loads((RECORDED / f"{name}.json").read_text())
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{spoken.url}/ws") as connection:
        calls, socket = Calls(spoken.url, session), Socket(connection)
        await socket.next()
        await socket.ask({"action": "subscribe", "events": ["*"]})
        replay = Replay(spoken, calls)
        if name.startswith("19"):
            await _twelve_tasks(replay, calls, recorded)
        for one in recorded["exchanges"]:
            await replay.again(one)
        if "events" in recorded:
            await _compare_events(name, replay, socket, recorded["events"])


async def _twelve_tasks(replay: Replay, calls: Calls, recorded: dict[str, Any]) -> None:
    """Make the tasks and instances that this recording begins with."""
    for number in range(6):
        await calls.worker(f"node-{number:02}")
    used = sorted({id for one in recorded["exchanges"] for id in TASK.findall(json.dumps(one["request"]))})
    priorities = [5, 5, 70, 70, 30, 100, 1, 5, 5, 5, 5, 5]
    ids = [await calls.new(f"t{number}", priority=priority) for number, priority in enumerate(priorities)]
    replay.ids |= dict(zip(used, ids, strict=False))


async def _compare_events(name: str, replay: Replay, socket: Socket, events: list[Any]) -> None:
    *found, _ = await socket.execute("system.health", {}, id=0)
    domains = {one["event"].partition(".")[0] for one in events}
    found = [one for one in found if one["event"].partition(".")[0] in domains]
    found = [one for number, one in enumerate(found) if number not in TOLD_MORE.get(name, ())]
    wanted = [one for number, one in enumerate(events) if number not in UNTOLD.get(name, ())]
    assert [one["event"] for one in found] == [one["event"] for one in wanted]
    for one, other in zip(wanted, found, strict=True):
        if one["event"] == "task.updated":  # in the order in which the client named them, or in that of the fields
            for frame in (one, other):
                frame["data"]["metadata"]["changes"].sort()
        compare(replay.here(one), other, f"{name} {one['event']}")


async def test_06_recorded_frames(spoken: Spoken) -> None:
    """A conversation over the WebSocket, frame by frame."""
    recorded = json.loads((RECORDED / "10-websocket.json").read_text())["frames"]
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{spoken.url}/ws") as connection:
        socket = Socket(connection)
        for frame in recorded:
            if "sent" in frame:
                await socket.send(frame["sent"])
                continue
            found, wanted = await socket.next(), frame["received"]
            if "ghost" in json.dumps(wanted):
                assert found["error"]["message"] == "Worker not registered: ghost"
                continue
            if "error" in wanted:
                wanted["error"].pop("data", None)
                if wanted["error"]["code"] == -32603 and wanted["type"] == "error":
                    assert "Unexpected" in found["error"]["message"]
                    continue
            compare(wanted, found, json.dumps(wanted)[:80])
