"""ClaudeBench under load: workers that register, claim, complete; each claims as often as it may in a minute."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.bench.line import Ask, Script, Site
from taskdeck.bench.scripts import CAPABILITY, CLAIM, COMPLETE, PROJECT, RESULT
from taskdeck.bench.scripts import TASK as TASK
from taskdeck.client import Client

_CLAIMS = 100
"""A worker may claim so often in a minute; then another goes on in its place."""
_headers: dict[str, str] = {}
_workers = 0


async def prepare(_site: Site, client: Client) -> None:
    """Make a token that is let into the one project whose tasks are claimed.

    Raises:
        ApiError: the deck refused.
    """
    rights: dict[str, Any] = {"role": "agent", "projects": [PROJECT], "capabilities": [CAPABILITY]}
    made = await client.create_token(principal="bench-claudebench", **rights)
    _headers["Authorization"] = f"Bearer {made['secret']}"


def _call(site: Site, kind: str, worker: str, method: str, params: dict[str, object]) -> Ask:
    request = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1, "metadata": {"sessionId": worker}}
    return site.post(kind, "/claudebench/rpc", request, headers=_headers)


def cycles(site: Site, number: int) -> Script:
    """Claim a task, complete it, again; ends when nothing is left to claim."""
    global _workers
    while True:
        _workers += 1
        worker = f"bench-{number}-{_workers}"
        yield _call(site, "register", worker, "system.register", {"id": worker, "roles": ["worker"]})
        claim = _call(site, CLAIM, worker, "task.claim", {"workerId": worker})
        for _ in range(_CLAIMS):
            held = orjson.loads((yield claim))["result"]
            if not held["claimed"]:
                return
            done: dict[str, object] = {"id": held["taskId"], "workerId": worker, "result": RESULT}
            yield _call(site, COMPLETE, worker, "task.complete", done)
