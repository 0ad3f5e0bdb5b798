"""The filter of the event pane: typed, shown, cleared, kept while events come and while history is read."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from live import at_rest, client_of, deck_in, screen, seat, until
from scene import event, scene, task

from taskdeck.domain.event_query import parse
from taskdeck.tui.app import DeckApp
from taskdeck.tui.model.bulk import Bulk, Folded, Part
from taskdeck.tui.model.events import EventLine, EventRing, line_of


def text(app: DeckApp) -> str:
    return "\n".join(screen(app))


def kinds(app: DeckApp) -> set[str]:
    return {line.type for line in app.model.events.view}


def test_what_is_looked_at_follows_all_that_happens_to_the_events() -> None:
    ring = EventRing(10)
    lines = [line_of(event(seq, "task.claimed" if seq % 2 else "task.lapsed", 0, task(1), "a")) for seq in range(30)]
    for line in lines[10:16]:
        ring.add(line)
    ring.choose(parse("type:claimed"))

    def seen() -> list[int]:
        return [line.seq for line in ring.view]

    assert seen() == [11, 13, 15] and ring.view is not ring
    ring.add(lines[16])
    ring.add(lines[17])
    assert ring.prepend(lines[8:10]) == 2 and seen() == [9, 11, 13, 15, 17]
    ring.cut(14)
    assert seen() == [9, 11, 13] and [line.seq for line in ring] == list(range(8, 15))
    ring.clear()
    assert seen() == []
    ring.choose(parse(""))
    assert ring.view is ring


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_events_are_filtered_where_they_have_the_keys(size: tuple[int, int]) -> None:
    app = scene()
    async with app.run_test(size=size) as pilot:
        await pilot.press("4", "slash", *"type", "colon", *"lap", "tab")
        await until(pilot, lambda: kinds(app) == {"task.lapsed"}, "the filter, tried")
        await at_rest(pilot)
        assert kinds(app) == {"task.lapsed"} and "match · enter keeps" in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "type:lapsed" in text(app) and not app.model.window.filter.terms
        app.model.apply(event(9001, "task.claimed", 0, task(4400), "x"))
        app.model.apply(event(9002, "task.lapsed", 0, task(4400), "x"))
        await at_rest(pilot)
        assert kinds(app) == {"task.lapsed"} and app.deck.events.row_count() == 5
        assert app.model.events.end - app.model.events.first == 34, "all of them are kept"
        await pilot.press("slash", *"actor", "colon", *"nobody", "enter")
        await pilot.pause()
        assert "no event here matches type:lapsed actor:nobody" in text(app)
        await pilot.press("slash", *" colour", "colon", "x")
        await until(pilot, lambda: "no field “colour”" in text(app), "the fault")
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert not app.model.events.query.terms and app.deck.events.row_count() == 34
        await pilot.press("1", "colon", *"events", "space", *"W4434", "enter")
        await pilot.pause()
        assert kinds(app) == {"task.overridden"}
        await pilot.press("colon", *"events", "enter")
        assert not app.model.events.query.terms


async def test_history_is_read_through_the_filter(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        for first in (0, 300):
            await client.create_many([{"title": f"T{first + number}"} for number in range(300)])
            await client.claim(f"robot-{first}")
        async with seat(deck) as at:
            await at.until(lambda: at.app.model.events.end - at.app.model.events.first >= 200)
            await at.press("4", "slash")
            await at.type("type:claimed")
            await at.press("enter")
            await at.until(lambda: [line.worker for line in at.app.model.events.view] == ["robot-300"])
            await at.press("g", "k")
            await at.until(lambda: [line.worker for line in at.app.model.events.view] == ["robot-0", "robot-300"])
            await at.press("g", "k")
            await at.sees("nothing older is kept here")
            await at.press("escape", "escape")
            await at.until(lambda: not at.app.model.events.query.terms)
            known = [line.seq for line in at.app.model.events.view]
            assert known == list(range(known[0], known[-1] + 1)), "without it no event is missing between"


def told(seq: int, act: str = "", number: int = 0, **facts: Any) -> EventLine:
    wire = event(seq, "task.reprioritized", 0, task(number or seq), "ops-maria", **{"from": 50, "to": 80, **facts})
    return line_of({**wire, "act": act} if act else wire)


def shown(folded: Folded) -> list[str]:
    signs = {EventLine: "{.seq}", Bulk: "[{.told.subject}]", Part: "-{0[0].seq}"}
    return [signs[type(row)].format(row) for row in folded.rows]


def test_the_events_of_one_act_are_one_row_which_opens() -> None:
    ring, folded = EventRing(10), Folded()
    for line in (told(1), told(2, "a"), told(3), told(4, "a"), told(5, "b")):
        ring.add(line)
        folded.follow(ring)
    assert shown(folded) == ["1", "[2 tasks]", "3", "5"], "an act on one task is an event like any other"
    whole = folded.rows[1]
    assert isinstance(whole, Bulk) and whole.told.parts == ("50 → 80",), "what all have in common"
    folded.turn(whole.mark)
    assert folded.follow(ring) and shown(folded) == ["1", "[2 tasks]", "-2", "-4", "3", "5"]
    ring.add(told(6, "a"))
    assert folded.follow(ring) and shown(folded) == ["1", "[3 tasks]", "-2", "-4", "-6", "3", "5"]
    assert folded.find(folded.rows[3]) == 3 and folded.find(folded.rows[6]) == 6
    part = folded.rows[3]
    assert folded.fold() and not folded.fold()
    folded.follow(ring)
    assert shown(folded) == ["1", "[3 tasks]", "3", "5"] and folded.find(part) == 1, "a folded event is in its act"


def test_rows_that_follow_are_those_of_a_fresh_look() -> None:
    rng, ring, folded = random.Random(7), EventRing(40), Folded()
    acts, first = [""], 0
    for seq in range(1, 600):
        if seq % 50 == 0:  # times of many acts, times of none
            acts = rng.choice(([""], [""] * 30 + ["a"], ["", "b", "c", f"d{seq}"]))
        ring.add(told(seq, rng.choice(acts)))
        if rng.random() < 0.3:
            moved = folded.follow(ring)
            fresh = Folded()
            fresh.follow(ring)
            one, two = ([row.lines if isinstance(row, Bulk) else row for row in each.rows] for each in (folded, fresh))
            assert one == two and folded._places == fresh._places
            assert moved or ring.first == first, "where events went at the front, all rows stand elsewhere"
            first = ring.first


def test_how_fast_events_come_is_told_of_more_than_are_kept_too() -> None:
    ring = EventRing(100)
    assert ring.a_second(0) == 0

    def come(number: int, every_ms: int) -> int:
        start, seq = (ring.at(ring.end - 1) or told(0)).at_ms, ring.end
        for at in range(1, number + 1):
            ring.add(told(seq + at)._replace(at_ms=start + at * every_ms))
        return start + number * every_ms

    assert ring.a_second(come(50, 1_000)) == pytest.approx(1.1), "the last ten seconds, both ends with them"
    assert ring.a_second(come(500, 10)) == pytest.approx(100, rel=0.05), "one second is all that is kept"


def test_an_act_that_reaches_beyond_what_is_known_says_so_until_that_is_read() -> None:
    ring, folded = EventRing(10), Folded()
    for line in (told(5, "a"), told(6, "a"), told(7)):
        ring.add(line)
    folded.follow(ring)
    assert shown(folded) == ["[2+ tasks]", "7"]
    ring.prepend([told(2), told(3, "a"), told(4)])
    assert folded.follow(ring) and shown(folded) == ["2", "[3 tasks]", "4", "7"]
    ring.cut(4)
    assert folded.follow(ring) and shown(folded) == ["2", "3", "4"]


def test_where_the_facts_of_an_act_differ_some_are_named() -> None:
    lines = [told(seq, "a", **{"from": seq, "to": seq + 10}) for seq in (10, 20, 30, 40)]
    assert Bulk(tuple(lines)).told.text == "10 → 20, 20 → 30, 30 → 40 …"
    lines = [told(seq, "a", **{"from": seq, "to": 80}) for seq in (30, 100, 20)]
    assert Bulk(tuple(lines)).told.text == "20…100 → 80"


async def test_a_bulk_act_is_one_line_here_in_history_and_in_the_past(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many([{"title": f"T{number}"} for number in range(4)])
        async with seat(deck) as at:
            await at.sees("T3")
            await at.press("space", "space", "space", "colon", *"prio", "space", *"80", "enter")
            await at.sees("↕ priority     3 tasks")
            await at.sees("▸ 50 → 80 · u takes it back")
            assert not at.shows("↕ priority          T1")
            await at.press("4", "enter")
            await at.sees("▾ 50 → 80")
            assert at.shows("↕ priority          T1") and at.shows("↕ priority          T3")
            assert not at.deck.events.following, "what is looked into does not run away"
            await at.press("j", "j", "enter")
            await at.until(lambda: at.deck.active == 5 and at.deck.detail.row and at.deck.detail.row.key == "T2")
            await at.press("escape", "escape", "escape")  # the message, the task, what is open
            await at.until(lambda: not at.shows("▾ 50 → 80"))
            await at.press("slash")
            await at.type("type:reprioritized")
            await at.press("enter")
            await at.until(lambda: at.deck.events.row_count() == 1, "one row")
            assert at.shows("3 match") and at.shows("↕ priority     3 tasks")
            await at.press("escape", "u")
            await at.until(lambda: at.app.model.rows and all(row.priority == 50 for row in at.app.model.rows.values()))
            await at.until(lambda: at.deck.events.row_count() < len(at.app.model.events) - 3)
            assert at.shows("▸ 80 → 50") and not at.shows("takes it back · "), "taking back is one act too"
            await at.press("left_square_bracket")
            await at.until(lambda: at.deck.model.past is not None, "the past")
            await at.sees("▸ 50 → 80")
            assert not at.shows("u takes it back") and at.shows("↕ priority     3 tasks")
