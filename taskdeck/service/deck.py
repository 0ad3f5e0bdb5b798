"""The deck: store, waiting claims, events and tokens held together; what every interface calls."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import orjson

from taskdeck.domain.clock import Clock, from_rfc3339, rfc3339
from taskdeck.domain.errors import DeckError, Draining, Unavailable
from taskdeck.domain.ids import Ids
from taskdeck.domain.order import USUAL, Order
from taskdeck.domain.principal import Principal
from taskdeck.domain.project import DAY_MS, DEFAULT_KEEP_EVENTS_DAYS
from taskdeck.domain.reach import Reach
from taskdeck.domain.rule import Telling
from taskdeck.domain.task import Json
from taskdeck.domain.via import NATIVE
from taskdeck.service.alarm import Alarm
from taskdeck.service.automation import Automation
from taskdeck.service.breaker import Breaker
from taskdeck.service.bus import RING, EventBus, Published
from taskdeck.service.claim import STOPPING, Claimed, claim, claimer_for, reasons
from taskdeck.service.figures import Figures
from taskdeck.service.first_start import furnish
from taskdeck.service.once import OnceKey, Render, Reply, answered
from taskdeck.service.passes import Passes
from taskdeck.service.patience import Patience
from taskdeck.service.reads import View, vital_signs
from taskdeck.service.requests import MANY, ClaimRequest
from taskdeck.service.retention import prune
from taskdeck.service.sources import Sources
from taskdeck.service.tallies import NOTED
from taskdeck.service.tokens import USED_GRAIN_MS, Keyring
from taskdeck.service.upkeep import Upkeep
from taskdeck.service.waiting import WaitingClaims
from taskdeck.service.webhooks import Webhooks
from taskdeck.store import sources, tokens, webhooks
from taskdeck.store.connect import refusal
from taskdeck.store.event_listing import EventFilter, list_events
from taskdeck.store.folder import DATABASE, unusable
from taskdeck.store.pace import Pace
from taskdeck.store.reader import Reader
from taskdeck.store.retention import first_kept
from taskdeck.store.runner import Batch
from taskdeck.store.unit import Unit
from taskdeck.store.writer import BATCH_LIMIT, Writer

T = TypeVar("T")

WRITE_DEADLINE_S = 30.0
_REST_S = 1.0
"""How long a store that failed is left alone by the deck itself."""
_FIRST_TIDY_S = 60.0
_TIDY_EVERY_S = 3_600.0
KEEP_EVENTS_MS = DEFAULT_KEEP_EVENTS_DAYS * DAY_MS

log = logging.getLogger(__name__)


class Deck:
    """A running deck on a data folder. Made by `open`, ended by `close`.

    `observe` is called on the event loop with each committed batch, before its outcomes are handed out. `reach` is
    where webhooks may lead.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        ids: Ids,
        batch_limit: int = BATCH_LIMIT,
        keep_events_ms: int = KEEP_EVENTS_MS,
        order: Order = USUAL,
    ) -> None:
        self.folder = folder
        self.clock = clock
        self.ids = ids
        self.order = order
        self.started_at = clock.now_ms()
        self._opened_at = clock.monotonic_ms()
        self.figures = Figures(self.started_at)
        self.draining = False
        self.observe: Callable[[Batch], None] = _nobody
        self._path = folder / DATABASE
        self._writer = Writer(self._path, clock, ids, self._deliver, batch_limit, order)
        runner = self._writer.runner
        self.keyring = Keyring(tokens.load(runner.connection))
        self.passes = Passes(self.keyring)
        self.webhooks = Webhooks(webhooks.load(runner.connection))
        self.sources = Sources(sources.load(runner.connection))
        self.reach = Reach()
        self.breaker = Breaker(clock)
        self.waiting = WaitingClaims(runner)
        runner.mirror.watch.since = self.started_at
        runner.before = Upkeep(clock)
        self._patience = Patience(WRITE_DEADLINE_S, self._late)
        runner.after = Automation(self.waiting.serve)
        self._keep_events_ms = keep_events_ms
        self._tidying: asyncio.Task[None] | None = None
        self._alarm = Alarm(clock, self._look_at_time)
        self.reader: Reader
        self.bus: EventBus

    @classmethod
    async def open(
        cls,
        folder: Path,
        clock: Clock,
        ids: Ids,
        batch_limit: int = BATCH_LIMIT,
        keep_events_ms: int = KEEP_EVENTS_MS,
        order: Order = USUAL,
    ) -> Deck:
        """Open the deck on a prepared and locked folder; the first time, make its project and admin token.

        Now and then what is past its keep is removed: ended tasks by their project's policy, events after
        `keep_events_ms`. Claims are given out in `order`.

        Raises:
            StoreRefused: the folder's database cannot be used.
        """
        try:
            deck = cls(folder, clock, ids, batch_limit, keep_events_ms, order)
            await deck._begin()
        except (sqlite3.DatabaseError, Unavailable) as error:
            raise refusal(folder / DATABASE, error) from error
        except OSError as error:
            raise unusable(Path(error.filename or folder), error) from error
        return deck

    async def _begin(self) -> None:
        self._writer.start()
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self._writer.close)
            self.reader = await Reader.open(self._path)
            undo.push_async_callback(self.reader.close)
            self.bus = await self._remember_events()
            # what came due while nobody served is seen to before it
            await self.write(lambda unit: furnish(unit, self.keyring, self.folder))
            undo.pop_all()
        self._tidying = asyncio.create_task(self._tidy_now_and_then())

    async def _remember_events(self) -> EventBus:
        last = self._writer.runner.mirror.last_seq
        rows = await self.reader.rows("SELECT seq, type, project, body FROM events WHERE seq > ?", (last - RING,))
        for place, (_, kind, project, body) in enumerate(rows):
            if place == 0 or kind in NOTED:
                event = orjson.loads(body)
                at = from_rfc3339(event["at"])
                self.figures.reach_back(at)
                self.figures.note([(kind, at, project, event["worker"], event["facts"])])
        return EventBus([Published(*row) for row in rows], last)

    def set_pace(self, per_worker: int, per_principal: int, per_token: int) -> None:
        """Give a worker, a principal and a token at most so many claims a minute; 0 for no limit."""
        self._writer.runner.mirror.pace = Pace(per_worker, per_principal, per_token)

    @property
    def heard_since(self) -> int:
        """Before it no worker could be heard: when the deck began, by the clock as it goes now."""
        return self._writer.runner.mirror.watch.since

    async def close(self) -> None:
        """Answer those who wait, finish what is queued, close the database."""
        await self.drain()
        await self._stop_tidying()
        self._alarm.stop()
        self._patience.close()
        self.bus.close()
        await self.reader.close()
        await self._writer.close()

    async def drain(self) -> None:
        """Give out no more work: who waits is told so, new claims are refused, all else goes on."""
        if not self.draining:
            self.draining = True
            farewell = Claimed([], [STOPPING])
            with contextlib.suppress(Unavailable):
                await self.write(self.waiting.dismiss(lambda unit: farewell), long=True)

    def write(self, work: Callable[[Unit], T], *, long: bool = False) -> asyncio.Future[T]:
        """Run `work` on the writer; its result once it is on disk. See `Writer.submit` for what is `long`.

        Raises:
            DeckError: what `work` refused; nothing was changed.
            CircuitOpen: the store has failed again and again and was not asked.
            Unavailable: the writer is overloaded or the disk does not answer; the change may still come.
        """
        if not self.breaker.closed:
            self._try_store()
        future = self._writer.submit(work, long=long)
        self._patience.watch(future)
        return future

    def _try_store(self) -> None:
        """Let one write through to a store that failed, with the events of it beside; refuse the others."""
        self.breaker.admit()
        self.breaker.watch(self._writer.submit(self.breaker.tell))

    def answer(
        self, work: Callable[[Unit], Any], render: Render, key: OnceKey | None = None, *, long: bool = False
    ) -> asyncio.Future[Reply]:
        """Like `write`, answering with what `render` makes of the result; under `key` with the first answer again."""
        return self.write(answered(work, render, key), long=long)

    async def claim(
        self, who: Principal, request: ClaimRequest, wait_s: float, key: OnceKey | None, render: Render
    ) -> Reply:
        """Claim, waiting up to `wait_s` seconds for something to claim; what `render` makes of the `Claimed`.

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

        attempt = answered(try_once, render, key)
        if not wait_s or request.ref is not None:
            given: Any = await self.write(attempt, long=request.max_tasks > MANY)
        else:
            given = await self._claim_waiting(who, request, wait_s, attempt)
        if given is None:
            given = nothing
        return render(given) if isinstance(given, Claimed) else cast(Reply, given)

    async def _claim_waiting(
        self, who: Principal, request: ClaimRequest, wait_s: float, attempt: Callable[[Unit], Any]
    ) -> Any:
        def claimer(unit: Unit) -> Any:
            return claimer_for(unit, who, request)

        def farewell(unit: Unit) -> Any:
            found = attempt(unit)
            return Claimed([], reasons(unit, claimer(unit))) if found is None else found

        if not self.breaker.closed:
            self._try_store()
        future = self._writer.submit(self.waiting.offer(claimer, attempt), long=request.max_tasks > MANY)
        try:
            await asyncio.wait([future], timeout=wait_s)
            if not future.done():
                await self.write(self.waiting.leave(future, farewell))
            return await future
        except (asyncio.CancelledError, DeckError):
            future.cancel()
            self.waiting.give_up(future)
            with contextlib.suppress(Unavailable):
                self._writer.submit(_see_to_time, asked=False)
            raise

    async def news(self, after: int, limit: int) -> list[Published]:
        """Up to `limit` events after number `after`: those in memory, or the log's where these do not reach back."""
        found = self.bus.after(after, limit)
        if found is None:
            rows = await list_events(self.reader, EventFilter(), after=after, limit=limit)
            found = [Published(*row) for row in rows]
        return found

    async def prune(self) -> None:
        """Remove what is past its keep, a little at a time; see `service.retention.prune`.

        A wall clock that jumped ahead since the deck was opened makes nothing older.
        """
        now = min(self.clock.now_ms(), self.started_at + self.clock.monotonic_ms() - self._opened_at)
        await prune(self.write, self.reader, now, self._keep_events_ms)

    async def _tidy_now_and_then(self) -> None:
        wait_s = _FIRST_TIDY_S
        while True:
            await asyncio.sleep(wait_s)
            wait_s = _TIDY_EVERY_S
            try:
                await self.prune()
            except DeckError as error:
                log.warning("pruning was put off: %s", error)

    async def _stop_tidying(self) -> None:
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.wait([self._tidying])

    def understand(self, needs: Callable[[Json], frozenset[str]]) -> None:
        """Let `needs` read from each new task's payload which capabilities it asks for beside those it names."""
        self._writer.runner.mirror.needs = needs

    def tell(self, tellings: Mapping[str, Telling]) -> None:
        """Let texts of rules that were made by an interface be filled in from what its telling says, by its name."""
        self._writer.runner.mirror.tellings = tellings

    def authenticate(self, secret: str, via: str = NATIVE) -> Principal | None:
        """Whose token, or whose pass for the interface `via`, this is; None if it opens nothing.

        Its last use is noted, to the minute.
        """
        now = self.clock.now_ms()
        token = self.keyring.find(secret)
        if token is None:
            known = self.passes.find(secret)
            token = known.token if known is not None and known.valid(now, via) else None
        if token is None or not token.valid(now):
            return None
        if token.last_used_at is None or now - token.last_used_at >= USED_GRAIN_MS:
            token.last_used_at = now
            number = token.id
            with contextlib.suppress(Unavailable):
                self._writer.submit(lambda unit: tokens.used(unit, number, now), asked=False)
        return token.principal

    def expired(self, secret: str) -> bool:
        """Whether this was a token or pass until its time was over."""
        now = self.clock.now_ms()
        found = self.keyring.find(secret) or self.passes.find(secret)
        return found is not None and found.expired(now)

    async def catch_up(self) -> None:
        """Do what time has made due, so that what is read next shows it."""
        if self._writer.runner.mirror.next_due <= self.clock.now_ms():
            await self.write(_see_to_time, long=True)

    async def stats(self, who: Principal, *, hour: bool = False) -> View:
        """The deck's vital signs, as `who` may see them; with the last `hour` of each project, if that is wanted."""
        now = self.clock.now_ms()
        signs = await vital_signs(self.reader, who, self.heard_since, now)
        if hour:
            view = self.figures.hour.view
            signs["hour"] = {name: view(name, now) for name in signs["projects"]}
        return {
            "now": rfc3339(now),
            "started_at": rfc3339(self.started_at),
            "uptime_seconds": (self.clock.monotonic_ms() - self._opened_at) / 1000,
            **signs,
            "rates": self.figures.metrics.rates(now),
            "wait_seconds": self.figures.metrics.waits(),
            "run_seconds": self.figures.metrics.runs(),
            "waiting_claims": self.waiting.count,
            "database": {
                "bytes": _size(self._path),
                "wal_bytes": _size(self._path.with_name(f"{DATABASE}-wal")),
            },
            "first_seq": await first_kept(self.reader),
            "last_seq": self.bus.last_seq,
            "draining": self.draining,
            "ageing_days": self.order.days,
            "projects_in_turn": self.order.in_turn,
            "breaker": self.breaker.view(),
        }

    def _deliver(self, batch: Batch) -> None:
        if batch.fault is not None and batch.asked:
            self.breaker.fault(batch.fault)
        if batch.events:
            self.breaker.worked()
            self.figures.note(
                [(event.type, event.at, event.project, event.worker, event.facts) for event, _ in batch.events]
            )
            self.bus.publish([Published(event.seq, event.type, event.project, body) for event, body in batch.events])
            for event, _ in batch.events:
                if event.type == "events.pruned":
                    self.bus.forget(event.facts["first_kept"])
        self._alarm.set(self._writer.runner.mirror.next_due, 0.0 if batch.fault is None else _REST_S)
        self.observe(batch)

    def _late(self) -> Unavailable:
        error = Unavailable(
            f"the disk did not answer within {WRITE_DEADLINE_S:g} seconds; the change may still be made",
            hint="Send the same request again with its Idempotency-Key.",
        )
        self.breaker.fault(error)
        return error

    def _look_at_time(self) -> None:
        with contextlib.suppress(Unavailable):
            self._writer.submit(_see_to_time, asked=False, long=True)


def _see_to_time(_unit: Unit) -> None:
    """A unit of work for the sake of what is done before and after it."""


def _nobody(_batch: Batch) -> None:
    """Observes nothing."""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
