"""What stands on the screen in every situation of one deck, as text, at three sizes; `test_tui_worlds` has others.

`pytest tests/tui/test_tui_scenes.py --snapshot-update` writes it anew.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scene import PROJECTS, fill, scene, task, tasks, then
from shots import Shot, still, walk
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input

from taskdeck.tui.app import DeckApp
from taskdeck.tui.dialogs import editing
from taskdeck.tui.model.undo import Before, Undo
from taskdeck.tui.operate import Outcome
from taskdeck.tui.screens import typed

MINE, HELD, REVIEW, FAILED, READY, SCHEDULED, BLOCKED = 4655, 4485, 4901, 4950, 5003, 6000, 6100
"""Numbers of tasks of the scene; `MINE` is held by who looks."""


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


def part(name: str) -> Callable[[DeckApp], None]:
    return lambda app: app.deck.reading.show(name)


def edited_elsewhere(app: DeckApp) -> None:
    row = app.deck.queue.current
    assert row is not None
    base = task(row.number, title=row.title, priority=62, review="none")
    typed = {"title": row.title, "priority": "61", "max_attempts": "3", "review": "none"}
    form = editing.edit(
        base, dict.fromkeys(editing.FIELDS, "") | typed, [editing.Conflict("priority", "62", "61")],
        "it was changed meanwhile: look at what is marked and save again", app.model.now_ms,
    )  # fmt: skip
    app.run_worker(app.deck.acting.ask(form))


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


def rested(app: DeckApp) -> None:
    """The moment of rest is over after which a filter that is being typed is tried."""
    line = app.deck.typed_line
    line._rest()
    line.filter(app.deck.prompt.query_one(Input).value, final=False)


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
    Shot("live, without room", ("j", "j"), "W4434", sizes=((60, 16), (20, 5))),
    Shot("live, with all room", ("j", "j"), "1 Queue & 2 Leases & 3 Workers & 4 Events & 5 Task", sizes=((250, 70),)),
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
    Shot("task in full, its history", ("enter", "z"), "history & reprioritized", on=HELD, look=part("history")),
    Shot("task in full, its comments", ("enter", "z"), "comments & Tenant 7", on=HELD, look=part("comments")),
    Shot("task in full, its payload", ("enter", "z"), "payload & rfp/2026", on=HELD, look=part("payload")),
    Shot("zoom of the queue", ("z",), "W4417"),
    Shot("zoom of leases", ("2", "z"), "lapsed 4s"),
    Shot("events, filtered", ("4", "slash", *"type:lapsed,overridden", "enter"), "type:lapsed,overridden & OVERRIDE"),
    Shot("zoom of workers", ("3", "z"), "ci-runner-3"),
    Shot("zoom of events", ("4", "z"), "OVERRIDE"),
    Shot("filter with suggestions", ("slash", *"prio>=70 is:st"), "prio>=70 is:st", then=rested, after=filled),
    Shot("filter with a fault", ("slash", *"colour:red"), "no field", then=rested),
    Shot("nothing matches", ("slash", *"nowhere", "enter"), "nothing matches", then=all_told, after=filled),
    Shot("three marks", ("space", "space", "space"), "3 marked"),
    Shot("a range of marks", ("space", "j", "j", "j", "V"), "5 marked"),
    Shot("all that match, marked", ("colon", *"state review", "enter", "asterisk"), "4 tasks marked", after=filled),
    Shot("sort picker", ("s",), "what needs attention first & the soonest due"),
    Shot("columns to choose", ("C",), "[x] try & [ ] due"),
    Shot("claim for a time", ("L", "right"), "it lapses at 14:17:31 & as usual", on=READY),
    Shot("release of another's", ("r",), "render-02", on=HELD),
    Shot("override", ("o", *"box"), "4 → 5", on=HELD),
    Shot("all that a worker holds", ("3", "j", "j", "j", "o"), "Take over"),
    Shot("priority with preview", ("equals_sign", "backspace", "backspace", "9", "9"), "place 4 → 3", on=READY),
    Shot("assign", ("a",), "anyone", on=READY),
    Shot("new", ("n",), "title"),
    Shot("edit", ("e",), "labels", on=READY),
    Shot("edit conflict", told="changed meanwhile & “62” by now; you wrote “61”", on=READY, then=edited_elsewhere),
    Shot("retry", ("R",), "attempts", on=FAILED),
    Shot("cancel", ("X",), "refused", on=HELD),
    Shot("approve", ("A",), "enter", on=REVIEW),
    Shot("send back", ("B",), "what is wrong", on=REVIEW),
    Shot("judge", ("J",), "enter", on=REVIEW),
    Shot("move", ("O",), "ingest", on=READY),
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
    Shot("palette", ("ctrl+p", *"over"), "override"),
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


@pytest.mark.timeout(240)
async def test_every_situation_at_three_sizes(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "DELAY", 3600.0)  # a busy machine types slowly: what is half typed is not tried
    await walk(scene(), SHOTS, snapshot)
