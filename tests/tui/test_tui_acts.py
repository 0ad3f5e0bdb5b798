"""Every act of the table, done with keys on a real deck."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live import Seat, client_of, deck_in, seat
from scene import scene
from textual import events
from textual.widgets import Input

from taskdeck.client import Client
from taskdeck.tui.actions import TABLE
from taskdeck.tui.dialogs.claiming import claiming
from taskdeck.tui.format import clock, moment


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Seat]:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_project("web", prefix="W")
        for number in range(1, 6):
            await client.create(project="web", title=f"Task number {number}", max_attempts=1)
        async with seat(deck) as sitting:
            yield sitting


def me(at: Seat) -> str:
    return at.app.model.me


async def test_claim_and_release(at: Seat) -> None:
    await at.choose("W2")
    await at.press("c")
    held = await at.becomes("W2", state="claimed")
    assert held["claim"]["worker"] == me(at)
    await at.sees("W2 is yours")
    await at.until(lambda: at.deck.queue.current and at.deck.queue.current.state == "claimed")
    await at.press("r")
    await at.becomes("W2", state="ready")
    await at.sees("W2 released")


async def test_claim_for_a_time_that_is_chosen_or_typed(at: Seat) -> None:
    await at.choose("W2")
    await at.press("L")
    await at.asked()
    assert at.shows("attempt 1 of 1 begins") and at.shows("5m, as usual") and not at.shows("no end")
    before = at.app.model.now_ms() // 1000
    assert any(at.shows(f"it lapses at {clock(before + 300 + late)};") for late in range(-2, 3))
    await at.press("right", "right")
    await at.sees("[1h]")
    await at.until(lambda: any(at.shows(f"it lapses at {clock(before + 3600 + late)};") for late in range(-2, 9)))
    await at.press("tab")
    await at.type("2 days")
    await at.press("enter")
    await at.sees("no span of time")
    await at.press(*["backspace"] * 6)
    await at.type("3s")
    await at.press("enter")
    await at.sees("from 5s to 24h long")
    await at.press("backspace", "backspace")
    await at.type("90m")
    await at.press("enter")
    held = await at.becomes("W2", state="claimed")
    assert held["claim"]["worker"] == me(at) and held["claim"]["lease_seconds"] == 5400
    await at.sees("W2 is yours for 1h30m")
    await at.sees("claimed")

    await at.choose("W3")
    await at.press("L", "right", "enter")
    held = await at.becomes("W3", state="claimed")
    assert held["claim"]["lease_seconds"] == 900

    await at.choose("W4")
    await at.press("colon", *"claim", "space", *"20m", "enter")
    await at.asked()
    await at.press("enter")
    assert (await at.becomes("W4", state="claimed"))["claim"]["lease_seconds"] == 1200
    await at.press("L")
    await at.sees("W4 is held by")


async def test_a_person_may_claim_without_end(at: Seat) -> None:
    await at.other.register_worker(me(at), kind="human")
    await at.until(lambda: me(at) in at.app.model.workers)
    await at.choose("W2")
    await at.press("L")
    await at.asked()
    await at.press("left")
    await at.sees("[no end]")
    await at.sees("you give it back, or an override takes it")
    await at.press("enter")
    held = await at.becomes("W2", state="claimed")
    assert held["claim"]["expires_at"] is None
    await at.sees("W2 is yours without end")


def test_a_claim_of_what_has_lapsed_names_who_let_it() -> None:
    model = scene().model
    row = next(row for row in model.leases() if row.lapsed(model.now_ms()))
    form = claiming(row, model, "2h")
    told = "\n".join("".join(text for text, _ in line) for line in form.prose())
    assert f"{row.holder} has let it lapse; a write by it with fence {row.lease.fence} gets 409" in told
    assert f"it lapses at {clock(model.now_ms() // 1000 + 7200)};" in told, "the time that was named with it"
    form.follow({"pick": "", "lease": "20h"})
    assert moment(model.now_ms() // 1000 + 72_000) in "".join(text for line in form.prose() for text, _ in line)


async def test_complete_and_fail_only_what_is_mine(at: Seat) -> None:
    await at.other.claim("robot", task="W1")
    await at.until(lambda: "W1" in {row.key for row in at.app.model.leases()})
    await at.choose("W1")
    await at.press("D")
    await at.sees("held by robot, not by you")
    await at.choose("W3")
    await at.press("c")
    await at.becomes("W3", state="claimed")
    await at.until(lambda: at.deck.queue.current and at.deck.queue.current.state == "claimed")
    await at.press("D")
    await at.asked()
    await at.press("right", "enter")
    await at.becomes("W3", state="done")
    await at.choose("W4")
    await at.press("c")
    await at.until(lambda: at.deck.queue.current and at.deck.queue.current.state == "claimed")
    await at.press("F")
    await at.asked()
    await at.press("enter")
    await at.sees("the error is required")
    await at.type("no luck")
    await at.press("enter")
    failed = await at.becomes("W4", state="failed")
    assert failed["error"]["message"] == "no luck"


async def test_override_takes_a_live_claim_with_a_reason(at: Seat) -> None:
    claimed = (await at.other.claim("robot", task="W1"))["claims"][0]
    await at.until(lambda: at.app.model.leases())
    await at.choose("W1")
    await at.press("o")
    await at.asked()
    assert at.shows("fence") and at.shows("1 → 2") and at.shows("robot")
    await at.press("enter")
    await at.sees("a reason is required")
    await at.type("box is down")
    await at.press("enter")
    taken = await at.becomes("W1", fence=2)
    assert taken["claim"]["worker"] == me(at)
    await at.sees("box is down")
    with pytest.raises(Exception, match="stale_fence"):
        await at.other.complete("W1", claimed["fence"])


async def test_override_back_to_the_queue(at: Seat) -> None:
    await at.other.claim("robot", task="W1")
    await at.until(lambda: at.app.model.leases())
    await at.choose("W1")
    await at.press("o")
    await at.asked()
    await at.type("wrong queue")
    await at.press("shift+tab", "shift+tab", "left", "enter")
    await at.becomes("W1", state="ready")


async def test_an_override_whose_ground_is_gone_is_not_sent(at: Seat) -> None:
    fence = (await at.other.claim("robot", task="W1"))["claims"][0]["fence"]
    await at.until(lambda: at.app.model.leases())
    await at.choose("W1")
    await at.press("o")
    await at.asked()
    await at.type("slow")
    await at.other.complete("W1", fence)
    await at.until(lambda: not at.app.model.leases())
    await at.press("enter")
    await at.sees("W1 is done by now")
    await at.press("escape")
    await at.becomes("W1", state="done")


async def test_priority_presses_become_one_write(at: Seat) -> None:
    await at.choose("W5")
    await at.press("plus", "plus", "plus", "minus")
    await at.becomes("W5", priority=70)
    events = (await at.other.task_events("W5"))["events"]
    assert [event["type"] for event in events].count("task.reprioritized") == 1
    assert at.deck.queue.current is not None and at.deck.queue.current.key == "W5", "the cursor stays with its task"
    await at.press("u")
    await at.becomes("W5", priority=50)
    await at.sees("taken back")


async def test_undo_leaves_alone_what_changed_since(at: Seat) -> None:
    await at.choose("W5")
    await at.press("plus")
    await at.becomes("W5", priority=60)
    await at.sees("u takes it back")
    await at.other.reprioritize("W5", 33)
    await at.press("u")
    await at.sees("changed since")
    assert (await at.task("W5"))["priority"] == 33


async def test_set_priority_by_number_and_by_command(at: Seat) -> None:
    await at.choose("W5")
    await at.press("equals_sign")
    await at.asked()
    await at.press("backspace", "backspace", *"999", "enter")
    await at.sees("whole number from 0 to 100")
    await at.press("backspace", "backspace", "backspace", *"88")
    await at.sees("place 5 → 1")
    await at.press("enter")
    await at.becomes("W5", priority=88)
    await at.press("colon")
    await at.type("prio 12")
    await at.press("enter")
    await at.becomes("W5", priority=12)


async def test_cancel_keeps_by_default_and_retry_reopens(at: Seat) -> None:
    await at.choose("W2")
    await at.press("X")
    await at.asked()
    await at.press("enter")
    await at.until(lambda: len(at.app.screen_stack) == 1)
    assert (await at.task("W2"))["state"] == "ready"
    await at.press("X")
    await at.asked()
    await at.press("right", "enter")
    await at.becomes("W2", state="cancelled")
    await at.press("slash")
    await at.type("state:cancelled")
    await at.press("enter")
    await at.choose("W2")
    await at.press("R")
    await at.asked()
    await at.press("enter")
    await at.becomes("W2", state="ready")


async def test_assign_to_a_name_and_back(at: Seat) -> None:
    await at.choose("W2")
    await at.press("a")
    await at.asked()
    await at.press("tab")
    await at.type("maria")
    await at.press("enter")
    await at.becomes("W2", assignee="maria")
    await at.sees("for maria")
    await at.press("u")
    await at.becomes("W2", assignee=None)


async def test_create_says_what_is_wrong_and_keeps_what_was_typed(at: Seat) -> None:
    await at.choose("W1")
    await at.press("n")
    await at.asked()
    await at.press("enter")
    await at.sees("a title is required")
    await at.type("Fresh work")
    await at.press("tab", "tab", "tab", "tab")
    await at.type("not json")
    await at.press("enter")
    await at.sees("the payload is not JSON")
    await at.press(*["backspace"] * 8)
    await at.type("[1]")
    await at.press("enter")
    await at.sees("Fresh work")
    made = (await at.other.tasks(q="Fresh", limit=5))["tasks"][0]
    assert made["project"] == "web"
    assert (await at.task(made["key"]))["payload"] == [1]


async def test_pause_and_resume_a_project(at: Seat) -> None:
    await at.choose("W2")
    await at.press("H")
    await at.asked()
    await at.press("right", "enter")
    await at.sees("web paused")
    assert (await at.other.project("web"))["paused"]
    await at.press("H")
    await at.sees("hands out tasks again")
    assert not (await at.other.project("web"))["paused"]


async def test_drain_a_worker(at: Seat) -> None:
    await at.other.register_worker("robot")
    await at.until(lambda: "robot" in at.app.model.workers)
    await at.press("3", "d")
    await at.until(lambda: at.app.model.workers["robot"].draining)
    await at.press("d")
    await at.until(lambda: not at.app.model.workers["robot"].draining)


async def test_marks_act_together_and_skip_what_no_longer_fits(at: Seat) -> None:
    for key in ("W1", "W2", "W3"):
        await at.choose(key)
        await at.press("space")
    await at.sees("3 marked")
    await at.other.cancel("W2")
    await at.until(lambda: {row.state for row in at.app.model.marks} == {"ready", "cancelled"})
    await at.press("X")
    await at.asked()
    await at.sees("3 tasks")
    await at.press("right", "enter")
    await at.becomes("W3", state="cancelled")
    await at.sees("2 tasks cancelled · 1 skipped")
    await at.press("escape", "backslash")
    assert not at.app.model.marks


async def test_a_reader_is_told_why_nothing_can_be_changed(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as admin:
        await admin.create(title="look, do not touch")
        token = (await admin.create_token("visitor", "reader"))["secret"]
        async with seat(deck, client=Client(deck.url, token=token)) as at:
            await at.sees("READ-ONLY")
            before = at.app.model.last_seq
            for action in TABLE:
                if action.writes:
                    at.deck.act(action.id)
                    assert at.shows(f"visitor is reader: {action.id} needs {action.role}"), action.id
                    assert len(at.app.screen_stack) == 1
            assert (await admin.stats())["last_seq"] == before


async def test_what_is_typed_ahead_reaches_the_line_and_the_dialog_it_was_meant_for(at: Seat) -> None:
    await at.choose("W2")
    await at.press("slash", *"web fast")
    assert at.deck.prompt.query_one(Input).value == "web fast"
    await at.press("escape")
    for key in ("n", *"new"):  # posted in one go, as a terminal does: no pause in which the dialog could open
        at.app.post_message(events.Key(key, key))
    await at.asked()
    await at.until(lambda: at.app.screen.query(Input).first().value == "new")


async def test_what_is_typed_stands_in_place_of_a_priority(at: Seat) -> None:
    await at.choose("W5")
    await at.press("equals_sign")
    await at.asked()
    field = at.app.screen.query_one("#f-priority", Input)
    assert field.value == "50" and field.selected_text == "50"
    await at.press("7", "7")
    assert field.value == "77"
    await at.press("enter")
    await at.becomes("W5", priority=77)


async def test_what_is_typed_faster_than_tab_waits_for_its_field(at: Seat) -> None:
    await at.choose("W5")
    await at.press("X")
    await at.asked()
    at.app.screen.post_message(events.Key("w", "w"))  # as it comes while the choice still has the keys
    await at.press("right", "tab", "tab")
    field = at.app.screen.query_one("#f-reason", Input)
    await at.until(lambda: field.value == "w", "the letter")
    await at.press("h", "y", "enter")
    await at.becomes("W5", state="cancelled")
