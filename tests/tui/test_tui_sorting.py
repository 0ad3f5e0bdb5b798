"""Orders and columns of the queue: chosen by key, head, command or view; the same here as on the server."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from live import Seat, client_of, deck_in, screen, seat
from scene import at, claim, scene, task

from taskdeck.client import Client
from taskdeck.domain.order import USUAL as CLAIMS
from taskdeck.exporting import pages
from taskdeck.store import paging
from taskdeck.tui.app import DeckApp
from taskdeck.tui.model.filter import Filter, parse
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.saved import View, Views
from taskdeck.tui.model.sort import FIELDS, USUAL, Sort, parse_sort
from taskdeck.tui.model.window import Window


def shown(app: DeckApp) -> list[TaskRow]:
    return [row for line in range(len(app.model.window)) if (row := app.model.row_at(line))]


def text(app: DeckApp) -> str:
    return "\n".join(screen(app))


@pytest.mark.parametrize("name", FIELDS)
def test_the_other_end_is_the_same_list_turned_round(name: str) -> None:
    rng = random.Random(5)
    words = ["", "a", "A", "ab", "Äb", "b"]
    rows = [
        TaskRow.of(
            task(
                number, rng.choice(["claimed", "ready", "done"]), title=rng.choice(words), priority=rng.randint(0, 3),
                attempt=rng.randint(0, 3), due=at(rng.randint(0, 3)),
                claim=claim(rng.choice("abc"), left=rng.randint(0, 3)),
            )
        )
        for number in range(60)
    ]  # fmt: skip
    there = sorted(rows, key=lambda row: Sort(name).key(row, CLAIMS))
    assert there == sorted(rows, key=lambda row: Sort(name, True).key(row, CLAIMS), reverse=True)
    assert {Sort(name).arrow, Sort(name, True).arrow} == {"▴", "▼"}
    assert parse_sort(Sort(name).text) == Sort(name) and parse_sort(Sort(name, True).text) == Sort(name, True)


def test_orders_are_read_from_words() -> None:
    assert parse_sort("age desc") == Sort("age") and parse_sort("AGE ASC") == Sort("age", True)
    assert parse_sort("priority") == Sort("prio") and parse_sort("usual") == USUAL
    for wrong, told in (
        ("titel", "did you mean title?"),
        ("colour", ":sort lists them"),
        ("age up", "neither asc nor desc"),
    ):
        with pytest.raises(ValueError, match=told.replace("?", r"\?")):
            parse_sort(wrong)


def test_two_orders_are_read_from_words_and_told() -> None:
    both = parse_sort("prio desc age asc")
    assert both == Sort("prio", False, Sort("age", True)) and both.listed == "prio,-number"
    assert both.told == "sort P▼ age▴" and both.text == "prio desc age asc" and parse_sort(both.text) == both
    assert both.reversed() == parse_sort("prio asc, age desc") and both.reversed().listed == "-prio,number"
    assert parse_sort("prio desc age desc") == Sort("prio") and Sort("prio").told == "sort P▼ age▼"
    assert parse_sort("state title") == Sort("state", False, Sort("title")), "each from its usual end"
    for wrong, told in (
        ("age prio", "no two tasks are alike"), ("claim title", "no two tasks are alike"),
        ("prio due", "behind prio stands one of age, title, attempt"), ("prio prio", "behind prio stands one of"),
        ("prio age title", "two orders at most"), ("prio desc weight", "nothing is sorted by “weight”"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=told):
            parse_sort(wrong)


def test_a_field_is_added_to_an_order_and_turned_in_it() -> None:
    def given(*names: str) -> str:
        now = USUAL
        for name in names:
            now = now.with_also(name)
            assert parse_sort(now.text) == now
        return now.worded

    assert given() == "usual" and given("prio") == "prio ▼, then age ▼"
    assert (
        given("prio", "title") == "prio ▼, then title ▴" and given("prio", "title", "title") == "prio ▼, then title ▼"
    )
    assert given("prio", "title", "prio") == "prio ▴, then title ▴", "each is turned by itself"
    assert given("prio", "age") == "prio ▼, then age ▴" and given("prio", "age", "age") == "prio ▼, then age ▼"
    assert given("prio", "prio") == "prio ▴, then age ▼" and given("prio", "title", "age") == "prio ▼, then age ▼"
    assert given("age") == "age ▼" and given("age", "age") == "age ▴" and given("claim", "claim") == "claim ▴"
    assert given("age", "state") == "state ▴, then age ▼", "behind age nothing stands, so it gives way"
    assert given("prio", "title", "") == "usual" and given("") == "usual"
    with pytest.raises(ValueError, match="behind prio stands one of age, title, attempt"):
        given("prio", "due")


async def test_a_second_is_chosen_by_list_and_both_turn() -> None:
    app = scene()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("s", "j", "j", "space")
        await pilot.pause()
        assert "Sort by prio ▼, then age ▼" in text(app) and " 1 prio " in text(app) and " 2 age " in text(app)
        await pilot.press("j", "j", "space", "space")
        await pilot.pause()
        assert "Sort by prio ▼, then title ▼" in text(app) and "of those alike Z to A" in text(app)
        await pilot.press("G", "space")
        await pilot.pause()
        assert "behind prio stands one of" in text(app) and " 2 title " in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert app.model.window.filter.sort == parse_sort("prio desc title desc")
        found = [(-row.priority, [-ord(c) for c in row.title.lower()]) for row in shown(app)]
        assert found == sorted(found)
        await pilot.press("s", "space", "escape")
        await pilot.pause()
        assert app.model.window.filter.sort == parse_sort("prio asc title desc"), "the first is turned alone"
        await pilot.press("s", "enter")
        await pilot.pause()
        assert app.model.window.filter.sort == parse_sort("prio desc title asc"), "both are"


def test_what_has_it_leads_and_the_others_follow_as_usual() -> None:
    rows = [
        TaskRow.of(wire)
        for wire in (
            task(1, due=at(500)), task(2, "claimed", claim=claim("z", left=9)), task(3, "blocked", due=at(20)),
            task(4, "claimed", claim=claim("a", left=None)), task(5, priority=90, attempt=2),
            task(6, "done", due=at(1)),
        )
    ]  # fmt: skip
    wanted = {
        "due": "31245", "-due": "13245", "holder": "42513", "lease": "24513", "attempt": "52413", "claim": "51243",
        "prio": "51234",
    }  # fmt: skip
    for name, order in wanted.items():
        window = Window(Filter(sort=Sort(name.removeprefix("-"), name.startswith("-"))))
        for row in rows:
            window.put(row)
        for segment in window.segments.values():
            segment.complete = True
        found = [entry.task for entry in map(window.at, range(len(window))) if entry and entry.task]
        assert "".join(each[-1] for each in found) == order, name


async def test_an_order_is_chosen_by_list_key_command_and_head() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert "attention, then claim order" in text(app)
        await pilot.press("s")
        await pilot.pause()
        assert "● usual" in text(app) and "the most tried; then the others" in text(app)
        await pilot.press("j", "j", "enter")
        await pilot.pause()
        assert "sort P▼ age▼" in text(app) and "  P▼ " in text(app)
        found = [(-row.priority, row.number) for row in shown(app)]
        assert found == sorted(found) and len({row.state for row in shown(app)}) > 4
        await pilot.press("S")
        await pilot.pause()
        assert "sort P▴ age▴" in text(app) and [(-row.priority, row.number) for row in shown(app)] == found[::-1]
        head = next(line for line in screen(app) if " TITLE" in line)
        await pilot.click("#queue", offset=(head.index("TITLE"), 1))
        await pilot.pause()
        assert "sort title▴ age▼" in text(app) and "TITLE▴" in text(app)
        assert [row.title.lower() for row in shown(app)] == sorted(row.title.lower() for row in shown(app))
        await pilot.press("colon", *"sort", "space", *"age", "space", *"asc", "enter")
        await pilot.pause()
        assert "sort age▴" in text(app) and "AGE▴" in text(app)
        assert shown(app)[0].number == max(row.number for row in shown(app))
        await pilot.press("colon", *"sort", "space", *"weight", "enter")
        await pilot.pause()
        assert "nothing is sorted by “weight”" in text(app) and "sort age▴" in text(app)
        await pilot.press("colon", *"sort", "space", *"usual", "enter", "S")
        await pilot.pause()
        assert "the usual order has no other end" in text(app) and "attention, then claim order" in text(app)


async def test_an_order_outlasts_filters_and_the_escape_from_them() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"sort", "space", *"prio", "enter", "slash", *"state:ready", "enter")
        await pilot.pause()
        assert app.model.window.filter == parse("state:ready", Sort("prio"))
        await pilot.press("escape")
        await pilot.pause()
        assert app.model.window.filter == Filter(sort=Sort("prio"))
        await pilot.press("f2")
        assert app.model.window.filter == parse("state:ready"), "a view has its own order"


async def test_columns_are_chosen_and_fall_with_the_width() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert "HOLDER" in text(app)
        await pilot.press("C")
        await pilot.pause()
        assert "[x] state" in text(app) and "no room now" in text(app) and "[ ] due" in text(app)
        await pilot.press("G", "k", "space", "escape")
        await pilot.pause()
        assert "HOLDER" not in text(app) and app.deck.queue.chosen == frozenset(
            {"state", "project", "labels", "try", "age", "fuse"}
        )
        await pilot.press("colon", *"columns", "space", *"try", "space", *"due", "enter")
        await pilot.pause()
        heads = next(line for line in screen(app) if " TITLE" in line)
        assert "TRY" in heads and "DUE" in heads and not any(name in heads for name in ("PROJECT", "AGE", "HOLDER"))
        await pilot.press("colon", *"columns", "space", *"colour", "enter")
        await pilot.pause()
        assert "no column “colour”" in text(app)
        await pilot.press("C", "j", "j", "j", "j", "j", "space", "j", "j", "j", "space", "escape")
        await pilot.press("colon", *"columns", "space", *"usual", "enter")
        await pilot.pause()
        assert app.deck.queue.chosen is None and "HOLDER" in text(app)
        await pilot.press("colon", *"sort", "space", *"due", "enter")
        await pilot.pause()
        assert "DUE▴" in text(app), "what is sorted by is seen"


async def test_a_view_keeps_filter_order_columns_and_pane(tmp_path: Path) -> None:
    file = tmp_path / "views.json"
    app = scene()
    app._views = file
    async with app.run_test(size=(120, 36)) as pilot:
        app.deck.saved = Views(file)
        await pilot.press("f2", "colon", *"sort", "space", *"title", "space", *"desc", "enter")
        await pilot.press("colon", *"columns", "space", *"age,holder", "enter", "2")
        await pilot.press("colon", *"view", "space", *"save", "space", *"night", "enter")
        await pilot.press("f1", "colon", *"columns", "space", *"usual", "enter")
        await pilot.pause()
        assert app.model.window.filter == Filter() and app.deck.active == 1
        kept = View("night", "state:ready", Sort("title", True), ("age", "holder"), 2)
        assert Views(file).own == [kept]
        await pilot.press("colon", *"view", "space", *"night", "enter")
        await pilot.pause()
        assert app.model.window.filter == parse("state:ready", Sort("title", True))
        assert app.deck.queue.chosen == {"age", "holder"} and app.deck.active == 2
        await pilot.press("f2")
        await pilot.pause()
        assert app.deck.queue.chosen == {"age", "holder"}, "what comes with the deck leaves the columns alone"


def test_a_file_of_before_is_read(tmp_path: Path) -> None:
    file = tmp_path / "views.json"
    file.write_text('{"views": [{"name": "old", "query": "is:stuck"}]}')
    views = Views(file)
    assert views.own == [View("old", "is:stuck")] and not views.fault
    file.write_text('{"views": [{"name": "odd", "query": "", "sort": "colour"}]}')
    assert "nothing is sorted by" in Views(file).fault


@pytest.fixture
async def sitting(tmp_path: Path) -> AsyncIterator[Seat]:
    """Before a deck of more tasks than the dashboard has read when it begins: it asks for the rest in their order."""
    rng = random.Random(3)
    wishes: list[dict[str, Any]] = [
        {"title": f"{rng.choice('abcXYZ')}{n}", "priority": rng.randint(0, 100)} for n in range(450)
    ]
    async with deck_in(tmp_path / "d") as deck:
        async with client_of(deck) as client:
            await client.create_many(wishes)
            for n in range(5):
                await client.claim(f"w{n}")
        async with seat(deck) as found:
            yield found


async def test_pages_come_in_the_chosen_order_without_gaps(sitting: Seat) -> None:
    app = sitting.app
    for typed, key in (
        ("title", lambda row: (row.title.lower(), row.number)), ("prio asc", lambda row: (row.priority, -row.number)),
        ("age desc", lambda row: row.number),
    ):  # fmt: skip
        await sitting.press("colon")
        await sitting.type(f"sort {typed}")
        await sitting.press("enter")
        for _ in range(6):
            await sitting.until(
                lambda: shown(app) and app.model.window.segments.get(deck_sort(sitting)).pages, "a page"
            )
            found = shown(app)
            listed = (await sitting.other.tasks(sort=app.model.window.filter.sort.listed, limit=200))["tasks"]
            whole = min(len(found), len(listed))
            assert [row.key for row in found[:whole]] == [wire["key"] for wire in listed[:whole]]
            assert [row.key for row in found] == [row.key for row in sorted(found, key=key)]
            await sitting.press("G")
            await sitting.pilot.pause(0.05)
        await sitting.until(lambda: app.model.window.known() == (450, True), "all of them")
    made = await sitting.other.create(title="zzz", priority=1)
    await sitting.until(lambda: shown(app)[-1].key == made["key"], "a new task at its place")


def deck_sort(sitting: Seat) -> str:
    return sitting.app.model.window.filter.sort.field


async def test_too_many_to_sort_is_told_and_stands_as_usual(sitting: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "SORTED_MOST", 100)
    await sitting.press("colon")
    await sitting.type("sort title")
    await sitting.press("enter")
    await sitting.sees("too many to sort by title")
    await sitting.sees("attention, then claim order")
    assert sitting.app.model.link.state == "live"
    await sitting.until(lambda: len(shown(sitting.app)) > 100, "the usual order")


async def test_backspace_goes_back_to_what_was_looked_at() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("backspace")
        await pilot.pause()
        assert "nothing was looked at before this" in text(app)
        await pilot.press("f2", "colon", *"sort", "space", *"title", "enter", "3", "slash", *"state:review", "enter")
        await pilot.pause()
        places = [(app.model.window.filter, app.deck.active)]
        for _ in range(4):
            await pilot.press("backspace")
            await pilot.pause()
            places.append((app.model.window.filter, app.deck.active))
        assert places == [
            (parse("state:ready state:review", Sort("title")), 3), (parse("state:ready", Sort("title")), 3),
            (parse("state:ready", Sort("title")), 1), (parse("state:ready"), 1), (Filter(), 1),
        ]  # fmt: skip
        await pilot.press("slash", *"abc", "backspace", "backspace", "escape")
        await pilot.pause(0.3)
        assert app.model.window.filter == Filter(), (
            "what was only tried is no place, and in a line it is a key of the line"
        )


async def test_two_orders_here_and_on_the_server_and_what_follows_them(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        wishes = [{"title": f"{'cab'[n % 3]}{n % 2}", "priority": 40 + n % 3 * 10} for n in range(520)]
        made = [each for at in (0, 260) for each in await client.create_many(wishes[at : at + 260])]
        await client.create(title="given away", priority=10)
        await client.claim("robot", task=made[0]["key"])
        async with seat(deck) as at:
            await at.sees("c0")
            await at.press("colon")
            await at.type("sort prio asc age desc")
            await at.press("enter")
            await at.sees("sort P▴ age▼")
            assert at.shows("P▴ ") and at.shows("AGE▼")
            await at.until(lambda: shown(at.app)[:1] and shown(at.app)[0].title == "given away")
            found = [(row.priority, row.number) for row in shown(at.app)]
            assert found == sorted(found) and len(found) > 100
            await at.press("colon", *"sort", "space", *"prio", "space", *"title", "enter")
            await at.sees("sort P▼ title▴")
            await at.until(lambda: len(shown(at.app)) > 100)
            found = [(-row.priority, row.title, row.number) for row in shown(at.app)]
            assert found == sorted(found)
            await client.create(title="b0", priority=60)
            await at.until(
                lambda: any(row.title == "b0" and row.number > 521 for row in shown(at.app)), "where it belongs"
            )
            found = [(-row.priority, row.title, row.number) for row in shown(at.app)]
            assert found == sorted(found)

            await at.press("asterisk")
            await at.sees("500 tasks marked, and no more can be")
            marked = [(-row.priority, row.title, row.number) for row in at.app.model.marks]
            everything = sorted((-task["priority"], task["title"], task["number"]) for task in await all_of(client))
            assert marked == everything[:500], "those at the head of the list"
            at.deck.outside.export(str(tmp_path / "all.jsonl"))
            await at.sees("522 tasks in")
            written = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
            assert [(-task["priority"], task["title"], task["number"]) for task in written] == everything

            await at.press("colon", *"sort", "space", *"holder", "enter")
            await at.sees("sort holder")
            at.deck.outside.export(str(tmp_path / "held.jsonl"))
            await at.sees("held.jsonl")
            keys = [json.loads(line)["key"] for line in (tmp_path / "held.jsonl").read_text().splitlines()]
            assert keys[0] == made[0]["key"] and len(keys) == len(set(keys)) == 522, "and then the others"


async def all_of(client: Client) -> list[dict[str, Any]]:
    return [task async for page in pages(client) for task in page]
