"""Columns that have no room are scrolled to; key and signs stay where they are."""

from __future__ import annotations

import dataclasses

import pytest
from live import screen
from scene import scene

from taskdeck.tui.paint import width_of
from taskdeck.tui.widgets.queue_columns import Line, columns, head_at, header, spans


async def test_columns_scroll_beside_the_key() -> None:
    app = scene()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        before = screen(app)[4:17]
        assert "LABELS" not in before[0] and "PROJECT" not in before[0]
        await pilot.press(*"lllll")
        await pilot.pause()
        assert "PROJECT" in screen(app)[4]
        await pilot.press(*"lllll")
        await pilot.pause()
        lines = screen(app)[4:17]
        assert all(len(line) == 80 for line in lines) and "◀" in lines[0][:4]
        assert "LABELS" in lines[0]
        labelled = next(row for row in app.model.leases() if row.labels)
        line = next(line for line in lines if labelled.key in line)
        assert line.index(" ".join(labelled.labels)) == lines[0].index("LABELS"), "under its head"
        app.deck.act("down")
        assert screen(app)[4:17][0] == lines[0]
        app.deck.act("up")
        await pilot.press(*"hhhhhhhhhhhhhhh")
        await pilot.pause()
        assert screen(app)[4:17] == before
        await pilot.press("right", "left")
        await pilot.pause()
        assert screen(app)[4:17] == before


async def test_where_there_is_room_for_all_nothing_scrolls() -> None:
    app = scene()
    async with app.run_test(size=(210, 24)) as pilot:
        await pilot.press("z", "l", "l")
        await pilot.pause()
        assert app.deck.queue.shift == 0


async def test_shift_and_an_arrow_mark_row_by_row() -> None:
    app = scene()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("shift+down", "shift+down")
        await pilot.pause()
        assert len(app.model.marks) == 3 and app.deck.queue.index == 2
        await pilot.press("shift+up")
        assert len(app.model.marks) == 3 and app.deck.queue.index == 1
        await pilot.press("2", "shift+down")
        assert app.deck.active == 1


@pytest.mark.parametrize("shift", [0, 1, 7, 8, 40, 120])
def test_a_scrolled_line_is_as_wide_as_another(shift: int) -> None:
    cols = columns(60, 6, shift=shift)
    row = dataclasses.replace(scene().model.leases()[0], title="渋谷のタスクを片付ける e\u0301 " * 9)
    line = Line(row, "1s", 0, "x", "text", "5s", 2, "calm", False, False)
    assert width_of(spans(line, cols, cursor=False, marked=False)) == 60
    assert width_of(header(cols)) == 60
    heads = {head_at(cols, x) for x in range(60)}
    assert {"P", "KEY"} < heads and ("TITLE" in heads) is (shift < 30)
