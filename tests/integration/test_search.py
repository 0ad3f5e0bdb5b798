"""Search: what is said is found at once, by whom it may be seen, and no text is taken for a command."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.app import RunningDeck
from taskdeck.domain.errors import Invalid
from taskdeck.service.claim import claim
from taskdeck.service.comments import comment, delete_comment, edit_comment
from taskdeck.service.contexts import change_context
from taskdeck.service.create import create
from taskdeck.service.edit import edit
from taskdeck.service.finish import complete
from taskdeck.service.operate import delete
from taskdeck.service.requests import ClaimRequest, Edit, NewTask
from taskdeck.store import words
from taskdeck.store.search import match_of
from taskdeck.store.unit import Unit


async def _found(api: Api, q: str, more: str = "", **kwargs: Any) -> list[tuple[str, str]]:
    """Key and part of each find."""
    finds = (await api.get(f"/v1/search?q={quote(q)}{more}", **kwargs))["finds"]
    return [(find["task"]["key"], find["part"]) for find in finds]


async def test_every_part_is_searched_and_shown(api: Api) -> None:
    one = await api.create("Mend the Login form", description="It fails for Zoë since\nTuesday.", key="ONE")
    await api.create("other", key="TWO")
    said = await api.post("/v1/tasks/TWO/comments", {"text": "zoe saw it too, at the login"})
    await api.patch("/v1/tasks/TWO/context", {"patch": {"browser": {"name": "Lynx\nlogin", "path": "C:\\new"}}})
    finds = (await api.get("/v1/search?q=login"))["finds"]
    assert {(find["task"]["key"], find["part"]) for find in finds} == {
        ("ONE", "task"), ("TWO", "comment"), ("TWO", "context"),
    }  # fmt: skip
    assert [find["score"] for find in finds] == sorted((find["score"] for find in finds), reverse=True)
    by_part = {find["part"]: find for find in finds}
    assert by_part["task"]["task"] == {name: one[name] for name in ("id", "number", "key", "project", "title", "state")}
    assert (by_part["task"]["comment"], by_part["task"]["entry"]) == (None, None)
    assert by_part["comment"]["comment"] == said
    assert by_part["comment"]["excerpt"] == said["text"]
    assert by_part["context"]["entry"]["value"] == {"name": "Lynx\nlogin", "path": "C:\\new"}
    assert await _found(api, "ZOE tuesday") == [("ONE", "task")]
    assert await _found(api, "zoë", "&parts=comment") == [("TWO", "comment")]
    assert await _found(api, "browser lynx") == [("TWO", "context")]
    assert await _found(api, "new") == [("TWO", "context")]
    assert await _found(api, "fail") == await _found(api, "login absent") == []
    assert await _found(api, "fail*") == [("ONE", "task")]


async def test_the_better_find_comes_first(api: Api) -> None:
    await api.create("plain", description="about many things, among them a heron and others more", key="BODY")
    await api.create("Heron", key="TITLE")
    for n in range(5):
        await api.create(f"chaff {n}")
    assert await _found(api, "heron") == [("TITLE", "task"), ("BODY", "task")]
    for key, source in (("BODY", "inferred"), ("TITLE", "stated")):
        await api.patch(f"/v1/tasks/{key}/context", {"patch": {"bird": "stork"}, "source": source})
    assert await _found(api, "stork") == [("TITLE", "context"), ("BODY", "context")]
    assert len(await _found(api, "stork", "&limit=1")) == 1


async def test_contexts_are_searched_by_key_and_source(api: Api) -> None:
    await api.create("heron", key="ONE")
    await api.patch("/v1/tasks/ONE/context", {"patch": {"a": "heron"}, "source": "stated"})
    await api.patch("/v1/tasks/ONE/context", {"patch": {"b": "heron"}, "source": "observed"})
    assert len(await _found(api, "heron")) == 3

    async def said(query: str) -> list[str]:
        return [find["entry"]["key"] for find in (await api.get(f"/v1/search?q=heron{query}"))["finds"]]

    assert await said("&key=a") == await said("&source=stated") == await said("&parts=task&key=a") == ["a"]
    assert await said("&source=observed") == ["b"]
    assert await said("&key=a&source=observed") == await said("&key=c") == []
    assert (await api.call("GET", "/v1/search?q=heron&source=guessed")).code == "invalid_request"


async def test_one_of_the_words_may_be_enough(api: Api) -> None:
    for title in ("render the invoice", "render", "send the invoice", "other"):
        await api.create(title)
    found = [find["task"]["title"] for find in (await api.get("/v1/search?q=render%20invoice&any=true"))["finds"]]
    assert (found[0], sorted(found[1:])) == ("render the invoice", ["render", "send the invoice"])
    assert len((await api.get("/v1/search?q=render%20invoice"))["finds"]) == 1


async def test_what_changes_is_found_as_it_is(api: Api) -> None:
    task = await api.create("alpha", key="ONE")
    said = await api.post("/v1/tasks/ONE/comments", {"text": "beta"})
    await api.patch("/v1/tasks/ONE/context", {"patch": {"k": "gamma"}})
    await api.patch("/v1/tasks/ONE", {"title": "delta"})
    await api.patch(f"/v1/tasks/ONE/comments/{said['id']}", {"text": "epsilon"})
    await api.patch("/v1/tasks/ONE/context", {"patch": {"k": "zeta"}})
    for gone in ("alpha", "beta", "gamma"):
        assert await _found(api, gone) == [], gone
    for there in ("delta", "epsilon", "zeta"):
        assert len(await _found(api, there)) == 1, there
    assert await _found(api, "gamma", "&superseded=true") == [("ONE", "context")]
    await api.patch("/v1/tasks/ONE/context", {"remove": ["k"]})
    assert await _found(api, "zeta") == []
    assert await _found(api, "zeta", "&superseded=true") == [("ONE", "context")]
    await api.delete(f"/v1/tasks/ONE/comments/{said['id']}")
    assert await _found(api, "epsilon") == []
    await api.delete(f"/v1/tasks/{task['id']}")
    assert await _found(api, "delta") == await _found(api, "zeta", "&superseded=true") == []


async def test_a_token_finds_only_what_it_sees(api: Api) -> None:
    for name in ("ours", "theirs"):
        await api.post("/v1/projects", {"name": name})
        task = await api.create("heron", project=name)
        await api.post(f"/v1/tasks/{task['key']}/comments", {"text": "heron"})
        await api.patch(f"/v1/tasks/{task['key']}/context", {"patch": {"heron": 1}})
    inside = await api.token_for("reader", "inside", projects=["ours"])
    assert len(await _found(api, "heron")) == 6
    for more, kwargs in (("", {"token": inside}), ("&project=ours", {}), ("&project=ours", {"token": inside})):
        finds = (await api.get(f"/v1/search?q=heron{more}", **kwargs))["finds"]
        assert sorted(find["part"] for find in finds) == ["comment", "context", "task"]
        assert {find["task"]["project"] for find in finds} == {"ours"}
    assert await _found(api, "heron", "&project=theirs", token=inside) == []
    assert await _found(api, "heron", "&project=none") == []


@pytest.mark.parametrize(
    "q",
    ['"', '""', "a\"b OR c", "NEAR(a b)", "a AND", "NOT a", "(a", "-a", "^a", "title:a", "{a b}:c", "a + b", "col : x",
     "'; DROP TABLE tasks", "a\0b", "%", "😀 a", "*a", "a:*b", "ab* \"", "\\", "\ud7ff x", "x" * 200, "a " * 99],
)  # fmt: skip
async def test_no_text_is_taken_for_a_command(api: Api, q: str) -> None:
    await api.create("title b c", description="near not and or")
    reply = await api.call("GET", f"/v1/search?q={quote(q, errors='surrogatepass')}")
    assert reply.status == 200 or (reply.status, reply.code) == (422, "invalid_request"), reply
    if reply.status == 200:
        assert reply.json()["finds"] == []


@pytest.mark.parametrize(
    "query",
    ["", "q=", "q=!!", "q=*", "q=a*", "q=ab*", "q=" + "x" * 201, "q=a&limit=0", "q=a&limit=101", "q=a&parts=link",
     "q=a&superseded=maybe", "q=a&cursor=x"],
)  # fmt: skip
async def test_a_bad_search_is_refused(api: Api, query: str) -> None:
    reply = await api.call("GET", f"/v1/search?{query}")
    assert (reply.status, reply.code in ("invalid_request", "unknown_field")) == (422, True), reply


def test_words_are_quoted() -> None:
    assert match_of('say "hi" log* say - a_b') == '"say" """hi""" "log" * "a_b"'
    with pytest.raises(Invalid):
        match_of("no*")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    yield made
    made.close()


def _check(store: BareStore) -> None:
    """Each index says of its table what making it anew would say."""
    for table in words.TABLES:
        store.rows(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")  # noqa: S608


def _live(store: BareStore, project: str, count: int) -> None:
    """Tasks come, are said things of, change and go."""
    made = store(lambda unit: create(unit, ROOT, [NewTask(f"title {n}", project, "text") for n in range(count)]))
    for task in made:
        said = store(partial(comment, who=ROOT, ref=task.key, text=f"said of {task.key}"))
        patch = {"a": f"x\n{task.key}", "b": {"c": [1, "two"]}}
        store(partial(change_context, who=ROOT, ref=task.key, patch=patch))
        store(partial(change_context, who=ROOT, ref=task.key, patch={"a": 2}, remove=["b"]))
        if task.number % 2:
            store(partial(edit_comment, who=ROOT, ref=task.key, number=said.number, text="else"))
            store(partial(edit, who=ROOT, ref=task.key, wish=Edit({"title": "new", "description": "d"})))
        if task.number % 3 == 0:
            store(partial(delete_comment, who=ROOT, ref=task.key, number=said.number))
        if task.number % 4 == 0:
            store(partial(delete, who=ROOT, ref=task.key))


def test_the_index_follows_what_is_said(store: BareStore) -> None:
    _live(store, "default", 24)
    _check(store)

    def broken(unit: Unit) -> None:
        comment(unit, ROOT, "T1", "never")
        create(unit, ROOT, [NewTask("never", "default")])
        raise Invalid("in the middle")

    store.batch(broken, lambda unit: comment(unit, ROOT, "T1", "after"))
    _check(store)
    assert store.rows("SELECT count(*) FROM comment_words WHERE comment_words MATCH 'never'") == [(0,)]
    assert store.rows("SELECT count(*) FROM comment_words WHERE comment_words MATCH 'after'") == [(1,)]
    store.rows("UPDATE bodies SET title = 'behind its back' WHERE task = 1")
    _check(store)
    with pytest.raises(sqlite3.DatabaseError):
        store.rows("INSERT INTO task_words (task_words, rowid, title, description) VALUES ('delete', 1, 'x', 'y')")
        _check(store)


def test_what_is_made_in_a_batch_and_changes_or_goes_in_it_is_learnt_right(store: BareStore) -> None:
    """The words of new tasks are added together at the end, or before the first of them changes."""

    def make(title: str) -> Any:
        return lambda unit: create(unit, ROOT, [NewTask(title, "default")])[0].key

    def goes(ref: str) -> Any:
        return lambda unit: delete(unit, ROOT, ref)

    def becomes(ref: str, title: str) -> Any:
        return lambda unit: edit(unit, ROOT, ref, Edit({"title": title}))

    def goes_and_fails(unit: Unit) -> None:
        create(unit, ROOT, [NewTask("never", "default")])
        delete(unit, ROOT, "T1")
        raise Invalid("in the middle")

    def words_of(*asked: str) -> list[int]:
        return [store.rows("SELECT count(*) FROM task_words WHERE task_words MATCH ?", (a,))[0][0] for a in asked]

    outcomes = store.batch(
        make("ash"), goes_and_fails, make("birch"), make("cedar"), goes("T2"), becomes("T3", "dogwood"),
        make("elm"), goes_and_fails, make("fir"), becomes("T5", "gum"),
    ).outcomes  # fmt: skip
    assert [type(error) for _, _, error in outcomes if error is not None] == [Invalid, Invalid]
    _check(store)
    assert words_of("ash", "birch", "cedar", "dogwood", "elm", "fir", "gum", "never") == [1, 0, 0, 1, 1, 0, 1, 0]
    store.batch(goes_and_fails, make("hazel"))
    _check(store)
    assert words_of("ash", "hazel", "never") == [1, 1, 0]


def _merging(store: BareStore) -> dict[str, int]:
    return dict(store.rows("SELECT k, v FROM task_words_config WHERE k LIKE '%merge'"))


def test_the_index_is_merged_a_little_after_each_batch_that_changed_it(store: BareStore) -> None:
    """FTS5 is not left to merge hundreds of pages at once; what it would have to merge does not pile up either."""
    assert _merging(store) == {"automerge": 0, "usermerge": 16, "crisismerge": 64}
    seen: list[str] = []
    store.runner.connection.set_trace_callback(seen.append)

    def pages() -> list[int]:
        merges = [sql for sql in seen if "'merge'" in sql]
        seen.clear()
        return [int(sql.rpartition(",")[2].strip(" )")) for sql in merges]

    store(lambda unit: create(unit, ROOT, [NewTask(f"title {n}", "default") for n in range(60)]))
    assert pages() == [words.PAGES + 60 // words.TASKS_A_PAGE]
    store(lambda unit: claim(unit, ROOT, ClaimRequest("w")))
    assert pages() == []
    for act in (partial(edit, ref="T8", wish=Edit({"title": "new"})), partial(delete, ref="T9")):
        store(partial(act, who=ROOT))
        assert pages() == [words.PAGES]
    store.runner.connection.set_trace_callback(None)
    for n in range(300):
        store(lambda unit, n=n: create(unit, ROOT, [NewTask(f"one more {n}", "default")]))
    assert store.rows("SELECT count(DISTINCT segid) FROM task_words_idx")[0][0] < 35
    _check(store)


def test_the_index_of_an_older_deck_is_merged_so_too(store: BareStore) -> None:
    kept = _merging(store)
    store.rows("INSERT INTO task_words (task_words, rank) VALUES ('automerge', 4)")
    assert _merging(store) != kept
    store.close()
    store.open()
    assert _merging(store) == kept


def test_without_fts5_the_deck_runs_and_with_it_the_index_is_made_anew(store: BareStore) -> None:
    _live(store, "default", 5)
    words.keep(store.runner.connection, able=False)
    store.runner.unlearnt = words.Unlearnt(store.runner.connection)
    assert not words.kept(store.rows(words.KEPT)[0][0])
    _live(store, "side", 5)
    assert store.rows("SELECT count(*) FROM task_words WHERE task_words MATCH 'title'")[0][0] < 8
    store.close()
    store.open()
    assert words.kept(store.rows(words.KEPT)[0][0])
    _check(store)
    _live(store, "default", 5)
    _check(store)


async def test_without_an_index_search_says_so(api: Api, served: RunningDeck) -> None:
    def forget(unit: Unit) -> None:
        unit.write("DROP TRIGGER task_words_mend")

    await served.deck.write(forget)
    reply = await api.call("GET", "/v1/search?q=a")
    assert (reply.status, reply.code, reply.json()["retryable"]) == (501, "search_unavailable", False)


def test_a_claim_and_a_completion_never_touch_the_index(store: BareStore) -> None:
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default", "words")]))
    seen: list[str] = []
    store.runner.connection.set_trace_callback(seen.append)
    store(lambda unit: claim(unit, ROOT, ClaimRequest("w")))
    store(lambda unit: complete(unit, ROOT, "T1", 1, result='"done"'))
    store.runner.connection.set_trace_callback(None)
    assert seen
    assert not [sql for sql in seen if "_words" in sql]


def test_the_index_goes_into_a_backup(store: BareStore, tmp_path: Path) -> None:
    _live(store, "default", 5)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        store.runner.connection.backup(copy)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM task_words WHERE task_words MATCH 'new'").fetchone() == (3,)
