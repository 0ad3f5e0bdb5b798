"""The native API: every route of it, and what describes them."""

from __future__ import annotations

from aiohttp import web

from taskdeck.http import (
    attachments,
    changes,
    comments,
    contexts,
    events,
    family,
    figures,
    forms,
    holding,
    links,
    log,
    looking,
    operating,
    principals,
    projects,
    reviewing,
    rules,
    schedules,
    searching,
    sessions,
    sockets,
    sources,
    tasks,
    tokens,
    webhooks,
    worker_socket,
    workers,
)
from taskdeck.http.call import Call
from taskdeck.http.openapi import document
from taskdeck.http.routes import PUBLIC, Route, RouteTable, merged


def all_routes() -> list[Route]:
    """All of them."""
    # looked at in this order: what holders do all the time stands first
    modules = (
        *(
            holding,
            tasks,
            operating,
            reviewing,
            family,
            forms,
            workers,
            sessions,
            projects,
            schedules,
            rules,
            principals,
            tokens,
            events,
            looking,
            figures,
        ),
        *(log, comments, links, attachments, changes, contexts, searching, webhooks, sources, sockets, worker_socket),
    )
    return merged(*(module.routes for module in modules), _description())


def _description() -> RouteTable:
    table = RouteTable()

    @table.add("GET", "/openapi.json", PUBLIC)
    async def openapi(call: Call) -> web.StreamResponse:
        """Describe this API as an OpenAPI 3.1 document."""
        return call.json(document(all_routes()))

    return table
