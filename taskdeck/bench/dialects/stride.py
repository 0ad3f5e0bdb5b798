"""Stride under load: claims with proof that a hook ran, completions as its plugins send them."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.bench.line import Script, Site
from taskdeck.bench.scripts import CAPABILITY, CLAIM, COMPLETE, PROJECT
from taskdeck.bench.scripts import TASK as TASK
from taskdeck.client import Client

_PROVEN = {"exit_code": 0, "output": "ok", "duration_ms": 1}
_CLAIM = {"agent_name": "bench", "before_doing_result": _PROVEN}
_COMPLETE = {
    "agent_name": "bench",
    "completion_summary": "measured",
    "actual_complexity": "small",
    "actual_files_changed": "src/server/handlers.py",
    "time_spent_minutes": 1,
    "after_doing_result": _PROVEN,
    "before_review_result": _PROVEN,
}
_headers: dict[str, str] = {}


async def prepare(_site: Site, client: Client) -> None:
    """Make a token that is let into the one board whose tasks are claimed.

    Raises:
        ApiError: the deck refused.
    """
    rights: dict[str, Any] = {"role": "agent", "projects": [PROJECT], "capabilities": [CAPABILITY]}
    made = await client.create_token(principal="bench-stride", **rights)
    _headers["Authorization"] = f"Bearer {made['secret']}"


def cycles(site: Site, _number: int) -> Script:
    """Claim a task, complete it, again; ends when nothing is left to claim."""
    claim = site.post(CLAIM, "/stride/api/tasks/claim", _CLAIM, headers=_headers)
    while held := orjson.loads((yield claim)).get("data"):
        path = f"/stride/api/tasks/{held['id']}/complete"
        yield site.post(COMPLETE, path, _COMPLETE, method="PATCH", headers=_headers)
