"""Saved views, projects, metrics: what the sheets show, what choosing does, what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from live import client_of, deck_in, screen, seat
from scene import SceneClient, StillClock, fill, scene
from textual.pilot import Pilot

from taskdeck.tui.app import DeckApp
from taskdeck.tui.model.filter import parse
from taskdeck.tui.model.saved import NAME_MOST, OWN_MOST, SHIPPED, View, Views


def text(app: DeckApp) -> str:
    return "\n".join(screen(app))


async def typed(pilot: Pilot[int], command: str) -> None:
    names = {" ": "space", ":": "colon", "-": "minus"}
    await pilot.press("colon", *(names.get(char, char) for char in command), "enter")
    await pilot.pause()


def test_shipped_views_can_be_read_and_have_eight_keys() -> None:
    assert len(SHIPPED) == 8
    for view in SHIPPED:
        parse(view.query)


def test_own_views_are_kept_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "views.json"
    views = Views(file)
    assert views.save(View("Hot", "prio>=70")) is None
    assert views.save(View("hot", "prio>=80")) is None, "in place of the one of the same name"
    assert views.save(View("Eu", "label:eu")) is None
    assert Views(file).own == [View("hot", "prio>=80"), View("Eu", "label:eu")]
    assert Views(file).find("e") == View("Eu", "label:eu")
    assert views.drop("HOT") is None and views.drop("hot") == "there is no own view “hot”"
    assert [view.name for view in Views(file).own] == ["Eu"]
    assert list(file.parent.iterdir()) == [file], "nothing half written stays"


@pytest.mark.parametrize("name", ["", "x" * (NAME_MOST + 1), "a\x1bb", "Stuck"])
def test_a_name_that_will_not_do_is_refused(name: str) -> None:
    views = Views()
    assert views.save(View(name, "x")) and not views.own


def test_no_more_than_so_many_are_kept() -> None:
    views = Views()
    assert [views.save(View(f"v{number}", "x")) for number in range(OWN_MOST)] == [None] * OWN_MOST
    assert "views are kept" in (views.save(View("one more", "x")) or "")
    assert views.save(View("v1", "y")) is None


@pytest.mark.parametrize(
    "stored", ["", "[]", "{}", '{"views": 3}', '{"views": [{"name": 1, "query": 2}]}', "\x00",
               '{"views": [{"name": "a"}]}',
               '{"views": [{"name": "a", "query": "nofield:x"}]}']
)  # fmt: skip
def test_a_file_that_cannot_be_understood_is_told_of_and_left(tmp_path: Path, stored: str) -> None:
    file = tmp_path / "views.json"
    file.write_text(stored)
    views = Views(file)
    assert views.own == [] and (views.fault or "1" in stored)
    assert file.read_text() == stored


def test_a_place_that_cannot_be_written_keeps_for_the_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    views = Views(tmp_path / "file" / "views.json")
    assert "kept for this session alone" in (views.save(View("a", "x")) or "") and views.own == [View("a", "x")]


async def test_views_are_chosen_by_key_by_list_and_by_name() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f3")
        await pilot.pause()
        assert app.model.window.filter.text == "is:stuck"
        await pilot.press("v")
        await pilot.pause()
        assert "F3  ● stuck" in text(app) and "everything that is open" in text(app)
        await pilot.press("j", "j", "j", "j", "enter")
        await pilot.pause()
        assert app.model.window.filter.text == "state:review" and len(app.screen_stack) == 1
        await typed(pilot, "view save my review")
        assert "view “my review” is kept" in text(app)
        await pilot.press("f1")
        assert not app.model.window.filter.terms
        await typed(pilot, "view my")
        assert app.model.window.filter.text == "state:review"
        await typed(pilot, "view drop my review")
        await typed(pilot, "view my")
        assert "no view “my”" in text(app)
        await typed(pilot, "view save stuck")
        assert "comes with the deck" in text(app)


async def test_a_file_with_a_fault_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "views.json").write_text("{")
    app = DeckApp(SceneClient([]), address="x", clock=StillClock(), live=False, views=tmp_path / "views.json")
    fill(app.model)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("v")
        await pilot.press("escape")
        await pilot.pause()
        assert "was not understood" in text(app)


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (200, 50)])
async def test_sheets_fit_every_size(size: tuple[int, int]) -> None:
    app = scene()
    async with app.run_test(size=size) as pilot:
        for key in "vPm":
            await pilot.press(key)
            await pilot.pause()
            lines = screen(app)
            assert len(app.screen_stack) == 2 and {len(line) for line in lines} == {size[0]}
            await pilot.press("G", "k", "escape")
            await pilot.pause()
            assert len(app.screen_stack) == 1


async def test_projects_and_metrics_of_a_real_deck(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_project("web")
        await client.create_many(
            [{"title": f"T{number}", "project": "web"} for number in range(3)] + [{"title": "Other"}]
        )
        held = (await client.claim("robot", project="web"))["claims"][0]
        await client.complete(held["task"]["key"], held["fence"])
        await client.pause("web", "audit of the books")
        async with seat(deck) as at:
            await at.sees("Other")
            await at.press("P")
            await at.until(lambda: any("audit of the" in line for line in screen(at.app)))
            row = next(line for line in screen(at.app) if "audit" in line)
            assert "web" in row and " 2 " in row
            await at.press("j", "enter")
            await at.until(lambda: at.app.model.window.filter.text == 'project:"web"')
            await at.until(lambda: at.app.model.window.known() == (2, True))
            await at.press("m")
            await at.until(lambda: any("queue empty in" in line for line in screen(at.app)))
            told = "\n".join(screen(at.app))
            await at.until(
                lambda: any(line.count(" 1 ") > 1 and "│   web" in line for line in screen(at.app)), "web's hour"
            )
            assert "taskdeck 0" in told and "1 idle" in told and "of the last 1" in told


async def test_a_sheet_says_that_it_was_copied() -> None:
    app = scene()
    async with app.run_test(size=(80, 24)) as pilot:
        lines = [(None, (("all of it", "text"),))]
        app.deck.show_sheet("What went wrong", "", lambda: lines, lambda _: None, text="all of it, and more")
        await pilot.pause()
        assert "esc closes" in screen(app)[2] and "copied" not in screen(app)[2]
        await pilot.press("y")
        await pilot.pause()
        assert "✓ copied  esc closes" in screen(app)[2] and app.clipboard == "all of it, and more"
