"""The palette: every action is found in it, done from it, or there with the reason why not."""

from __future__ import annotations

import pytest
from live import screen
from scene import scene

from taskdeck.tui.actions import TABLE
from taskdeck.tui.app import DeckApp
from taskdeck.tui.screens.palette import found


def text(app: DeckApp) -> str:
    return "\n".join(screen(app))


def test_every_action_that_is_no_mere_move_is_found_by_its_name() -> None:
    for action in TABLE:
        if action.scope != "move" and action.id not in ("palette", "command", "filter"):
            assert action in found(action.word or action.help), action.id
    assert len(found("")) > 70


@pytest.mark.parametrize(
    ("sought", "first"),
    [("canc", "cancel"), ("EXPORT", "export"), ("send back", "reject"), ("in the past later", "minute-later")],
)
def test_what_is_named_so_comes_first(sought: str, first: str) -> None:
    assert found(sought)[0].id == first


def test_what_is_not_there_is_not_found() -> None:
    assert found("xyzzy") == []


async def test_an_action_is_done_from_it() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("ctrl+p", *"mark", "space", *"all")
        await pilot.pause()
        assert "mark all that the filter matches" in text(app)
        await pilot.press("escape")
        assert len(app.screen_stack) == 1 and not app.model.marks
        await pilot.press("ctrl+p", *"mark", "enter")
        await pilot.pause()
        assert len(app.screen_stack) == 1 and len(app.model.marks) == 1
        await pilot.press("ctrl+p", *"theme", "enter")
        await pilot.pause()
        assert app.theme == "deck-day"
        await pilot.press("ctrl+p", *"xyzzy", "enter")
        await pilot.pause()
        assert "nothing is called so" in text(app) and len(app.screen_stack) == 2


async def test_what_cannot_be_done_says_why_and_does_nothing() -> None:
    app = scene()
    app.model.role = "reader"
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("ctrl+p", *"cancel")
        await pilot.pause()
        assert "cancel needs operator" in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert len(app.screen_stack) == 2
        await pilot.press("down", "down", "up")
        await pilot.press("escape")
        assert len(app.screen_stack) == 1
