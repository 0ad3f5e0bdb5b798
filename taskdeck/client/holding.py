"""Calls of workers: what claims a task and what its holder does with it, however they travel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskdeck.client.transport import Json, given


class HolderCalls:
    """The verbs of holders, over HTTP (`Client`) or on a worker's socket (`WorkerSocket`)."""

    async def _hold(self, verb: str, ref: str | int | None, fields: Mapping[str, Any], wait_seconds: float = 0) -> Json:
        """The answer to a verb, which may take `wait_seconds` longer than another."""
        raise NotImplementedError

    async def claim(self, worker: str, **options: Any) -> Json:
        """`{"claims", "reasons"}`. `wait_seconds` comes on top of the timeout."""
        wait = float(options.get("wait_seconds") or 0)
        return await self._hold("claim", None, {"worker": worker, **options}, wait)

    async def heartbeat(self, ref: str | int, fence: int, **fields: Any) -> Json:
        """`{"task", "fence", "expires_at", "signal", "answer"}`. `fields`: `progress`, `detail`, `state` …"""
        return await self._hold("heartbeat", ref, {"fence": fence, **fields})

    async def release(self, ref: str | int, fence: int, **fields: Any) -> Json:
        """The task, back in the queue; the attempt is unspent. `fields`: `note`, `delay_seconds`."""
        return await self._hold("release", ref, {"fence": fence, **fields})

    async def complete(self, ref: str | int, fence: int | None, result: Any = None, **fields: Any) -> Json:
        """The task, done or in review. `fields`: `shown`, `review`, `leave_children`, `next`.

        With `next`, an object of a claim's options, the next task is claimed in the same step: what `claim` would give
        stands in the task as `next`.
        """
        return await self._hold("complete", ref, {"fence": fence, **given(result=result), **fields})

    async def fail(self, ref: str | int, fence: int, error: str, **fields: Any) -> Json:
        """The task, to be tried again or failed. `fields`: `retry`, `delay_seconds`, `note`, `code`, `next`."""
        return await self._hold("fail", ref, {"fence": fence, "error": error, **fields})
