"""The visual contract: the main scenes, drawn from a model that is always the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from live import at_rest, drawn, screen
from scene import StillClock, claim, scene, tasks, then
from test_tui_screen import hostile
from textual.pilot import Pilot

from taskdeck.tui.app import DeckApp
from taskdeck.tui.dialogs.filling import fields_of, filling
from taskdeck.tui.themes import THEMES

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36), (200, 50)]


def keys(*pressed: str) -> Callable[[Pilot[int]], Any]:
    async def press(pilot: Pilot[int]) -> None:
        await at_rest(pilot)
        await pilot.press(*pressed)
        await at_rest(pilot)
        assert isinstance(pilot.app, DeckApp)
        drawn(pilot.app)

    return press


def tasks_by() -> dict[int, dict[str, Any]]:
    """The tasks of the scene by their number."""
    return {wire["number"]: wire for wire in tasks()}


def lose(app: DeckApp) -> DeckApp:
    """Take the connection away, fourteen seconds ago."""
    clock = app.model.clock
    assert isinstance(clock, StillClock)
    clock.pass_ms(14_000)
    app.model.link.tries = 2
    app.model.link.down("no deck answers", clock.mono + 4_000)
    return app


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_live(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(scene(), terminal_size=size, run_before=keys("j", "j", "j", "j", "j"))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_empty(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(scene([], counts={}), terminal_size=size, run_before=keys())


def test_override(snap_compare: Compare) -> None:
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=keys("j", "j", "j", "j", "j", "o", *"box"))


def test_reconnecting(snap_compare: Compare) -> None:
    assert snap_compare(lose(scene()), terminal_size=(120, 36), run_before=keys("R"))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_hostile_titles(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(hostile(), terminal_size=size, run_before=keys("j", "j"))


def test_marks_and_problem_by_day(snap_compare: Compare) -> None:
    pressed = keys("j", "space", "space", "T", "exclamation_mark")
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=pressed)


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_past(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def travel(pilot: Pilot[int]) -> None:
        await at_rest(pilot)
        assert isinstance(pilot.app, DeckApp)
        pilot.app.deck.show_model(then(pilot.app))
        await pilot.press("j", "j")
        await at_rest(pilot)

    assert snap_compare(scene(), terminal_size=size, run_before=travel)


def test_tiny(snap_compare: Compare) -> None:
    assert snap_compare(scene(), terminal_size=(60, 16), run_before=keys())


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=keys("j", "space"))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_each_theme(snap_compare: Compare, theme: str) -> None:
    app = scene()

    async def dress(pilot: Pilot[int]) -> None:
        app.deck.choose_theme(theme)
        await keys("j", "space", "p", "o")(pilot)
        text = "\n".join(screen(app))
        assert app.theme == theme and "What will happen" in text and "FROZEN" in text

    assert snap_compare(app, terminal_size=(80, 24), run_before=dress)


def test_answering(snap_compare: Compare) -> None:
    app = scene()
    asking = next(row for row in app.model.leases() if row.lease and row.lease.asks)
    question = {"text": "Two tenants have that name. Which one is meant?", "options": ["acme", "acme-eu"]}
    wire = claim("agent-ember", left=104, fence=4, state="waiting_input", question=question)
    app.model.learn({**tasks_by()[asking.number], "claim": wire, "version": 2})
    assert snap_compare(app, terminal_size=(80, 24), run_before=keys("exclamation_mark", "i"))


def test_form_of_a_task(snap_compare: Compare) -> None:
    schema = {"description": "Is this expense in order?", "required": ["verdict"], "properties": {
        "verdict": {"enum": ["yes", "no"]}, "amount": {"type": "number", "description": "in euros"},
        "note": {"type": "string", "title": "Note"}}}  # fmt: skip
    app = scene()
    row = app.model.leases()[3]
    form = {"name": "expense", "version": 2, "schema": schema}
    asked = filling(row, form, fields_of(schema, {"amount": 41.5}), None, "amount: -4 is less than the minimum of 0")

    async def open_form(pilot: Pilot[int]) -> None:
        await at_rest(pilot)
        app.run_worker(app.deck.acting.ask(asked))
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=(120, 36), run_before=open_form)


def test_in_ascii(snap_compare: Compare) -> None:
    app = scene()
    app.set_class(True, "-ascii")
    assert snap_compare(app, terminal_size=(80, 24), run_before=keys("j", "o"))


def test_orders_to_choose_from(snap_compare: Compare) -> None:
    pressed = keys("colon", *"sort", "space", *"prio", "enter", "s")
    assert snap_compare(scene(), terminal_size=(80, 24), run_before=pressed)


def test_columns_to_choose_from(snap_compare: Compare) -> None:
    pressed = keys("colon", *"sort", "space", *"due", "enter", "C", "j", "space")
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=pressed)


def test_judging(snap_compare: Compare) -> None:
    app = scene()

    async def judge(pilot: Pilot[int]) -> None:
        await at_rest(pilot)
        app.deck.queue.select(next(row.id for row in app.model.rows.values() if row.state == "review"))
        await pilot.press("J", "right", "right")
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=judge)


def test_moving_several(snap_compare: Compare) -> None:
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=keys("j", "space", "space", "space", "O"))


def test_some_events(snap_compare: Compare) -> None:
    pressed = keys("4", "slash", *"type", "colon", *"lapsed,claimed", "enter")
    assert snap_compare(scene(), terminal_size=(80, 24), run_before=pressed)
