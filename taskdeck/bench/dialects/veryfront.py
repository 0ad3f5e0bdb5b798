"""Veryfront under load: registered workers that claim with their own tokens, and complete with the API token."""

from __future__ import annotations

import orjson

from taskdeck.bench.line import Script, Site
from taskdeck.bench.scripts import CAPABILITY, CLAIM, COMPLETE, PROJECT
from taskdeck.bench.scripts import TASK as TASK
from taskdeck.client import Client

_LEASE = {"lease_duration_seconds": 60}
_headers: dict[str, str] = {}


async def prepare(_site: Site, client: Client) -> None:
    """Make the token that the workers register with.

    Raises:
        ApiError: the deck refused.
    """
    made = await client.create_token(principal="bench-veryfront", role="agent", capabilities=[CAPABILITY])
    _headers["Authorization"] = f"Bearer {made['secret']}"


def cycles(site: Site, number: int) -> Script:
    """Register, then claim a run and complete it, again; ends when nothing is left to claim."""
    kind = {"implementation_kind": "bench", "worker_key": str(number)}
    path = f"/veryfront/agent-workers/projects/{PROJECT}/workers"
    made = orjson.loads((yield site.post("register", path, kind, headers=_headers)))
    own = {"Authorization": f"Bearer {made['token']}"}
    claim = site.post(CLAIM, f"/veryfront/agent-workers/workers/{made['worker']['id']}/claim", _LEASE, headers=own)
    while run := orjson.loads((yield claim))["run"]:
        done = {"status": "completed"}
        yield site.post(COMPLETE, f"/veryfront/runs/{run['run_id']}/complete", done, headers=_headers)
