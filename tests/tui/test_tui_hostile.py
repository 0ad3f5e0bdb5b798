"""Ten thousand strings that nobody would send in good faith, through every place that shows text."""

from __future__ import annotations

import contextlib
import json
import random
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from live import screen
from rich.cells import cell_len
from scene import NOW, at, claim, event, fill, scene, stats, task, worker
from shots import home
from textual.pilot import Pilot
from textual.widgets import Input

from taskdeck.tui import sheets
from taskdeck.tui.app import DeckApp
from taskdeck.tui.calling import Calling
from taskdeck.tui.dialogs import asking as asking_for
from taskdeck.tui.dialogs import editing, forms, review
from taskdeck.tui.dialogs.base import FormDialog
from taskdeck.tui.dialogs.connecting import connecting
from taskdeck.tui.dialogs.filling import fields_of, filling
from taskdeck.tui.dialogs.override import override, takeover
from taskdeck.tui.keymap import Keymap
from taskdeck.tui.model.attention import Problem
from taskdeck.tui.model.events import line_of
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.logfile import LogFile
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.saved import View
from taskdeck.tui.model.undo import Undo
from taskdeck.tui.operate import Outcome
from taskdeck.tui.screens.sheet import Lines, SheetScreen
from taskdeck.tui.screens.welcome import welcome
from taskdeck.tui.terminal import notice_of, title_of
from taskdeck.tui.widgets.detail import Dossier
from taskdeck.tui.widgets.detail_more import More

STRINGS, ROWS = 10_000, 36
NASTY = (
    "\x1b[2J", "\x1b]0;t\x07", "\x9b31m", "\u202e", "\u2066", "\u200b", "[/]", "[red]", "[@click=app.quit]", "\r\n",
    "\t", "\x00", "\x7f", "\ud800", "\u200d", "漢字", "\ufdfa", "z\u0335\u0337\u0322\u031b\u0318", "%s",
)  # fmt: skip
RANGES = ((0, 0xA0), (0x300, 0x36F), (0x590, 0x6FF), (0x2000, 0x206F), (0x3040, 0x9FFF), (0xD800, 0xDFFF),
          (0xFE00, 0xFEFF), (0x1F300, 0x1FAFF), (0xE0000, 0xE007F), (0, 0x10FFFF))  # fmt: skip
"""From where single characters come: controls, marks, right to left, invisible, wide, halves, tags, anything."""


def strings() -> list[str]:
    """As many texts as are wanted, no two alike, the same in every run."""
    rng = random.Random("hostile")
    found: dict[str, None] = {"": None}
    while len(found) < STRINGS:
        parts = (
            rng.choice(NASTY) if rng.random() < 0.4 else "".join(
                chr(rng.randint(*rng.choice(RANGES))) for _ in range(rng.randint(0, 12))
            )
            for _ in range(rng.randint(1, 5))
        )  # fmt: skip
        found["".join(parts)] = None
    return list(found)


def wires(next_text: Iterator[str]) -> list[dict[str, Any]]:
    """A screen full of tasks that say nothing but such texts."""
    found = []
    for number in range(1, ROWS):
        state = ("ready", "claimed", "failed", "blocked", "scheduled")[number % 5]
        text = [next(next_text) for _ in range(6)]
        more: dict[str, Any] = {"title": text[0] or "-", "key": text[1] or "-", "project": text[2], "labels": text[3:5]}
        if state == "claimed":
            asks = ("working", "waiting_input", "errored")[number % 3]
            question = {"text": next(next_text), "options": [next(next_text), next(next_text)]}
            more["claim"] = claim(text[5], left=number - 5, detail=next(next_text), state=asks, via=text[4] or "native",
                                  question=question if asks == "waiting_input" else None)  # fmt: skip
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


def harmless_outside(text: str) -> None:
    """What reaches the terminal beside the screen: its title and its notices, each one sequence and no more."""
    for sequence, begins in ((title_of(text), "\x1b]2;"), (notice_of(text), "\x1b]9;")):
        assert sequence.startswith(begins) and sequence.endswith("\x07")
        assert sequence[len(begins) : -1].isprintable() and len(sequence) < 200


