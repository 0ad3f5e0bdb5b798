"""Ten thousand strings that nobody would send in good faith, through every place that shows text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from live import screen
from rich.cells import cell_len
from scene import NOW, at, claim, event, fill, scene, stats, task, worker
from textual.pilot import Pilot

from taskdeck.tui.app import DeckApp
from taskdeck.tui.dialogs import forms
from taskdeck.tui.dialogs.base import FormDialog
from taskdeck.tui.dialogs.override import override
from taskdeck.tui.model.events import line_of
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.widgets.detail import Dossier

STRINGS, A_TIME, ROWS = 10_000, 100, 36
NASTY = (
    "\x1b[2J", "\x1b]0;t\x07", "\x9b31m", "\u202e", "\u2066", "\u200b", "[/]", "[red]", "[@click=app.quit]", "\r\n",
    "\t", "\x00", "\x7f", "\ud800", "\u200d", "漢字", "\ufdfa", "z\u0335\u0337\u0322\u031b\u0318", "%s",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(NASTY) | st.text(max_size=12), max_size=5).map("".join)


def strings() -> list[str]:
    """As many texts as are wanted, the same in every run."""
    found: list[str] = []

    @settings(max_examples=STRINGS // A_TIME, derandomize=True, database=None)
    @given(st.lists(TEXTS, min_size=A_TIME, max_size=A_TIME))
    def collect(texts: list[str]) -> None:
        found.extend(texts)

    collect()
    return found


def wires(next_text: Iterator[str]) -> list[dict[str, Any]]:
    """A screen full of tasks that say nothing but such texts."""
    found = []
    for number in range(1, ROWS):
        state = ("ready", "claimed", "failed", "blocked", "scheduled")[number % 5]
        text = [next(next_text) for _ in range(6)]
        more: dict[str, Any] = {"title": text[0] or "-", "key": text[1] or "-", "project": text[2], "labels": text[3:5]}
        if state == "claimed":
            asks = ("working", "waiting_input", "errored")[number % 3]
            more["claim"] = claim(text[5], left=number - 5, detail=next(next_text), state=asks)
        elif state == "failed":
            more["error"] = {"message": text[5], "reason": "failed"}
        elif state == "blocked":
            more["depends_on"] = [text[5]]
        else:
            more |= {"assignee": text[5] or None, "not_before": at(99), "capabilities": text[4:5]}
        found.append(task(number, state, **more))
    return found


def harmless(app: DeckApp, width: int) -> None:
    """No control, no invisible character, no line longer or shorter than the screen."""
    for line in screen(app):
        assert cell_len(line) == width, line
        bad = [char for char in line if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
        assert not bad and not any(char in "\u202e\u2066\u200b\u200d\ufeff" for char in line), (bad, line)


async def test_ten_thousand_hostile_strings_reach_no_terminal() -> None:
    app, texts = scene(), strings()
    assert len(texts) >= STRINGS
    left = iter(texts)
    used = 0
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        try:
            while True:
                await _one_screen(app, pilot, left)
                if used % 8 == 0:
                    await _dialogs(app, pilot, left)
                used += 1
        except StopIteration:
            pass
        except RuntimeError as error:  # a generator's end inside a coroutine
            assert isinstance(error.__cause__, StopIteration)
        assert app.is_running and used * 300 > STRINGS / 2


async def _one_screen(app: DeckApp, pilot: Pilot[int], left: Iterator[str]) -> None:
    model, deck = app.model, app.deck
    made = wires(left)
    model.rows.clear()
    model.set_filter(Filter())
    model.watch = type(model.watch)(model.watch.filter)
    fill(model, made, counts={"ready": 9, "claimed": 7, "failed": 7})
    holders = [wire["claim"]["worker"] for wire in made if wire["claim"]]
    model.set_workers([worker(name, -3, detail=next(left)) for name in {*holders, next(left)}])
    model.set_projects([{"name": next(left), "paused": {"by": next(left), "reason": next(left)}}])
    model.set_stats(stats({"ready": 9, "claimed": 7, "failed": 7}))
    model.me, model.address = next(left), next(left)
    model.events.clear()
    kinds = ("task.failed", "task.overridden", "task.released", "task.claimed", "task.created", next(left))
    for seq, wire in enumerate(made[:12], 1):
        facts = {"error": next(left), "reason": next(left), "note": next(left), "from_worker": next(left)}
        model.events.add(line_of(event(seq, kinds[seq % len(kinds)] or "x", 0, wire, next(left), **facts)))
    deck.queue.task_id = made[0]["id"]
    row = TaskRow.of(made[0])
    full = {**made[0], "payload": {next(left): [next(left)]}, "description": next(left), "created_by": next(left)}
    why = {"claimable": False, "checks": [{"passed": False, "detail": next(left)}]}
    deck.detail.dossier = Dossier(row.id, row.version, full, why, [])
    deck.tell(next(left), "failed")
    model.refresh_problems()
    deck.redraw()
    await pilot.pause()
    harmless(app, 200)


async def _dialogs(app: DeckApp, pilot: Pilot[int], left: Iterator[str]) -> None:
    model, deck = app.model, app.deck
    held = model.leases()[0]
    row = next(row for row in model.rows.values() if row.state == "ready")
    for form in (override(held, model), forms.assign([row, held], model), forms.create(model, next(left))):
        dialog = FormDialog(form, deck.palette_of(), [])
        await app.push_screen(dialog)
        await pilot.pause()
        harmless(app, 200)
        dialog.dismiss(None)
        await pilot.pause()
    assert model.now_ms() == NOW
