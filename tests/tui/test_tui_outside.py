"""What leads out of the dashboard: exports, pictures of the screen, the log."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from live import Seat, client_of, deck_in, screen, seat
from scene import SceneClient, StillClock, scene
from textual.widgets import Input

from taskdeck.client import Client, Unreachable
from taskdeck.logs import start_logging, stop_logging
from taskdeck.tui.app import DeckApp
from taskdeck.tui.model.logfile import TAIL, LogFile


async def command(at: Seat, text: str) -> None:
    """A command, put into the line as if pasted: typing it takes longer than all else."""
    await at.press("colon")
    at.deck.prompt.query_one(Input).value = text
    await at.press("enter")


def names(folder: Path) -> list[str]:
    """What lies there, half written files too."""
    return [path.name for path in folder.iterdir()]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Seat]:
    folder = tmp_path_factory.mktemp("deck")
    async with deck_in(folder / "d") as deck, client_of(deck) as client:
        made = [{"title": f"Task {number}", "priority": number % 100} for number in range(450)]
        await client.create_many([*made, {"title": "Urgent", "labels": ["eu"], "payload": {"tenant": "acme"}}])
        await client.cancel("T1")
        async with seat(deck) as sitting:
            yield sitting


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Names without a folder are meant to lie here."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_an_export_holds_what_the_filter_shows(at: Seat, here: Path) -> None:
    await command(at, "export all.jsonl")
    await at.sees("450 tasks in all.jsonl")
    tasks = [json.loads(line) for line in (here / "all.jsonl").read_text().splitlines()]
    assert [task["number"] for task in tasks] == list(range(2, 452)), "what is open, oldest first"
    assert tasks[-1]["payload"] == {"tenant": "acme"}

    await command(at, "filter label:eu")
    await command(at, "export some.csv")
    await at.sees("1 task in some.csv")
    assert (here / "some.csv").read_text().splitlines()[1].startswith("T451,451,default,ready,50,Urgent,eu,")
    await at.press("escape", "escape")
    await at.until(lambda: not at.app.model.window.filter.terms)


async def test_a_file_is_gone_over_only_when_that_is_wanted(at: Seat, here: Path) -> None:
    file = here / "mine"
    file.write_text("dear to me")
    for answer, kept in (("enter", True), ("right", False)):
        await command(at, "export mine")
        await at.asked()
        assert any("There is such a file" in line for line in screen(at.app))
        await at.press(answer, *(["enter"] if answer != "enter" else []))
        await at.until(lambda: len(at.app.screen_stack) == 1)
        await at.until(lambda: not at.deck.outside._exporting)
        assert (file.read_text() == "dear to me") is kept


@pytest.mark.parametrize(("name", "why"), [("no/such", "✗ there is no folder no"), (".", "✗ . is a folder")])
async def test_a_bad_path_is_told_and_nothing_is_written(at: Seat, here: Path, name: str, why: str) -> None:
    await command(at, f"export {name}")
    await at.sees(why)
    assert names(here) == []
    await at.press("escape")


class SlowClient(Client):
    """The deck's client, whose second page comes when it is let."""

    def __init__(self, client: Client, then: Any) -> None:
        super().__init__(client.address) if client.address.startswith("http") else super().__init__(
            socket=Path(client.address.removeprefix("unix:"))
        )
        self._then = then

    async def tasks(self, **filters: Any) -> dict[str, Any]:
        if filters.get("cursor"):
            await self._then()
        return await super().tasks(**filters)


async def test_escape_stops_an_export_and_a_lost_deck_ends_it_without_a_file(at: Seat, here: Path) -> None:
    usual = at.deck.client

    async def press() -> None:
        await at.until(lambda: at.shows("200 of 450 tasks … esc stops"))
        at.deck.act("export")
        assert at.shows("an export is under way; esc stops it")
        await at.press("escape")

    async def fail() -> None:
        raise Unreachable("the deck went away")

    for then, told in (
        (press, "stopped after 400 tasks: no file was written"),
        (fail, "no file was written: the deck"),
    ):
        async with SlowClient(usual, then) as slow:
            at.deck.client = slow
            await command(at, "export all")
            await at.sees(told)
            at.deck.client = usual
        assert names(here) == []
    await at.press("escape")


async def test_an_export_is_refused_where_it_cannot_be_read(at: Seat, here: Path) -> None:
    await at.press("t")
    await at.until(lambda: at.deck.travel.away)
    await command(at, "export all")
    await at.sees("export reads the present: t returns to now")
    await at.press("t")
    app = scene()
    app.model.link.down("gone", 0)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        app.deck.act("export")
        await pilot.pause()
        assert "not connected: nothing can be read" in screen(app)[-1]
    assert names(here) == []


async def test_a_reader_may_export(at: Seat, here: Path) -> None:
    at.app.model.role = "reader"
    await command(at, "export all")
    await at.sees("450 tasks in all")
    at.app.model.role = "admin"


async def test_without_a_name_the_line_waits_for_one_and_completes_it(at: Seat, here: Path) -> None:
    (here / "reports" / "old").mkdir(parents=True)
    at.deck.act("export")
    await at.pilot.pause()
    field = at.deck.prompt.query_one(Input)
    assert field.value == "export "
    await at.press("r", "tab")
    assert field.value == "export reports/"
    await at.press("tab")
    assert field.value == "export reports/old/"
    await at.press("escape")


async def test_a_screenshot_is_a_picture_of_the_screen(at: Seat, here: Path) -> None:
    await command(at, "screenshot now.svg")
    await at.sees("the screen is in now.svg")
    drawn = (here / "now.svg").read_text()
    assert drawn.startswith("<svg") and "Queue" in drawn and "screenshot" not in drawn
    await command(at, "screenshot now.svg")
    await at.sees("now.svg is there already: name another file")
    assert (here / "now.svg").read_text() == drawn
    await at.press("escape")
    at.deck.act("screenshot")
    await at.until(lambda: len(list(here.glob("taskdeck-2*.svg"))) == 1)


async def test_the_log_is_shown_and_where_it_lies(here: Path) -> None:
    log = here / "dashboard.log"
    handler = start_logging(here, "info", to_terminal=False, name=log.name)
    try:
        logging.getLogger("taskdeck.tui.feed").warning("lost http://x\x1b[2J, try %d", 1)
        try:
            raise RuntimeError("made to break")
        except RuntimeError:
            logging.getLogger("taskdeck.tui").exception("acts broke")
    finally:
        stop_logging(handler)
    app = DeckApp(SceneClient([]), address="x", clock=StillClock(), live=False, log_file=log)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"log", "enter")
        await pilot.pause()
        text = "\n".join(screen(app))
        assert str(log) in text.replace("\n", "") and "warning" in text
        assert "lost http://x" in text and "\x1b" not in text
        assert "RuntimeError: made to break" in text, "with the way there"


@pytest.mark.filterwarnings("ignore:.*is marked with.*")
def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b'{"event": "old"}\n' + b"no json \xff\n" * 10_000 + b'{"event": "new", "level": "info"}\n')
    file = LogFile(path)
    records = file.records()
    assert sum(len(record.text) for record in records) <= TAIL
    assert records[-1].text == "new" and records[0].text == "no json \ufffd"
    assert file.records() is records, "a file that has not changed is not read again"
    path.unlink()
    assert file.records() is records and "No such file" in file.fault


async def test_without_a_log_that_is_said() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"log", "enter")
        await pilot.pause()
        assert "this dashboard keeps no log" in screen(app)[-1]
