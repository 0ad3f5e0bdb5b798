"""Routes of the event log: pages of it, and the live stream."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from aiohttp import web

from taskdeck.domain import event_query
from taskdeck.domain.errors import Invalid
from taskdeck.domain.principal import Role
from taskdeck.domain.query import QueryError
from taskdeck.http.call import Call
from taskdeck.http.event_models import EventQuery, StreamQuery
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Problem
from taskdeck.store.event_listing import EVENTS_LOOKED, EventFilter, list_events
from taskdeck.store.listing import page
from taskdeck.store.retention import first_kept, last_kept

routes = RouteTable()

PACE_S = 0.02
"""How long a stream rests after sending, about."""
SENDS_A_SECOND = 1_000
"""How often all streams together send, about: where there are many, each rests longer and sends more at once."""
BEAT_S = 2.0
"""How often a stream shows that it lives when nothing happens."""
SEND_DEADLINE_S = 20.0
"""A reader that takes nothing for so long is let go; it resumes by the last event it saw."""
CHUNK = 200
MAX_STREAMS = 500


@routes.add("GET", "/v1/events", Role.READER, query=EventQuery)
async def get_events(call: Call) -> web.StreamResponse:
    """Read the log, oldest first: after a number, or the page before one."""
    asked = call.params(EventQuery)
    reply = await event_page(call, asked, EventFilter(type=asked.type, project=asked.project))
    await _refuse_pruned(call, asked.after)  # after reading: what was removed meanwhile may be missing in the page
    await refuse_rewound(call, asked.after)
    return reply


async def _refuse_pruned(call: Call, after: int | None) -> None:
    """Say so where what came after `after` is not all kept any more.

    Raises:
        Problem: the log begins later; `first_kept` is where.
    """
    if after is None:
        return
    first = await first_kept(call.deck.reader)
    if after + 1 < first:
        raise Problem(
            410,
            "events_pruned",
            f"the log begins at event {first}; what came before was removed by the deck's retention",
            f"Read the tasks anew and go on with after={first - 1}, or leave `after` out to read all that is kept.",
            facts={"first_kept": first},
        )


async def refuse_rewound(call: Call, after: int | None) -> None:
    """Say so where the log never came as far as `after`: it is an older copy of the one that was read.

    Raises:
        Problem: the log ends earlier; `last_seq` is where.
    """
    if after is None or after <= call.deck.bus.last_seq:
        return
    last = await last_kept(call.deck.reader)  # what is committed may be read before it is published
    if after > last:
        raise Problem(
            410,
            "events_rewound",
            f"the log ends at event {last}, before {after}; it is not the one that was read, as after a restore",
            f"Read the tasks anew and go on with after={last}.",
            facts={"last_seq": last},
        )


async def event_page(call: Call, asked: EventQuery, wanted: EventFilter) -> web.Response:
    """A page of events; `next_after` is where the next one begins, null at the end.

    Of what may be rare a page is short where little of it is near; read backwards, `next_before` is where the page
    before it ends, null at the beginning of the log.
    """
    wanted = replace(wanted, projects=call.who.projects, query=_query(asked.q))
    reader, last_seq = call.deck.reader, call.deck.bus.last_seq
    backwards = asked.before is not None and asked.after is None
    start = asked.after
    if wanted.rare and not backwards:
        start = max(asked.after or 0, await first_kept(reader) - 1)
    end = min(asked.before, last_seq + 1) if asked.before is not None and wanted.rare else asked.before
    rows = await list_events(reader, wanted, after=start, before=end, limit=asked.limit + 1)
    following, before = None, b""
    if end is not None and backwards:
        more, rows = len(rows) > asked.limit, rows[-asked.limit :]
        if wanted.rare:
            floor = rows[0][0] if more else end - EVENTS_LOOKED
            before = b',"next_before":%d' % floor if floor > 1 else b',"next_before":null'
    else:
        rows, more = page(rows, asked.limit)
        looked = (start or 0) + EVENTS_LOOKED
        following = rows[-1][0] if more else looked if wanted.rare and looked < last_seq else None
    # the events are JSON already: they are joined, not parsed
    after = b"null" if following is None else b"%d" % following
    return call.reply(200, b'{"events":[%s],"next_after":%s%s}' % (b",".join(row[3] for row in rows), after, before))


def _query(text: str) -> event_query.EventQuery | None:
    """The filter `q`; None for an empty one.

    Raises:
        Invalid: it cannot be read; the detail begins with the column of the fault.
    """
    try:
        query = event_query.parse(text)
    except QueryError as error:
        hint = f"Terms are words and {', '.join(f'{name}:' for name in event_query.FIELDS)}; quote text that is none."
        raise Invalid(f"q: {error}", hint=hint, field="q") from None
    return query if query.terms else None


@routes.add("GET", "/v1/events/stream", Role.READER, query=StreamQuery)
async def stream_events(call: Call) -> web.StreamResponse:
    """Follow the log as server-sent events; `Last-Event-ID` resumes without hole or double."""
    bus = call.deck.bus
    if bus.listeners >= MAX_STREAMS:
        raise Problem(503, "storage_unavailable", "too many streams are open", "Close some, or read /v1/events.")
    seq = _start(call)
    await _refuse_pruned(call, seq)
    await refuse_rewound(call, seq)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "X-Request-Id": call.request_id,
        }
    )
    await response.prepare(call.request)
    try:
        with bus.listening() as woken:
            await _send(response, b": taskdeck\n\n")
            while not bus.closed:
                woken.clear()
                seq = await _send_news(call, response, seq)
                if seq < bus.last_seq:
                    await asyncio.sleep(0)  # far behind: let others have their turn
                    continue
                # many readers of a busy deck: what comes meanwhile goes out together
                await asyncio.sleep(rest(bus.listeners))
                try:
                    async with asyncio.timeout(BEAT_S):
                        await woken.wait()
                except TimeoutError:
                    await _send(response, b": beat\n\n")
    except ConnectionError:
        pass  # the reader is gone; it resumes where it was
    except TimeoutError:
        # the reader takes nothing, and would take no farewell either: ending the reply would wait for it for ever
        if call.request.transport is not None:
            call.request.transport.abort()
    return response


def rest(streams: int) -> float:
    """Seconds; no two alike, so that streams woken by the same event do not go on sending at the same moment."""
    return max(PACE_S, streams / SENDS_A_SECOND) * random.uniform(0.5, 1.5)


def _start(call: Call) -> int:
    resumed = call.request.headers.get("Last-Event-ID")
    if resumed is not None:
        if not (resumed.isascii() and resumed.isdigit() and len(resumed) < 19):
            raise Problem(
                422,
                "invalid_request",
                "Last-Event-ID is no event's number",
                "Send the last `id:` you received.",
            )
        return int(resumed)
    after = call.params(StreamQuery).after
    return call.deck.bus.last_seq if after is None else after


async def _send_news(call: Call, response: web.StreamResponse, seq: int) -> int:
    """Send what came after `seq`, a chunk at most; return the number of the last event dealt with."""
    news = await call.deck.news(seq, CHUNK)
    if not news:
        return seq
    if news[0].seq != seq + 1:
        raise ConnectionError("the log was pruned before this reader had read it")
    projects = call.who.projects
    shown = news if projects is None else [event for event in news if event.project in projects]
    if shown:
        await _send(response, b"".join([event.frame() for event in shown]))
    return news[-1].seq


async def _send(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(SEND_DEADLINE_S):
        await response.write(data)
