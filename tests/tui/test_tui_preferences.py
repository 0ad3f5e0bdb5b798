"""What the user prefers: read from a file, faults named, keys of their own, and calling out for new problems."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from live import screen, until
from scene import SceneClient, StillClock, fill, scene, tasks

from taskdeck.tui.actions import BY_ID
from taskdeck.tui.app import DeckApp
from taskdeck.tui.calling import Calling
from taskdeck.tui.dialogs import forms
from taskdeck.tui.gate import refusal
from taskdeck.tui.keymap import Keymap, key_name
from taskdeck.tui.model.attention import Problem
from taskdeck.tui.preferences import Preferences, read
from taskdeck.tui.terminal import notice_of, title_of


def app_with(preferences: Preferences, wire: list[dict[str, Any]] | None = None) -> DeckApp:
    client = SceneClient(tasks() if wire is None else wire)
    app = DeckApp(client, address="http://127.0.0.1:7337", clock=StillClock(), live=False, preferences=preferences)
    fill(app.model, wire, counts=None if wire is None else {})
    return app


def told(file: Path, text: str) -> Preferences:
    file.write_text(text)
    return read(file)


def test_a_file_says_what_is_preferred(tmp_path: Path) -> None:
    file = tmp_path / "dashboard.toml"
    assert read(file) == read(None) == Preferences()
    text = (
        'theme = "deck-day"\nascii = true\nmouse = false\n[attention]\nbell = true\nnotice = true\n[keys]\nclaim = "x"'
    )
    assert told(file, text) == Preferences(
        theme="deck-day", ascii=True, mouse=False, bell=True, notice=True, keys=Keymap({"claim": ("x",)})
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("theme = 3", "there is no theme 3; known are deck-night"),
        ('theme = "deck-dya"', "did you mean deck-day?"),
        ("ascii = 1", "ascii is true or false, not 1"),
        ("bel = true", "there is no bel; known are theme"),
        ("[attention]\nbel = true", "there is no attention.bel; did you mean bell?"),
        ("keys = 3", "keys is no table"),
        ('[keys]\nclam = "x"', "no key leads to “clam”; did you mean claim?"),
        ('[keys]\nclaim = ""', "keys.claim: '' is no key"),
        ('[keys]\nclaim = ["x", "not a key"]', "is no key"),
        ("[keys]\nclaim = 3", "keys.claim: 3 is no key"),
        ('[keys]\nclaim = "o"', "keys.claim: “o” means override already, so it stays c"),
        ('[keys]\nclaim = "ctrl+c"', "means quit already"),
        ('[keys]\nclaim = "9"\nretry = "9"', "keys.retry: “9” means claim already, so it stays R"),
        ("a = ", "was not understood"),
        ("\udcff", "was not understood"),
    ],
)
def test_what_is_not_understood_is_named_and_the_rest_counts(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "dashboard.toml"
    file.write_bytes(f"mouse = false\n{text}".encode("utf-8", "surrogateescape"))
    found = read(file)
    assert len(found.faults) == 1 and fault in found.faults[0] and file.name in found.faults[0]
    assert found.mouse is ("understood" in fault)


def test_keys_may_change_places() -> None:
    faults: list[str] = []
    keys = Keymap.of({"claim": "o", "override": ["c", "ctrl+o"]}, faults.append)
    assert not faults and keys.shown(BY_ID["override"]) == "c ctrl+o" and keys.shown(BY_ID["retry"]) == "R"
    assert keys.bindings() == {"deck.claim": "o", "deck.override": "c,ctrl+o"}


def test_keys_may_be_written_as_they_are_printed() -> None:
    assert [key_name(key) for key in ("!", ",", "x", "f9", "ctrl+x")] == [
        "exclamation_mark", "comma", "x", "f9", "ctrl+x"
    ]  # fmt: skip


async def test_own_keys_act_and_are_shown_and_the_old_ones_rest() -> None:
    keys = Keymap.of({"mark": ",", "unmark": ["9", "ctrl+x"]}, lambda fault: pytest.fail(fault))
    app = app_with(Preferences(keys=keys))
    async with app.run_test(size=(120, 160)) as pilot:
        await pilot.press("space")
        assert len(app.model.marks) == 0
        await pilot.press("comma", "comma")
        assert len(app.model.marks) == 2
        await pilot.pause()
        assert ", mark" in screen(app)[-1] and "space mark" not in screen(app)[-1]
        await pilot.press("question_mark")
        await pilot.pause()
        assert any("  9 ctrl+x " in line and "take all marks off" in line for line in screen(app))
        await pilot.press("escape", "9")
        assert len(app.model.marks) == 0


async def test_hints_name_the_keys_that_are_in_use() -> None:
    own = {"undo": "f9", "override": "9", "problem": "f12", "peel": "7", "create": "6", "why": "8"}
    app = app_with(Preferences(keys=Keymap.of(own, lambda fault: pytest.fail(fault))))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        app.deck.frame.tick()
        await pilot.pause()
        assert " f12 " in screen(app)[0], "the chip"
        row = app.model.leases()[-1]
        assert refusal(BY_ID["claim"], app.model, row).endswith("9 takes it over")  # type: ignore[union-attr]
        assert "f9 takes it back" in forms.priority([row], app.model).note
        app.deck.tell("broke", "failed")
        await pilot.pause()
        assert "8 all  7 read" in screen(app)[-1]
        app.deck.typed_line.filter("nobody-has-this", final=True)
        for segment in app.model.window.segments.values():
            segment.complete = True
        app.deck.redraw()
        await pilot.pause()
        assert any("7 clears" in line for line in screen(app))
    fresh = app_with(app.preferences, [])
    async with fresh.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert any("6  create a task here" in line for line in screen(fresh))
    assert not _shipped_keys_in_texts(), "each hint asks `key` what a key is called"


def _shipped_keys_in_texts() -> list[str]:
    """Places where a text of the dashboard names a key of the table as it is shipped."""
    does = "takes|returns|lists|resumes|queues|puts|opens|finds|tries|goes|answers|chooses|ends|and"
    named = re.compile(rf"""["( ·;,>](u|t|v|o|[A-Z]|[?/!]|ctrl\+r) ({does}) """)
    files = (Path(__file__).parents[2] / "taskdeck/tui").rglob("*.py")
    return [f"{file.name}: {line.strip()}" for file in files for line in file.read_text("utf-8").splitlines()
            if named.search(line) and '"""' not in line and file.name != "actions.py"]  # fmt: skip


