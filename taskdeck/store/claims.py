"""The claims of a task, read from the log of events as far as that reaches."""

from __future__ import annotations

import orjson

from taskdeck.domain.claims import TOLD_BY, Claim, claims_from
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

MOST = 2_000
"""How many of a task's newest events that begin or end a claim are looked at."""
_TYPES = ", ".join(f"'{kind}'" for kind in TOLD_BY)
_QUERY = f"SELECT body FROM events WHERE task = ? AND type IN ({_TYPES}) ORDER BY seq DESC LIMIT {MOST}"  # noqa: S608


def claims_of(unit: Unit, task: int) -> list[Claim]:
    """The claims of `task` before this batch of writes, oldest first."""
    return _claims(unit.read(_QUERY, (task,)).fetchall())


async def list_claims(reader: Reader, task: int) -> list[Claim]:
    """The claims of `task`, oldest first."""
    return _claims(await reader.rows(_QUERY, (task,)))


def _claims(rows: list[tuple[bytes]]) -> list[Claim]:
    return claims_from(orjson.loads(body) for (body,) in reversed(rows))
