"""The claims of a task, one after another: who held it under which fence, from when to when, and how each ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.domain.states import EVENT_OF, Verb

_ENDS = {
    EVENT_OF[Verb.COMPLETE]: "completed",
    EVENT_OF[Verb.FAIL]: "failed",
    EVENT_OF[Verb.RELEASE]: "released",
    EVENT_OF[Verb.DELEGATE]: "released",
    EVENT_OF[Verb.LAPSE]: "lapsed",
    EVENT_OF[Verb.CANCEL]: "cancelled",
    EVENT_OF[Verb.OVERRIDE]: "overridden",
    EVENT_OF[Verb.SKIP]: "overridden",
    EVENT_OF[Verb.CLAIM]: "lapsed",
}
TOLD_BY = (*_ENDS, EVENT_OF[Verb.REJECT], EVENT_OF[Verb.HEED])
"""The events that begin or end a claim."""


@dataclass(slots=True)
class Claim:
    """One claim. Times are milliseconds since the epoch; `end` is None while it goes on.

    `message` and `code` are what its holder, or whoever ended it, gave as the reason.
    """

    fence: int
    worker: str
    principal: str
    via: str
    began_at: int
    ended_at: int | None = None
    end: str | None = None
    message: str | None = None
    code: str | None = None

    def view(self) -> dict[str, Any]:
        """The public shape."""
        return {
            "fence": self.fence,
            "worker": self.worker,
            "principal": self.principal,
            "via": self.via,
            "began_at": rfc3339(self.began_at),
            "ended_at": None if self.ended_at is None else rfc3339(self.ended_at),
            "end": self.end,
            "message": self.message,
            "code": self.code,
        }


def claims_from(events: Iterable[dict[str, Any]]) -> list[Claim]:
    """The claims that the public events of one task tell of, in order.

    One that lapsed has ended then, unless its holder completes it all the same.
    """
    found: list[Claim] = []
    for event in events:
        kind, changes, facts = event["type"], event["changes"], event["facts"]
        if "claim" not in changes or kind not in TOLD_BY:
            continue
        last, claim, at = found[-1] if found else None, changes["claim"], from_rfc3339(event["at"])
        new = claim is not None and (last is None or last.fence != claim["fence"])
        over = new or claim is None or kind == EVENT_OF[Verb.LAPSE]
        if last is not None and over and _open(last, kind):
            last.ended_at, last.end = at, _ends_as(kind)
            last.message, last.code = facts.get("error") or facts.get("reason") or facts.get("note"), facts.get("code")
        if new:
            begun = from_rfc3339(claim["claimed_at"])
            found.append(Claim(claim["fence"], claim["worker"], claim["principal"], claim["via"], begun))
    return found


def _open(claim: Claim, kind: str) -> bool:
    return claim.end is None or (claim.end == "lapsed" and kind == EVENT_OF[Verb.COMPLETE])


def _ends_as(kind: str) -> str:
    return _ENDS.get(kind, "completed")
