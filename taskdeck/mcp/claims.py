"""The claims that one session of an agent holds: their fences, and their leases while the agent is at work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from taskdeck.client import ApiError, Client, Json, Unreachable

OVER = frozenset({"stale_fence", "task_cancelled"})
"""The codes of refusals that say: the claim is over."""
BEATS_A_LEASE = 3
"""How often a lease is renewed in its own length, so that a lost beat does no harm."""
ENDING_SECONDS = 1.5
"""How long giving claims back may take; clients end a server that takes two seconds."""


class NotHeld(Exception):
    """The session has no claim on that task."""

    def __init__(self, ref: str) -> None:
        self.detail = f"this session holds no claim on {ref}"
        super().__init__(self.detail)


@dataclass
class Held:
    """One claim, and how its task may be called."""

    id: str
    key: str
    number: int
    fence: int
    lease_seconds: float | None
    beating: asyncio.Task[None] | None = None

    def is_called(self, ref: str) -> bool:
        return ref in (self.id, self.key, str(self.number))


class Claims:
    """What is held under `worker`'s name by this process.

    Leases are renewed by themselves for `keep_seconds` after the agent was last heard of (`heard`); 0 leaves that to
    the agent. What is found out meanwhile is told by `notices`.
    """

    def __init__(
        self,
        client: Client,
        keep_seconds: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._keep = keep_seconds
        self._now, self._sleep = now, sleep
        self._heard = now()
        self._held: list[Held] = []
        self._notices: list[str] = []
        self.wish: Json = {}
        """What the agent asked of its last claim that named no task."""

    def heard(self) -> None:
        """The agent has just shown that it is there."""
        self._heard = self._now()

    def notices(self) -> list[str]:
        """What the agent should know and has not been told; each is given once."""
        told, self._notices = self._notices, []
        return told

    def find(self, ref: str) -> Held | None:
        """The claim on the task that `ref` names, if the session holds it."""
        return next((held for held in self._held if held.is_called(ref)), None)

    def fence(self, ref: str, given: int | None) -> int:
        """The fence to act under: the one `given`, else the one of the session's claim.

        Raises:
            NotHeld: there is neither.
        """
        if given is not None:
            return given
        held = self.find(ref)
        if held is None:
            raise NotHeld(ref)
        return held.fence

    def took(self, task: Json, fence: int) -> None:
        """A claim was given; it is kept from now on."""
        self.ended(task["id"])
        lease = (task["claim"] or {}).get("lease_seconds")
        held = Held(task["id"], task["key"], task["number"], fence, lease)
        self._held.append(held)
        if self._keep and lease:
            held.beating = asyncio.create_task(self._beat(held, lease / BEATS_A_LEASE))

    def ended(self, ref: str) -> None:
        """The claim on that task is over, or was never held."""
        held = self.find(ref)
        if held is not None:
            self._held.remove(held)
            if held.beating is not None and held.beating is not asyncio.current_task():
                held.beating.cancel()

    async def give_back(self) -> None:
        """Release all that is held, as far as a deck answers at once; what is not released lapses."""
        held, self._held = self._held, []
        for claim in held:
            if claim.beating is not None:
                claim.beating.cancel()
        self._client.attempts = 1
        releases = [asyncio.create_task(self._client.release(claim.id, claim.fence)) for claim in held]
        if releases:
            _, late = await asyncio.wait(releases, timeout=ENDING_SECONDS)
            for release in late:
                release.cancel()
            await asyncio.gather(*releases, return_exceptions=True)

    async def _beat(self, held: Held, every: float) -> None:
        """Renew a lease until the claim is over. The fence guards what comes after a lease that ran out meanwhile."""
        while True:
            await self._sleep(every)
            if self._now() - self._heard > self._keep:
                continue
            try:
                await self._client.heartbeat(held.id, held.fence)
            except Unreachable:
                continue
            except ApiError as error:
                if error.retryable:
                    continue
                why = f"[{error.code}]: {error.detail}"
                if error.code in OVER or error.code == "unknown_task":
                    self._notices.append(f"{held.key} is no longer yours, stop working on it {why}")
                    self.ended(held.id)
                else:
                    self._notices.append(f"the lease of {held.key} is renewed no more {why}")
                return