@pytest.mark.timeout(240)
async def test_ten_thousand_hostile_strings_reach_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, texts = scene(), strings()
    assert len(texts) >= STRINGS
    for text in texts:
        harmless_outside(text)
    monkeypatch.chdir(tmp_path)
    assert files_named(tmp_path, texts[::20]) > 100
    left = iter(texts)
    used = 0
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        try:
            while True:
                await _one_screen(app, pilot, left)
                if used % 20 == 0:
                    await _dialogs(app, pilot, left)
                if used == 0:
                    await _typed(app, pilot, left)
                used += 1
        except StopIteration:
            pass
        except RuntimeError as error:  # a generator's end inside a coroutine
            assert isinstance(error.__cause__, StopIteration)
        assert app.is_running and used * 300 > STRINGS / 2


def made_of(row: TaskRow) -> dict[str, Any]:
    """What an edit asks of a task."""
    return task(row.number, row.state, title=row.title, key=row.key, project=row.project, labels=list(row.labels))


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
    full = {**made[0], "payload": {next(left): [next(left)]}, "description": next(left), "created_by": next(left),
            "handoff": {"note": next(left), "worker": next(left), "attempt": 1}, "parent": next(left), "children": 2,
            "completed_by": {"worker": next(left), "by": next(left)},
            "verdict": {"verdict": "rejected", "by": next(left), "note": next(left)},
            "proof": {"complete": {"hooks": {next(left): {"exit_code": 1}}}}}  # fmt: skip
    why = {"claimable": False, "checks": [{"passed": False, "detail": next(left)}]}
    deck.detail.dossier = Dossier(row.id, row.version, full=full, explained=why, more=beside(left))
    deck.tell(next(left), "failed")
    model.refresh_problems()
    deck.redraw()
    await pilot.pause()
    harmless(app, 200)


def beside(left: Iterator[str]) -> More:
    """Whatever may stand beside a task."""
    said = {"author": next(left), "byline": next(left), "created_at": at(-9), "edited_at": None, "text": next(left)}
    named = {"kind": next(left), "repository": next(left), "target": next(left), "url": next(left)}
    kept = {"name": next(left), "reference": next(left), "size": 3}
    known = {"context": {next(left): next(left)}, "provenance": {}}
    gate = {"before": next(left), "evidence": [next(left)], "least": 1}
    turn = {"at": at(-9), "act": next(left), "assignee": next(left), "reason": next(left)}
    member = {"key": next(left), "title": next(left), "state": "ready", "depth": 1}
    return More([said], False, [named], [kept], known, [gate], [turn], {"done": 0, "total": 1, "tasks": [member]})


def log_of(left: Iterator[str]) -> LogFile:
    """A log that tells of such texts, as itself and within its own form."""
    file = Path("x.log")
    told = {"timestamp": next(left), "level": next(left), "event": next(left), next(left): next(left),
            "exception": next(left)}  # fmt: skip
    lines = [json.dumps(told), next(left), json.dumps({"event": next(left)}, ensure_ascii=False)]
    file.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    return LogFile(file)


def sheets_of(app: DeckApp, row: TaskRow, left: Iterator[str]) -> list[Lines]:
    """Every list that shows text from outside."""
    model = app.model
    bad = {"name": next(left), "when": next(left), "events": [next(left)], "acts": [{"verb": next(left)}],
           "url": next(left), "paused": {"reason": next(left)}, "disabled_reason": next(left), "active": True,
           "scheme": next(left), "project": next(left)}  # fmt: skip
    found = {"schedules": [bad], "rules": [bad], "webhooks": [bad], "sources": next(left)}
    model.calls = [{"reason": "paused_long", "detail": next(left), "project": next(left), "task": None}]
    model.hour = {next(left): {"claims": 1, "completions": 1, "failures": 1}}
    model.refresh_problems()
    return [
        sheets.actions(row, model, Keymap()), sheets.copies(row, model.address), sheets.problems(model),
        sheets.projects(model),
        sheets.machinery(found, {"breaker": {"state": "open", "reason": next(left)}}, NOW), sheets.metrics(model),
        sheets.results([Outcome(next(left), "failed", next(left))]),
        sheets.undos([Undo("edit", next(left), NOW, ())], NOW),
        sheets.views([View(next(left), next(left))], model), sheets.failure(next(left), 100),
        sheets.log(log_of(left), 100), welcome(Path(next(left)), next(left)),
    ]  # fmt: skip


