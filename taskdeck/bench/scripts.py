"""What the connections do: the same bytes go to the deck and to the floor."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.bench.frames import ask
from taskdeck.bench.line import Script, Site

PROJECT = "bench"
CAPABILITY = "taskdeck-bench"
"""What the tasks ask of a worker, so that nobody else is given one."""
WAKE = "bench-wake"
"""The label of tasks that a claim waits for."""
CLAIM, COMPLETE, CREATE = "claim", "complete", "create"

TASK: dict[str, Any] = {
    "title": "Measure the time from claim to completion",
    "project": PROJECT,
    "description": "Made by taskdeck bench; nobody needs to work on it.",
    "labels": ["bench"],
    "capabilities": [CAPABILITY],
    "payload": {"path": "src/server/handlers.py", "line": 120, "check": "latency"},
}
RESULT = {"summary": "measured", "files": ["src/server/handlers.py"]}


def wish(number: int, **more: object) -> dict[str, object]:
    """A claim by worker `number`."""
    return {"worker": f"bench-{number}", "project": PROJECT, "capabilities": [CAPABILITY], **more}


def cycles(site: Site, number: int) -> Script:
    """Claim a task, complete it, again; ends when nothing is left to claim."""
    claim = site.post(CLAIM, "/v1/claims", wish(number))
    while claims := orjson.loads((yield claim))["claims"]:
        held = claims[0]
        document = {"fence": held["fence"], "result": RESULT}
        yield site.post(COMPLETE, f"/v1/tasks/{held['task']['number']}/complete", document)


def onward(site: Site, number: int) -> Script:
    """Complete a task and claim the next in one request, again; ends when nothing is left to claim."""
    claims = orjson.loads((yield site.post(CLAIM, "/v1/claims", wish(number))))["claims"]
    more = wish(number)
    del more["worker"]  # it is who completes
    while claims:
        held = claims[0]
        document = {"fence": held["fence"], "result": RESULT, "next": more}
        done = yield site.post(COMPLETE, f"/v1/tasks/{held['task']['number']}/complete", document)
        claims = orjson.loads(done)["next"]["claims"]


def messages(_site: Site, number: int) -> Script:
    """Like `cycles`, by messages on a worker's socket."""
    claim = ask(CLAIM, "claim", wish(number))
    while claims := orjson.loads((yield claim))["body"]["claims"]:
        held = claims[0]
        yield ask(COMPLETE, "complete", {"fence": held["fence"], "result": RESULT}, held["task"]["number"])


def onward_messages(_site: Site, number: int) -> Script:
    """Like `onward`, by messages on a worker's socket."""
    claims = orjson.loads((yield ask(CLAIM, "claim", wish(number))))["body"]["claims"]
    more = wish(number)
    del more["worker"]
    while claims:
        held = claims[0]
        document = {"fence": held["fence"], "result": RESULT, "next": more}
        claims = orjson.loads((yield ask(COMPLETE, "complete", document, held["task"]["number"])))["body"]["next"][
            "claims"
        ]


def claims_of(site: Site, number: int, size: int) -> Script:
    """Claim `size` tasks at a time; ends when nothing is left to claim."""
    claim = site.post(CLAIM, "/v1/claims", wish(number, max_tasks=size))
    while orjson.loads((yield claim))["claims"]:
        pass


def creates(site: Site, _number: int, size: int) -> Script:
    """Create `size` tasks at a time: singly, or in a batch."""
    document = TASK if size == 1 else {"tasks": [TASK] * size}
    create = site.post(CREATE, "/v1/tasks", document)
    while True:
        yield create


def cancels(site: Site, numbers: list[int]) -> Script:
    """Cancel the tasks of these numbers, which are taken out of the list, until it is empty."""
    while numbers:
        yield site.post("cancel", f"/v1/tasks/{numbers.pop()}/cancel", {"reason": "left over from taskdeck bench"})


def waits(site: Site, seconds: float) -> Script:
    """Claim a task of the kind that `wakes` creates, waiting for it."""
    yield site.post(CLAIM, "/v1/claims", wish(0, labels=[WAKE], wait_seconds=seconds))


def wakes(site: Site) -> Script:
    """Create the task that a claim waits for."""
    yield site.post(CREATE, "/v1/tasks", TASK | {"labels": [WAKE]})
