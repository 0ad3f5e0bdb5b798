"""Contexts: merged from what many say, versioned, and accounted for in a ledger that is never rewritten."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.app import RunningDeck
from taskdeck.domain.context import MAX_CONTEXT, MAX_DEPTH, MAX_ENTRIES, MAX_KEYS, MAX_LEDGER

ENTRY = {"id", "key", "act", "value", "source", "author", "at", "version", "superseded"}


@pytest.fixture
async def path(api: Api) -> str:
    return f"/v1/tasks/{(await api.create())['key']}/context"


async def test_a_fresh_task_has_an_empty_context(api: Api, path: str) -> None:
    assert await api.get(path) == {"context": {}, "version": 0, "provenance": {}}
    assert (await api.get(f"{path}/history"))["entries"] == []
    assert await api.patch(path, {}) == await api.patch(path, {"remove": ["no"], "version": 0}) == await api.get(path)
    assert await api.events(type="task.context_changed") == []


async def test_patches_merge_and_count_the_version_up(api: Api, path: str, clock: FakeClock) -> None:
    ann = await api.token_for("agent", "ann")
    first = await api.patch(path, {"patch": {"a": {"x": 1}, "b": [1]}, "version": 0}, token=ann)
    assert (first["context"], first["version"]) == ({"a": {"x": 1}, "b": [1]}, 1)
    clock.advance(3)
    second = await api.patch(path, {"patch": {"a": {"y": None}, "c": None}, "source": "stated"})
    assert second["context"] == {"a": {"x": 1, "y": None}, "b": [1], "c": None}
    assert second == await api.get(path)
    sources = {key: (one["author"], one["source"], one["version"]) for key, one in second["provenance"].items()}
    assert sources == {"a": ("admin", "stated", 2), "b": ("ann", "inferred", 1), "c": ("admin", "stated", 2)}
    third = await api.patch(path, {"remove": ["b", "none"], "version": 2}, token=ann)
    assert third["context"] == {"a": {"x": 1, "y": None}, "c": None}
    assert third["provenance"].keys() == {"a", "c"}
    facts = [event["facts"] for event in await api.events(type="task.context_changed")]
    assert facts == [
        {"version": 1, "source": "inferred", "keys": ["a", "b"], "removed": []},
        {"version": 2, "source": "stated", "keys": ["a", "c"], "removed": []},
        {"version": 3, "source": "inferred", "keys": [], "removed": ["b"]},
    ]


async def test_the_ledger_says_who_said_what_and_who_after(api: Api, path: str) -> None:
    ann = await api.token_for("agent", "ann")
    await api.patch(path, {"patch": {"a": 1}, "source": "observed"}, token=ann)
    await api.patch(path, {"patch": {"a": 1, "b": 2}, "source": "stated"})
    await api.patch(path, {"remove": ["a"]}, token=ann)
    entries = (await api.get(f"{path}/history"))["entries"]
    assert all(entry.keys() == ENTRY for entry in entries)
    told = [(e["key"], e["act"], e["value"], e["source"], e["author"], e["version"]) for e in entries]
    assert told == [
        ("a", "removed", None, "inferred", "ann", 3),
        ("b", "set", 2, "stated", "admin", 2),
        ("a", "set", 1, "stated", "admin", 2),
        ("a", "set", 1, "observed", "ann", 1),
    ]
    removed, b, second, first = entries
    assert (removed["superseded"], b["superseded"]) == (None, None)
    assert (second["superseded"]["by"], second["superseded"]["act"]) == ("ann", "removed")
    assert first["superseded"] == {"entry": second["id"], "act": "set", "by": "admin", "at": second["at"]}
    assert [e["id"] for e in (await api.get(f"{path}/history?key=a"))["entries"]] == [
        e["id"] for e in (removed, second, first)
    ]
    paged, cursor = [], ""
    while True:
        page = await api.get(f"{path}/history?limit=1{cursor}")
        paged += page["entries"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == entries


async def test_a_word_can_be_taken_back(api: Api, path: str) -> None:
    ann = await api.token_for("agent", "ann")
    await api.patch(path, {"patch": {"a": 1}})
    taken = await api.post(f"{path}/retract", {"key": "a"}, token=ann)
    assert (taken["context"], taken["version"]) == ({"a": 1}, 1)
    assert (taken["provenance"]["a"]["retracted"]["by"], taken["provenance"]["a"]["author"]) == ("ann", "admin")
    assert taken == await api.get(path)
    assert (await api.get(f"{path}/history"))["entries"][0]["act"] == "retracted"
    before = await api.last_seq()
    for key in ("a", "b"):
        reply = await api.call("POST", f"{path}/retract", {"key": key})
        assert (reply.status, reply.code) == (404, "unknown_key")
    assert await api.last_seq() == before
    again = await api.patch(path, {"patch": {"a": 1}})
    assert again["provenance"]["a"]["retracted"] is None
    (event,) = await api.events(type="task.context_retracted")
    assert event["facts"] == {"version": 1, "source": "inferred", "key": "a"}


async def test_a_stale_version_is_refused_with_the_present_one(api: Api, path: str) -> None:
    await api.patch(path, {"patch": {"a": 1}})
    before = await api.last_seq()
    for version in (0, 2):
        reply = await api.call("PATCH", path, {"patch": {"a": 2}, "version": version})
        assert (reply.status, reply.code, reply.json()["version"]) == (409, "version_conflict", 1)
    assert await api.last_seq() == before
    assert (await api.get(path))["context"] == {"a": 1}


async def test_writers_of_different_keys_lose_nothing(api: Api, path: str) -> None:
    await asyncio.gather(*(api.patch(path, {"patch": {f"k{n}": n, "all": {str(n): n}}}) for n in range(30)))
    known = await api.get(path)
    assert known["version"] == 30
    assert known["context"] == {f"k{n}": n for n in range(30)} | {"all": {str(n): n for n in range(30)}}
    guarded = await asyncio.gather(*(api.call("PATCH", path, {"patch": {"x": n}, "version": 30}) for n in range(8)))
    assert sorted(reply.status for reply in guarded) == [200] + [409] * 7


@pytest.mark.parametrize("source", ["stated", "imported"])
async def test_only_operators_speak_for_others(api: Api, path: str, source: str) -> None:
    ann, boss = await api.token_for("agent", "ann"), await api.token_for("operator", "boss")
    await api.patch(path, {"patch": {"a": 1}})
    for where, method, document in (
        (path, "PATCH", {"patch": {"a": 2}, "source": source}),
        (f"{path}/retract", "POST", {"key": "a", "source": source}),
    ):
        reply = await api.call(method, where, document, token=ann)
        assert (reply.status, reply.code) == (403, "forbidden")
    known = await api.patch(path, {"patch": {"a": 2}, "source": source}, token=boss)
    assert known["provenance"]["a"]["source"] == source


@pytest.mark.parametrize(
    "document",
    [{"patch": []}, {"patch": None}, {"patch": {"": 1}}, {"patch": {"x" * 201: 1}}, {"patch": {"a\0": 1}},
     {"patch": {"a": 1}, "source": "guessed"}, {"patch": {"a": 1}, "remove": ["a"]}, {"remove": [5]},
     {"patch": {"a": 1}, "version": -1}, {"patch": {"a": 1}, "version": "1"}, {"patch": {"a": "x" * MAX_CONTEXT}},
     {"patch": {str(n): n for n in range(MAX_KEYS + 1)}}, {"a": 1}],
)  # fmt: skip
async def test_a_bad_patch_is_refused(api: Api, path: str, document: dict[str, Any]) -> None:
    before = await api.last_seq()
    reply = await api.call("PATCH", path, document)
    assert (reply.status, reply.code in ("invalid_request", "unknown_field")) == (422, True), reply
    assert await api.last_seq() == before
    assert (await api.get(path))["version"] == 0


async def test_a_number_too_large_is_refused(api: Api, path: str) -> None:
    reply = await api.raw("PATCH", path, b'{"patch": {"a": [1%s]}}' % (b"0" * 40))
    assert (reply.status, reply.code) == (422, "invalid_request")


async def test_a_context_has_its_limits(api: Api, path: str, served: RunningDeck) -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = {"a": deep}
    assert (await api.call("PATCH", path, {"patch": {"a": deep}})).code == "invalid_request"
    half = "x" * (MAX_CONTEXT // 2)
    await api.patch(path, {"patch": {"a": half}})
    reply = await api.call("PATCH", path, {"patch": {"b": half}})
    assert (reply.status, reply.json()["errors"][0]["field"]) == (422, "patch")
    await api.patch(path, {"remove": ["a"]})
    await api.patch(path, {"patch": {"b": half}})


async def test_a_ledger_has_its_limits(api: Api, path: str) -> None:
    for round_ in range(MAX_ENTRIES // MAX_KEYS):
        await api.patch(path, {"patch": {str(n): round_ for n in range(MAX_KEYS)}})
    before = await api.last_seq()
    for method, where, document in (
        ("PATCH", path, {"patch": {"0": 1}}),
        ("PATCH", path, {"remove": ["0"]}),
        ("POST", f"{path}/retract", {"key": "0"}),
    ):
        reply = await api.call(method, where, document)
        assert (reply.status, reply.code) == (409, "too_many"), where
    assert await api.last_seq() == before
    assert len((await api.get(path))["provenance"]) == MAX_KEYS


async def test_a_ledger_takes_so_many_bytes_and_no_more(api: Api, path: str) -> None:
    most = "x" * (MAX_CONTEXT - 100)
    for _ in range(MAX_LEDGER // (MAX_CONTEXT - 98)):
        await api.patch(path, {"patch": {"a": most}})
    assert (await api.call("PATCH", path, {"patch": {"a": most}})).code == "too_many"
    assert (await api.call("PATCH", path, {"patch": {"a": "short"}})).status == 200
    assert (await api.call("PATCH", path, {"remove": ["a"]})).status == 200


async def test_it_goes_with_its_task_and_stays_in_its_project(api: Api, path: str, served: RunningDeck) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    await api.patch(path, {"patch": {"a": 1}})
    inside = await api.token_for("operator", "inside", projects=["ours"])
    reader = await api.token_for("reader", "eve")
    for method, where, document in (
        ("GET", path, None),
        ("GET", f"{path}/history", None),
        ("PATCH", path, {"patch": {"a": 2}}),
        ("POST", f"{path}/retract", {"key": "a"}),
    ):
        assert (await api.call(method, where, document, token=inside)).code == "unknown_task"
        assert (await api.call(method, where, document, token=reader)).status == (200 if method == "GET" else 403)

    def rewrite(unit: Any) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            unit.write("UPDATE context_entries SET author = 'x'")

    await served.deck.write(rewrite)
    await api.delete(path.rpartition("/")[0])
    for table in ("contexts", "context_entries"):
        assert await served.deck.reader.rows(f"SELECT * FROM {table}") == []  # noqa: S608
