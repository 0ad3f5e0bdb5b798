"""What holds whatever is pressed: keys act or say why not, nobody does what they may not, nothing is lost or left."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from live import client_of, deck_in, screen, seat
from scene import SceneClient, StillClock, claim, event, fill, scene, task, tasks
from shots import home
from test_tui_scenes import lost, role, silent
from test_tui_worlds import every

from taskdeck.client import Unreachable
from taskdeck.tui.actions import BY_ID, TABLE, Action
from taskdeck.tui.acts import changing
from taskdeck.tui.app import DeckApp
from taskdeck.tui.dialogs.base import FormDialog
from taskdeck.tui.gate import closed, refusal
from taskdeck.tui.screens.sheet import SheetScreen

WRITES = [action for action in TABLE if action.writes]
SHUT: dict[str, tuple[Callable[[DeckApp], None], str]] = {
    "reader": (role("reader"), "ops-maria is reader: "), "agent": (role("agent"), "ops-maria is agent: "),
    "lost": (lost, "not connected: nothing can be changed"), "silent": (silent, "the deck is silent: "),
}  # fmt: skip


class Counted(SceneClient):
    """Counts what would reach a server, and is told at once that there is none."""

    def __init__(self, wire: list[dict[str, Any]]) -> None:
        super().__init__(wire)
        self.asked: list[str] = []

    async def request(
        self, method: str, path: str, *, json: Mapping[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        self.asked.append(f"{method} {path}")
        raise Unreachable("no deck answers")


def told(app: DeckApp) -> str:
    """What the last line of the deck says."""
    return "".join(text for text, _ in app.deck.hints.message)


async def answered(app: DeckApp) -> None:
    """Wait for a dialog or for a word; where none comes, that fails."""
    async with asyncio.timeout(5):
        while len(app.screen_stack) == 1 and told(app)[-1:] in ("", "…"):  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0)


async def test_every_key_of_an_act_asks_or_acts_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "COLLATE_SECONDS", 0)
    app = every(Counted)
    one_of_each = {row.state: row.id for row in app.model.rows.values()}
    refused = asked = 0
    async with app.run_test(size=(120, 36)) as pilot:
        for action in WRITES:
            tried = 0
            for number in one_of_each.values():
                app.deck.hints.say(())
                if not app.deck.queue.select(number):
                    continue
                row = app.model.rows[number]
                why = refusal(action, app.model, row)
                if why is None and tried:
                    continue
                tried += why is None
                app.simulate_key(action.keys[0])
                await answered(app)
                if why is not None and action.scope in ("task", "project"):
                    refused += 1
                    assert why[:200] in told(app), (action.id, row.state)
                    assert len(app.screen_stack) == 1
                    continue
                asked += 1
                await home(pilot)
        assert asked >= len(WRITES) - 4 and refused > 4 * len(WRITES) // 2, (asked, refused)
        assert app.is_running


@pytest.mark.parametrize("shut", SHUT)
async def test_what_may_not_be_done_is_refused_from_key_command_palette_menu_and_mouse_alike(shut: str) -> None:
    change, says = SHUT[shut]
    client = Counted(tasks())
    app = DeckApp(client, address="http://127.0.0.1:7337", clock=StillClock(), live=False)
    fill(app.model)
    async with app.run_test(size=(250, 24)) as pilot:
        await pilot.press("j", "j")
        change(app)
        forbidden = [action for action in WRITES if closed(action, app.model)]
        assert len(forbidden) > (12 if shut == "agent" else len(WRITES) - 1)

        def refuses(action: Action, how: str) -> None:
            assert says in told(app), (how, action.id, told(app))
            assert len(app.screen_stack) == 1 and not client.asked and not app.model.undo, (how, action.id)
            app.deck.hints.say(())

        for action in forbidden:
            app.simulate_key(action.keys[0])
            await answered(app)
            refuses(action, "key")
            app.deck.typed_line._command(action.command or action.id)
            refuses(action, "command")
        buttons = {name: x for x in range(250) if (name := app.deck.hints.action_at(x))}
        for action in forbidden:
            if action.id in buttons:
                await pilot.click("#hints", offset=(buttons[action.id], 0))
                refuses(action, "mouse")
        for key, listed in (("ctrl+p", forbidden), ("full_stop", [each for each in forbidden if each.scope == "task"])):
            await pilot.press(key)
            sheet = app.screen
            assert isinstance(sheet, SheetScreen)
            lines = {"".join(text for text, _ in spans): chosen for chosen, spans in sheet.list.lines}
            for action in listed:
                word = action.word or action.help if key == "ctrl+p" else action.id
                named = [line for line in lines if says in line and word[:13] in line]
                assert named and all(lines[line] is None for line in named), (key, action.id)
            sheet.list.index = next(at for at, (chosen, _) in enumerate(sheet.list.lines) if chosen is None)
            await pilot.press("enter")
            await pilot.double_click("#sheet", offset=(5, 1 + sheet.list.index - sheet.list.top))
            assert app.screen is sheet and not client.asked
            await pilot.press("escape")
        assert not client.asked


async def test_a_hint_is_where_it_is_drawn_at_every_width() -> None:
    app = scene()
    async with app.run_test(size=(250, 24)) as pilot:
        for width in (200, 80, 200, 20):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            drawn, hints = screen(app)[-1], app.deck.hints
            there = [name for shown, word, _, name in app.deck._hint_list() if f" {shown} {word} " in drawn]
            found = [hints.action_at(x) for x in range(width)]
            assert list(dict.fromkeys(name for name in found if name)) == there and there[-1] == "help"
            assert all(name or char == " " for name, char in zip(found, drawn, strict=True)), (
                "nothing else stands there"
            )
        await pilot.click("#hints", offset=(15, 0))
        await pilot.pause()
        assert len(app.screen_stack) == 2, "help"
        await pilot.press("escape")
        app.deck.tell("a message is no button")
        assert app.deck.hints.action_at(3) is None


async def test_marks_survive_a_filter_and_a_resync(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many([{"title": f"Job {number}"} for number in range(6)])
        async with seat(deck) as at:
            for key in ("T2", "T4"):
                await at.choose(key)
                await at.press("space")
            await at.press("slash", *"T5", "enter")
            await at.until(lambda: at.app.model.window.known() == (1, True))
            await client.cancel("T4")
            await at.press("ctrl+r")
            await at.sees("anew")
            await at.press("backspace")
            await at.until(lambda: at.app.model.window.known() == (5, True))
            await at.until(lambda: {row.state for row in at.app.model.marks} == {"ready", "cancelled"})
            assert sorted(row.key for row in at.app.model.marks) == ["T2", "T4"]


async def test_a_dialog_is_about_the_same_tasks_whatever_happens_below_it(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_many([{"title": f"T{number}"} for number in range(1, 9)])
        async with seat(deck) as at:
            for key in ("T1", "T3", "T5"):
                await at.choose(key)
                await at.press("space")
            await at.choose("T8")
            await at.press("X")
            await at.asked()
            order = at.app.model.window.lines(0, 20)
            await client.complete("T3", (await client.claim("robot", task="T3"))["claims"][0]["fence"])
            await client.create_many([{"title": f"Urgent {number}", "priority": 99} for number in range(5)])
            await client.reprioritize("T8", 100)
            await client.cancel("T7")
            await at.until(lambda: at.app.model.rows[order[6].task].state == "cancelled", "all of it")
            at.deck.redraw()
            assert at.app.model.window.lines(0, 20)[: len(order)] == order, "the order rests"
            assert at.shows("T1, T3, T5") or at.shows("T5, T3, T1") or at.shows("3 tasks")
            dialog = at.app.screen
            assert isinstance(dialog, FormDialog)
            dialog._beat()
            await at.sees("T3 is done by now: it drops out")
            assert not any("T5 is" in line for line in screen(at.app)), "the others are as they were"
            await at.press("right", "enter")
            await at.sees("2 tasks cancelled · 1 skipped")
            states = {key: (await client.task(key))["state"] for key in ("T1", "T3", "T5", "T8", "T2")}
            assert states == {"T1": "cancelled", "T3": "done", "T5": "cancelled", "T8": "ready", "T2": "ready"}


async def test_no_key_is_lost_among_five_hundred_events() -> None:
    app = scene()
    held = [row for row in app.model.rows.values() if row.lease]
    async with app.run_test(size=(200, 50)) as pilot:
        done: list[str] = []
        run = app.deck.views.run

        def noted(name: str) -> None:
            done.append(name)
            run(name)

        app.deck.views.run = noted  # type: ignore[method-assign]
        pressed = ["down", "up", "mark", "end", "pane-2", "top", "pane-1", "zoom"] * 4
        for turn, name in enumerate(pressed):
            for seq in range(10_000 + turn * 16, 10_016 + turn * 16):
                told = event(seq, "task.heartbeat", 0, task(held[seq % len(held)].number), "agent-atlas")
                told["changes"] = {"claim": claim("agent-atlas", left=seq % 300), "version": seq}
                app.model.apply(told)
            app.simulate_key(BY_ID[name].keys[0])
            if turn % 4 == 3:
                app.deck.frame.tick()
                await pilot.pause()
        await pilot.pause()
        assert done == pressed, "each, and in their order"


async def test_a_storm_of_resizes_over_dialogs_and_back() -> None:
    rng = random.Random(3)
    app = scene()
    sizes = [(250, 70), (20, 5), *((rng.randint(1, 250), rng.randint(1, 70)) for _ in range(4)), (250, 70)]
    async with app.run_test(size=(250, 70)) as pilot:
        for key in ("", "o", "slash", "P"):
            if key:
                await pilot.press(key)
            await pilot.pause()
            app.deck.redraw()
            before = screen(app)
            for width, height in sizes:
                await pilot.resize_terminal(width, height)
                await pilot.pause()
                lines = screen(app)
                assert len(lines) == height and {len(line) for line in lines} == {width}, (key, width, height)
            app.deck.redraw()
            await pilot.pause()
            assert screen(app) == before, key
            await home(pilot)


def threads() -> set[threading.Thread]:
    """All but one of the deck itself, which begins with its first checkpoint, whenever that is."""
    return {each for each in threading.enumerate() if not each.name.startswith("taskdeck-checkpoint")}


async def test_leaving_leaves_no_task_no_timer_and_no_thread(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        made = await client.create(title="Look at me")
        for _ in range(2):  # what the first one starts once and for all is there from then on
            tasks_before, threads_before = asyncio.all_tasks(), threads()
            async with seat(deck) as at:
                await at.choose(made["key"])
                await at.press("enter", "plus", "m", "escape", "slash", *"look", "enter", "X")
                await at.asked()
                await at.press("escape", "asterisk", "colon", *"export", "escape", "p", "p", "t")
            await asyncio.sleep(0)
        left = {each for each in asyncio.all_tasks() - tasks_before if not each.done()}
        assert not [each for each in left if "taskdeck/tui" in str(each) or "textual" in str(each)], left
        assert threads() <= threads_before
        loop: Any = asyncio.get_running_loop()
        timers = [str(each) for each in loop._scheduled if not each.cancelled()]
        assert not [each for each in timers if "textual" in each or "taskdeck/tui" in each], timers
