"""Routes of inbound sources: for admins to manage them, and for those outside to send events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.source import MAX_EVENT, Source
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.models import ms
from taskdeck.http.routes import PUBLIC, RouteTable
from taskdeck.http.secret import shown_once
from taskdeck.http.signed import delivery_id
from taskdeck.http.source_models import CreateSource, EditSource, RotateSource, refuse_secret
from taskdeck.http.wire import JSON, Problem, Reply, body
from taskdeck.service.inbound import Became, take, wish_of
from taskdeck.service.sources import (
    Sources,
    create_source,
    delete_source,
    edit_source,
    rotate_source,
    source_view,
    unknown_source,
)
from taskdeck.store import sources
from taskdeck.store.unit import Unit

routes = RouteTable()

Taken = tuple[Became, Task | None]
"""What became of an event, and its task."""


@routes.add("GET", "/v1/sources", Role.ADMIN)
async def get_sources(call: Call) -> web.StreamResponse:
    """List the sources; their secrets are shown when they are made, and never again."""
    now, tallies = call.deck.clock.now_ms(), await sources.tallies(call.deck.reader)
    found = [source for source in call.deck.sources.all() if call.who.sees(source.project)]
    shown = [source_view(source, now, tallies.get(source.name, sources.NO_TALLY)) for source in found]
    return call.json({"sources": shown})


@routes.add("POST", "/v1/sources", Role.ADMIN, body=CreateSource, success=201)
async def post_source(call: Call) -> web.StreamResponse:
    """Let somebody outside send events that become tasks. The secret is shown in the first reply alone."""
    asked = call.body(CreateSource)
    wish = asked.fields(every=True) | {"secret": asked.secret}
    known = call.deck.sources
    return await shown_once(call, "source", lambda unit: create_source(unit, known, call.who, wish), _shown, 201)


@routes.add("GET", "/v1/sources/{name}", Role.ADMIN)
async def get_source(call: Call) -> web.StreamResponse:
    """Show one source."""
    source, tallies = _the(call), await sources.tallies(call.deck.reader)
    return call.json(source_view(source, call.deck.clock.now_ms(), tallies.get(source.name, sources.NO_TALLY)))


@routes.add("PATCH", "/v1/sources/{name}", Role.ADMIN, body=EditSource)
async def patch_source(call: Call) -> web.StreamResponse:
    """Change a source, let it rest, or let it work again."""
    asked, name, known = call.body(EditSource), call.path("name"), call.deck.sources
    fields = asked.fields(every=False)
    return await call.write(
        lambda unit: _shown(edit_source(unit, known, call.who, name, fields, asked.version), unit),
        lambda shown: (200, body(shown)),
    )


@routes.add("POST", "/v1/sources/{name}/rotate", Role.ADMIN, body=RotateSource)
async def rotate(call: Call) -> web.StreamResponse:
    """Give a source a new secret, shown in the first reply alone; the old one holds beside it for a time."""
    asked, known = call.body(RotateSource), call.deck.sources
    source, overlap = _the(call), ms(asked.overlap_seconds) or 0
    try:
        refuse_secret(source.scheme, asked.secret)
    except ValueError as error:
        raise Problem(422, "invalid_request", f"secret: {error}", "Leave it out to be given one.") from None
    return await shown_once(
        call,
        "source",
        lambda unit: rotate_source(unit, known, call.who, source.name, overlap, asked.secret),
        _shown,
        200,
    )


@routes.add("DELETE", "/v1/sources/{name}", Role.ADMIN)
async def remove_source(call: Call) -> web.StreamResponse:
    """Remove a source; its tasks stay."""
    name = call.path("name")
    return await call.write(
        lambda unit: delete_source(unit, call.deck.sources, call.who, name),
        lambda source: (200, body({"deleted": source.name})),
    )


@routes.add("POST", "/v1/inbound/{name}", PUBLIC, raw=True, success=201)
async def inbound(call: Call) -> web.StreamResponse:
    """Take an event that a source has signed, and make the task it asks for."""
    deck, name, raw = call.deck, call.path("name"), await call.request.read()
    source, now = deck.sources.get(name), deck.clock.now_ms()
    _refuse_large(raw)
    identity = delivery_id(source, call.request.headers, raw, now)
    if source is None:
        raise unknown_source(name)
    return await receive(call, source, identity, document_of(call, raw), _taken)


async def receive(
    call: Call, source: Source, identity: str, document: Any, render: Callable[[Taken], Reply]
) -> web.StreamResponse:
    """Make the task that an event asks for, and answer as `render` says; who signed it is the caller's to know.

    Raises:
        Problem: the source has sent too many in this minute.
    """
    deck, wish = call.deck, wish_of(source, identity, document)
    if wish is None:
        return call.reply(*render((Became.IGNORED, None)))
    _spend(deck.sources, source, deck.clock.now_ms())
    return call.reply(*await deck.answer(lambda unit: take(unit, source.name, identity, wish), render))


def _taken(taken: Taken) -> Reply:
    became, task = taken
    shown = None if task is None else {"id": task.id, "number": task.number, "key": task.key, "state": task.state}
    return 201 if became is Became.CREATED else 200, body({"outcome": became, "task": shown})


def _shown(source: Source, unit: Unit) -> dict[str, Any]:
    return source_view(source, unit.now, sources.tally(unit, source.name))


def _the(call: Call) -> Source:
    """The source of the path, if the caller may see it."""
    found = call.deck.sources.get(call.path("name"))
    if found is None or not call.who.sees(found.project):
        raise unknown_source(call.path("name"))
    return found


def _refuse_large(raw: bytes) -> None:
    if len(raw) > MAX_EVENT:
        raise Problem(
            413,
            "body_too_large",
            f"the event is larger than {MAX_EVENT} bytes; nothing was changed",
            "Send less of it.",
        )


def document_of(call: Call, raw: bytes) -> Any:
    """What an event says.

    Raises:
        Problem: it is not JSON.
    """
    if call.request.content_type != JSON:
        raise Problem(
            415, "unsupported_media_type", f"the event is not {JSON}", f"Send JSON with `Content-Type: {JSON}`."
        )
    try:
        document = orjson.loads(raw)
        orjson.dumps(document)  # takes less depth than reading does: what is taken in must go out again
    except orjson.JSONDecodeError as error:
        raise Problem(400, "bad_json", f"the event is not JSON: {error}", "Send one JSON document.") from None
    except orjson.JSONEncodeError:
        raise Problem(400, "bad_json", "the event is nested too deeply", "Send it flatter.") from None
    return document


def _spend(known: Sources, source: Source, now: int) -> None:
    """Count an event against what its source may send in a minute."""
    wait_ms = known.spend(source, now)
    if wait_ms:
        raise Problem(
            429,
            "too_many_events",
            f"source {source.name} may send {source.per_minute} events a minute",
            "Send it again after Retry-After, or let an admin raise per_minute.",
            headers={"Retry-After": str(-(-wait_ms // 1000))},
        )
