"""Routes of a task's log."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from taskdeck.domain.log import MAX_AT_ONCE, NewEntry, entry_view
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.models import Body, Document, Fence, Limit, Line, Query
from taskdeck.http.reading import PAGE_BYTES, fitting, seen_task
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Reply, body
from taskdeck.service.log import Logged, append_log
from taskdeck.store.listing import page
from taskdeck.store.log import list_entries

routes = RouteTable()


class LogEntry(Body):
    """One thing told. A `quiet` entry is not counted in the log's `sequence`."""

    type: Annotated[Line, Field(min_length=1, max_length=100)]
    body: Document = "{}"
    quiet: bool = False


class AppendLog(Body):
    """What the holder tells. With `after`, only if that is the number of the log's last entry."""

    fence: Fence
    entries: Annotated[list[LogEntry], Field(min_length=1, max_length=MAX_AT_ONCE)]
    after: Annotated[int, Field(ge=0, le=2**53)] | None = None


class LogQuery(Query):
    """Entries behind that number."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Limit = 100


@routes.add("POST", "/v1/tasks/{ref}/log", Role.AGENT, body=AppendLog)
async def post_log(call: Call) -> web.StreamResponse:
    """Tell of the work as it goes: up to 100 entries, all or none. The lease is not renewed."""
    ref, asked = call.path("ref"), call.body(AppendLog)
    entries = [NewEntry(entry.type, entry.body, entry.quiet) for entry in asked.entries]

    def render(logged: Logged) -> Reply:
        tail = logged.tail
        return 200, body({"entries": tail.number, "sequence": tail.sequence, "added": logged.added})

    return await call.write(
        lambda unit: append_log(unit, call.who, ref, asked.fence, entries, after=asked.after), render
    )


@routes.add("GET", "/v1/tasks/{ref}/log", Role.READER, query=LogQuery)
async def get_log(call: Call) -> web.StreamResponse:
    """Read what the holders of a task told of their work, oldest first."""
    task, asked = await seen_task(call), call.params(LogQuery)
    found = await list_entries(call.deck.reader, task.number, asked.after, asked.limit + 1)
    shown, more = page(found, asked.limit)
    kept = fitting((len(entry.body) for entry in shown), PAGE_BYTES)
    shown, more = shown[:kept], more or kept < len(shown)
    next_after = shown[-1].number if more else None
    return call.json({"entries": [entry_view(entry) for entry in shown], "next_after": next_after})
