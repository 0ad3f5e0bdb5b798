"""The action table: what is read from it agrees with it, and its keys do not clash."""

from __future__ import annotations

from collections import Counter

import pytest
from live import screen
from scene import scene
from textual.widgets import Input

from taskdeck.tui.actions import BY_ID, FOOTER, ROLES, TABLE
from taskdeck.tui.acts import ACTS
from taskdeck.tui.gate import refusal
from taskdeck.tui.operate import QUICK
from taskdeck.tui.screens.deck import bindings
from taskdeck.tui.screens.views import Views

VERBS = [
    "create",
    "claim",
    "heartbeat",
    "release",
    "complete",
    "fail",
    "retry",
    "cancel",
    "assign",
    "override",
    "reprioritize",
    "pause",
    "resume",
    "edit",
    "promote",
    "shelve",
    "approve",
    "reject",
    "judge",
    "delegate",
    "skip",
    "fill",
    "comment",
    "link",
    "answer",
]


def test_no_key_means_two_things() -> None:
    keys = Counter(key for action in TABLE for key in action.keys)
    assert [key for key, number in keys.items() if number > 1] == []
    assert len(BY_ID) == len(TABLE)


def test_the_bindings_are_the_table() -> None:
    assert [binding.id for binding in bindings()] == [f"deck.{action.id}" for action in TABLE if action.keys]


def test_every_action_is_done_somewhere() -> None:
    for action in TABLE:
        assert action.role in ROLES
        assert action.keys or action.command
        if action.writes:
            assert action.id in ACTS
        else:
            assert action.id.startswith(("pane-", "view-")) or hasattr(Views, action.id.replace("-", "_"))
    assert {action.id for action in TABLE if action.writes} == set(ACTS)


def test_verbs_are_those_of_the_deck() -> None:
    own = {action.id for action in TABLE if action.scope == "task"} - {"raise", "lower", "write", "move", "claim-for"}
    assert set(VERBS) >= own


def test_upper_case_acts_always_ask() -> None:
    for action in TABLE:
        if action.writes and action.keys[0].isupper():
            assert action.id not in QUICK


async def test_help_lists_every_key_and_every_refusal() -> None:
    app = scene()
    async with app.run_test(size=(120, 140)) as pilot:
        await pilot.pause()
        row = app.deck.current()
        await pilot.press("question_mark")
        await pilot.pause()
        text = "\n".join(screen(app))
        for action in TABLE:
            assert action.help[:60] in text, action.id
            why = refusal(action, app.model, row) if action.writes else None
            assert why is None or why[:60] in text
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("width", [20, 80, 120, 200])
async def test_the_footer_shows_what_fits_and_help_last(width: int) -> None:
    app = scene()
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        line = screen(app)[-1]
        assert len(line) == width and line.rstrip().endswith("? help")
        assert BY_ID[FOOTER[0]].word in line


async def test_every_view_key_works_on_every_pane_without_a_server() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        for pane in "12345":
            for action in TABLE:
                if not action.writes and action.id not in (
                    "quit",
                    "help",
                    "filter",
                    "command",
                    "saved-views",
                    "projects",
                    "metrics",
                    "sort",
                    "columns",
                    "actions",
                    "copy-as",
                    "problems",
                    "results",
                    "machinery",
                    "mark-all",
                    "connect",
                    "demo",
                    "palette",
                    "export",
                    "log",
                    "screenshot",
                ):
                    app.deck.act(f"pane-{pane}")
                    app.deck.act(action.id)
            await pilot.pause()
        assert app.is_running and len(app.screen_stack) == 1


async def test_commands_that_are_not_known_get_the_nearest() -> None:
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"cancle", "enter")
        await pilot.pause()
        assert "no command “cancle”; did you mean cancel?" in screen(app)[-1]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ([":", *"rep"], "reprioritize "),
        ([":", *"state f"], "state failed "),
        (["/", *"sta"], "state:"),
        (["/", *"x project:in"], "x project:ingest "),
        (["/", *"holder:agent-"], "holder:agent-"),
        (["/", *"zzz"], "zzz"),
    ],
)
async def test_tab_completes_as_far_as_there_is_one_way(keys: list[str], text: str) -> None:
    names = {":": "colon", "/": "slash", " ": "space", "-": "minus"}
    app = scene()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press(*(names.get(key, key) for key in keys), "tab")
        await pilot.pause()
        assert app.deck.prompt.query_one(Input).value == text


@pytest.mark.parametrize(
    ("role", "action", "state", "why"),
    [
        ("agent", "release", "claimed", "releasing another's claim needs operator"),
        ("operator", "release", "claimed", None),
        ("agent", "override", "claimed", "override needs operator"),
        ("operator", "override", "ready", "neither held nor assigned"),
        ("operator", "claim", "review", "only a ready task or a lapsed claim"),
        ("operator", "complete", "claimed", "not by you"),
        ("operator", "retry", "ready", "only a failed, cancelled or finished task"),
        ("operator", "raise", "failed", "does not apply"),
        ("agent", "create", "ready", None),
        ("reader", "create", "ready", "create needs agent"),
    ],
)
def test_the_gate_names_its_reason(role: str, action: str, state: str, why: str | None) -> None:
    model = scene().model
    model.role = role
    row = next(row for row in model.rows.values() if row.state == state and not row.assignee)
    if state == "claimed":
        row = next(row for row in model.leases() if not row.lapsed(model.now_ms()) and row.holder != model.me)
    said = refusal(BY_ID[action], model, row)
    assert said is None if why is None else why in (said or "")
