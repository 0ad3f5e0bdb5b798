"""Conductor under load: people's tasks, which are claimed by their ids and completed with what was filled in."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any

import orjson

from taskdeck.bench.line import Ask, Script, Site
from taskdeck.bench.scripts import CLAIM, COMPLETE, RESULT
from taskdeck.bench.scripts import TASK as PLAIN
from taskdeck.client import Client

TASK: dict[str, Any] = PLAIN | {"project": "bench-conductor", "capabilities": ["human"]}
_LOOK, _WAIT = "look", "wait"
_AT_ONCE = 200
STOCK, MADE_AT_ONCE = 20_000, 1_000


class Pile:
    """Ids of tasks that nobody was given yet, shared by all connections; one of them at a time looks for more."""

    def __init__(self) -> None:
        self.ids: deque[str] = deque()
        self.seen = 0
        self.looking = False

    def next(self, site: Site) -> Generator[Ask, bytes, str | None]:
        """The next id, None if there are no more."""
        while len(self.ids) < _AT_ONCE // 2 and not self.looking:
            if not (yield from self._look(site)):
                break
        while not self.ids and self.looking:
            yield site.post(_WAIT, "/healthz", None, method="GET")
        return self.ids.popleft() if self.ids else None

    def _look(self, site: Site) -> Generator[Ask, bytes, bool]:
        """Look for more; whether there are any."""
        query = f"project={TASK['project']}&state=ready&sort=number&view=summary&limit={_AT_ONCE}"
        self.looking = True
        try:
            reply = yield site.post(_LOOK, f"/v1/tasks?{query}&q=number%3E{self.seen}", None, method="GET")
        finally:  # the round may end here
            self.looking = False
        found = orjson.loads(reply)["tasks"]
        self.add(found)
        return bool(found)

    def add(self, tasks: list[dict[str, Any]]) -> None:
        """Put `tasks` on the pile, oldest first."""
        self.ids.extend(task["id"] for task in tasks)
        self.seen = max([self.seen, *(task["number"] for task in tasks)])


_pile = Pile()


async def prepare(_site: Site, client: Client) -> None:
    """Make the first tasks, so that few are looked for meanwhile.

    Raises:
        ApiError: the deck refused.
    """
    for _ in range(STOCK // MADE_AT_ONCE):
        made = await client.create_many([TASK] * MADE_AT_ONCE)
        _pile.add(made)


def cycles(site: Site, _number: int) -> Script:
    """Claim a task, complete it, again; ends when nothing is left to claim."""
    while (task := (yield from _pile.next(site))) is not None:
        path = f"/conductor/api/human/tasks/{task}"
        yield site.post(CLAIM, f"{path}/claim", None)
        yield site.post(COMPLETE, f"{path}/update?complete=true", RESULT)
