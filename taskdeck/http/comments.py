"""Routes of comments."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from taskdeck.domain.comment import MAX_COMMENT, comment_view
from taskdeck.domain.principal import Role
from taskdeck.http import cursor
from taskdeck.http.call import Call
from taskdeck.http.models import Body, Name, Query, Text
from taskdeck.http.reading import path_number, seen_task
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.comments import comment, delete_comment, edit_comment
from taskdeck.store.comments import list_comments
from taskdeck.store.listing import page

routes = RouteTable()

CommentText = Annotated[Text, Field(min_length=1, max_length=MAX_COMMENT)]


class AddComment(Body):
    """Something to say. `byline` is a name to show beside the caller's own."""

    text: CommentText
    byline: Name | None = None


class EditComment(Body):
    """What the comment is to say instead."""

    text: CommentText


class CommentQuery(Query):
    """A page of comments."""

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


@routes.add("GET", "/v1/tasks/{ref}/comments", Role.READER, query=CommentQuery)
async def get_comments(call: Call) -> web.StreamResponse:
    """List what was said about a task, oldest first."""
    asked, task = call.params(CommentQuery), await seen_task(call)
    (after,) = cursor.decode("comments", 1, asked.cursor) or (0,)
    found = await list_comments(call.deck.reader, task.number, after, asked.limit + 1)
    shown, more = page(found, asked.limit)
    next_cursor = cursor.encode("comments", (shown[-1].number,)) if more else None
    return call.json({"comments": [comment_view(one) for one in shown], "next_cursor": next_cursor})


@routes.add("POST", "/v1/tasks/{ref}/comments", Role.AGENT, body=AddComment, success=201)
async def post_comment(call: Call) -> web.StreamResponse:
    """Say something about a task."""
    ref, asked = call.path("ref"), call.body(AddComment)
    return await call.write(
        lambda unit: comment(unit, call.who, ref, asked.text, asked.byline),
        lambda made: (201, body(comment_view(made))),
    )


@routes.add("PATCH", "/v1/tasks/{ref}/comments/{id}", Role.AGENT, body=EditComment)
async def patch_comment(call: Call) -> web.StreamResponse:
    """Change what a comment says: its author, or an operator."""
    ref, number, asked = call.path("ref"), path_number(call, "comment"), call.body(EditComment)
    return await call.write(
        lambda unit: edit_comment(unit, call.who, ref, number, asked.text),
        lambda changed: (200, body(comment_view(changed))),
    )


@routes.add("DELETE", "/v1/tasks/{ref}/comments/{id}", Role.AGENT)
async def remove_comment(call: Call) -> web.StreamResponse:
    """Take a comment back: its author, or an operator."""
    ref, number = call.path("ref"), path_number(call, "comment")
    return await call.write(
        lambda unit: delete_comment(unit, call.who, ref, number),
        lambda gone: (200, body({"deleted": gone.number})),
    )
