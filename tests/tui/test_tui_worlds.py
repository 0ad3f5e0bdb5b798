"""What stands on the screen of decks that are unlike the usual one: new, empty, hostile, with one of every kind.

`pytest tests/tui/test_tui_worlds.py --snapshot-update` writes it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from scene import SceneClient, StillClock, at, claim, fill, scene, task, tasks, worker
from shots import SIZES, Shot, settled, walk
from syrupy.assertion import SnapshotAssertion
from test_tui_screen import hostile

from taskdeck.tui.app import DeckApp
from taskdeck.tui.model.rows import TaskRow

LATER = "2026-09-16T15:00:00Z"
CALM, LAPSED, ENDLESS, ASKS = 11, 14, 15, 16


def one_of_every_kind() -> list[dict[str, Any]]:
    """A task in each state, and a claim in each condition."""
    asked = {"text": "Two tenants have that name. Which one?", "options": ["acme", "acme-eu"]}
    gone = {"message": "HTTPError 502 from the render farm", "reason": "failed", "worker": "sol", "attempt": 3}
    held: list[tuple[int, str, dict[str, Any]]] = [
        (CALM, "atlas", {"left": 280, "progress": 33, "detail": "1 of 3"}), (12, "birch", {"left": 140}),
        (13, "cobalt", {"left": 40}), (LAPSED, "dune", {"left": -4}), (ENDLESS, "ember", {"left": None}),
        (ASKS, "fern", {"left": 200, "state": "waiting_input", "detail": "which one?", "question": asked}),
        (17, "gale", {"left": 210, "state": "errored", "detail": "no route to the farm"}),
    ]  # fmt: skip
    return [
        task(1, "backlog", title="Think about the next release"),
        task(2, "blocked", title="Publish the report", depends_on=["W3"]),
        task(3, "scheduled", title="Tidy up at night", not_before=LATER),
        task(4, "ready", title="Answer the tender", children=1),
        *(
            task(number, "claimed", title=f"Held by {name}", attempt=1, fence=4, claim=claim(name, fence=4, **how))
            for number, name, how in held
        ),
        task(20, "review", title="Check the invoice", attempt=1),
        task(21, "failed", title="Render the film", attempt=3, error={**gone, "at": at(-80)}, finished_at=at(-80)),
        task(22, "done", title="Rotate the keys", attempt=1, finished_at=at(-90), result={"keys": 12}),
        task(23, "cancelled", title="Move the office", finished_at=at(-99)),
    ]


def every(client: type[SceneClient] = SceneClient) -> DeckApp:
    """A deck with one of every kind."""
    wire = one_of_every_kind()
    counts = dict.fromkeys(("backlog", "blocked", "scheduled", "ready", "review", "failed", "done", "cancelled"), 1)
    app = DeckApp(client(wire), address="http://127.0.0.1:7337", clock=StillClock(), live=False)
    fill(app.model, wire, counts={**counts, "claimed": 7})
    crew = [worker(row["claim"]["worker"], -2) for row in wire if row["claim"]]
    seen = {"cobalt": -71, "dune": -244}
    app.model.set_workers([
        *({**each, "last_seen_at": at(seen.get(each["id"], -2))} for each in crew),
        worker("hazel", -3, held=0, state="idle"), worker("iris", -3, held=0, draining=True),
        *(worker(f"old-{number}", -7200, held=0, state="idle") for number in range(12)),
    ])  # fmt: skip
    return app


def new() -> DeckApp:
    """A deck that was made just now, by the process that shows it."""
    app = DeckApp(SceneClient([]), address="http://127.0.0.1:7337", clock=StillClock(), live=False, serving=True,
                  made=Path("/data/deck"))  # fmt: skip
    fill(app.model, [], counts={})
    return app


def served() -> DeckApp:
    """The usual deck, served by the process that shows it."""
    app = DeckApp(SceneClient(tasks()), address="http://127.0.0.1:7337", clock=StillClock(), live=False, serving=True)
    fill(app.model)
    return app


def in_ascii() -> DeckApp:
    """The usual deck, in ASCII characters alone."""
    app = scene()
    app.set_class(True, "-ascii")
    return app


def wide() -> DeckApp:
    """Titles in characters two cells wide."""
    titles = (
        "請求書の確認と承認をお願いします",
        "월간 보고서 초안 작성 및 검토",
        "データベースの移行計画を更新する",
        "检查备份快照",
    )
    return scene([task(number, title=title, project="営業", labels=["至急"]) for number, title in enumerate(titles, 1)],
                 counts={"ready": 4})  # fmt: skip


def opened(number: int) -> Callable[[DeckApp], None]:
    """A task that no list shows."""
    wire = next(wire for wire in one_of_every_kind() if wire["number"] == number)
    return lambda app: app.deck.open_task(TaskRow.of(wire))


def part(name: str) -> Callable[[DeckApp], None]:
    return lambda app: app.deck.reading.show(name)


def finished_meanwhile(app: DeckApp) -> None:
    wire = next(wire for wire in one_of_every_kind() if wire["number"] == CALM)
    app.model.learn({**wire, "state": "done", "claim": None, "version": 2})


WORLDS: dict[str, tuple[Callable[[], DeckApp], Sequence[Shot]]] = {
    "every kind": (every, (
        Shot("leases", ("2", "z"), "lapsed 4s & ◆ & ━ & no end"),
        Shot("workers", ("3", "z"), "works & late & silent & asks & error & drains & idle & +12 gone"),
        Shot("task, backlog", ("enter",), "□ backlog", on=1),
        Shot("task, done", told="✓ done", then=opened(22)),
        Shot("task, cancelled", told="⊘ cancelled", then=opened(23)),
        Shot("task, lapsed", ("enter",), "lapsed 4s ago & finish", on=LAPSED),
        Shot("task, without end", ("enter",), "∞ no end", on=ENDLESS),
        Shot("task, asking", ("enter",), "Which one? & acme-eu", on=ASKS),
        Shot("task in full, its chain", ("enter", "z"), "chain & Tender of the city", on=4, look=part("chain")),
        Shot("answer", ("i",), "Which one? & acme-eu", on=ASKS),
        Shot("claim", ("c",), "W4 is yours · r releases", on=4),
        Shot("override of a vanished claim", ("o", *"slow"), "W11 is done by now: leave", on=CALM,
             then=finished_meanwhile),
    )),
    "empty": (lambda: scene([], counts={}), (Shot("queue", told="An empty deck."),)),
    "served": (served, (Shot("quit", ("q",), "quit and stop serving & stay"),)),
    "ascii": (in_ascii, (Shot("live", ("j", "j"), "W4434"), Shot("override", ("j", "o"), "What will happen"))),
    "hostile": (hostile, (Shot("live", ("j", "j"), "[red]markup[/red]"), Shot("task", ("enter",), "5 Task"))),
    "wide": (wide, (Shot("live", ("j",), "請求書"), Shot("task", ("enter",), "請求書の確認と承認をお願いします"))),
}  # fmt: skip


@pytest.mark.parametrize("world", WORLDS)
async def test_every_situation_of_another_deck(world: str, snapshot: SnapshotAssertion) -> None:
    app, shots = WORLDS[world]
    await walk(app(), shots, snapshot)


async def test_a_new_deck_at_three_sizes(snapshot: SnapshotAssertion) -> None:
    """Apart from the others: any key closes what it shows."""
    for width, height in SIZES:
        app = new()
        async with app.run_test(size=(width, height)) as pilot:
            text = await settled(pilot, "/data/deck/deck.db")
            assert snapshot(name=f"{width}x{height}") == text
            for told in ("/data/deck/deck.db", "/data/deck/admin.token", "http://127.0.0.1:7337", "lists every key"):
                assert told in text
