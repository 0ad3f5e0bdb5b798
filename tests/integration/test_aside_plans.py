"""The plans of what is read and written beside tasks: rows are found by an index, none are walked through or sorted."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.domain.attachment import Contents
from taskdeck.domain.errors import Conflict
from taskdeck.domain.link import LinkKind
from taskdeck.domain.log import NewEntry
from taskdeck.service.attachments import attach, detach
from taskdeck.service.claim import claim
from taskdeck.service.comments import comment, delete_comment, edit_comment
from taskdeck.service.contexts import change_context, retract
from taskdeck.service.create import create
from taskdeck.service.links import link, unlink
from taskdeck.service.log import append_log
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.service.sessions import record_session
from taskdeck.store import attachments, comments, contexts, links, log, retention, sessions
from taskdeck.store.reader import Reader
from taskdeck.store.search import Search, search

OWN = re.compile(r"\b(comments|links|attachments|contexts|context_entries|log_entries|sessions|\w+_words)\b")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    made(lambda unit: create(unit, ROOT, [NewTask("t", "default") for _ in range(3)]))
    _write(made)
    yield made
    made.close()


@pytest.fixture
async def reader(store: BareStore) -> AsyncIterator[Reader]:
    opened = await Reader.open(store.path)
    yield opened
    await opened.close()


def _write(store: BareStore) -> None:
    for ref in ("T1", "T2"):
        said = store(partial(comment, who=ROOT, ref=ref, text="word"))
        store(partial(edit_comment, who=ROOT, ref=ref, number=said.number, text="word again"))
        made, _ = store(partial(link, who=ROOT, ref=ref, kind=LinkKind.PR, target="5"))
        for name in ("a", "b"):
            store(partial(attach, who=ROOT, ref=ref, name=name, contents=Contents(text="t")))
        store(partial(change_context, who=ROOT, ref=ref, patch={"word": 1, "b": 2}))
        store(partial(change_context, who=ROOT, ref=ref, patch={"word": 2}, remove=["b"]))
        store(partial(retract, who=ROOT, ref=ref, key="word"))
        _hold(store, ref)
    store(partial(delete_comment, who=ROOT, ref="T2", number=said.number))
    store(partial(unlink, who=ROOT, ref="T2", number=made.number))
    store(partial(detach, who=ROOT, ref="T2", name="a"))


def _hold(store: BareStore, ref: str) -> None:
    """What a holder tells, twice over, and its session."""
    held = store(partial(claim, who=ROOT, request=ClaimRequest("w", ref))).tasks[0]
    entries = [NewEntry("say", "{}"), NewEntry("note", "{}", quiet=True)]
    told = partial(append_log, who=ROOT, ref=ref, fence=held.fence, entries=entries)
    store(told)
    for cursor in ({"after": 0}, {"after_sequence": 0}):
        with suppress(Conflict):
            store(partial(told, **cursor))
    store(lambda unit: list(log.newest_under(unit, held.number, held.fence, ("say", "note"))))
    store(partial(record_session, who=ROOT, worker="w", key=ref, task=ref))
    store(lambda unit: sessions.newest_for(unit, held.number) and sessions.newest_for(unit, held.number, ref))
    store(partial(sessions.end_idle, worker="w"))
    store(partial(retention.drop_entries, task=held.number, limit=1))


def _check(store: BareStore, seen: list[str]) -> None:
    statements = [sql for sql in seen if OWN.search(sql) and not re.match("INSERT|--|SELECT (k|pgno|sz|block)", sql)]
    statements = [sql for sql in statements if "'main'." not in sql and "sqlite_master" not in sql]
    assert statements
    for sql in statements:
        plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}")]
        for line in plan:
            assert "TEMP B-TREE" not in line, (sql, plan)
            assert not line.startswith("SCAN") or "VIRTUAL TABLE" in line, (sql, plan)


def test_writing_touches_rows_of_one_task(store: BareStore) -> None:
    seen: list[str] = []
    store.runner.connection.set_trace_callback(seen.append)
    _write(store)
    store.runner.connection.set_trace_callback(None)
    _check(store, seen)


READS: dict[str, Callable[[Reader], Awaitable[Any]]] = {
    "comments": lambda reader: comments.list_comments(reader, 1, 0, 5),
    "links": lambda reader: links.list_links(reader, 1),
    "attachments": lambda reader: attachments.list_attachments(reader, 1),
    "an attachment": lambda reader: attachments.list_attachments(reader, 1, "a"),
    "a context": lambda reader: contexts.read(reader, 1),
    "a history": lambda reader: contexts.history(reader, 1, None, None, 5),
    "a later page of a history": lambda reader: contexts.history(reader, 1, None, 9, 5),
    "the history of a key": lambda reader: contexts.history(reader, 1, "word", 9, 5),
    "a log": lambda reader: log.list_entries(reader, 1, 0, 5),
    "a log with its claims": lambda reader: log.list_positioned(reader, 1, 1, 0, 5),
    "how a log stands": lambda reader: log.read_tail(reader, 1),
    "a log by fence": lambda reader: log.entries_by_fence(reader, 1),
    "a search": lambda reader: search(reader, Search("word"), 5),
    "a search of some": lambda reader: search(reader, Search("wor*", projects=frozenset({"default"})), 5),
    "a search of the past": lambda reader: search(reader, Search("word", superseded=True), 5),
}


@pytest.mark.parametrize("name", READS)
async def test_reading_finds_its_rows_by_an_index(store: BareStore, reader: Reader, name: str) -> None:
    seen: list[str] = []
    for connection in reader._all:
        await connection.set_trace_callback(seen.append)
    assert await READS[name](reader)
    _check(store, seen)
