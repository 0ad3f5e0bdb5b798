"""Routes of attachments."""

from __future__ import annotations

import re
from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, Field

from taskdeck.domain.attachment import MAX_INLINE, MAX_REFERENCE, Contents, attachment_view
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.models import Body, Document, Line, Text
from taskdeck.http.reading import seen_task
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.aside import unknown
from taskdeck.service.attachments import attach, detach
from taskdeck.store.attachments import list_attachments

routes = RouteTable()

_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+( *; *[\w.+-]+=[\w.+-]+)*", re.ASCII)


def _content_type(text: str) -> str:
    if not _CONTENT_TYPE.fullmatch(text):
        raise ValueError("a content type looks like text/plain or text/markdown; charset=utf-8")
    return text


class Attach(Body):
    """A document under a name of its own: a `reference` to where it lies, a `text`, a JSON `value`, one at least.

    What is attached under the same name before is replaced. `value` null is no value.
    """

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    content_type: Annotated[str, Field(max_length=200), AfterValidator(_content_type)] | None = None
    size: Annotated[int, Field(ge=0, le=2**53)] | None = None
    reference: Annotated[Line, Field(min_length=1, max_length=MAX_REFERENCE)] | None = None
    text: Annotated[Text, Field(max_length=MAX_INLINE)] | None = None
    value: Document = None

    def contents(self) -> Contents:
        """As the service wants it; what lies here has a content type in any case."""
        value: Any = None if self.value == "null" else self.value
        kind = self.content_type
        if kind is None and self.text is not None:
            kind = "text/plain"
        elif kind is None and value is not None:
            kind = "application/json"
        return Contents(kind, self.size, self.reference, self.text, value)


@routes.add("GET", "/v1/tasks/{ref}/attachments", Role.READER)
async def get_attachments(call: Call) -> web.StreamResponse:
    """List what is attached to a task, those longest as they are first."""
    task = await seen_task(call)
    found = await list_attachments(call.deck.reader, task.number)
    return call.json({"attachments": [attachment_view(one) for one in found]})


@routes.add("GET", "/v1/tasks/{ref}/attachments/{name}", Role.READER)
async def get_attachment(call: Call) -> web.StreamResponse:
    """Show one attachment."""
    task, name = await seen_task(call), call.path("name")
    found = await list_attachments(call.deck.reader, task.number, name)
    if not found:
        raise unknown(task, "attachment", name, code="unknown_attachment")
    return call.json(attachment_view(found[0]))


@routes.add("POST", "/v1/tasks/{ref}/attachments", Role.AGENT, body=Attach, success=201, already=200)
async def post_attachment(call: Call) -> web.StreamResponse:
    """Attach a document to a task; 200 if one of that name was there, which it replaces."""
    ref, asked = call.path("ref"), call.body(Attach)
    return await call.write(
        lambda unit: attach(unit, call.who, ref, asked.name, asked.contents()),
        lambda made: (201 if made[1] else 200, body(attachment_view(made[0]))),
    )


@routes.add("DELETE", "/v1/tasks/{ref}/attachments/{name}", Role.AGENT)
async def remove_attachment(call: Call) -> web.StreamResponse:
    """Remove an attachment."""
    ref, name = call.path("ref"), call.path("name")
    return await call.write(
        lambda unit: detach(unit, call.who, ref, name), lambda gone: (200, body({"deleted": gone.name}))
    )