async def _typed(app: DeckApp, pilot: Pilot[int], left: Iterator[str]) -> None:
    """The line that is typed into, what completes it, what is told of it; the palette; notices."""
    model, deck = app.model, app.deck
    model.set_projects([{"name": f"p{next(left)}", "paused": None} for _ in range(3)])
    deck.saved.own = [View(f"v{next(left)}", next(left), pane=1) for _ in range(3)]
    heard: list[str] = []
    calling = Calling(lambda: Heard(heard), bell=True, notice=True, ascii=False)
    calling.report([], settled=True)
    calling.report([Problem(0, next(left), next(left), next(left), "override")], settled=True)
    assert heard and all(text.count("\x1b") == text.count("\x07") == 1 for text in heard)

    async def look() -> None:
        deck.redraw()
        await pilot.pause()
        harmless(app, 200)

    for sign, text in (("/", f"{next(left)} "), (":", next(left)), ("/", "project:p"), (":", "export x"),
                       (":", "view v"), (":", "move p"), (":", "assign "), (":", f"state {next(left)}")):  # fmt: skip
        deck.prompt.open(sign, text, next(left))
        deck.hints.display = False
        await look()
        deck.prompt.action_complete()
        await look()
        if not text.startswith("export"):  # that would be written
            await pilot.press("enter")
        deck.typed_line.close()
        await look()
        await home(pilot)
    for name in (f"view save {next(left)}", f"view {next(left)}", f"theme {next(left)}", f"sort {next(left)}",
                 f"columns {next(left)}", f"at {next(left)}", f"export /nowhere/{next(left)}", f"{next(left)} x",
                 f"screenshot /nowhere/{next(left)}", f"events {next(left)}", f"snooze {next(left)}"):  # fmt: skip
        deck.typed_line._command(name)
        await look()
        await home(pilot)
    await pilot.press("ctrl+p")
    await pilot.pause()
    app.screen.query_one(Input).value = next(left)
    await pilot.pause()
    harmless(app, 200)
    await home(pilot)


def files_named(folder: Path, names: Sequence[str]) -> int:
    """Files whose names begin with an x and end so, as far as a file can; how many there are."""
    made = set()
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            (folder / f"x{name}").touch()
            made.add(name)
    return len(made)


class Heard:
    """Keeps what a terminal would be sent."""

    def __init__(self, sent: list[str]) -> None:
        self._sent = sent

    def show_title(self, text: str) -> None:
        self._sent.append(title_of(text))

    def ring(self) -> None:
        pass

    def notify(self, text: str) -> None:
        self._sent.append(notice_of(text))


async def _dialogs(app: DeckApp, pilot: Pilot[int], left: Iterator[str]) -> None:
    model, deck = app.model, app.deck
    held = model.leases()[0]
    row = next(row for row in model.rows.values() if row.state == "ready")
    schema = {"description": next(left), "required": ["a"], "properties": {
        next(left) or "a": {"title": next(left), "description": next(left), "enum": [next(left), 1]},
        next(left) or "b": {"type": "string", "title": next(left), "default": next(left)}}}  # fmt: skip
    fields = fields_of(schema, {})
    asking = next((each for each in model.leases() if each.lease and each.lease.question), held)
    base = {**made_of(row), "capabilities": [next(left)], "depends_on": [next(left)], "review": "none"}
    conflict = editing.Conflict("title", next(left), next(left))
    full = {"completed_by": {"worker": next(left)}, "result": next(left), "proof": None}
    for lines in sheets_of(app, held, left):
        listed = SheetScreen(deck.frame.palette_of(), "List", next(left), lambda lines=lines: lines)
        await app.push_screen(listed)
        await pilot.pause()
        harmless(app, 200)
        listed.dismiss(None)
        await pilot.pause()
    for form in (
        override(held, model), takeover([held, asking], model), forms.assign([row, held], model),
        forms.create(model, next(left)), asking_for.answer(asking, model), asking_for.comment(row),
        filling(held, {"name": next(left), "version": 1, "schema": schema}, fields, None, next(left)),
        editing.edit(base, None, [conflict], next(left), model.now_ms), review.approve([row], full, []),
        review.reject([row], full), forms.delegate(row, None, next(left)), forms.move([row, held], model, next(left)),
        review.complete(held, [{"before": "complete", "evidence": [next(left)], "least": 1}]),
        review.judge([row], full, "approved"), asking_for.link(row, None, next(left)), editing.again(row, next(left)),
        forms.going_over(Path(next(left)), 3, 9), forms.leaving(model, next(left)), forms.priority([row, held], model),
        connecting(model, next(left), next(left), home=next(left), serving=False, wrong=next(left)),
        forms.reason([held], title="Cancel", effects=[next(left)], act="cancel"),
    ):  # fmt: skip
        dialog = FormDialog(form, deck.frame.palette_of(), [])
        await app.push_screen(dialog)
        await pilot.pause()
        harmless(app, 200)
        dialog.dismiss(None)
        await pilot.pause()
    assert model.now_ms() == NOW
