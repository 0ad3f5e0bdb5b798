"""The route of search."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import BeforeValidator, Field

from taskdeck.domain.comment import comment_view
from taskdeck.domain.context import Source, entry_view
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.models import Query
from taskdeck.http.reading import PAGE_BYTES, fitting
from taskdeck.http.routes import RouteTable
from taskdeck.store.search import PARTS, Find, Part, Search, search

routes = RouteTable()


def _parts(text: Any) -> Any:
    if isinstance(text, str):
        return tuple(dict.fromkeys(part for part in text.split(",") if part)) or PARTS
    return text


class SearchQuery(Query):
    """Every word of `q` must be there, or with `any` one; a word with `*` stands for all that begin with it.

    `key` and `source` look into contexts alone.
    """

    q: Annotated[str, Field(min_length=1, max_length=200)]
    parts: Annotated[tuple[Part, ...], BeforeValidator(_parts, json_schema_input_type=str)] = Field(
        default_factory=lambda: PARTS
    )
    project: str | None = None
    superseded: bool = False
    any: bool = False
    key: str | None = None
    source: Source | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


@routes.add("GET", "/v1/search", Role.READER, query=SearchQuery)
async def get_search(call: Call) -> web.StreamResponse:
    """Search titles, descriptions, comments and contexts, best first."""
    asked = call.params(SearchQuery)
    parts: tuple[Part, ...] = asked.parts if asked.key is None and asked.source is None else ("context",)
    wanted = Search(
        asked.q,
        parts,
        asked.project,
        call.who.projects,
        asked.superseded,
        key=asked.key,
        source=asked.source,
        any_word=asked.any,
    )
    finds = await search(call.deck.reader, wanted, asked.limit)
    whole = fitting((_size(find) for find in finds), PAGE_BYTES)
    return call.json({"finds": [_view(find) for find in finds[:whole]]})


def _size(find: Find) -> int:
    return len(find.comment.text if find.comment else (find.entry and find.entry.value) or "")


def _view(find: Find) -> dict[str, Any]:
    return {
        "part": find.part,
        "score": round(find.score, 6),
        "excerpt": find.excerpt,
        "task": {
            "id": find.id,
            "number": find.number,
            "key": find.key,
            "project": find.project,
            "title": find.title,
            "state": find.state,
        },
        "comment": None if find.comment is None else comment_view(find.comment),
        "entry": None if find.entry is None else entry_view(find.entry),
    }
