"""Sends events to webhooks: a task beside the server that follows the log on behalf of each of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import DeckError
from taskdeck.domain.signature import sign
from taskdeck.domain.webhook import MAX_WAITING, Webhook
from taskdeck.push.letter import Letter, Message
from taskdeck.push.post import Post
from taskdeck.service.bus import Published
from taskdeck.service.deck import Deck
from taskdeck.service.outbox import MISSED, Looked, Outcome, record, take_in
from taskdeck.store import deliveries
from taskdeck.store.deliveries import Due

log = logging.getLogger(__name__)

NO_LETTERS: Final[Mapping[str, Letter]] = MappingProxyType({})

PACE_S = 0.02
"""The least time between two rounds: what happens meanwhile is dealt with together."""
LOOK_S = 30.0
"""How long it sleeps at most while something waits: the wall clock may jump."""
TROUBLE_S = 1.0
"""The rest after a round that failed."""
GRACE_S = 1.0
"""How long tries under way may take when the server stops; those cut off are made again after its next start."""
CHUNK = 200
"""Events looked at for one webhook in a round."""
LAG = 1_000
"""Events that may be looked at in vain before the cursor is written."""
AT_ONCE = 32
AT_ONCE_EACH = 8
"""Tries under way altogether, and to one webhook; to one whose last try failed it is a single one."""


class Sender:
    """Follows the log until it is closed. `letters` are by the interface that webhooks were made by."""

    def __init__(self, deck: Deck, letters: Mapping[str, Letter] = NO_LETTERS) -> None:
        self._deck = deck
        self._letters = letters
        self._known = deck.webhooks
        self._post = Post(deck.reach, AT_ONCE)
        self._wake = asyncio.Event()
        self._looked: dict[int, tuple[int, int]] = {}
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._sending_to: dict[int, int] = {}
        self._outcomes: list[Outcome] = []
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._known.tell = self._tell
        self._task = asyncio.create_task(self._live(), name="taskdeck-sender")

    async def close(self) -> None:
        """Let tries under way end for a moment, note what became of them, and stop."""
        self._stopping = True
        self._tell()
        if self._task is not None:
            await self._task
        if self._sending:
            await asyncio.wait(self._sending.values(), timeout=GRACE_S)
        for task in list(self._sending.values()):
            task.cancel()
        await asyncio.gather(*self._sending.values(), return_exceptions=True)
        with contextlib.suppress(DeckError):
            await self._note_outcomes()
        await self._post.close()

    def _tell(self) -> None:
        self._wake.set()

    async def _live(self) -> None:
        while not self._stopping:
            if not self._busy():
                # nobody to tell: the events pass without a wake-up
                self._wake = asyncio.Event()
                await self._wake.wait()
                continue
            with self._deck.bus.listening() as self._wake:
                while not self._stopping and self._busy():
                    self._wake.clear()
                    wait_s = await self._round_or_trouble()
                    await asyncio.sleep(PACE_S)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._wake.wait()

    def _busy(self) -> bool:
        return bool(self._sending or self._known.active())

    async def _round_or_trouble(self) -> float:
        try:
            return await self._round()
        except DeckError as error:
            log.warning("webhooks wait: %s", error.detail)
        except Exception:
            log.exception("a round of the webhooks failed")
        return TROUBLE_S

    async def _round(self) -> float:
        """Note what became of tries, take in what is new, begin what is due; seconds until there is more to do."""
        await self._note_outcomes()
        waiting = await deliveries.pending(self._deck.reader)
        took_in = await self._take_in(waiting)
        if took_in:
            waiting = await deliveries.pending(self._deck.reader)
        now, next_at = self._deck.clock.now_ms(), None
        for webhook in self._known.active():
            _, moment = waiting.get(webhook.id, (0, None))
            if moment is None:
                continue
            if moment <= now:
                await self._begin_due(webhook, now)
            elif next_at is None or moment < next_at:
                next_at = moment
        if took_in and any(self._lags(webhook) for webhook in self._known.active()):
            return 0.0
        return LOOK_S if next_at is None else min(LOOK_S, (next_at - now) / 1000)

    async def _note_outcomes(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        if not outcomes:
            return
        try:
            await self._deck.write(lambda unit: record(unit, self._known, outcomes))
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        for outcome in outcomes:
            self._sending.pop(outcome.delivery, None)
            self._sending_to[outcome.webhook] -= 1

    # -- from the log to deliveries

    async def _take_in(self, waiting: dict[int, tuple[int, int]]) -> bool:
        """Look at the next events of the log for each webhook that has room; whether any of it had to be written."""
        looked = []
        for webhook in self._known.active():
            room = MAX_WAITING - waiting.get(webhook.id, (0, 0))[0]
            if room > 0 and self._lags(webhook):
                looked.append(await self._look(webhook, room))
        found = [one for one in looked if one.seqs or one.missed or one.cursor - one.webhook.cursor >= LAG]
        if found:
            await self._deck.write(lambda unit: take_in(unit, self._known, found))
        for one in looked:
            self._looked[one.webhook.id] = (one.webhook.version, one.cursor)
        return bool(looked)

    def _lags(self, webhook: Webhook) -> bool:
        return self._cursor(webhook) < self._deck.bus.last_seq

    def _cursor(self, webhook: Webhook) -> int:
        """The last event looked at for it: in vain perhaps, and then not written. An edit begins where it says."""
        version, cursor = self._looked.get(webhook.id, (0, 0))
        return max(cursor, webhook.cursor) if version == webhook.version else webhook.cursor

    async def _look(self, webhook: Webhook, room: int) -> Looked:
        after = self._cursor(webhook)
        seqs: list[int] = []
        news = await self._deck.news(after, CHUNK)
        missed = (after + 1, news[0].seq - 1) if news and news[0].seq > after + 1 else None
        for event in news:
            if self._wants(webhook, event) and not _was_told(webhook, event):
                if len(seqs) == room:
                    break
                seqs.append(event.seq)
            after = event.seq
        return Looked(webhook, after, tuple(seqs), missed)

    def _wants(self, webhook: Webhook, event: Published) -> bool:
        letter = self._letters.get(webhook.via)
        return webhook.wants(event.type, event.project) and (letter is None or letter.tells(event))

    # -- from deliveries to the receiver

    async def _begin_due(self, webhook: Webhook, now: int) -> None:
        each = 1 if webhook.failures else AT_ONCE_EACH
        room = min(each - self._sending_to.get(webhook.id, 0), AT_ONCE - len(self._sending))
        if room <= 0:
            return  # the end of a try brings the next round
        for due in await deliveries.due(self._deck.reader, webhook.id, now, AT_ONCE_EACH + room):
            if due.number not in self._sending and room > 0:
                room -= 1
                self._sending_to[webhook.id] = self._sending_to.get(webhook.id, 0) + 1
                self._sending[due.number] = asyncio.create_task(self._try(webhook, due))

    async def _try(self, webhook: Webhook, due: Due) -> None:
        if due.body is None:
            outcome = Outcome(due.number, webhook.id, None, "the event is no longer kept", lost=True)
        else:
            outcome = await self._send(webhook, due)
        self._outcomes.append(outcome)
        self._tell()

    async def _send(self, webhook: Webhook, due: Due) -> Outcome:
        letter = self._letters.get(webhook.via)
        try:
            headers, body = self._own(webhook, due) if letter is None else await letter.write(self._deck, webhook, due)
        except DeckError as error:
            return Outcome(due.number, webhook.id, None, error.detail)
        answer = await self._post.send(webhook.url, headers, body)
        return Outcome(due.number, webhook.id, answer.status, answer.error, gone=answer.status == 410)

    def _own(self, webhook: Webhook, due: Due) -> Message:
        body = message(due)
        return signed(webhook, due.id, body, self._deck.clock.now_ms()), body


def _was_told(webhook: Webhook, event: Published) -> bool:
    """Whether `event` tells what this webhook missed, which it is told at once."""
    return event.type == MISSED and orjson.loads(event.body)["facts"]["webhook"] == webhook.id


def message(due: Due) -> bytes:
    """What is sent of an event: its type, its time, and all of it."""
    kind, at = (due.type or "").encode(), rfc3339(due.at or 0).encode()
    return b'{"type":"%s","timestamp":"%s","data":%s}' % (kind, at, due.body)


def signed(webhook: Webhook, identity: str, body: bytes, now: int) -> dict[str, str]:
    """The headers of Standard Webhooks: during a rotation with a signature under each secret."""
    seconds, name = now // 1000, f"msg_{identity}"
    return {
        "webhook-id": name,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(sign(secret, name, seconds, body) for secret in webhook.secrets(now)),
    }
