"""Routes of what the work on a task changed."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from taskdeck.domain.changes import MAX_FILES, FileChange, change_view
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.models import Body, Text
from taskdeck.http.reading import seen_task
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import task_reply
from taskdeck.service.changes import tell_changes
from taskdeck.store.changes import list_changes

routes = RouteTable()


class ChangedFile(Body):
    """A file by its path from the root on, with its diff of at most 500 lines."""

    path: Text
    diff: Text | None = None


class TellChanges(Body):
    """All files that the work on a task changed; the list of before is replaced."""

    files: Annotated[list[ChangedFile], Field(max_length=MAX_FILES)]


@routes.add("GET", "/v1/tasks/{ref}/changes", Role.READER)
async def get_changes(call: Call) -> web.StreamResponse:
    """List the files that the work on a task changed."""
    task = await seen_task(call)
    found = await list_changes(call.deck.reader, task.number) if task.changes else []
    return call.json({"task": task.key, "files": [change_view(one) for one in found]})


@routes.add("PUT", "/v1/tasks/{ref}/changes", Role.AGENT, body=TellChanges)
async def put_changes(call: Call) -> web.StreamResponse:
    """Say which files the work on a task changed, in place of what was said before."""
    ref, files = call.path("ref"), [FileChange(one.path, one.diff) for one in call.body(TellChanges).files]
    return await call.write(lambda unit: tell_changes(unit, call.who, ref, files), task_reply)
