"""Routes of contexts: what is known about a task, and who says so."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import AfterValidator, Field

from taskdeck.domain.context import MAX_CONTEXT, MAX_KEY, MAX_KEYS, Source, context_view, entry_view
from taskdeck.domain.principal import Role
from taskdeck.http import cursor
from taskdeck.http.call import Call
from taskdeck.http.models import Body, Query, Text
from taskdeck.http.reading import seen_task
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.contexts import Known, change_context, retract
from taskdeck.service.once import Reply
from taskdeck.store import contexts
from taskdeck.store.listing import page

routes = RouteTable()


def _fits(patch: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(orjson.dumps(patch))
    except (TypeError, ValueError) as error:
        raise ValueError(f"cannot be kept as JSON: {error}") from None
    if size > MAX_CONTEXT:
        raise ValueError(f"is {size} bytes; the limit is {MAX_CONTEXT}")
    return patch


Key = Annotated[Text, Field(min_length=1, max_length=MAX_KEY)]


class ChangeContext(Body):
    """What to lay over the context: objects are merged at every depth, all else, null too, is put in place.

    `remove` takes keys away. `source` says how the caller knows; `stated`, by a human, and `imported` are for
    operators. `version` refuses the change if the context is at another.
    """

    patch: Annotated[dict[Key, Any], AfterValidator(_fits)] = Field(default_factory=dict)
    remove: Annotated[list[Key], Field(max_length=MAX_KEYS)] = Field(default_factory=list)
    source: Source = Source.INFERRED
    version: Annotated[int, Field(ge=0, le=2**53)] | None = None


class Retract(Body):
    """The key whose word is taken back."""

    key: Key
    source: Source = Source.INFERRED


class HistoryQuery(Query):
    """A page of the ledger, newest first; of one key, if it is named."""

    key: str | None = None
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


def _reply(known: Known) -> Reply:
    return 200, body(context_view(*known))


@routes.add("GET", "/v1/tasks/{ref}/context", Role.READER)
async def get_context(call: Call) -> web.StreamResponse:
    """Show what is known about a task, and who stands behind each key of it."""
    task = await seen_task(call)
    return call.reply(*_reply(await contexts.read(call.deck.reader, task.number)))


@routes.add("PATCH", "/v1/tasks/{ref}/context", Role.AGENT, body=ChangeContext)
async def patch_context(call: Call) -> web.StreamResponse:
    """Add to what is known about a task, or take keys away."""
    ref, asked = call.path("ref"), call.body(ChangeContext)
    return await call.write(
        lambda unit: change_context(
            unit,
            call.who,
            ref,
            asked.patch,
            remove=asked.remove,
            source=asked.source,
            version=asked.version,
        ),
        _reply,
    )


@routes.add("POST", "/v1/tasks/{ref}/context/retract", Role.AGENT, body=Retract)
async def retract_context(call: Call) -> web.StreamResponse:
    """Take back the word that stands behind a key; its value stays."""
    ref, asked = call.path("ref"), call.body(Retract)
    return await call.write(lambda unit: retract(unit, call.who, ref, asked.key, source=asked.source), _reply)


@routes.add("GET", "/v1/tasks/{ref}/context/history", Role.READER, query=HistoryQuery)
async def get_context_history(call: Call) -> web.StreamResponse:
    """List who said what about a task, newest first, and by what it was superseded."""
    asked, task = call.params(HistoryQuery), await seen_task(call)
    (before,) = cursor.decode("history", 1, asked.cursor) or (None,)
    found = await contexts.history(call.deck.reader, task.number, asked.key, before, asked.limit + 1)
    shown, more = page(found, asked.limit)
    next_cursor = cursor.encode("history", (shown[-1].number,)) if more else None
    return call.json({"entries": [entry_view(entry) for entry in shown], "next_cursor": next_cursor})
