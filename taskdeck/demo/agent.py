"""One simulated worker: claims, works, reports, and now and then goes wrong in a way agents do."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from taskdeck.client import ApiError, Client, Unreachable
from taskdeck.demo.catalogue import FAILURES, NOTES, QUESTIONS, STEPS
from taskdeck.demo.temperament import Temperament

CLAIM_WAIT_SECONDS = 20
PAUSE_AFTER_REFUSAL = 3.0


class Agent:
    """Works until cancelled, or until its token is."""

    def __init__(self, client: Client, temperament: Temperament, random: Random) -> None:
        self._client = client
        self._is = temperament
        self._random = random

    async def live(self) -> None:
        """Register, then take one task after another."""
        registered = False
        while True:
            try:
                if not registered:
                    await self._register()
                    registered = True
                await self._turn()
            except ApiError as refused:
                if refused.status in (401, 403):
                    return
                # taken over, cancelled, drained: an agent shrugs and asks for the next one
                await asyncio.sleep(PAUSE_AFTER_REFUSAL)
            except Unreachable:
                await asyncio.sleep(PAUSE_AFTER_REFUSAL)

    async def _register(self) -> None:
        me = self._is
        await self._client.register_worker(
            me.worker, kind=me.kind, capabilities=list(me.capabilities), heartbeat_seconds=3 * me.beat
        )

    async def _turn(self) -> None:
        me = self._is
        reply = await self._client.claim(
            me.worker,
            capabilities=list(me.capabilities),
            lease_seconds=me.lease,
            wait_seconds=CLAIM_WAIT_SECONDS,
        )
        for claimed in reply["claims"]:
            await self._do(claimed["task"], claimed["fence"])
            await asyncio.sleep(self._random.uniform(*me.rest))

    async def _do(self, task: dict[str, Any], fence: int) -> None:
        me, ref = self._is, task["id"]
        luck = self._random.random()
        if luck < me.goes_silent:
            await asyncio.sleep(me.lease * self._random.uniform(1.2, 2.2))
            await self._client.complete(ref, fence, {"note": "back after a lost connection"})
            return
        length = self._random.uniform(*me.work)
        if luck < me.goes_silent + me.releases:
            await self._work(ref, fence, length * 0.3, 0, 30)
            await self._client.release(ref, fence, note=self._random.choice(NOTES))
            return
        if self._random.random() < me.asks:
            await self._work(ref, fence, length * 0.4, 0, 40)
            await self._ask(ref, fence)
            await self._work(ref, fence, length * 0.6, 40, 100)
        else:
            await self._work(ref, fence, length, 0, 100)
        if self._random.random() < me.fails:
            await self._client.fail(
                ref, fence, self._random.choice(FAILURES), delay_seconds=self._random.randint(4, 30)
            )
        else:
            await self._client.complete(ref, fence, self._result())

    async def _work(self, ref: str, fence: int, length: float, start: int, end: int) -> None:
        """Be busy for `length` seconds, with a heartbeat that tells how far it has come at each beat."""
        done = 0.0
        while done < length:
            step = min(self._is.beat, length - done)
            await asyncio.sleep(step)
            done += step
            if done < length:
                share = done / length
                await self._client.heartbeat(
                    ref,
                    fence,
                    progress=round(start + (end - start) * share),
                    state="working",
                    detail=STEPS[int(share * len(STEPS))],
                    lease_seconds=self._is.lease,
                )

    async def _ask(self, ref: str, fence: int) -> None:
        """Wait for an answer, but not for ever: where nobody gives one, the agent decides by itself."""
        asked: dict[str, Any] = {
            "question": self._random.choice(QUESTIONS),
            "options": ["as you think best", "leave it as it is"],
        }
        for _ in range(self._random.randint(3, 5)):
            told = await self._client.heartbeat(
                ref, fence, state="waiting_input", detail="asks a human", lease_seconds=self._is.lease, **asked
            )
            if told.get("answer"):
                return
            asked = {}
            await asyncio.sleep(self._random.uniform(5, 9))

    def _result(self) -> dict[str, Any]:
        return {
            "pull_request": self._random.randint(1200, 9800),
            "tests": f"{self._random.randint(80, 400)} passed",
            "lines": {"added": self._random.randint(1, 180), "removed": self._random.randint(0, 90)},
        }
