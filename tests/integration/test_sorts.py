"""Lists in every order: the same tasks from either end, page by page, each order found by an index or limited."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from support.api import Api
from support.clock import FakeClock
from support.people import ROOT

from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.domain.order import USUAL
from taskdeck.domain.query import parse
from taskdeck.domain.sorts import SORTS, Sort
from taskdeck.domain.states import State
from taskdeck.service.create import create
from taskdeck.service.deck import Deck
from taskdeck.service.requests import NewTask
from taskdeck.store import listing
from taskdeck.store.listing import TaskFilter, list_tasks
from taskdeck.store.query import Query

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
    "priority": lambda task: (USUAL.rank(task["priority"], from_rfc3339(task["queued_at"])), task["number"]),
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


@pytest.mark.parametrize("walked", [False, True], ids=["few", "many"])
async def test_every_order_from_either_end(
    api: Api, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, walked: bool
) -> None:
    await _fill(api, clock)
    everything = await _pages(api, "/v1/tasks?sort=number&limit=200&view=summary")
    assert {task["state"] for task in everything} == set(LIFE) - {"review"}
    if walked:
        monkeypatch.setattr(listing, "SORTED_MOST", 3)
    narrowed = {
        "": lambda task: True,
        "state=ready,claimed,done": lambda task: task["state"] in ("ready", "claimed", "done"),
        f"q={quote('label:even -state:ready')}": lambda task: task["labels"] and task["state"] != "ready",
    }
    for sort in SORTS:
        name = sort.removeprefix("-")
        for query, admits in narrowed.items():
            path = f"/v1/tasks?sort={quote(sort)}&limit=7&view=summary&{query}"
            if walked and name == "title":
                assert (await api.call("GET", path)).code == "too_many_to_sort"
                continue
            wanted = [task for task in everything if admits(task) and LISTED.get(name, lambda task: True)(task)]
            assert wanted, (sort, query)
            wanted.sort(key=KEYS[name], reverse=sort != name)
            assert [task["key"] for task in await _pages(api, path)] == [task["key"] for task in wanted], (sort, query)


async def test_a_cursor_of_text_is_looked_at(api: Api) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 3})
    cursor = (await api.get("/v1/tasks?limit=1&sort=title"))["next_cursor"]
    assert len((await api.get(f"/v1/tasks?sort=title&cursor={cursor}"))["tasks"]) == 2
    for other in ("-title", "holder", "prio"):
        assert (await api.call("GET", f"/v1/tasks?sort={other}&cursor={cursor}")).code == "invalid_request"


_READY = TaskFilter(states=(State.READY,))
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
        (_READY, "-priority", (5, 5), "tasks_claimable (<expr><?"),
        (TaskFilter(), "-due", (5, 5), "tasks_by_due (due>? AND due<?"),
        (_OPEN, "due", None, "tasks_by_due"),
        (_READY, "-due", (5, 5), "tasks_by_due (due>? AND due<?"),
        (TaskFilter(states=(State.DONE,)), "due", None, "tasks_by_due"),
        (TaskFilter(), "lease", None, "tasks_leases"),
        (_OPEN, "-lease", (0, 5, 5), "tasks_leases (lapsed>?"),
        (TaskFilter(), "holder", ("w", 5), "tasks_held (worker>?"),
        (_OPEN, "-holder", None, "tasks_held"),
        (_OPEN, "attempt", (3, 5), "tasks_tried (attempt>? AND attempt<?"),
        (_READY, "-attempt", None, "tasks_tried"),
    ],
)  # fmt: skip
async def test_every_order_of_very_many_is_found_by_an_index(
    deck: Deck, monkeypatch: pytest.MonkeyPatch, wanted: TaskFilter, sort: Sort, after: Any, index: str
) -> None:
    monkeypatch.setattr(listing, "SORTED_MOST", -1)
    seen: list[tuple[str, Any]] = []
    original = deck.reader.rows

    async def rows(sql: str, values: Any = ()) -> Any:
        seen.append((sql, values))
        return await original(sql, values)

    deck.reader.rows = rows  # type: ignore[method-assign]
    await list_tasks(deck.reader, wanted, sort, USUAL, after, 9)
    (sql, values), *_ = [each for each in seen if "counts" not in each[0]]
    plan = [row[3] for row in await original(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert any(index in line for line in plan), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan
    assert not any(line.startswith("SCAN") and "USING" not in line for line in plan), plan


async def test_what_may_match_is_counted_by_state_and_bucket(deck: Deck, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = [NewTask(f"t{n}", "default", labels=frozenset({f"l{n % 4}"}), backlog=n % 2 == 0) for n in range(12)]
    await deck.write(lambda unit: len(create(unit, ROOT, wishes)))
    monkeypatch.setattr(listing, "SORTED_MOST", 3)

    async def listed(**narrow: Any) -> int | str:
        try:
            return len(await list_tasks(deck.reader, TaskFilter(**narrow), "title", USUAL, None, 50))
        except listing.Invalid as error:
            return error.stable_code

    assert await listed() == await listed(states=(State.READY,)) == "too_many_to_sort"
    assert await listed(label="l1") == 3
    assert await listed(query=Query(parse("label:l2"), 0, "me")) == 3
    assert await listed(query=Query(parse("label:l2 t6"), 0, "me")) == 1
    assert await listed(query=Query(parse("state:done"), 0, "me")) == 0
    assert await listed(worker="w") == 0
