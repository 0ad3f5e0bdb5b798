"""The deck: store, waiting claims, events and tokens held together; what every interface calls."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import orjson

from taskdeck.domain.clock import Clock, from_rfc3339, rfc3339
from taskdeck.domain.errors import DeckError, Draining, Unavailable
from taskdeck.domain.ids import Ids
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.service.bus import RING, EventBus, Published
from taskdeck.service.claim import Claimed, Reason, claim, claimer_for, reasons
from taskdeck.service.metrics import Metrics
from taskdeck.service.once import OnceKey, once
from taskdeck.service.patience import Patience
from taskdeck.service.projects import create_project
from taskdeck.service.reads import View, vital_signs
from taskdeck.service.requests import ClaimRequest
from taskdeck.service.tallies import NOTED, Tallies
from taskdeck.service.tokens import USED_GRAIN_MS, Keyring, create_token
from taskdeck.service.upkeep import Upkeep
from taskdeck.service.waiting import WaitingClaims
from taskdeck.store import tokens
from taskdeck.store.connect import damaged
from taskdeck.store.folder import ADMIN_TOKEN, DATABASE, write_private
from taskdeck.store.pace import Pace
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit
from taskdeck.store.writer import BATCH_LIMIT, Batch, Writer

T = TypeVar("T")
Render = Callable[[Any], tuple[int, bytes]]

ADMIN = "admin"
WRITE_DEADLINE_S = 30.0
_LOOK_AT_TIME_S = 30.0


def local_principal() -> Principal:
    """Who calls over the local socket, which only the server's own user can open."""
    return Principal(getpass.getuser(), Role.ADMIN)


