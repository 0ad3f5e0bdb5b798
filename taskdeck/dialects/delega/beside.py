"""What stands beside a task: comments, links, the context and its ledger."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from aiohttp import web
from pydantic import AfterValidator, Field

from taskdeck.dialects.delega.replies import alter
from taskdeck.dialects.delega.standing import COMMENT_ALL, read_task, require_write, the_readable, the_writable
from taskdeck.dialects.delega.wire import Wire, asked, route, sent, sent_object
from taskdeck.dialects.delega.words import SOURCE, SOURCE_SAID, id_of, moment, task_id
from taskdeck.domain.comment import Comment
from taskdeck.domain.context import Act, Entry
from taskdeck.domain.errors import Forbidden
from taskdeck.domain.link import Link, LinkKind
from taskdeck.domain.people import concerns, directs
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.links import web_address
from taskdeck.http.models import Name, Text
from taskdeck.http.reading import path_number
from taskdeck.http.wire import body
from taskdeck.service.comments import comment, delete_comment
from taskdeck.service.contexts import change_context, retract
from taskdeck.service.links import link, unlink
from taskdeck.store import contexts
from taskdeck.store.comments import list_comments
from taskdeck.store.links import list_links
from taskdeck.store.principals import find as find_principal
from taskdeck.store.unit import Unit

MAX_COMMENTS = 1_000
MAX_ENTRIES = 100


class NewComment(Wire):
    """Something to say, and who says it, if that is another name than the caller's."""

    content: Annotated[Text, Field(min_length=1, max_length=5_000)]
    author: Annotated[Name, Field(max_length=100)] | None = None


class NewLink(Wire):
    """What the task is to name."""

    kind: Literal["branch", "commit", "pr", "url"]
    ref: Annotated[Text, Field(min_length=1, max_length=1_000)]
    repo: Annotated[Text, Field(max_length=200)] | None = None
    url: Annotated[str, Field(max_length=1_000), AfterValidator(web_address)] | None = None


def _names(text: str) -> str:
    try:
        names = orjson.loads(text)
    except orjson.JSONDecodeError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("is no JSON list of keys")
    return text


class ContextQuery(Wire):
    """How a context is read: whole, the keys that are named, or what keys there are."""

    include: str | None = None
    view: Literal["full", "keys", "summary"] = "full"
    keys: Annotated[str, Field(max_length=20_000), AfterValidator(_names)] = "[]"
    key_limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    key_offset: Annotated[int, Field(ge=0)] = 0


class PatchQuery(Wire):
    """On what condition, and on whose word, a context is changed."""

    expected_version: Annotated[int, Field(ge=0)] | None = None
    source: Literal["human_stated", "agent_inferred", "agent_observed", "imported"] = "agent_inferred"


class HistoryQuery(Wire):
    """A page of the ledger."""

    key: str | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ENTRIES)] = MAX_ENTRIES
    cursor: Annotated[int, Field(ge=0)] | None = None


class Supersede(Wire):
    """The key whose word is stale."""

    key: Annotated[Text, Field(min_length=1)]


def comment_document(made: Comment, task: Task) -> dict[str, Any]:
    """A comment as Delega's clients read it."""
    return {
        "id": id_of(made.number),
        "task_id": task_id(task.id),
        "content": made.text,
        "author": made.byline or made.author,
        "created_at": moment(made.created_at),
    }


def link_document(made: Link, task: Task) -> dict[str, Any]:
    """A link as Delega's clients read it."""
    return {
        "id": id_of(made.number),
        "task_id": task_id(task.id),
        "kind": made.kind,
        "repo": made.repository,
        "ref": made.target,
        "url": made.url,
        "created_by_agent_id": made.added_by,
        "created_at": moment(made.added_at),
    }


def entry_document(entry: Entry) -> dict[str, Any]:
    """An entry of the ledger as Delega's clients read it."""
    later = entry.superseded
    return {
        "id": id_of(entry.number),
        "key": entry.key,
        "value": None if entry.value is None else orjson.loads(entry.value),
        "version": entry.version,
        "source": SOURCE_SAID[entry.source],
        "author_agent_id": entry.author,
        "author_name": entry.author,
        "created_at": moment(entry.at),
        "superseded_by": None if later is None or later.act is Act.RETRACTED else id_of(later.number),
        "superseded_at": None if later is None else moment(later.at),
    }


@route("GET", "/tasks/{id}/comments", Role.READER)
async def get_comments(call: Call) -> web.StreamResponse:
    """List what was said about a task, oldest first."""
    task = await read_task(call)
    found = await list_comments(call.deck.reader, task.number, 0, MAX_COMMENTS)
    return call.json([comment_document(one, task) for one in found])


@route("POST", "/tasks/{id}/comments")
async def post_comment(call: Call) -> web.StreamResponse:
    """Say something about a task; nobody's claim stands in the way."""
    said, who, ref = sent(call, NewComment), call.who, call.path("id")

    def work(unit: Unit) -> dict[str, Any]:
        task = the_readable(unit, who, ref)
        _refuse_silent(task, who)
        known = None if said.author else find_principal(unit, who.name)
        byline = said.author or (known and known.title) or None
        return comment_document(comment(unit, who, task.key, said.content, byline), task)

    return await alter(call, work, 201)


