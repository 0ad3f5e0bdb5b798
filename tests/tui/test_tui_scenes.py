"""What stands on the screen in every situation, as text, at three sizes. Two decks are walked through all of them.

`pytest tests/tui/test_tui_scenes.py --snapshot-update` writes it anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from live import screen
from scene import PROJECTS, StillClock, fill, scene, tasks, then
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from textual.widgets import Input

from taskdeck.tui.app import DeckApp
from taskdeck.tui.model.undo import Before, Undo
from taskdeck.tui.operate import Outcome

SIZES = ((80, 24), (120, 36), (200, 50))
MINE, HELD, REVIEW, FAILED, READY, SCHEDULED, BLOCKED = 4655, 4485, 4901, 4950, 5003, 6000, 6100
"""Numbers of tasks of the scene; `MINE` is held by who looks."""


@dataclass(frozen=True)
class Shot:
    """A situation: what is done to the deck, what is pressed, on which task, and what must stand there at any size."""

    name: str
    keys: Sequence[str] = ()
    told: str = ""
    on: int = 0
    before: Callable[[DeckApp], None] = lambda app: None
    then: Callable[[DeckApp], None] = lambda app: None
    kept: bool = True
    """Whether the picture is kept; not of lists that grow with every new action."""
    after: Callable[[DeckApp], None] = lambda app: None


def still(app: DeckApp) -> StillClock:
    clock = app.model.clock
    assert isinstance(clock, StillClock)
    return clock


def silent(app: DeckApp) -> None:
    still(app).mono += 7_000


def heard(app: DeckApp) -> None:
    app.model.link.up(still(app).mono)


def lost(app: DeckApp) -> None:
    still(app).mono += 14_000
    app.model.link.tries = 2
    app.model.link.down("no deck answers", still(app).mono + 4_000)


def role(name: str) -> Callable[[DeckApp], None]:
    return lambda app: setattr(app.model, "role", name)


def paused(app: DeckApp) -> None:
    told = {"by": "ops-maria", "reason": "audit", "until": None}
    app.model.set_projects([{"name": name, "paused": told if name == "docs" else None} for name in PROJECTS])


def running(app: DeckApp) -> None:
    app.model.set_projects([{"name": name, "paused": None} for name in PROJECTS])


def undoable(app: DeckApp) -> None:
    app.model.undo.push(Undo("reprioritize", "priority of W5003: 50 → 80", app.model.now_ms(),
                             (Before("x", "W5003", 50, 1),)))  # fmt: skip


def told_of_each(app: DeckApp) -> None:
    app.deck.acting.operator.results = [
        Outcome("W4400", "done", "cancelled"),
        Outcome("W4417", "refused", "W4417 is done: cancel does not apply to it"),
        Outcome("W4434", "failed", "the disk is full · make room (storage_full)"),
    ]


def calling(app: DeckApp) -> None:
    by = {wire["number"]: wire for wire in tasks()}
    app.model.calls = [
        {"reason": "overdue", "detail": "was due 2026-09-16T13:00:00Z and is ready", "project": "web",
         "task": by[READY]},
        {"reason": "paused_long", "detail": "project docs is paused by ops-maria: audit", "project": "docs",
         "task": None},
    ]  # fmt: skip
    app.model.refresh_problems()


def filled(app: DeckApp) -> None:
    """What a filter has let go of, as the server would bring it back."""
    fill(app.model)


def all_told(app: DeckApp) -> None:
    """The server has no more tasks of what is asked for."""
    for segment in app.model.window.segments.values():
        segment.complete, segment.pages = True, 1
    app.model.changed()


def stirred(app: DeckApp) -> None:
    for seq, wire in enumerate(tasks()[:12]):
        short = {name: wire[name] for name in ("id", "number", "key", "project")}
        app.model.apply({"seq": 9_000 + seq, "at": wire["updated_at"], "type": "task.heartbeat", "actor": "x",
                         "task": short, "worker": None, "project": "web", "changes": {}, "facts": {}})  # fmt: skip


def past(app: DeckApp) -> None:
    app.deck.show_model(then(app))


def present(app: DeckApp) -> None:
    app.deck.show_model(app.model)


SHOTS = (
    Shot("live", ("j", "j"), "nothing needs you|need you"),
    Shot("leases", ("2",), "lapsed 4s"),
    Shot("workers", ("3", "j", "j"), "silent"),
    Shot("events, following", ("4",), "OVERRIDE"),
    Shot("events, paused", ("4", "k", "k", "k"), "0 new"),
    Shot("task, claimed", ("enter",), "fence 4", on=HELD),
    Shot("task, in review", ("enter",), "◎ review", on=REVIEW),
    Shot("task, failed", ("enter",), "last error", on=FAILED),
    Shot("task, ready", ("enter",), "○ ready", on=READY),
    Shot("task, scheduled", ("enter",), "◔ scheduled", on=SCHEDULED),
    Shot("task, blocked", ("enter",), "◇ blocked", on=BLOCKED),
    Shot("task in full", ("enter", "z"), "fence 4", on=HELD),
    Shot("task in full, further down", ("enter", "z", "l", "l", "l"), "payload|history|why", on=HELD),
    Shot("zoom of leases", ("2", "z"), "lapsed 4s"),
    Shot("zoom of workers", ("3", "z"), "ci-runner-3"),
    Shot("zoom of events", ("4", "z"), "OVERRIDE"),
    Shot("filter with suggestions", ("slash", *"prio>=70 is:st"), "prio>=70 is:st", after=filled),
    Shot("filter with a fault", ("slash", *"colour:red"), "no field"),
    Shot("nothing matches", ("slash", *"nowhere", "enter"), "nothing matches", then=all_told, after=filled),
    Shot("three marks", ("space", "space", "space"), "3 marked"),
    Shot("a range of marks", ("space", "j", "j", "j", "V"), "5 marked"),
    Shot("release of another's", ("r",), "render-02", on=HELD),
    Shot("override", ("o", *"box"), "4 → 5", on=HELD),
    Shot("all that a worker holds", ("3", "j", "j", "j", "o"), "Take over"),
    Shot("priority with preview", ("equals_sign", "backspace", "backspace", "9", "9"), "place 4 → 3", on=READY),
    Shot("assign", ("a",), "anyone", on=READY),
    Shot("new", ("n",), "title"),
    Shot("edit", ("e",), "labels", on=READY),
    Shot("retry", ("R",), "attempts", on=FAILED),
    Shot("cancel", ("X",), "refused", on=HELD),
    Shot("approve", ("A",), "enter", on=REVIEW),
    Shot("send back", ("B",), "what is wrong", on=REVIEW),
    Shot("complete", ("D",), "enter", on=MINE),
    Shot("fail", ("F",), "error", on=MINE),
    Shot("comment", ("number_sign",), "enter", on=HELD),
    Shot("link", ("ampersand",), "enter", on=HELD),
    Shot("delegate", ("N",), "title", on=READY),
    Shot("pause", ("H",), "pause", on=READY),
    Shot("cancel of several", (*["space"] * 5, "X"), "5 tasks"),
    Shot("cancel of many, typed", (*["space"] * 22, "X", "right", "enter"), "type the number"),
    Shot("what came of each", ("colon", *"results", "enter"), "storage_full", before=told_of_each),
    Shot("actions", ("full_stop",), "only a failed", on=HELD, kept=False),
    Shot("copy as", ("Y",), "curl", on=HELD),
    Shot("undo, one of several", ("U",), "W5003", before=undoable),
    Shot("problems", ("colon", *"problems", "enter"), "overdue|due", before=calling),
    Shot("next problem", ("exclamation_mark",), "▲ 1/"),
    Shot("views", ("v",), "stuck"),
    Shot("projects", ("P",), "PROJECT"),
    Shot("metrics", ("m",), "throughput"),
    Shot("help", ("question_mark",), "esc closes|help", kept=False),
    Shot("a command with its completion", ("colon", *"rep", "tab"), "reprioritize"),
    Shot("a message with undo", told="u takes it back",
         before=lambda app: app.deck.tell("priority of W5003: 50 → 80 · u takes it back")),
    Shot("an error that stays", told="storage_full",
         before=lambda app: app.deck.tell("the disk is full · make room (storage_full)", "failed")),
    Shot("frozen", ("p",), "FROZEN", after=lambda app: app.deck.act("freeze")),
    Shot("a project paused", told="paused", before=paused, after=running),
    Shot("read-only", ("c",), "READ-ONLY", before=role("reader"), after=role("operator")),
    Shot("slow", ("c",), "slow 7s", before=silent, after=heard),
    Shot("reconnecting", ("R",), "RECONNECTING", before=lost, after=heard),
    Shot("the past", ("j",), "PAST", before=past, after=present),
)  # fmt: skip


@pytest.fixture(autouse=True)
def steady_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)


async def settled(pilot: Pilot[int], told: str) -> str:
    """The screen once it says that and stands still, with what is read of the task in view; or as it is in the end."""
    app = pilot.app
    assert isinstance(app, DeckApp)
    detail, text = app.deck.detail, ""
    for _ in range(100):
        await pilot.pause()
        reading = detail.display and detail.row and not (detail.dossier and detail.dossier.task == detail.row.id)
        if not reading:
            app.deck.redraw()
            before, text = text, "\n".join(line.rstrip() for line in screen(app))
            if text == before and any(word in text for word in told.split("|")):
                return text
        await asyncio.sleep(0.02)
    return text


async def home(pilot: Pilot[int]) -> None:
    """Back to the top of the queue, with nothing open, marked, filtered or told."""
    app = pilot.app
    assert isinstance(app, DeckApp)
    while len(app.screen_stack) > 1 or app.deck.prompt.display:
        await pilot.press("escape")
        await pilot.pause()
    for _ in range(6):
        app.deck.act("peel")
    app.deck.hints.say(())
    app.deck.events.following = True
    app.deck.show_pane(1)
    app.deck.act("top")
    app.deck.leases.task_id = app.deck.worker_list.worker_id = None
    app.deck.problem = None


async def test_every_situation_at_three_sizes(snapshot: SnapshotAssertion) -> None:
    app = scene()
    other: list[str] = []
    async with app.run_test(size=SIZES[-1]) as pilot:
        for shot in SHOTS:
            await home(pilot)
            shot.before(app)
            if shot.on:
                assert app.deck.queue.select(f"00000000-0000-7000-8000-{shot.on:012d}"), shot.name
            await pilot.press(*shot.keys)
            shot.then(app)
            for width, height in SIZES:
                await pilot.resize_terminal(width, height)
                text = await settled(pilot, shot.told)
                if not any(word in text for word in shot.told.split("|")):
                    other.append(f"{shot.name} {width}x{height} does not say {shot.told}\n{text}")
                elif shot.kept and snapshot(name=f"{shot.name} {width}x{height}") != text:
                    other.append(f"{shot.name} {width}x{height}\n{text}")
            await home(pilot)
            shot.after(app)
    assert not other, f"{len(other)} look otherwise:\n" + "\n\n".join(other)
