"""Rules for tests, in few words."""

from __future__ import annotations

from typing import Any

from .api import Api

URGENT = {"act": "reprioritize", "priority": 90}


async def make_rule(api: Api, name: str, events: list[str] | str, *acts: Any, **more: Any) -> Any:
    """A rule that does `acts` on one of `events`."""
    names = [events] if isinstance(events, str) else events
    return await api.post("/v1/rules", {"name": name, "events": names, "acts": list(acts), **more})


def when(field: str, op: str, value: Any = None) -> dict[str, Any]:
    """A condition."""
    return {"field": field, "op": op} | ({} if value is None else {"value": value})
