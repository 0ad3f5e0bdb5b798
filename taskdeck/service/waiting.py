"""Claims that wait: served in the batch that makes a task claimable, one waiter per task, first come first."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from taskdeck.domain.eligibility import Claimer
from taskdeck.domain.errors import Unavailable
from taskdeck.store.runner import LATER, Pending, Runner
from taskdeck.store.unit import Unit

LIMIT = 20_000
"""How many claims may wait."""

Future = asyncio.Future[Any]
Attempt = Callable[[Unit], Any]
"""Tries to claim once: the answer, or None when there is nothing to have."""


@dataclass(slots=True, eq=False)
class Waiter:
    """A claim that found nothing and has time left; `arrival` counts up."""

    arrival: int
    pending: Pending
    claimer_of: Callable[[Unit], Claimer]
    attempt: Attempt


class WaitingClaims:
    """Who waits, in order. Lives on the writer's thread; `count` may be read from anywhere.

    Waiters are kept by kind: those whom the same tasks are for. So a batch looks at as many kinds as there are, not at
    every waiter.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._kinds: dict[Claimer, dict[Future, Waiter]] = {}
        self._kind_of: dict[Future, Claimer] = {}
        self._arrivals = itertools.count()
        self._sorted_for = (0, 0)
        self._given_up: deque[Future] = deque()

    @property
    def count(self) -> int:
        return len(self._kind_of)

    def offer(self, claimer_of: Callable[[Unit], Claimer], attempt: Attempt) -> Callable[[Unit], Any]:
        """A unit of work that answers with `attempt`, or joins those who wait.

        Raises:
            Unavailable: too many wait already.
        """

        def work(unit: Unit) -> Any:
            answer = attempt(unit)
            if answer is not None:
                return answer
            pending = self._runner.batch.current
            if pending is None:
                raise RuntimeError("only a queued unit of work can wait")
            if self.count >= LIMIT:
                raise Unavailable("too many claims are waiting", hint="Claim without wait_seconds, now and then.")
            self._join(unit, Waiter(next(self._arrivals), pending, claimer_of, attempt))
            return LATER

        return work

    def serve(self, runner: Runner) -> None:
        """The hook that runs after each batch: give what it opened to those who wait, first come first.

        Costs a look into memory for each kind of waiter, and a claim only for those something is there for.
        """
        while self._given_up:
            self._drop(self._given_up.popleft())
        if not self._kind_of or not runner.batch.opened:
            return
        if self._sorted_for != (len(runner.mirror.assignees), runner.mirror.abilities):
            self._sort_anew(runner)
        served = [kind for kind in self._kinds if runner.mirror.open_to(kind).buckets]
        queues = [(iter(list(self._kinds[kind].values())), kind) for kind in served]
        heads = [(waiter.arrival, waiter, queue, kind) for queue, kind in queues if (waiter := next(queue, None))]
        heapq.heapify(heads)
        while heads:
            _, waiter, queue, kind = heapq.heappop(heads)
            if waiter.pending.future.done() or runner.settle(waiter.pending, _or_later(waiter.attempt)):
                self._drop(waiter.pending.future)
            following = next(queue, None)
            if following is not None and runner.mirror.open_to(kind).buckets:
                heapq.heappush(heads, (following.arrival, following, queue, kind))

    def _join(self, unit: Unit, waiter: Waiter) -> None:
        kind = unit.mirror.kind_of(waiter.claimer_of(unit))
        self._kinds.setdefault(kind, {})[waiter.pending.future] = waiter
        self._kind_of[waiter.pending.future] = kind

    def _sort_anew(self, runner: Runner) -> None:
        """Somebody new was assigned a task, or a worker can do other things: who were of one kind may not be now."""
        self._sorted_for = (len(runner.mirror.assignees), runner.mirror.abilities)
        unit = runner.new_unit()
        waiters = sorted((w for kind in self._kinds.values() for w in kind.values()), key=lambda w: w.arrival)
        self._kinds.clear()
        for waiter in waiters:
            self._join(unit, waiter)

    def _drop(self, future: Future) -> Waiter | None:
        kind = self._kind_of.pop(future, None)
        if kind is None:
            return None
        waiter = self._kinds[kind].pop(future)
        if not self._kinds[kind]:
            del self._kinds[kind]
        return waiter

    def leave(self, future: asyncio.Future[Any], farewell: Attempt) -> Callable[[Unit], None]:
        """A unit of work that ends the wait of `future`, answering it with `farewell`; nothing if it was served."""

        def work(_unit: Unit) -> None:
            waiter = self._drop(future)
            if waiter is not None and not future.done():
                self._runner.settle(waiter.pending, farewell)

        return work

    def give_up(self, future: Future) -> None:
        """Forget the wait of `future`, which is over, with the next batch that can be run. May be called from anywhere.

        A unit of work would not do: where the disk is full, it fails with the batch that it happens to be in.
        """
        self._given_up.append(future)

    def dismiss(self, farewell: Attempt) -> Callable[[Unit], None]:
        """A unit of work that ends every wait with `farewell`."""

        def work(unit: Unit) -> None:
            for future in list(self._kind_of):
                self.leave(future, farewell)(unit)

        return work


def _or_later(attempt: Attempt) -> Callable[[Unit], Any]:
    def work(unit: Unit) -> Any:
        answer = attempt(unit)
        return LATER if answer is None else answer

    return work
