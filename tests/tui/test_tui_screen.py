"""What stands on the screen, as text: columns, sizes, hostile titles, and a cursor that stays where it belongs."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from typing import Any

import pytest
from live import at_rest, screen, until
from rich.cells import cell_len
from scene import StillClock, claim, scene, task, tasks, worker
from textual.widgets import Input

from taskdeck.tui.app import DeckApp
from taskdeck.tui.dialogs.base import FormDialog, Values
from taskdeck.tui.screens.frame import LINES_AT_ONCE
from taskdeck.tui.screens.layout import layout
from taskdeck.tui.widgets.line_widget import ALL
from taskdeck.tui.widgets.queue_columns import TITLE_LEAST, columns

HOSTILE = [
    "[red]markup[/red] [@click=app.quit]x[/] [/]", "\x1b[31mred\x1b]0;title\x07\x9b2J", "\u202eright to left\u2066",
    "שלום עולם", "日本語のタイトル漢字かな交じり文", "🎉🚀 ❤️ ⌛ 👩‍👩‍👧", "x" * 10_000,
    "z\u0335\u0337\u0322\u031b\u0318\u0317\u0331\u035a\u031d" * 9,
    "tab\tnew\nline\rreturn", "\u200b\ufeff\u00adzero", "﷽﷽", "ﾊﾝｶｸ", "\ud800lone", "\x7f\x00",
]  # fmt: skip


def hostile() -> DeckApp:
    wire: list[dict[str, Any]] = []
    for at, title in enumerate(HOSTILE):
        project = title[:20] or "p"
        wire.append(
            task(10 + at, title=title, key=f"K{at}日" if at % 3 else f"W{at}", project=project, labels=[title[:9]])
        )
    wire[1].update(state="claimed", claim=claim("a [b]\x1b[31m\u202e", left=100, detail=HOSTILE[1]))
    wire[2].update(state="failed", error={"message": HOSTILE[0] + HOSTILE[1], "reason": "failed"})
    return scene(wire, counts={"ready": 12, "claimed": 1, "failed": 1})


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50), (60, 16)])
async def test_hostile_titles_are_harmless_and_keep_the_columns(size: tuple[int, int]) -> None:
    app = hostile()
    async with app.run_test(size=size) as pilot:
        for pane in "1253":
            await pilot.press(pane)
            for _ in range(len(HOSTILE) // 4):
                await pilot.press("j", "j", "j", "j")
                for line in screen(app):
                    assert cell_len(line) == size[0], line
                    assert not any(
                        ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066\u200b" for char in line
                    )
        assert app.is_running


async def test_hostile_titles_are_harmless_in_dialogs() -> None:
    app = hostile()
    async with app.run_test(size=(120, 36)) as pilot:
        for row, keys in zip(list(app.model.rows.values()), ("oX", "Xa", "R", "a=", "=X"), strict=False):
            app.deck.queue.select(row.id)
            for key in keys.replace("=", "\N{EQUALS SIGN}"):
                await pilot.press(key)
                await pilot.pause()
                assert all("\x1b" not in line for line in screen(app))
                await pilot.press("escape")
                await pilot.pause()
        assert app.is_running


@pytest.mark.parametrize("width", range(10, 260, 7))
def test_columns_fill_the_width_and_leave_room_for_the_title(width: int) -> None:
    cols = columns(width, 6)
    used = 3 + 5 + 1 + cols.key + 1 + cols.title + cols.state + cols.project + cols.labels
    used += cols.attempt + cols.age + cols.holder + cols.bar + cols.left
    if width >= 46:
        assert used == width and cols.title >= TITLE_LEAST
    if width < 60:
        assert not cols.labels and not cols.project and not cols.state


@pytest.mark.parametrize("width", [1, 20, 80, 109, 110, 159, 160, 250])
@pytest.mark.parametrize("height", [1, 5, 15, 16, 29, 36, 70])
@pytest.mark.parametrize("active", [1, 2, 3, 4, 5])
def test_every_layout_shows_the_active_pane(width: int, height: int, active: int) -> None:
    for zoomed in (False, True):
        plan = layout(width, height, active, zoomed, active == 5)
        name = {1: "queue", 2: "leases", 3: "workers", 4: "events", 5: "detail"}[active]
        if width >= 110 and active in (2, 3) and not zoomed and height >= 16:
            assert name in plan.shown or width < 160
        else:
            assert name in plan.shown


async def test_the_cursor_stays_on_its_task_through_a_thousand_changes() -> None:
    rng = random.Random(5)
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("j", "j", "j", "j")
        chosen = app.deck.queue.task_id
        rows = list(app.model.rows.values())
        for seq in range(1000):
            row = rng.choice(rows)
            if row.id == chosen:
                wire = task(row.number, "ready", title=row.title, priority=rng.randint(0, 100), version=seq + 2)
            else:
                state = rng.choice(["ready", "blocked", "review", "done", "failed"])
                wire = task(row.number, state, title=row.title, priority=rng.randint(0, 100), version=seq + 2)
            app.model.learn(wire)
            if seq % 50 == 0:
                app.deck.redraw()
                assert app.deck.queue.task_id == chosen
        await pilot.pause()
        current = app.deck.queue.current
        assert current is not None and current.id == chosen
        assert any(line.startswith("▌") and current.key in line for line in screen(app))


async def test_a_frame_without_change_draws_nothing() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        deck = app.deck
        assert [
            widget.sync()
            for widget in (deck.vitals, deck.queue, deck.leases, deck.worker_list, deck.events, deck.hints)
        ] == [0] * 6
        clock = app.model.clock
        assert isinstance(clock, StillClock)
        clock.pass_ms(1000)
        assert deck.leases.sync() == 10, "only the leases, whose time changes; the title stands"
        assert deck.events.sync() <= 1


async def test_a_large_change_is_drawn_in_bites_until_nothing_is_left() -> None:
    app = scene()
    async with app.run_test(size=(200, 50)) as pilot:
        await at_rest(pilot)
        bites: list[int] = []
        for widget in (app.deck.vitals, app.deck.hints, *app.deck.panes.values()):

            def counted(most: int = ALL, sync: Callable[[int], int] = widget.sync) -> int:
                bites[-1] += (drawn := sync(most))
                return drawn

            widget.sync = counted  # type: ignore[method-assign]
        draw = app.deck.frame._draw

        def bite(most: int) -> None:
            bites.append(0)
            draw(most)

        app.deck.frame._draw = bite  # type: ignore[method-assign]
        for wire in tasks():
            app.model.learn({**wire, "title": f"Anew {wire['number']}", "version": 2})
        app.deck.frame.tick()
        await until(pilot, lambda: not app.deck.frame._undrawn, "all of it")
        assert sum(bites) > LINES_AT_ONCE, "more than fits into one bite"
        assert max(bites) <= LINES_AT_ONCE
        assert not app.deck.frame._undrawn
        drawn = screen(app)
        app.deck.redraw()
        assert screen(app) == drawn, "a look at everything finds nothing left"
        assert sum("Anew" in line for line in drawn) >= 30


async def test_lines_that_are_drawn_over_leave_no_circles_to_search_for() -> None:
    app = scene()
    async with app.run_test(size=(200, 50)) as pilot:
        await at_rest(pilot)
        gc.collect()
        for version in range(2, 12):
            for wire in tasks():
                app.model.learn({**wire, "title": f"{version} {wire['number']}", "version": version})
            app.deck.redraw()
            app.screen._compositor.render_strips()
        assert gc.collect() < 200, "ten screens of lines were let go of"


@pytest.mark.parametrize(
    ("before", "at_once", "values"),
    [
        ((), ("right", "enter"), {"sure": "yes", "children": "no", "reason": ""}),
        (("right", "tab", "tab"), (*"gone", "enter"), {"sure": "yes", "children": "no", "reason": "gone"}),
    ],
)
async def test_enter_does_not_overtake_what_was_typed_before_it(
    before: tuple[str, ...], at_once: tuple[str, ...], values: Values
) -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("X")
        await pilot.pause()
        await pilot.press(*before)
        dialog = app.screen
        assert isinstance(dialog, FormDialog)
        found: list[Values | None] = []
        dialog.dismiss = found.append  # type: ignore[method-assign, assignment]
        for key in at_once:
            app.simulate_key(key)
        await pilot.pause()
        assert found == [values]


@pytest.mark.parametrize(
    ("opens", "at_once", "values"),
    [
        ("equals_sign", ("backspace", "backspace", "8", "0", "enter"), {"priority": "80"}),
        ("n", (*"ab", "left", "x", "tab", *"web", "backspace", "shift+tab", "end", "y", "enter"),
         {"title": "axby", "project": "docswe"}),
        ("X", ("right", "tab", "tab", *"gone", "home", "a", "enter"), {"sure": "yes", "reason": "agone"}),
    ],
)  # fmt: skip
async def test_keys_hit_in_one_go_take_effect_in_their_order(
    opens: str, at_once: tuple[str, ...], values: Values
) -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(opens)
        await pilot.pause()
        dialog = app.screen
        assert isinstance(dialog, FormDialog)
        found: list[Values | None] = []
        dialog.dismiss = found.append  # type: ignore[method-assign, assignment]
        for key in at_once:
            app.simulate_key(key)
        await pilot.pause()
        assert found and found[0] and {name: found[0].get(name) for name in values} == values, found


async def test_what_is_typed_in_one_go_is_found_and_completed() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        for key in ("ctrl+p", *"freeze", "enter"):
            app.simulate_key(key)
        await pilot.pause()
        if len(app.screen_stack) > 1:  # the enter was there before the list
            assert app.screen.query_one(Input).value == "freeze"
            await pilot.press("enter")
        await pilot.pause()
        assert app.model.frozen and not app.model.marks
        for key in ("slash", *"sta", "tab", *"ready", "left", "backspace"):
            app.simulate_key(key)
        await pilot.pause()
        assert app.deck.prompt.query_one(Input).value == "state:reay"


async def test_a_line_that_is_open_has_the_keys_and_one_without_them_closes() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"export", "enter")
        await pilot.pause()
        await pilot.press("x")
        assert app.deck.prompt.query_one(Input).value == "export x", "the command asks for its file"
        await pilot.press("escape")
        for key in ("2", "slash", "w"):
            app.simulate_key(key)
        await pilot.pause()
        assert app.deck.prompt.query_one(Input).value == "w"
        await pilot.click("#queue", offset=(10, 5))
        await pilot.pause()
        assert not app.deck.prompt.display
        await pilot.press("2")
        assert app.deck.active == 2


async def test_events_pause_when_looked_back_at_and_follow_again() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("4", "k", "k")
        assert "paused · 0 new" in "\n".join(screen(app))
        await pilot.press("G")
        await pilot.pause()
        assert app.deck.events.following
        assert "following" in "\n".join(screen(app))


async def test_a_side_pane_shows_its_top_and_finds_its_cursor_again() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2", *["j"] * 15)
        chosen = app.deck.leases.task_id
        assert app.deck.leases.top > 0
        await pilot.press("3", "j", "j")
        worker = app.deck.worker_list.worker_id
        await pilot.pause()
        assert app.deck.leases.top == 0
        await pilot.press("2")
        await pilot.pause()
        current = app.deck.current()
        assert current is not None and current.id == chosen
        await pilot.press("3")
        await pilot.pause()
        assert app.deck.worker_list.current is not None and app.deck.worker_list.current.id == worker


async def test_who_came_by_a_dialect_is_told_apart_and_a_failing_store_is_told_at_the_top() -> None:
    wire = [
        task(1, "claimed", claim=claim("robot", left=100, via="stride")),
        task(2, "claimed", claim=claim("b", left=9)),
    ]
    app = scene(wire, counts={"claimed": 2})
    app.model.set_workers([{**worker("robot", -1), "via": "stride"}, worker("b", -1)])
    app.model.stats = {**app.model.stats, "breaker": {"state": "open", "faults": 5, "retry_after_seconds": 4.0}}
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("2", "j")
        await pilot.pause()
        lines = screen(app)
        assert "STORE FAILS · writes refused · tried again in 4s" in lines[0]
        assert any("robot" in line and "stride" in line and "1m40s" in line for line in lines), "in the leases"
        assert any("● robot" in line and "stride" in line for line in lines), "among the workers"
        assert any("by        stride  dialect" in line for line in lines), "and in the task"


async def test_a_worker_is_called_by_its_label_wherever_it_stands() -> None:
    name = "01900000-0000-7000-8000-000000000001"
    app = scene([task(1, "claimed", claim=claim(name, left=100))], counts={"claimed": 1})
    app.model.set_workers([{**worker(name, -1), "label": "laptop"}])
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("2", "j")
        await at_rest(pilot)
        text = "\n".join(screen(app))
        assert text.count("laptop") == 4, "in the queue, the leases, the workers and the task"
        assert text.count(name) == 1, "in the server's own words, why it cannot be claimed"