async def test_faults_are_told_at_the_start_and_stay_until_read() -> None:
    app = app_with(Preferences(theme="deck-day", faults=("dashboard.toml: there is no bel", "another")))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert "✗ dashboard.toml: there is no bel (and 1 more)" in screen(app)[-1]
        assert app.theme == "deck-day"
        await pilot.press("escape")
        await pilot.pause()
        assert "dashboard.toml" not in screen(app)[-1]


class Heard:
    """Notes what a terminal would be told."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.bells = 0
        self.notices: list[str] = []

    def show_title(self, text: str) -> None:
        self.titles.append(text)

    def ring(self) -> None:
        self.bells += 1

    def notify(self, text: str) -> None:
        self.notices.append(text)


def problem(key: str, rank: int = 1) -> Problem:
    return Problem(rank, key, key, "its lease lapsed 4s ago", "override")


def test_each_problem_is_called_out_once_and_not_those_that_were_there() -> None:
    heard = Heard()
    calling = Calling(lambda: heard, bell=True, notice=True, ascii=False)
    calling.report([problem("W0")], settled=False)
    calling.report([problem("W0"), problem("W1")], settled=True)
    assert heard.bells == 0, "what was there when the dashboard came is no news"
    for _ in range(3):
        calling.report([problem("W0"), problem("W1"), problem("W2"), problem("W3")], settled=True)
    assert heard.bells == 1
    assert heard.notices == ["taskdeck: W2 its lease lapsed 4s ago (and 1 more)"]
    calling.report([problem("W0")], settled=True)
    calling.report([problem("W0", rank=0)], settled=True)
    assert heard.bells == 2, "another problem of the same task"
    calling.report([], settled=True)
    calling.report([], settled=True, lost=True)
    assert heard.titles[:2] == ["◌ taskdeck", "▲2 taskdeck"]
    assert heard.titles[-2:] == ["taskdeck", "✗ taskdeck"]


def test_it_calls_only_where_that_is_wanted() -> None:
    heard = Heard()
    calling = Calling(lambda: heard, bell=False, notice=False, ascii=True)
    calling.report([], settled=True)
    calling.report([problem("W1")], settled=True)
    assert (heard.bells, heard.notices, heard.titles[-1]) == (0, [], "!1 taskdeck")
    Calling(lambda: None, bell=True, notice=True, ascii=False).report([problem("W1")], settled=True)


@pytest.mark.parametrize(
    "text", ["x\x07\x1b]2;evil\x07", "x\x9c\x9d52;c;evil\x9c", "\x1b\\", "a\nb\r\x00", "\u202eevil", "x" * 9999]
)
def test_no_text_ends_the_sequence_it_stands_in(text: str) -> None:
    for made, begin in ((title_of(text), "\x1b]2;"), (notice_of(text), "\x1b]9;")):
        assert made.startswith(begin) and made.endswith("\x07")
        inside = made[len(begin) : -1]
        assert inside.isprintable() and len(inside) <= 120


async def test_suspending_is_refused_where_others_would_wait() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert "there is no shell to go to" in screen(app)[-1]
        app.deck.serving = True
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert "this process also serves the deck" in screen(app)[-1]


async def test_a_second_interrupt_means_it() -> None:
    app = DeckApp(SceneClient(tasks()), address="x", clock=StillClock(), live=False, serving=True)
    fill(app.model)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("ctrl+c")
        await until(pilot, lambda: len(app.screen_stack) > 1, "the question")
        assert len(app.screen_stack) == 2 and app.is_running
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.is_running or app._exit, "the end")
    assert app.return_value == 0
