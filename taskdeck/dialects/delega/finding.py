"""Finding what is there already: likely duplicates, and what contexts say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from aiohttp import web
from pydantic import Field

from taskdeck.dialects.delega.standing import readable, scope_of
from taskdeck.dialects.delega.task import content_of
from taskdeck.dialects.delega.wire import Content, Id, Wire, asked, route, sent
from taskdeck.dialects.delega.words import SOURCE, SOURCE_SAID, moment, task_id
from taskdeck.domain.principal import Role
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.models import Text
from taskdeck.service.duplicates import duplicates
from taskdeck.store.listing import find_task
from taskdeck.store.search import Find, Search, search

MAX_MATCHES = 5
_LOOKED_AT = 20
DEFAULT_THRESHOLD = 0.6


class Dedup(Wire):
    """A task that somebody means to make."""

    content: Content
    threshold: Annotated[float, Field(ge=0, le=1)] = DEFAULT_THRESHOLD


class RecallQuery(Wire):
    """Words to look for in contexts."""

    q: Annotated[Text, Field(min_length=1, max_length=1_000)]
    project_id: Id | None = None
    source: Literal["human_stated", "agent_inferred", "agent_observed", "imported"] | None = None
    key: str | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    include_superseded: bool = False


async def alike(call: Call, content: str, threshold: float = DEFAULT_THRESHOLD) -> list[dict[str, Any]]:
    """Open tasks that the caller sees and that are like `content`, the likest first."""
    reader, who = call.deck.reader, call.who
    found = await duplicates(reader, content, who.projects, threshold=threshold, limit=_LOOKED_AT)
    matches: list[dict[str, Any]] = []
    for one in found:
        task = await find_task(reader, str(one["number"]), who)
        if task is not None and readable(task, who) and len(matches) < MAX_MATCHES:
            matches.append({"task_id": task_id(task.id), "content": content_of(task), "score": one["score"]})
    return matches


@route("POST", "/tasks/dedup", Role.READER)
async def dedup(call: Call) -> web.StreamResponse:
    """Show open tasks that are like a content."""
    wish = sent(call, Dedup)
    matches = await alike(call, wish.content, wish.threshold)
    return call.json({"has_duplicates": bool(matches), "matches": matches})


@route("GET", "/context/search", Role.READER)
async def recall(call: Call) -> web.StreamResponse:
    """Search what contexts say."""
    wanted = asked(call, RecallQuery)
    source = None if wanted.source is None else SOURCE[wanted.source]
    look = Search(
        wanted.q,
        ("context",),
        wanted.project_id,
        call.who.projects,
        wanted.include_superseded,
        key=wanted.key,
        source=source,
        any_word=True,
        concerning=scope_of(call.who),
    )
    results = []
    for find in await search(call.deck.reader, look, wanted.limit):
        task = await find_task(call.deck.reader, find.key, call.who)
        if task is not None and readable(task, call.who):
            results.append(_result(find, task))
    return call.json({"query": wanted.q, "count": len(results), "results": results})


def _result(find: Find, task: Task) -> dict[str, Any]:
    entry = find.entry
    if entry is None:
        raise RuntimeError("what was found in a context has an entry")
    return {
        "task_id": task_id(task.id),
        "task_content": content_of(task),
        "key": entry.key,
        "value": None if entry.value is None else orjson.loads(entry.value),
        "source": SOURCE_SAID[entry.source],
        "score": round(find.score, 6),
        "version": entry.version,
        "author_name": entry.author,
        "created_at": moment(entry.at),
        "superseded_at": None if entry.superseded is None else moment(entry.superseded.at),
    }
