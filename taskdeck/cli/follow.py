"""The event log on the command line: the latest, those since, and those to come."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.render import event_line
from taskdeck.domain.event_query import EventQuery, parse
from taskdeck.domain.query import QueryError

NEWEST = 2**53
"""Beyond every sequence number: paging backwards from here begins with the newest event."""
PAGE = 1000
FIRST_PAUSE, LONGEST_PAUSE, PATIENCE = 0.5, 10.0, 300.0
"""Seconds between attempts to reconnect, and until following gives up."""


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    command(app, "events", "Seeing")(events)


async def events(
    deck: Deck,
    ref: Annotated[str | None, typer.Argument(metavar="REF", help="Of this task alone.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they happen; ctrl+c ends.")] = False,
    after: Annotated[int | None, typer.Option(min=0, help="Those behind this sequence number.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, max=100_000, help="At most so many.")] = 50,
    kind: Annotated[str | None, typer.Option("--type", "-t", help="Such as claimed, or project.paused.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", help="Of this project alone.")] = None,
    search: Annotated[str, typer.Option("--search", "-q", help="Such as `type:lapsed actor:render-* W47`.")] = "",
) -> None:
    """Show what happened: the latest events, oldest first; with --json one JSON document a line."""
    try:
        query = parse(search)
    except QueryError as error:
        raise Failure(f"--search: {error}", "`taskdeck docs api` has the filter of events, at GET /v1/events") from None
    if kind is not None and "." not in kind:
        kind = f"task.{kind}"
    task_id = (await deck.client.task(ref))["id"] if ref is not None else None
    last = (await deck.client.stats())["last_seq"] if follow else 0
    start = after
    if not (follow and after is not None):
        for event in await _past(deck, ref, after, limit, kind, project, query):
            _show(deck, event)
            last = max(last, event["seq"])
        start = last
    if follow:
        async for event in followed(deck, start or 0):
            of_task = task_id is None or (event["task"] or {}).get("id") == task_id
            fits = kind in (None, event["type"]) and project in (None, event["project"])
            if of_task and fits and _admits(query, event):
                _show(deck, event)


async def _past(
    deck: Deck, ref: str | None, after: int | None, limit: int, kind: str | None, project: str | None, query: EventQuery
) -> list[dict[str, Any]]:
    """At most `limit` events, oldest first: the first behind `after`, else the newest."""
    found: list[dict[str, Any]] = []
    wanted: dict[str, Any] = {"type": kind, "project": project, "q": query.text or None}
    if after is None and ref is None:
        before: int | None = NEWEST
        while before is not None and len(found) < limit:
            ask = min(PAGE, limit - len(found))
            reply = await deck.client.events(before=before, limit=ask, **wanted)
            page = reply["events"]
            found = page + found
            # of what is rare a page may be short although the log goes on
            before = reply.get("next_before", page[0]["seq"] if len(page) == ask else None)
        return found
    position: int | None = after or 0
    while position is not None and (ref is not None or len(found) < limit):
        if ref is not None:
            reply = await deck.client.task_events(ref, after=position, limit=PAGE)
            fitting = [each for each in reply["events"] if kind in (None, each["type"]) and _admits(query, each)]
        else:
            ask = min(PAGE, limit - len(found))
            reply = await deck.client.events(after=position, limit=ask, **wanted)
            fitting = reply["events"]
        found += fitting
        position = reply["next_after"]
        if after is None:
            found = found[-limit:] if limit else []
        elif len(found) >= limit:
            break
    return found[:limit] if after is not None else found


async def followed(deck: Deck, after: int) -> AsyncIterator[dict[str, Any]]:
    """Every event behind `after`, once each, across lost connections.

    Raises:
        Unreachable: no deck answered for `PATIENCE` seconds.
    """
    from taskdeck.client import Beat, Unreachable

    clock = asyncio.get_running_loop().time
    pause, lost_at = FIRST_PAUSE, None
    while True:
        try:
            async for item in deck.client.stream(after):
                pause, lost_at = FIRST_PAUSE, None
                if not isinstance(item, Beat):
                    after = item["seq"]
                    yield item
        except Unreachable as lost:
            lost_at = lost_at or clock()
            if clock() - lost_at > PATIENCE:
                raise
            print(f"{lost.detail}; trying again from event {after}", file=sys.stderr)
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 2)


def _admits(query: EventQuery, event: dict[str, Any]) -> bool:
    """Whether an event is let through; a word is looked for in all that it says, as the server does it."""
    named = (event["actor"], event["worker"], event["project"], (event["task"] or {}).get("key"))
    return query.admits(event["type"], *(name or "" for name in named), json.dumps(event, ensure_ascii=False))


def _show(deck: Deck, event: dict[str, Any]) -> None:
    if deck.out.as_json:
        deck.out.json_line(event)
    else:
        deck.out.text(event_line(event))
