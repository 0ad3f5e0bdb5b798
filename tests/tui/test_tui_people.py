"""What only a person does: review, answer forms, say something, edit, put aside; and taking all that back."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live import Seat, client_of, deck_in, screen, seat

from taskdeck.tui.dialogs.editing import merged
from taskdeck.tui.dialogs.filling import fields_of, output_of
from taskdeck.tui.dialogs.forms import turns_of
from taskdeck.tui.dialogs.review import shown_of
from taskdeck.tui.model.moment import to_come
from taskdeck.tui.model.rows import TaskRow

SCHEMA = {
    "type": "object",
    "description": "Is this expense in order?",
    "required": ["verdict", "amount"],
    "properties": {
        "note": {"type": "string", "title": "Note"},
        "verdict": {"enum": ["yes", "no"]},
        "amount": {"$ref": "#/definitions/money"},
        "paid": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "extra": {"type": "object"},
    },
    "definitions": {"money": {"type": "number", "minimum": 0}},
}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Seat]:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create_project("web", prefix="W")
        for number in range(1, 5):
            await client.create(project="web", title=f"Task number {number}")
        async with seat(deck, (120, 50)) as sitting:
            yield sitting


async def answer(at: Seat, *keys: str) -> None:
    await at.asked()
    await at.press(*keys)
    await at.until(lambda: len(at.app.screen_stack) == 1, "the end of the dialog")


async def show(at: Seat, key: str) -> None:
    await at.choose(key)
    await at.press("enter")
    await at.until(lambda: at.deck.active == 5)


def row_of(at: Seat, key: str) -> TaskRow:
    return next(row for row in at.app.model.rows.values() if row.key == key)


async def test_comment_and_link_stand_in_the_detail_at_once(at: Seat) -> None:
    await show(at, "W2")
    await at.sees("you can claim it now")
    await at.press("number_sign")
    await at.asked()
    await at.type("ask maria first")
    await answer(at, "enter")
    await at.sees("comments")
    await at.sees("  ask maria first")
    await at.press("ampersand")
    await at.asked()
    await at.press("enter")
    await at.sees("say what it names")
    await at.type("128")
    await answer(at, "enter")
    await at.sees("links")
    assert [(link["kind"], link["target"]) for link in await at.other.links("W2")] == [("pr", "128")]
    await at.other.change_context("W2", {"tenant": "acme"})
    await at.sees("inferred by")
    for told in ("“ask maria first”", "pr · 128", "tenant · inferred"):
        assert sum(told in line for line in screen(at.app)) >= 2, f"{told} among the events and in the history"
    await at.press("l")
    assert at.deck.detail.top > 0 or at.deck.detail.row_count() <= at.deck.detail.room


async def test_review_shows_what_was_done_and_sends_back_or_accepts(at: Seat) -> None:
    gate = {"before": "approve", "evidence": ["commit"], "least": 1}
    await at.other.edit("W1", review="required", gates=[gate])
    for verb in ("B", "A"):
        claim = (await at.other.claim("robot", task="W1"))["claims"][0]
        await at.other.complete("W1", claim["fence"], {"pages": 112})
        await at.until(lambda: [row.key for row in at.app.model.rows.values() if row.state == "review"] == ["W1"])
        await at.choose("W1")
        await at.press(verb)
        await at.asked()
        await at.sees('{"pages": 112}')
        if verb == "B":
            await at.press("enter")
            await at.sees("the what is wrong is required")
            await at.type("page 7 is empty")
            await answer(at, "enter")
            sent = await at.becomes("W1", state="ready")
            assert sent["verdict"]["note"] == "page 7 is empty"
        else:
            await at.sees("before approve: 1 of commit")
            await at.press("right", "tab")
            await at.type("4f2a")
            await at.press("enter")
            await at.sees("neither KIND:REF nor HOOK=EXITCODE")
            await at.press(*["backspace"] * 4)
            await at.type("commit:4f2a")
            await answer(at, "enter")
            done = await at.becomes("W1", state="done")
            assert done["proof"]["approve"]["evidence"][0]["ref"] == "4f2a"


async def test_aside_and_back_and_taken_back(at: Seat) -> None:
    await at.choose("W3")
    await at.press("less_than_sign")
    await answer(at, "right", "enter")
    await at.becomes("W3", state="backlog")
    await at.sees("W3 in the backlog")
    await at.press("u")
    await at.becomes("W3", state="ready")
    await at.sees("taken back: put W3 aside")
    await at.press("greater_than_sign")
    await at.sees("only a task of the backlog can be offered")


async def test_an_edit_that_meets_another_is_decided_field_by_field(at: Seat) -> None:
    await at.choose("W2")
    await at.press("e")
    await at.asked()
    await at.press("end")
    await at.type(" of ours")
    await at.press("tab", "end", "backspace", "backspace")
    await at.type("61")
    await at.other.edit("W2", priority=62, labels=["eu"])
    await at.press("enter")
    await at.sees("priority is “62” by now; you wrote “61”")
    assert at.shows("changed meanwhile")
    await answer(at, "enter")
    edited = await at.becomes("W2", priority=61)
    assert edited["title"] == "Task number 2 of ours" and edited["labels"] == ["eu"], (
        "theirs is kept where only they wrote"
    )
    await at.press("u")
    back = await at.becomes("W2", priority=62)
    assert back["title"] == "Task number 2" and back["labels"] == ["eu"]


async def test_long_texts_are_written_in_the_operators_editor(
    at: Seat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf \'{"n": 1}\' > "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("VISUAL", os.fspath(editor))
    await at.choose("W2")
    await at.press("E")
    await at.asked()
    await at.press("enter")
    await at.sees("this terminal cannot be lent to an editor")
    monkeypatch.setattr(type(at.app._driver), "can_suspend", True)
    await at.press("E")
    await answer(at, "enter")
    await at.becomes("W2", payload={"n": 1})
    editor.write_text("#!/bin/sh\nexit 3\n")
    await at.press("E")
    await answer(at, "enter")
    await at.sees("ended with 3: nothing was changed")
    await at.press("escape", "u")
    await at.becomes("W2", payload={})


async def test_a_form_is_kept_and_then_handed_in(at: Seat) -> None:
    await at.other.save_form("expense", SCHEMA)
    await at.other.create(project="web", title="Check the taxi", form={"name": "expense"}, key="F-1")
    await at.choose("F-1")
    await at.press("I")
    await at.sees("claim it first")
    await at.press("c")
    await at.becomes("F-1", state="claimed")
    await at.until(lambda: at.deck.queue.current and at.deck.queue.current.lease)
    await at.press("I")
    await at.asked()
    assert at.shows("Is this expense in order?") and at.shows("6 fields, 2 of them required")
    await at.press("right", "tab")
    await at.type("-4")
    await at.press("enter")
    await at.sees("amount: -4 is less than")
    await at.press("tab", *["backspace"] * 3)
    await at.type("41.5")
    await at.press("ctrl+s")
    await at.becomes("F-1", draft={"verdict": "yes", "amount": 41.5})
    await at.until(lambda: len(at.app.screen_stack) == 1)
    await at.press("I")
    await at.asked()
    assert at.shows("41.5"), "what was kept stands there again"
    await answer(at, "enter")
    done = await at.becomes("F-1", state="done")
    assert done["result"] == {"verdict": "yes", "amount": 41.5}


async def test_a_question_is_answered_and_its_holder_gets_the_answer(at: Seat) -> None:
    held = (await at.other.claim("robot", task="W2"))["claims"][0]
    await at.choose("W2")
    await at.until(lambda: at.deck.queue.current and at.deck.queue.current.holder == "robot", "the claim")
    await at.press("i")
    await at.sees("robot asks nothing")
    asks = {"question": "May I drop the column?", "options": ["yes", "no"]}
    await at.other.heartbeat("W2", held["fence"], state="waiting_input", **asks)
    await at.sees("▲ 1 needs you")
    await at.press("exclamation_mark")
    await at.sees("robot asks: May I drop the column? · i answer")
    await at.press("enter")
    await at.sees("question ──")
    await at.press("i")
    await at.asked()
    assert at.shows("robot asks") and at.shows("[yes]")
    await answer(at, "right", "enter")
    await at.sees("robot gets “no” with its next sign of life")
    told = await at.other.heartbeat("W2", held["fence"], state="waiting_input")
    assert told["answer"] == "no"
    await at.sees("nothing needs you")
    await at.press("i")
    await at.sees("robot has its answer already")


async def test_what_only_the_server_knows_calls_too(at: Seat) -> None:
    await at.other.edit("W3", review="required")
    held = (await at.other.claim("robot", task="W3"))["claims"][0]
    await at.other.complete("W3", held["fence"])
    await at.other.create(project="web", title="On the moon", capabilities=["rocket"], key="MOON")
    at.app.feed._calls_ms = -60_000
    at.app.feed.poke()
    await at.until(lambda: [problem.key for problem in at.app.model.problems] == ["W3", "MOON"], "both")
    await at.press("colon")
    await at.type("problems")
    await at.press("enter")
    await at.asked()
    assert at.shows("waits for review") and at.shows("no living worker")
    await at.press("j", "enter")
    await at.until(lambda: at.deck.queue.current and at.deck.queue.current.key == "MOON")
    await at.press("colon")
    await at.type("snooze 30m")
    await at.press("enter")
    await at.sees("▲ 1 needs you")
    await at.press("exclamation_mark")
    await at.sees("waits for review · A approve")
    await at.press("A")
    await answer(at, "right", "enter")
    await at.becomes("W3", state="done")
    await at.sees("nothing needs you")


async def test_in_turn_and_on_to_the_next(at: Seat) -> None:
    await at.choose("W4")
    await at.press("K")
    await at.sees("W4 is not offered in turn")
    await at.press("a")
    await at.asked()
    await at.press("tab", "tab")
    await at.type("maria 2h, bob nonsense")
    await at.press("enter")
    await at.sees("is no span of time")
    await at.press(*["backspace"] * 9)
    await answer(at, "enter")
    offered = await at.becomes("W4", assignee="maria")
    assert [turn["seconds"] for turn in offered["assignees"]] == [7200, None]
    await at.until(lambda: at.deck.queue.current and at.deck.queue.current.turn == (1, 2))
    await at.press("K")
    await answer(at, "right", "enter")
    await at.becomes("W4", assignee="bob", turn=1)


async def test_a_child_and_its_chain(at: Seat) -> None:
    await show(at, "W1")
    await at.press("N")
    await at.asked()
    await at.type("Ask the owner")
    await answer(at, "enter")
    await at.becomes("W1", state="blocked")
    await at.sees("0 of 2 done")
    assert at.shows("Ask the owner")


async def test_a_bulk_act_tells_of_each_task(at: Seat) -> None:
    await at.other.cancel("W2")
    await at.until(lambda: sum(row.state == "ready" for row in at.app.model.rows.values()) == 3)
    await at.press("f1", "asterisk")
    await at.sees("3 tasks marked")
    held = (await at.other.claim("robot", task="W3"))["claims"][0]
    await at.until(lambda: at.app.model.leases())
    await at.press("less_than_sign")
    await answer(at, "right", "enter")
    await at.sees("2 tasks in the backlog · 1 skipped")
    assert held and at.shows(":results lists them")
    await at.press("colon")
    await at.type("results")
    await at.press("enter")
    await at.sees("2 of 3 done")
    assert any("–" in line and "W3" in line and "nobody holds" in line for line in screen(at.app))
    await at.press("escape")
    await at.until(lambda: len(at.app.screen_stack) == 1)
    await at.press("U")
    await at.asked()
    assert at.shows("put 2 tasks aside")
    await answer(at, "enter")
    for key in ("W1", "W4"):
        await at.becomes(key, state="ready")


async def test_all_that_a_worker_holds_is_taken_over_at_once(at: Seat) -> None:
    await at.other.claim("robot", max_tasks=3)
    await at.until(lambda: len(at.app.model.leases()) == 3 and at.app.model.workers)
    await at.press("3")
    await at.until(lambda: at.deck.worker_list.current is not None)
    await at.press("o")
    await at.asked()
    await at.sees("3 tasks")
    await at.press("enter")
    await at.sees("type the number of tasks, 3")
    await at.type("3")
    await at.press("tab")
    await at.type("box is gone")
    await answer(at, "enter")
    await at.sees("3 tasks are back in the queue")
    assert not at.app.model.leases()


async def test_the_menu_does_what_it_lists_and_says_what_it_cannot(at: Seat) -> None:
    await at.choose("W1")
    await at.press("full_stop")
    await at.asked()
    assert at.shows("only a task in review can be approved")
    await at.press("enter")
    await at.becomes("W1", state="claimed")
    await at.press("Y")
    await at.asked()
    await answer(at, "G", "enter")
    await at.sees("json of W1 is on the clipboard")
    assert '"title": "Task number 1"' in at.app.clipboard
    await at.other.create_schedule("nightly", "daily at 02:30", {"title": "Tidy"}, project="web")
    await at.press("M")
    await at.asked()
    await at.sees("nightly")
    assert at.shows("store  works") and at.shows("next in")


def test_fields_of_a_form_are_read_as_the_schema_says() -> None:
    fields = fields_of(SCHEMA, {"note": "old"})
    assert [(field.name, field.kind, field.required) for field in fields] == [
        ("verdict", "choice", True), ("amount", "number", True), ("note", "text", False), ("paid", "boolean", False),
        ("tags", "list", False), ("extra", "json", False),
    ]  # fmt: skip
    typed = {"0": '"no"', "1": "12", "2": "12", "3": "false", "4": "a, b", "5": '{"x": []}'}
    assert output_of(fields, typed) == {
        "verdict": "no", "amount": 12, "note": "12", "paid": False, "tags": ["a", "b"], "extra": {"x": []},
    }  # fmt: skip
    assert output_of(fields, dict.fromkeys("012345", "")) == {}
    for at, wrong in (("1", "x"), ("5", "{")):
        with pytest.raises(ValueError, match=r"(amount|extra) is"):
            output_of(fields, {at: wrong})


def test_what_is_shown_is_read_or_refused() -> None:
    assert shown_of("commit:4f2 tests=0") == {
        "evidence": [{"kind": "commit", "ref": "4f2"}],
        "hooks": {"tests": {"exit_code": 0, "output": "stated by the operator", "duration_ms": 0}},
    }
    assert shown_of("") == {}
    for wrong in ("tests", "wish:1", "=0", "commit:"):
        with pytest.raises(ValueError, match="neither"):
            shown_of(wrong)


def test_turns_and_times_to_come() -> None:
    assert turns_of("maria 2h, team-ops") == [
        {"assignee": "maria", "seconds": 7200}, {"assignee": "team-ops", "seconds": None}
    ]  # fmt: skip
    now = 1_789_567_351_000  # 14:02:31
    assert to_come("90m", now) == now + 5_400_000
    assert to_come("15:00", now) - now == 57 * 60_000 + 29_000
    assert to_come("14:00", now) - now == 86_400_000 - 151_000, "tomorrow"
    with pytest.raises(ValueError, match="is no time"):
        to_come("soon", now)


def test_only_what_both_wrote_is_a_conflict() -> None:
    base = {"title": "a", "priority": 5, "labels": [], "capabilities": [], "depends_on": [], "not_before": None,
            "due": None, "max_attempts": 3, "review": "none"}  # fmt: skip
    typed = {"title": "b", "priority": "6", "labels": "", "capabilities": "", "depends_on": "", "not_before": "",
             "due": "", "max_attempts": "3", "review": "none"}  # fmt: skip
    conflicts, values = merged(base, {**base, "priority": 7, "labels": ["x"]}, typed)
    assert [(each.name, each.theirs, each.mine) for each in conflicts] == [("priority", "7", "6")]
    assert values["title"] == "b" and values["labels"] == "x" and values["priority"] == "6"


async def test_a_review_is_judged_for_its_worker_to_heed(at: Seat) -> None:
    await at.other.edit("W2", review="required")
    held = (await at.other.claim("robot", task="W2"))["claims"][0]
    await at.other.complete("W2", held["fence"], result={"pages": 3})
    await at.choose("W1")
    await at.press("J")
    await at.sees("W1 is ready: only a task in review can be judged")
    await at.choose("W2")
    await at.press("J")
    await at.asked()
    for told in ("it stays in review until robot heeds it", '{"pages": 3}', "no time approves it any more"):
        assert at.shows(told), told
    await at.press("right", "right", "enter")
    await at.sees("say what is wrong")
    await at.press("tab")
    await at.type("page 2 is empty")
    await answer(at, "enter")
    await at.sees("W2 judged: needs changes")
    judged = await at.becomes("W2", state="review")
    assert (judged["verdict"]["verdict"], judged["verdict"]["note"]) == ("changes_requested", "page 2 is empty")
    await at.press("J")
    await at.asked()
    await at.sees("said needs changes: page 2 is empty")
    assert at.shows("a new verdict takes its place")
    await answer(at, "right", "enter")
    await at.sees("W2 judged: approved")
    await at.press("colon")
    await at.type("judge rejected not at all")
    await at.press("enter")
    await answer(at, "enter")
    await at.sees("W2 judged: rejected")
    assert (await at.task("W2"))["verdict"]["note"] == "not at all"
    await at.other.judge("W2", "approved")
    await at.other.heed("W2")
    await at.becomes("W2", state="done")


async def test_a_task_moves_to_another_project_and_back(at: Seat) -> None:
    await at.other.create_project("ops")
    await at.until(lambda: "ops" in at.app.model.projects)
    await at.choose("W3")
    await at.press("O")
    await at.asked()
    for told in ("only who is let into that project sees it", "from web", "its key stays"):
        assert at.shows(told), told
    await at.press("tab")
    await at.type("opps")
    await at.press("enter")
    await at.sees("there is no project “opps”; did you mean ops?")
    await at.press("backspace", "backspace", "backspace")
    await at.type("ps")
    await answer(at, "enter")
    await at.becomes("W3", project="ops")
    await at.sees("W3 moved to ops · u takes it back")
    await at.until(lambda: row_of(at, "W3").project == "ops", "the row")
    await at.press("u")
    await at.becomes("W3", project="web")
    await at.press("colon")
    await at.type("move op")
    await at.press("tab", "enter")
    await answer(at, "enter")
    await at.becomes("W3", project="ops")
    await at.other.create(project="web", title="one of its kind", unique_key="k")
    await at.choose("W5")
    await at.press("O")
    await at.asked()
    await at.press("tab")
    await at.type("ops")
    await answer(at, "enter")
    await at.sees("has a unique key")
