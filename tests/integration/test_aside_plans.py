"""The plans of what is read and written beside tasks: rows are found by an index, none are walked through or sorted."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.domain.attachment import Contents
from taskdeck.domain.link import LinkKind
from taskdeck.service.attachments import attach, detach
from taskdeck.service.comments import comment, delete_comment, edit_comment
from taskdeck.service.contexts import change_context, retract
from taskdeck.service.create import create
from taskdeck.service.links import link, unlink
from taskdeck.service.requests import NewTask
from taskdeck.store import attachments, comments, contexts, links
from taskdeck.store.reader import Reader
from taskdeck.store.search import Search, search

OWN = re.compile(r"\b(comments|links|attachments|contexts|context_entries|\w+_words)\b")


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
    store(partial(delete_comment, who=ROOT, ref="T2", number=said.number))
    store(partial(unlink, who=ROOT, ref="T2", number=made.number))
    store(partial(detach, who=ROOT, ref="T2", name="a"))


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
