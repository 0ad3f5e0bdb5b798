"""Delega under load: claim from the queue, complete without evidence."""

from __future__ import annotations

import orjson

from taskdeck.bench import scripts
from taskdeck.bench.line import Script, Site
from taskdeck.bench.scripts import CLAIM, COMPLETE, PROJECT
from taskdeck.client import Client

# its agents name no capabilities
TASK = scripts.TASK | {"capabilities": []}


async def prepare(site: Site, client: Client) -> None:
    """Nothing: its claimers need no more than a key."""


def cycles(site: Site, number: int) -> Script:
    """Claim a task, complete it, again; ends when nothing is left to claim."""
    claim = site.post(CLAIM, "/delega/v1/tasks/claim", {"project_id": PROJECT, "labels": ["bench"]})
    while (task := orjson.loads((yield claim))["task"]) is not None:
        yield site.post(COMPLETE, f"/delega/v1/tasks/{task['id']}/complete", {})
