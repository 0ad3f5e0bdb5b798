"""The connection as it is shown, and what a double press or an unexpected fault may not do."""

from __future__ import annotations

from pathlib import Path

from live import client_of, deck_in, screen, seat, until
from scene import StillClock, scene

from taskdeck.tui.actions import BY_ID
from taskdeck.tui.gate import closed


async def test_a_silent_stream_is_slow_and_closes_the_gate() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        clock = app.model.clock
        assert isinstance(clock, StillClock)
        clock.pass_ms(7_000)
        app.deck.redraw()
        await pilot.pause()
        assert "◐ slow 7s" in screen(app)[0]
        assert "silent" in (closed(BY_ID["claim"], app.model) or "")
        app.model.link.heard(clock.mono)
        assert closed(BY_ID["claim"], app.model) is None


async def test_a_lost_connection_says_why_and_guesses_on() -> None:
    app = scene()
    async with app.run_test(size=(160, 36)) as pilot:
        clock = app.model.clock
        assert isinstance(clock, StillClock)
        clock.pass_ms(3_000)
        app.model.link.down("no deck answers at home", clock.mono + 2_000)
        app.deck.redraw()
        await pilot.pause()
        lines = screen(app)
        assert "RECONNECTING #1" in lines[0] and "no deck answers at home" in lines[0]
        assert "data 3s old" in lines[0] and "next try in 2s" in lines[0]
        assert any("~13s" in line for line in lines), "countdowns go on, marked as a guess"


async def test_a_key_hit_twice_opens_one_dialog() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        app.deck.act("cancel")
        app.deck.act("cancel")
        app.deck.act("override")
        await until(pilot, lambda: len(app.screen_stack) > 1, "a dialog")
        await pilot.pause()
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1 and not app.deck.acting._asking, "the way out")
        app.deck.act("override")
        await until(pilot, lambda: len(app.screen_stack) > 1, "a dialog")
        await pilot.pause()
        assert len(app.screen_stack) == 2


async def test_a_task_beyond_the_window_is_read_when_it_comes_into_view(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many([{"title": f"T{number}"} for number in range(900)])
        async with seat(deck) as at:
            await at.sees("T0")
            assert (await client.task("T800"))["id"] not in at.app.model.rows
            await client.claim("robot", task="T800")
            await at.until(lambda: [row.key for row in at.app.model.leases()] == ["T800"], "its lease")


async def test_looking_back_reads_older_events(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many([{"title": f"T{number}"} for number in range(450)])
        async with seat(deck) as at:
            await at.until(lambda: at.app.model.events.end - at.app.model.events.first >= 200)
            await at.press("4")
            for _ in range(3):
                known = at.app.model.events.first
                await at.press("g", "k")
                await at.until(lambda before=known: at.app.model.events.first < before or at.shows("nothing older"))
            first = at.app.model.events.at(at.app.model.events.first)
            assert first is not None and first.seq == 1
            await at.press("f")
            await at.until(lambda: at.deck.events.following)
