"""Routes of a worker's sessions."""

from __future__ import annotations

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.session import Session
from taskdeck.http import cursor
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Reply, body
from taskdeck.http.worker_models import RecordSession, SessionQuery
from taskdeck.service.sessions import record_session, session_view
from taskdeck.store.listing import page
from taskdeck.store.sessions import list_sessions

routes = RouteTable()


@routes.add("GET", "/v1/workers/{id}/sessions", Role.READER, query=SessionQuery)
async def get_sessions(call: Call) -> web.StreamResponse:
    """List a worker's sessions, newest first."""
    asked, worker = call.params(SessionQuery), call.path("id")
    after = cursor.decode("sessions", 1, asked.cursor)
    found = await list_sessions(
        call.deck.reader,
        worker,
        open_only=asked.open,
        before=None if after is None else after[0],
        limit=asked.limit + 1,
    )
    shown, more = page(found, asked.limit)
    next_cursor = cursor.encode("sessions", (shown[-1].number,)) if more else None
    return call.json({"sessions": [session_view(session, call.who) for session in shown], "next_cursor": next_cursor})


@routes.add("POST", "/v1/workers/{id}/sessions", Role.AGENT, body=RecordSession, success=201, already=200)
async def post_session(call: Call) -> web.StreamResponse:
    """Open a session of a worker, change it, or end it."""
    worker, asked = call.path("id"), call.body(RecordSession)
    metadata = asked.metadata if "metadata" in asked.model_fields_set else None

    def render(recorded: tuple[Session, bool]) -> Reply:
        session, new = recorded
        return 201 if new else 200, body(session_view(session, call.who))

    return await call.write(
        lambda unit: record_session(
            unit,
            call.who,
            worker,
            asked.session,
            status=asked.status,
            client=asked.client,
            task=asked.task,
            metadata=metadata,
        ),
        render,
    )