class Deck:
    """A running deck on a data folder. Made by `open`, ended by `close`.

    `observe` is called on the event loop with each committed batch, before its outcomes are handed out.
    """

    def __init__(self, folder: Path, clock: Clock, ids: Ids, batch_limit: int = BATCH_LIMIT) -> None:
        self.folder = folder
        self.clock = clock
        self.ids = ids
        self.started_at = clock.now_ms()
        self.metrics = Metrics()
        self.tallies = Tallies(self.started_at)
        self.draining = False
        self.observe: Callable[[Batch], None] = _nobody
        self._path = folder / DATABASE
        self._writer = Writer(self._path, clock, ids, self._deliver, batch_limit)
        runner = self._writer.runner
        self.keyring = Keyring(tokens.load(runner.connection))
        self.waiting = WaitingClaims(runner)
        runner.mirror.watch.since = self.started_at
        runner.before = Upkeep(clock)
        runner.after = self.waiting.serve
        self._patience = Patience(WRITE_DEADLINE_S)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self.reader: Reader
        self.bus: EventBus

    @classmethod
    async def open(cls, folder: Path, clock: Clock, ids: Ids, batch_limit: int = BATCH_LIMIT) -> Deck:
        """Open the deck on a prepared and locked folder; the first time, make its project and admin token.

        Raises:
            StoreRefused: the folder's database cannot be used.
        """
        try:
            deck = cls(folder, clock, ids, batch_limit)
            await deck._begin()
        except (sqlite3.DatabaseError, Unavailable) as error:
            raise damaged(folder / DATABASE, error) from error
        return deck

    async def _begin(self) -> None:
        self._writer.start()
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self._writer.close)
            self.reader = await Reader.open(self._path)
            undo.push_async_callback(self.reader.close)
            self.bus = await self._remember_events()
            await self.write(lambda unit: None)  # what came due while nobody served
            await self._first_start()
            undo.pop_all()

    async def _remember_events(self) -> EventBus:
        last = self._writer.runner.mirror.last_seq
        rows = await self.reader.rows("SELECT seq, type, project, body FROM events WHERE seq > ?", (last - RING,))
        for place, (_, kind, _, body) in enumerate(rows):
            if place == 0 or kind in NOTED:
                event = orjson.loads(body)
                at = from_rfc3339(event["at"])
                self.tallies.since = min(self.tallies.since, at)
                self.metrics.note(kind, at, event["facts"])
                self.tallies.note(kind, at, event["worker"], event["facts"])
        return EventBus([Published.of(*row) for row in rows], last)

    async def _first_start(self) -> None:
        owner = Principal(ADMIN, Role.ADMIN)
        if DEFAULT_PROJECT not in self._writer.runner.mirror.projects:
            await self.write(lambda unit: create_project(unit, owner, DEFAULT_PROJECT, "T", {}))
        if not any(t.valid(self.clock.now_ms()) and t.principal.role is Role.ADMIN for t in self.keyring.all()):
            await self.write(self._hand_out_token)

    def _hand_out_token(self, unit: Unit) -> None:
        owner = Principal(ADMIN, Role.ADMIN)
        _, secret = create_token(unit, self.keyring, owner, owner, None)
        # before the commit: a file without its token is mended at the next start, a token without its file never
        write_private(self.folder / ADMIN_TOKEN, f"{secret}\n")

    def set_pace(self, per_worker: int, per_principal: int) -> None:
        """Give a worker, and a principal, at most so many claims a minute; 0 for no limit."""
        self._writer.runner.mirror.pace = Pace(per_worker, per_principal)

    async def close(self) -> None:
        """Answer those who wait, finish what is queued, close the database."""
        await self.drain()
        if self._timer is not None:
            self._timer.cancel()
        self._patience.close()
        self.bus.close()
        await self.reader.close()
        await self._writer.close()

    async def drain(self) -> None:
        """Give out no more work: who waits is told so, new claims are refused, all else goes on."""
        if not self.draining:
            self.draining = True
            farewell = Claimed([], [Reason("draining", "the server is stopping; try again once it is back")])
            with contextlib.suppress(Unavailable):
                await self.write(self.waiting.dismiss(lambda unit: farewell))

    async def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work` on the writer; its result once it is on disk.

        Raises:
            DeckError: what `work` refused; nothing was changed.
            Unavailable: the writer is overloaded or the disk does not answer; the change may still come.
        """
        try:
            return await self._patience.wait(self._writer.submit(work))
        except TimeoutError:
            raise Unavailable(
                f"the disk did not answer within {WRITE_DEADLINE_S:g} seconds; the change may still be made",
                hint="Send the same request again with its Idempotency-Key.",
            ) from None

    async def write_once(self, work: Callable[[Unit], Any], key: OnceKey | None, render: Render) -> Any:
        """Like `write`; under `key` the first answer, an `Answer` made by `render`, is given again."""
        return await self.write(work if key is None else once(key, work, render))

    async def claim(
        self, who: Principal, request: ClaimRequest, wait_s: float, key: OnceKey | None, render: Render
    ) -> Any:
        """Claim, waiting up to `wait_s` seconds for something to claim: `Claimed`, or an `Answer` under `key`.

        Raises:
            Draining: the server is stopping.
            DeckError: see `service.claim.claim`.
        """
        if self.draining:
            raise Draining("the server is stopping and gives out no work", hint="Try again once it is back.")
        nothing = Claimed([])

        def try_once(unit: Unit) -> Claimed | None:
            nonlocal nothing
            claimed = claim(unit, who, request)
            if claimed.tasks:
                return claimed
            nothing = claimed
            return None

        attempt = try_once if key is None else once(key, try_once, render)
        if not wait_s or request.ref is not None:
            given = await self.write(attempt)
            return nothing if given is None else given
        return await self._claim_waiting(who, request, wait_s, attempt)

    async def _claim_waiting(
        self, who: Principal, request: ClaimRequest, wait_s: float, attempt: Callable[[Unit], Any]
    ) -> Any:
        def claimer(unit: Unit) -> Any:
            return claimer_for(unit, who, request)

        def farewell(unit: Unit) -> Any:
            found = attempt(unit)
            return Claimed([], reasons(unit, claimer(unit))) if found is None else found

        future = self._writer.submit(self.waiting.offer(claimer, attempt))
        try:
            await asyncio.wait([future], timeout=wait_s)
            if not future.done():
                await self.write(self.waiting.leave(future, farewell))
            return await future
        except (asyncio.CancelledError, DeckError):
            future.cancel()
            with contextlib.suppress(Unavailable):
                self._writer.submit(self.waiting.leave(future, farewell))
            raise

    def authenticate(self, secret: str) -> Principal | None:
        """Whose token this is; None if it opens nothing. Its last use is noted, to the minute."""
        now = self.clock.now_ms()
        token = self.keyring.find(secret)
        if token is None or not token.valid(now):
            return None
        if token.last_used_at is None or now - token.last_used_at >= USED_GRAIN_MS:
            token.last_used_at = now
            number = token.id
            with contextlib.suppress(Unavailable):
                self._writer.submit(lambda unit: tokens.used(unit, number, now))
        return token.principal

    async def stats(self, who: Principal) -> View:
        """The deck's vital signs, as `who` may see them."""
        now = self.clock.now_ms()
        signs = await vital_signs(self.reader, who, self.started_at, now)
        return {
            "now": rfc3339(now),
            "started_at": rfc3339(self.started_at),
            "uptime_seconds": (now - self.started_at) / 1000,
            **signs,
            "rates": self.metrics.rates(now),
            "wait_seconds": self.metrics.waits(),
            "run_seconds": self.metrics.runs(),
            "waiting_claims": self.waiting.count,
            "database": {
                "bytes": _size(self._path),
                "wal_bytes": _size(self._path.with_name(f"{DATABASE}-wal")),
            },
            "last_seq": self.bus.last_seq,
            "draining": self.draining,
        }

    def _deliver(self, batch: Batch) -> None:
        for event, _ in batch.events:
            self.metrics.note(event.type, event.at, event.facts)
            self.tallies.note(event.type, event.at, event.worker, event.facts)
        if batch.events:
            self.bus.publish(Published.of(event.seq, event.type, event.project, body) for event, body in batch.events)
        self._set_timer()
        self.observe(batch)

    def _set_timer(self) -> None:
        """Wake the writer when time will have something to do, so that its events come in time."""
        due, now = self._writer.runner.mirror.next_due, self.clock.now_ms()
        if self._timer is not None and self._timer_at <= due and self._timer_at > now:
            return
        if self._timer is not None:
            self._timer.cancel()
        # the wall clock may jump past `due` unnoticed: look again within half a minute
        wait_s = min(max(0.0, (due - now) / 1000), _LOOK_AT_TIME_S)
        self._timer_at = now + round(wait_s * 1000)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._look_at_time)

    def _look_at_time(self) -> None:
        self._timer = None
        with contextlib.suppress(Unavailable):
            self._writer.submit(lambda unit: None)


def _nobody(_batch: Batch) -> None:
    """Observes nothing."""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