def _refuse_silent(task: Task, who: Principal) -> None:
    if not (directs(who, task) or concerns(task, who) or COMMENT_ALL in who.groups):
        raise Forbidden("Only those who have a part in this task, or tasks.comment_all, comment on it.")


@route("DELETE", "/tasks/{id}/comments/{cid}")
async def remove_comment(call: Call) -> web.StreamResponse:
    """Take a comment back."""
    who, ref, number = call.who, call.path("id"), path_number(call, "comment", "cid")

    def work(unit: Unit) -> dict[str, Any]:
        task = the_readable(unit, who, ref)
        return {"ok": True, "deleted": id_of(delete_comment(unit, who, task.key, number).number)}

    return await alter(call, work)


@route("GET", "/tasks/{id}/links", Role.READER)
async def get_links(call: Call) -> web.StreamResponse:
    """List what a task names, oldest first."""
    task = await read_task(call)
    return call.json([link_document(one, task) for one in await list_links(call.deck.reader, task.number)])


@route("POST", "/tasks/{id}/links")
async def post_link(call: Call) -> web.StreamResponse:
    """Let a task name a branch, commit, PR or address; 200 with the link that is there if it does already."""
    said, who, ref = sent(call, NewLink), call.who, call.path("id")

    def work(unit: Unit) -> tuple[dict[str, Any], bool]:
        task = the_writable(unit, who, ref)
        made, new = link(unit, who, task.key, LinkKind(said.kind), said.ref, said.repo, said.url)
        return link_document(made, task), new

    return await call.write(work, lambda made: (201 if made[1] else 200, body(made[0])))


@route("DELETE", "/tasks/{id}/links/{lid}")
async def remove_link(call: Call) -> web.StreamResponse:
    """Let a task name it no more."""
    who, ref, number = call.who, call.path("id"), path_number(call, "link", "lid")

    def work(unit: Unit) -> dict[str, Any]:
        task = the_writable(unit, who, ref)
        return {"ok": True, "deleted": id_of(unlink(unit, who, task.key, number).number)}

    return await alter(call, work)


@route("GET", "/tasks/{id}/context", Role.READER)
async def get_context(call: Call) -> web.StreamResponse:
    """Show what is known about a task, and on demand who stands behind each key."""
    task, wanted = await read_task(call), asked(call, ContextQuery)
    known, entries = await contexts.read(call.deck.reader, task.number)
    document = _as_viewed(known.document, wanted) | {"version": known.version}
    if wanted.include == "provenance":
        document["provenance"] = {
            entry.key: {
                "author_agent_id": entry.author,
                "author_name": entry.author,
                "source": SOURCE_SAID[entry.source],
                "version": entry.version,
                "created_at": moment(entry.at),
            }
            for entry in entries
            if entry.key in known.document and entry.superseded is None
        }
    return call.json(document)


def _as_viewed(known: dict[str, Any], wanted: ContextQuery) -> dict[str, Any]:
    """The context whole; or some keys of it, and which of them there are not; or how long each is."""
    if wanted.view == "keys":
        names = orjson.loads(wanted.keys)
        there = {name: known[name] for name in names if name in known}
        return {"context": there, "missing_keys": [name for name in names if name not in known]}
    if wanted.view == "full":
        return {"context": known}
    first, last = wanted.key_offset, wanted.key_offset + wanted.key_limit
    sizes = [{"key": key, "chars": len(orjson.dumps(known[key]).decode())} for key in list(known)[first:last]]
    more = bool(sizes) and last < len(known)
    page = {"items": sizes, "total": len(known), "limit": wanted.key_limit, "offset": first}
    return {"context": {}, "keys": page | {"has_more": more, "next_offset": last if more else None}}


@route("PATCH", "/tasks/{id}/context")
async def patch_context(call: Call) -> web.StreamResponse:
    """Lay a patch over what is known about a task."""
    patch, on, who, ref = sent_object(call), asked(call, PatchQuery), call.who, call.path("id")

    def work(unit: Unit) -> dict[str, Any]:
        task = the_writable(unit, who, ref)
        known, _ = change_context(unit, who, task.key, patch, source=SOURCE[on.source], version=on.expected_version)
        return {"context": known.document, "version": known.version}

    return await alter(call, work)


@route("GET", "/tasks/{id}/context/history", Role.READER)
async def get_history(call: Call) -> web.StreamResponse:
    """List who said what about a task, newest first."""
    task, wanted = await read_task(call), asked(call, HistoryQuery)
    found = await contexts.history(call.deck.reader, task.number, wanted.key, wanted.cursor, wanted.limit + 1)
    shown = found[: wanted.limit]
    return call.json(
        {
            "entries": [entry_document(entry) for entry in shown if entry.act is not Act.RETRACTED],
            "next_cursor": id_of(shown[-1].number) if len(found) > wanted.limit else None,
        }
    )


@route("POST", "/tasks/{id}/context/supersede")
async def supersede(call: Call) -> web.StreamResponse:
    """Take back the word that stands behind a key; its value stays."""
    said, who, ref = sent(call, Supersede), call.who, call.path("id")

    def work(unit: Unit) -> dict[str, Any]:
        task = the_readable(unit, who, ref)
        require_write(task, who)
        _, entries = retract(unit, who, task.key, said.key)
        return {"superseded": next(entry_document(entry) for entry in entries if entry.key == said.key)}

    return await alter(call, work)
