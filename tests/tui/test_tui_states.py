"""The states in which the dashboard may find itself, and what it says of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from live import client_of, deck_in, screen, seat
from scene import NOW, SceneClient, StillClock, fill, scene, stats, tasks, worker, workers
from textual.pilot import Pilot

from taskdeck.client import ApiError
from taskdeck.domain.clock import rfc3339
from taskdeck.tui.app import DeckApp
from taskdeck.tui.operate import told
from taskdeck.tui.themes import STATE_GLYPHS
from taskdeck.tui.widgets.line_widget import LineWidget


async def lines(app: DeckApp, pilot: Pilot[int]) -> list[str]:
    app.deck.redraw()
    await pilot.pause()
    return screen(app)


@pytest.mark.parametrize(("by_ms", "told"), [(1_500, ""), (3_000, "3s behind"), (-61_000, "1m01s ahead")])
async def test_a_clock_that_is_wrong_is_told(by_ms: int, told: str) -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        app.model.set_stats({**stats(), "now": rfc3339(NOW + by_ms)})
        first = (await lines(app, pilot))[0]
        assert (f"this clock is {told}" in first) is bool(told) and ("this clock" in first) is bool(told)


async def test_how_quickly_the_deck_answers_is_shown_where_there_is_room() -> None:
    app = scene()
    async with app.run_test(size=(200, 50)) as pilot:
        for answer in [*[4] * 96, 70, 80, 90, 99]:
            app.model.set_stats(stats(), answer)
        assert "api p95 80ms" in (await lines(app, pilot))[2], "of the last sixty answers"


async def test_a_paused_project_hatches_its_share_of_the_tape() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        assert "╱" not in (await lines(app, pilot))[1]
        paused = {"name": "web", "paused": {"by": "maria", "at": rfc3339(NOW)}, "counts": {"ready": 642}}
        app.model.set_projects([paused, {"name": "ops", "paused": None, "counts": {"ready": 642}}])
        drawn = await lines(app, pilot)
        piece = app.deck.vitals.pieces(120)[0]
        assert abs(drawn[1].count("╱") - piece.width / 2) <= 1 or drawn[1].count("╱") == piece.width - len(piece.text)
        assert f"{STATE_GLYPHS['ready']} ready 1,284" in drawn[1] and "❚❚ web paused" in drawn[0]


async def test_the_return_from_a_break_is_told_in_one_line(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client, seat(deck) as at:
        await client.create(title="Before")
        await at.sees("Before")
        at.app.model.link.down("cut", 0)
        await client.create_many([{"title": f"Meanwhile {number}"} for number in range(3)])
        at.app.feed._again.set()
        await at.sees("connected again after")
        assert at.shows("events meanwhile") or at.shows("event meanwhile")
        at.app.model.link.down("cut", 0)
        at.app.feed.resync()
        await at.sees("all was loaded anew")


def test_a_fault_of_the_server_names_the_request() -> None:
    problem = {"code": "storage_full", "detail": "the disk is full", "hint": "make room", "request_id": "abc-7"}
    assert told(ApiError(507, problem)) == "the disk is full · make room (storage_full, request abc-7)"
    assert told(ApiError(409, problem)) == "the disk is full · make room (storage_full)"


async def test_a_failure_stays_and_can_be_read_whole() -> None:
    app = scene()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.deck.tell("the database is locked by another process, for longer than it waits · look who has it open · "
                      "then try again (store_busy, request 1-2)", "failed")  # fmt: skip
        last = (await lines(app, pilot))[-1]
        assert "✗ the database is locked" in last and "w all  esc read" in last
        await pilot.press("w")
        text = "\n".join(await lines(app, pilot))
        assert "What went wrong" in text and "(store_busy, request 1-2)" in text and "look who has it open" in text
        await pilot.press("y", "escape", "escape")
        assert "✗" not in (await lines(app, pilot))[-1]
        await pilot.press("w")
        assert app.deck.active == 5, "why, again"


async def test_a_new_deck_says_what_was_made_and_never_again() -> None:
    def app_of(made: Path | None) -> DeckApp:
        app = DeckApp(
            SceneClient(tasks()),
            address="http://127.0.0.1:7337",
            clock=StillClock(),
            live=False,
            serving=True,
            made=made,
        )
        fill(app.model, [], counts={})
        return app

    app = app_of(Path("/data/deck"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = "\n".join(screen(app))
        for part in ("/data/deck/deck.db", "/data/deck/admin.token", "http://127.0.0.1:7337", "lists every key"):
            assert part in text
        await pilot.press("n")
        await pilot.pause()
        assert len(app.screen_stack) == 1, "the first key closes it, and does nothing else"
    async with app_of(None).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 1


async def test_nothing_of_a_break_is_told_twice() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        told: list[Any] = []
        app.deck.tell = lambda text, tone="done": told.append(text)  # type: ignore[method-assign]
        app.model.link.back = "connected again after 3s · 0 events meanwhile"
        clock = app.model.clock
        assert isinstance(clock, StillClock)
        for _ in range(3):
            clock.pass_ms(1_000)
            app.deck.frame.tick()
        await pilot.pause()
        assert told == ["connected again after 3s · 0 events meanwhile"]


async def test_all_is_drawn_anew_when_the_terminal_was_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        asked: set[str | None] = set()
        usual = LineWidget.refresh

        def refresh(widget: LineWidget, *regions: Any, **how: Any) -> Any:
            asked.add(widget.id)
            return usual(widget, *regions, **how)

        monkeypatch.setattr(LineWidget, "refresh", refresh)
        app.app_resume_signal.publish(app)
        await pilot.pause()
        assert asked >= {"vitals", "queue", "leases", "workers", "events", "hints"}


async def test_a_task_in_full_names_its_parts_and_a_click_goes_there() -> None:
    app = scene()
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("j", "enter", "z")
        while app.deck.detail.dossier is None:
            await pilot.pause(0.05)
        title = (await lines(app, pilot))[3]
        assert "5 Task  W4417  overview  description  why  history  comments" in title
        await pilot.click("#detail", offset=(title.index("comments") + 2, 0))
        top = (await lines(app, pilot))[4:]
        assert any("Tenant 7 has a copy" in line for line in top)
        title = (await lines(app, pilot))[3]
        await pilot.click("#detail", offset=(title.index("overview") + 2, 0))
        assert app.deck.detail.top == 0
        await pilot.click("#detail", offset=(title.index("W4417"), 0))
        await pilot.click("#detail", offset=(118, 0))
        assert app.deck.detail.top == 0


async def test_an_act_in_a_frozen_view_is_done_on_the_task_as_it_is(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client, seat(deck) as at:
        made = await client.create(title="Wanted")
        await at.choose(made["key"])
        await at.press("p")
        await client.claim("render-02", task=made["key"])
        await at.until(lambda: at.app.model.stirred)
        assert at.deck.current() is not None and at.deck.current().state == "ready", "the view rests"
        await at.press("c")
        await at.sees("is held by render-02")
        row = at.app.model.rows[made["id"]]
        assert row.state == "claimed" and at.app.model.frozen
        await at.press("o")
        await at.asked()
        assert "render-02" in "\n".join(screen(at.app))
        await at.press("escape", "p")


async def test_workers_long_gone_are_folded_into_one_line() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        gone = [worker(f"old-{number}", -7200, held=0, state="idle") for number in range(12)]
        app.model.set_workers([*workers(), *gone])
        drawn = await lines(app, pilot)
        assert any("+12 gone" in line for line in drawn) and not any("old-1" in line for line in drawn)
