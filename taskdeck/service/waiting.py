"""Claims that wait: served in the batch that makes a task claimable, one waiter per task, first come first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from taskdeck.domain.eligibility import Claimer
from taskdeck.store.unit import Unit
from taskdeck.store.writer import LATER, Pending, Runner

Attempt = Callable[[Unit], Any]
"""Tries to claim once: the answer, or None when there is nothing to have."""


@dataclass(slots=True, eq=False)
class Waiter:
    """A claim that found nothing and has time left."""

    pending: Pending
    claimer: Claimer
    attempt: Attempt


class WaitingClaims:
    """Who waits, in order. Lives on the writer's thread; `count` may be read from anywhere."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._waiters: dict[asyncio.Future[Any], Waiter] = {}

    @property
    def count(self) -> int:
        return len(self._waiters)

    def offer(self, claimer_of: Callable[[Unit], Claimer], attempt: Attempt) -> Callable[[Unit], Any]:
        """A unit of work that answers with `attempt`, or joins those who wait."""

        def work(unit: Unit) -> Any:
            answer = attempt(unit)
            if answer is not None:
                return answer
            pending = self._runner.batch.current
            if pending is None:
                raise RuntimeError("only a queued unit of work can wait")
            self._waiters[pending.future] = Waiter(pending, claimer_of(unit), attempt)
            return LATER

        return work

    def serve(self, runner: Runner) -> None:
        """The hook that runs after each batch: give what it opened to those who wait.

        Costs a look into memory for each waiter, and a claim only for those something is there for.
        """
        if not self._waiters or not runner.batch.opened:
            return
        for waiter in list(self._waiters.values()):
            if not runner.mirror.claimable:
                break
            if waiter.pending.future.cancelled() or (
                runner.mirror.open_to(waiter.claimer) and runner.settle(waiter.pending, _or_later(waiter.attempt))
            ):
                self._drop(waiter)

    def _served(self, runner: Runner, waiter: Waiter) -> bool:
        return runner.settle(waiter.pending, _or_later(waiter.attempt))

    def leave(self, future: asyncio.Future[Any], farewell: Attempt) -> Callable[[Unit], None]:
        """A unit of work that ends the wait of `future`, answering it with `farewell`; nothing if it was served."""

        def work(_unit: Unit) -> None:
            waiter = self._waiters.pop(future, None)
            if waiter is not None and not future.cancelled():
                self._runner.settle(waiter.pending, farewell)

        return work

    def dismiss(self, farewell: Attempt) -> Callable[[Unit], None]:
        """A unit of work that ends every wait with `farewell`."""

        def work(unit: Unit) -> None:
            for future in list(self._waiters):
                self.leave(future, farewell)(unit)

        return work

    def _drop(self, waiter: Waiter) -> None:
        self._waiters.pop(waiter.pending.future, None)


def _or_later(attempt: Attempt) -> Callable[[Unit], Any]:
    def work(unit: Unit) -> Any:
        answer = attempt(unit)
        return LATER if answer is None else answer

    return work
