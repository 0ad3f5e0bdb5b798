"""The visual contract: the main scenes, drawn from a model that is always the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from scene import StillClock, scene, then
from test_tui_screen import hostile
from textual.pilot import Pilot
from textual.widgets import Input

from taskdeck.tui.app import DeckApp

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36), (200, 50)]


@pytest.fixture(autouse=True)
def steady_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that does not blink into a picture."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)


def keys(*pressed: str) -> Callable[[Pilot[int]], Any]:
    async def press(pilot: Pilot[int]) -> None:
        await pilot.pause(0.3)
        await pilot.press(*pressed)
        await pilot.pause(0.3)
        app = pilot.app
        assert isinstance(app, DeckApp)
        detail = app.deck.detail
        async with asyncio.timeout(5):
            while detail.display and detail.row and not (detail.dossier and detail.dossier.task == detail.row.id):
                await pilot.pause(0.02)
        await pilot.pause()

    return press


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


def test_help(snap_compare: Compare) -> None:
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=keys("question_mark"))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_reconnecting(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(lose(scene()), terminal_size=size, run_before=keys("R"))


def test_filter_fault(snap_compare: Compare) -> None:
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=keys("slash", *"colour:red"))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_hostile_titles(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(hostile(), terminal_size=size, run_before=keys("j", "j"))


def test_marks_and_problem_by_day(snap_compare: Compare) -> None:
    pressed = keys("j", "space", "space", "T", "exclamation_mark")
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=pressed)


def test_task_in_full(snap_compare: Compare) -> None:
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=keys("j", "enter"))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_past(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def travel(pilot: Pilot[int]) -> None:
        await pilot.pause(0.3)
        assert isinstance(pilot.app, DeckApp)
        pilot.app.deck.show_model(then(pilot.app))
        await pilot.press("j", "j")
        await pilot.pause(0.3)

    assert snap_compare(scene(), terminal_size=size, run_before=travel)


def test_tiny(snap_compare: Compare) -> None:
    assert snap_compare(scene(), terminal_size=(60, 16), run_before=keys())


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(scene(), terminal_size=(120, 36), run_before=keys("j", "space"))
