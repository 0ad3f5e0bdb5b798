"""Lists in every order: the same tasks from either end, page by page, each order found by an index or limited."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from support.api import Api
from support.clock import FakeClock
from support.people import ROOT

from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.domain.errors import Invalid
from taskdeck.domain.order import USUAL
from taskdeck.domain.query import parse
from taskdeck.domain.sorts import SORTS, Sort
from taskdeck.domain.states import State
from taskdeck.service.create import create
from taskdeck.service.deck import Deck
from taskdeck.service.projects import create_project
from taskdeck.service.requests import NewTask
from taskdeck.store import paging
from taskdeck.store.filters import TaskFilter, conditions
from taskdeck.store.listing import list_tasks
from taskdeck.store.query import Query
from taskdeck.store.sorts import way_of

LIFE = [state.value for state in State]
WORDS = ("apple", "Äpfel", "zebra", "apple", "Banana", "", "_x", "APPLE pie", "日本", "z" * 90 + "a", "z" * 90)
KEYS: dict[str, Any] = {
    "number": lambda task: (task["number"],),
    "prio": lambda task: (-task["priority"], task["number"]),
    "title": lambda task: (_folded(task["title"][:64]), task["number"]),
    "state": lambda task: (LIFE.index(task["state"]), task["number"]),
    "due": lambda task: (task["due"], task["number"]),
    "lease": lambda task: (task["claim"]["expires_at"], task["number"]),
    "holder": lambda task: (task["claim"]["worker"].encode(), task["number"]),
    "attempt": lambda task: (-task["attempt"], task["number"]),
    "priority": lambda task: (
        (1, task["number"])
        if task["finished_at"]
        else (0, USUAL.rank(task["priority"], from_rfc3339(task["queued_at"])), task["number"])
    ),
}
LISTED: dict[str, Any] = {
    "due": lambda task: task["due"] and task["finished_at"] is None,
    "lease": lambda task: task["claim"] and task["claim"]["expires_at"],
    "holder": lambda task: task["claim"],
    "attempt": lambda task: task["attempt"] >= 2,
}


def _folded(text: str) -> bytes:
    return "".join(char.lower() if char.isascii() else char for char in text).encode()


async def _fill(api: Api, clock: FakeClock) -> None:
    """Tasks of every state and kind, a few of which are alike in what they are sorted by."""
    made = [
        {
            "title": f"{word}{n % 3 or ''}" or "x", "priority": n * 37 % 5 * 25, "labels": ["even"] * (n % 2 == 0),
            "max_attempts": 5, "due": rfc3339(clock.now_ms() + n % 4 * 60_000) if n % 3 else None,
            "backlog": n % 11 == 3, "not_before": rfc3339(clock.now_ms() + 9_000_000) if n % 11 == 4 else None,
        }
        for n, word in enumerate(WORDS * 4)
    ]  # fmt: skip
    await api.post("/v1/tasks", {"tasks": made})
    await api.post("/v1/tasks", {"tasks": [{"title": "waits", "depends_on": ["T1"]}] * 3})
    await api.post("/v1/workers", {"id": "w0", "kind": "human"})
    for turn in range(3):
        for n in range(14):
            lease = {"lease_seconds": None} if n == 7 else {"lease_seconds": 60 + n * 7 % 5}
            held = await api.claim(f"w{n * 5 % 7}", **lease)
            if turn < 2 and n % 3:
                await api.post(f"/v1/tasks/{held['task']['key']}/fail", {"fence": held["fence"], "error": "e"})
            elif n % 4 == 1:
                await api.post(f"/v1/tasks/{held['task']['key']}/complete", {"fence": held["fence"]})
            elif n % 4 == 2:
                await api.post(
                    f"/v1/tasks/{held['task']['key']}/fail", {"fence": held["fence"], "retry": False, "error": "e"}
                )
        clock.advance(600 if turn < 2 else 0)
    await api.post("/v1/tasks/T9/cancel")


async def _pages(api: Api, path: str) -> list[Any]:
    found, cursor = [], ""
    while True:
        page = await api.get(f"{path}{cursor}")
        found += page["tasks"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize("how", ["few", "many", "rare"])
async def test_every_order_from_either_end(
    api: Api, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    await _fill(api, clock)
    everything = await _pages(api, "/v1/tasks?sort=number&limit=200&view=summary")
    assert {task["state"] for task in everything} == set(LIFE) - {"review"}
    if how != "few":
        monkeypatch.setattr(paging, "FEW", 0)
    if how == "many":
        monkeypatch.setattr(paging, "SORTED_MOST", 3)
    elif how == "rare":
        monkeypatch.setattr(paging, "LOOKED", 0)
    narrowed = {
        "": lambda task: True,
        "state=ready,claimed,done": lambda task: task["state"] in ("ready", "claimed", "done"),
        f"q={quote('label:even -state:ready')}": lambda task: task["labels"] and task["state"] != "ready",
        f"state=ready,blocked,claimed,failed&q={quote('title:a')}": lambda task: (
            task["state"] in ("ready", "blocked", "claimed", "failed") and "a" in task["title"].lower()
        ),
        "label=even": lambda task: task["labels"],
        "concerning=admin": lambda task: task["created_by"] == "admin",
    }
    for sort in SORTS:
        name = sort.removeprefix("-")
        for query, admits in narrowed.items():
            path = f"/v1/tasks?sort={quote(sort)}&limit=7&view=summary&{query}"
            if how == "many" and name == "title":
                assert (await api.call("GET", path)).code == "too_many_to_sort"
                continue
            wanted = [task for task in everything if admits(task) and LISTED.get(name, lambda task: True)(task)]
            assert wanted, (sort, query)
            wanted.sort(key=KEYS[name], reverse=sort != name)
            assert [task["key"] for task in await _pages(api, path)] == [task["key"] for task in wanted], (sort, query)


PAIRS = ("prio,-number", "-prio,number", "state,-number", "-state,prio", "state,-title", "holder,prio",
         "-attempt,title", "due,-prio", "title,-prio", "lease,-attempt", "prio,title", "-prio,-number")  # fmt: skip
WALKED = {"prio,-number", "-prio,number", "state,-number", "-state,prio", "-prio,-number"}
"""Pairs of which very many are listed."""


@pytest.mark.parametrize("how", ["few", "many", "rare"])
async def test_a_second_order_sorts_what_is_alike_in_the_first(
    api: Api, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    await _fill(api, clock)
    everything = await _pages(api, "/v1/tasks?sort=number&limit=200&view=summary")
    if how != "few":
        monkeypatch.setattr(paging, "FEW", 0)
    if how == "many":
        monkeypatch.setattr(paging, "SORTED_MOST", 1)
    elif how == "rare":
        monkeypatch.setattr(paging, "LOOKED", 0)
    narrowed = {"": lambda task: True, "label=even": lambda task: task["labels"]}
    for sort in PAIRS:
        first, _, second = sort.partition(",")
        name, then = first.removeprefix("-"), second.removeprefix("-")
        for query, admits in narrowed.items():
            path = f"/v1/tasks?sort={quote(sort)}&limit=7&view=summary&{query}"
            if how == "many" and sort not in WALKED:
                assert (await api.call("GET", path)).code == "too_many_to_sort", sort
                continue
            wanted = [task for task in everything if admits(task) and LISTED.get(name, lambda task: True)(task)]
            wanted.sort(key=KEYS[then], reverse=then != second)
            wanted.sort(key=lambda task: KEYS[name](task)[:-1], reverse=name != first)
            assert [task["key"] for task in await _pages(api, path)] == [task["key"] for task in wanted], (sort, query)


async def test_an_order_that_is_none_is_refused(api: Api) -> None:
    for sort in ("weight", "prio,", "prio,weight", "prio,prio", "prio,-prio", "number,prio", "priority,number",
                 "prio,due", "prio,number,title", ",prio"):  # fmt: skip
        refused = await api.call("GET", f"/v1/tasks?sort={quote(sort)}")
        assert (refused.status, refused.code) == (422, "invalid_request"), sort
        assert "sort: " in refused.json()["detail"]


async def test_a_cursor_of_text_is_looked_at(api: Api) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 3})
    cursor = (await api.get("/v1/tasks?limit=1&sort=title"))["next_cursor"]
    assert len((await api.get(f"/v1/tasks?sort=title&cursor={cursor}"))["tasks"]) == 2
    for other in ("-title", "holder", "prio"):
        assert (await api.call("GET", f"/v1/tasks?sort={other}&cursor={cursor}")).code == "invalid_request"


_READY = TaskFilter(states=(State.READY,))
_UNSTARTED = TaskFilter(states=(State.BACKLOG, State.BLOCKED, State.SCHEDULED, State.READY))
_OPEN = TaskFilter(query=Query(parse("state:open"), 0, "me"))


@pytest.mark.parametrize(
    ("wanted", "sort", "after", "index"),
    [
        (_READY, "number", (5,), "tasks_by_state (state=? AND number>?)"),
        (_OPEN, "number", (5,), "tasks_by_state (state=? AND number>?)"),
        (_OPEN, "-number", (5,), "tasks_by_state (state=? AND number<?)"),
        (TaskFilter(), "state", (3, 5), "tasks_by_state (state=? AND number>?)"),
        (_OPEN, "-state", (3, 5), "tasks_by_state (state=? AND number<?)"),
        (_READY, "prio", (50, 5), "tasks_by_priority (priority<?"),
        (_OPEN, "prio", None, "tasks_by_priority"),
        (_OPEN, "-prio", (50, 5), "tasks_by_priority (priority>?"),
        (_UNSTARTED, "priority", None, "tasks_by_rank (state=?)"),
        (_UNSTARTED, "-priority", (0, 5, 5), "tasks_by_rank (state=? AND <expr><?"),
        (_OPEN, "priority", (1, 0, 5), "tasks_by_state (state=? AND number>?)"),
        (_READY, "-priority", (0, 5, 5), "tasks_claimable (<expr><?"),
        (TaskFilter(), "-due", (5, 5), "tasks_by_due (due>? AND due<?"),
        (_OPEN, "due", None, "tasks_by_due"),
        (_READY, "-due", (5, 5), "tasks_by_due (due>? AND due<?"),
        (TaskFilter(states=(State.REVIEW,)), "due", None, "tasks_by_due"),
        (TaskFilter(), "lease", None, "tasks_leases"),
        (_OPEN, "-lease", (0, 5, 5), "tasks_leases (lapsed>?"),
        (TaskFilter(), "holder", ("w", 5), "tasks_held (worker>?"),
        (_OPEN, "-holder", None, "tasks_held"),
        (_OPEN, "attempt", (3, 5), "tasks_tried (attempt>? AND attempt<?"),
        (_READY, "-attempt", None, "tasks_tried"),
        (TaskFilter(), "prio,-number", (50, 5), "tasks_by_priority (priority=? AND number<?)"),
        (TaskFilter(), "-prio,number", None, "tasks_by_priority (priority=?)"),
        (TaskFilter(), "state,-number", (3, 5), "tasks_by_state (state=? AND number<?)"),
        (_OPEN, "-state,prio", None, "tasks_by_priority"),
    ],
)  # fmt: skip
async def test_every_order_of_very_many_is_found_by_an_index(
    deck: Deck, monkeypatch: pytest.MonkeyPatch, wanted: TaskFilter, sort: str, after: Any, index: str
) -> None:
    monkeypatch.setattr(paging, "SORTED_MOST", -1)
    await deck.write(lambda unit: len(create(unit, ROOT, [NewTask("t", "default")])))
    seen: list[tuple[str, Any]] = []
    original = deck.reader.rows

    async def rows(sql: str, values: Any = ()) -> Any:
        seen.append((sql, values))
        return await original(sql, values)

    deck.reader.rows = rows  # type: ignore[method-assign]
    await list_tasks(deck.reader, wanted, sort, USUAL, after, 9)
    (sql, values), *_ = [each for each in seen if "counts" not in each[0] and "RECURSIVE" not in each[0]]
    plan = [row[3] for row in await original(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert any(index in line for line in plan), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan
    assert not any(line.startswith("SCAN") and "USING" not in line for line in plan), plan


_DEAR = Query(parse("state:ready prio>=70"), 0, "me")


@pytest.mark.parametrize(
    ("wanted", "sort", "index"),
    [
        (TaskFilter(query=_DEAR), "prio", "COVERING INDEX tasks_by_state (state=?)"),
        (TaskFilter(query=_DEAR), "-priority", "COVERING INDEX tasks_by_state (state=?)"),
        (TaskFilter(label="l", states=(State.DONE, State.READY)), "-prio", "tasks_by_bucket (bucket=?)"),
        (TaskFilter(parent="K"), "priority", "tasks_children (parent=?)"),
        (TaskFilter(depends_on=5), "number", "dependencies_of (parent=?)"),
        (TaskFilter(run="r"), "prio", "bodies_run (run=?)"),
        (TaskFilter(overdue=True), "priority", "tasks_overdue"),
        (TaskFilter(concerning=("ann", frozenset())), "-priority", "bodies_by_maker (created_by=?)"),
        (TaskFilter(query=Query(parse("key:t7"), 0, "me")), "prio", "sqlite_autoindex_tasks_2 (key=?)"),
        (TaskFilter(worker="w"), "priority", "tasks_held (worker=?)"),
    ],
)  # fmt: skip
async def test_what_is_rare_is_sorted_by_what_leads_to_it(
    deck: Deck, monkeypatch: pytest.MonkeyPatch, wanted: TaskFilter, sort: Sort, index: str
) -> None:
    monkeypatch.setattr(paging, "LOOKED", 0)
    plans = []
    original = deck.reader.rows

    async def rows(sql: str, values: Any = ()) -> Any:
        plans.append([row[3] for row in await original(f"EXPLAIN QUERY PLAN {sql}", values)])
        return await original(sql, values)

    deck.reader.rows = rows  # type: ignore[method-assign]
    await list_tasks(deck.reader, wanted, sort, USUAL, None, 9)
    assert any(index in line for plan in plans for line in plan), plans
    assert not any(line.startswith("SCAN t") for plan in plans for line in plan if "USING" not in line), plans


async def test_texts_are_read_of_no_more_than_the_page_needs(deck: Deck) -> None:
    wishes = [NewTask(f"t{n % 7}", "default", priority=n % 30, labels=frozenset({"l"})) for n in range(300)]
    await deck.write(lambda unit: len(create(unit, ROOT, wishes)))
    seen: list[str] = []
    original = deck.reader.rows

    async def rows(sql: str, values: Any = ()) -> Any:
        seen.append(sql)
        return await original(sql, values)

    deck.reader.rows = rows  # type: ignore[method-assign]
    for sort, falls in (("prio,title", True), ("-prio,-title", False)):
        after, found = None, list[Any]()
        while page := await list_tasks(deck.reader, TaskFilter(label="l"), sort, USUAL, after, 15):
            found += page
            after = way_of(sort).key(page[-1], USUAL)
        keys = [(task.priority, task.title, task.number) for task in found]
        wanted = sorted(keys, key=lambda key: (-key[0], *key[1:])) if falls else sorted(
            keys, key=lambda key: (key[0], [-ord(char) for char in key[1]], -key[2])
        )  # fmt: skip
        assert keys == wanted and len(set(keys)) == 300, sort
    assert sum("MATERIALIZED" in sql for sql in seen) >= 40


async def test_a_state_without_tasks_is_not_looked_through(deck: Deck) -> None:
    wishes = [NewTask(f"t{n}", "default", backlog=n % 2 == 0, labels=frozenset({f"l{n % 4}"})) for n in range(8)]
    await deck.write(lambda unit: len(create(unit, ROOT, wishes)))
    seen: list[str] = []
    original = deck.reader.rows

    async def rows(sql: str, values: Any = ()) -> Any:
        seen.append(sql)
        return await original(sql, values)

    deck.reader.rows = rows  # type: ignore[method-assign]
    assert len(await list_tasks(deck.reader, TaskFilter(), "state,prio", USUAL, None, 50)) == 8
    named = {state for state in State for sql in seen if f"'{state}'" in sql and "FROM counts" not in sql}
    assert named == {State.BACKLOG, State.READY}
    seen.clear()
    (one,) = await list_tasks(deck.reader, TaskFilter(label="l1", project="default"), "-state,prio", USUAL, None, 1)
    assert one.bucket.labels == {"l1"}
    assert not any(f"'{State.BACKLOG}'" in sql for sql in seen if "FROM counts" not in sql), "none of these is there"


async def test_what_buckets_are_asked_for_in_several_ways_is_led_to_by_all_of_them(deck: Deck) -> None:
    wishes = [NewTask(f"t{n}", ("default", "other")[n % 2], labels=frozenset({f"l{n % 3}"})) for n in range(12)]
    await deck.write(lambda unit: create_project(unit, ROOT, "other", "O", {}).name)
    await deck.write(lambda unit: len(create(unit, ROOT, wishes)))
    query = Query(parse("project:other prio=50 label:l1"), 0, "me")
    clauses, values = conditions(TaskFilter(query=query, label="l1"))
    assert sum(clause.startswith("t.bucket IN") for clause in clauses) == 1
    assert sum(clause.count("?") for clause in clauses) == len(values)
    found = await list_tasks(deck.reader, TaskFilter(query=query, label="l1"), "prio,title", USUAL, None, 50)
    assert [task.title for task in found] == ["t1", "t7"]


async def test_a_list_that_none_of_the_states_can_be_in_is_not_looked_for(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "at_most", None)
    monkeypatch.setattr(paging, "_walked", None)
    sorts: list[tuple[Sort, State]] = [("due", State.DONE), ("-lease", State.READY), ("holder", State.REVIEW)]
    for sort, state in sorts:
        assert await list_tasks(deck.reader, TaskFilter(states=(state,)), sort, USUAL, None, 9) == []


async def test_what_may_match_is_counted_by_state_and_bucket(deck: Deck, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = [NewTask(f"t{n}", "default", labels=frozenset({f"l{n % 4}"}), backlog=n % 2 == 0) for n in range(12)]
    await deck.write(lambda unit: len(create(unit, ROOT, wishes)))
    monkeypatch.setattr(paging, "SORTED_MOST", 3)

    async def listed(**narrow: Any) -> int | str:
        try:
            return len(await list_tasks(deck.reader, TaskFilter(**narrow), "title", USUAL, None, 50))
        except Invalid as error:
            return error.stable_code

    assert await listed() == await listed(states=(State.READY,)) == "too_many_to_sort"
    assert await listed(label="l1") == 3
    assert await listed(query=Query(parse("label:l2"), 0, "me")) == 3
    assert await listed(query=Query(parse("label:l2 t6"), 0, "me")) == 1
    assert await listed(query=Query(parse("state:done"), 0, "me")) == 0
    assert await listed(worker="w") == 0
