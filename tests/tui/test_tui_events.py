"""The filter of the event pane: typed, shown, cleared, kept while events come and while history is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from live import client_of, deck_in, screen, seat
from scene import event, scene, task

from taskdeck.domain.event_query import parse
from taskdeck.tui.app import DeckApp
from taskdeck.tui.model.events import EventRing, line_of


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
        await pilot.pause(0.3)
        assert kinds(app) == {"task.lapsed"} and "match · enter keeps" in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "type:lapsed" in text(app) and not app.model.window.filter.terms
        app.model.apply(event(9001, "task.claimed", 0, task(4400), "x"))
        app.model.apply(event(9002, "task.lapsed", 0, task(4400), "x"))
        await pilot.pause(0.3)
        assert kinds(app) == {"task.lapsed"} and app.deck.events.row_count() == 5
        assert app.model.events.end - app.model.events.first == 34, "all of them are kept"
        await pilot.press("slash", *"actor", "colon", *"nobody", "enter")
        await pilot.pause()
        assert "no event here matches type:lapsed actor:nobody" in text(app)
        await pilot.press("slash", *" colour", "colon", "x")
        await pilot.pause(0.3)
        assert "no field “colour”" in text(app)
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
