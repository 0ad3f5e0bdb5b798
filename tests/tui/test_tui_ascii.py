"""The dashboard with ASCII characters alone: nothing else on screen, and every column where it was."""

from __future__ import annotations

import pytest
from live import at_rest, screen
from rich.cells import cell_len
from scene import SceneClient, StillClock, fill, scene, tasks
from test_tui_screen import hostile
from textual.pilot import Pilot

from taskdeck.tui.app import DeckApp
from taskdeck.tui.plain import plain


def ascii_scene() -> DeckApp:
    app = DeckApp(SceneClient(tasks()), address="http://127.0.0.1:7337", clock=StillClock(), live=False, ascii=True)
    fill(app.model)
    return app


async def looks(app: DeckApp, pilot: Pilot[int]) -> list[str]:
    await pilot.pause()
    lines = screen(app)
    for line in lines:
        assert line.isascii() and len(line) == app.size.width, line
    return lines


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36), (200, 50)])
async def test_every_pane_dialog_and_sheet_is_ascii(size: tuple[int, int]) -> None:
    app = ascii_scene()
    async with app.run_test(size=size) as pilot:
        for pane in "12345":
            await pilot.press(pane, "j", "j")
            await looks(app, pilot)
        await pilot.press("1")
        app.deck.outside.connect("x")
        await pilot.pause(0.1)
        await pilot.press("s")
        await looks(app, pilot)
        await pilot.press("escape")
        for key in ("question_mark", "v", "P", "m", "o", "n", "X", "equals_sign", "a", "slash", "colon"):
            await pilot.press(key)
            await looks(app, pilot)
            await pilot.press("escape")
            await pilot.pause()


async def test_columns_are_where_they_are_with_signs() -> None:
    signs, letters = scene(), ascii_scene()
    async with signs.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        drawn = screen(signs)
    async with letters.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        assert await looks(letters, pilot) == [plain(line) for line in drawn]


async def test_hostile_text_is_ascii_too() -> None:
    app = ascii_scene()
    for row in hostile().model.rows.values():
        app.model.window.put(row)
        app.model.rows[row.id] = row
    async with app.run_test(size=(120, 36)) as pilot:
        for _ in range(4):
            await pilot.press("ctrl+d")
            await looks(app, pilot)


@pytest.mark.parametrize("text", ["", "abc", "● W1 ▲ ━━╸┄", "日本語", "e\u0301", "Ärger …"])
def test_it_is_as_wide_as_before(text: str) -> None:
    assert plain(text).isascii() and len(plain(text)) == cell_len(text)
