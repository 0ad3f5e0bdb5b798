"""Routes of links."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import AfterValidator, Field, model_validator

from taskdeck.domain.link import MAX_TARGET, LinkKind, link_view
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.models import Body, Line
from taskdeck.http.reading import path_number, seen_task
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.links import link, unlink
from taskdeck.store.links import list_links

routes = RouteTable()


def web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        parts, host = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise ValueError("an address looks like https://example.org/page")
    return text


Target = Annotated[Line, Field(min_length=1, max_length=MAX_TARGET)]


class AddLink(Body):
    """What the task is to name: `target`, of a kind, in a repository if that is to be said, and where to look at it.

    Of the kind `url` the target is an address, and has no other.
    """

    kind: LinkKind
    target: Target
    repository: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    url: Annotated[Target, AfterValidator(web_address)] | None = None

    @model_validator(mode="after")
    def _an_address_is_one(self) -> AddLink:
        if self.kind is LinkKind.URL:
            web_address(self.target)
            if self.url is not None or self.repository is not None:
                raise ValueError("a link of the kind url has its address as target, and neither repository nor url")
        return self


@routes.add("GET", "/v1/tasks/{ref}/links", Role.READER)
async def get_links(call: Call) -> web.StreamResponse:
    """List what a task names, oldest first."""
    task = await seen_task(call)
    return call.json({"links": [link_view(one) for one in await list_links(call.deck.reader, task.number)]})


@routes.add("POST", "/v1/tasks/{ref}/links", Role.AGENT, body=AddLink, success=201, already=200)
async def post_link(call: Call) -> web.StreamResponse:
    """Let a task name a branch, commit, PR, file or address; 200 with the link that is there if it does already."""
    ref, asked = call.path("ref"), call.body(AddLink)
    return await call.write(
        lambda unit: link(unit, call.who, ref, asked.kind, asked.target, asked.repository, asked.url),
        lambda made: (201 if made[1] else 200, body(link_view(made[0]))),
    )


@routes.add("DELETE", "/v1/tasks/{ref}/links/{id}", Role.AGENT)
async def remove_link(call: Call) -> web.StreamResponse:
    """Let a task name it no more."""
    ref, number = call.path("ref"), path_number(call, "link")
    return await call.write(
        lambda unit: unlink(unit, call.who, ref, number), lambda gone: (200, body({"deleted": gone.number}))
    )
