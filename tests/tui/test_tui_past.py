"""The deck at past moments: what the log leaves behind, the way there, and what is told of it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live import Seat, client_of, deck_in, screen, seat
from scene import NOW, StillClock, at, claim, event, task, worker

from taskdeck.app import RunningDeck
from taskdeck.client import Client
from taskdeck.domain.clock import from_rfc3339
from taskdeck.tui import past as machine_module
from taskdeck.tui.actions import TABLE
from taskdeck.tui.model import replay as replay_module
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.moment import Wanted, wanted
from taskdeck.tui.model.replay import UNTOLD, WAY_BACK, Replay
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.timeline import MINUTE_MS, Timeline
from taskdeck.tui.past import TimeMachine

Rows = dict[str, TaskRow]


def bare(rows: Rows) -> Rows:
    """Without the time spent in a state, which a row knows only as nearly as it was told."""
    return {task: replace(row, since_ms=0) for task, row in rows.items()}


async def lived(client: Client, acts: int, seed: int = 1) -> dict[int, tuple[Rows, dict[str, int]]]:
    """Do many things to a deck; after each, by the number of the last event: its tasks and its counts."""
    rng, seen = random.Random(seed), {}
    keys: list[str] = []
    for turn in range(acts):
        try:
            await _act(client, rng, keys, turn)
        except Exception as error:
            assert getattr(error, "status", 0) in (404, 409, 422), error
        stats = await client.stats()
        tasks = (await client.tasks(limit=200))["tasks"]
        rows = {wire["id"]: TaskRow.of(wire) for wire in tasks}
        seen[stats["last_seq"]] = (bare(rows), stats["counts"])
    return seen


async def _act(client: Client, rng: random.Random, keys: list[str], turn: int) -> None:
    act = rng.choice(["create", "create", "claim", "claim", "beat", "complete", "fail", "release", "cancel", "retry",
                      "assign", "prio", "override", "edit", "delete", "drain", "pause"])  # fmt: skip
    worker, some = f"w{rng.randint(1, 3)}", rng.choice(keys) if keys else ""
    if act == "create" or not keys:
        wish = {"title": f"T{turn}", "priority": rng.randint(0, 100), "max_attempts": rng.randint(1, 3)}
        if keys and rng.random() < 0.3:
            wish["depends_on"] = [some]
        keys.append((await client.create(**wish, payload={"turn": turn}))["key"])
        return
    fence = (await client.task(some))["fence"]
    match act:
        case "claim":
            await client.claim(worker)
        case "beat":
            await client.heartbeat(some, fence, progress=turn % 100, detail="on it")
        case "complete":
            await client.complete(some, fence, {"x": turn})
        case "fail":
            await client.fail(some, fence, "boom")
        case "release":
            await client.release(some, fence)
        case "cancel":
            await client.cancel(some)
        case "retry":
            await client.retry(some)
        case "assign":
            await client.assign(some, rng.choice([worker, None]))
        case "prio":
            await client.reprioritize(some, rng.randint(0, 100))
        case "override":
            await client.override(some, "why not", worker=worker)
        case "edit":
            await client.edit(some, title=f"Edited {turn}", labels=[f"l{turn}"])
        case "delete":
            await client.delete(some)
        case "drain":
            await client.drain_worker(worker, turn % 2 == 0)
        case "pause":
            await (client.pause("default") if turn % 2 else client.resume("default"))


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_past_moment_is_as_it_was(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "PAGE", 17)
    monkeypatch.setattr(machine_module, "MARK_EVERY", 20)
    monkeypatch.setattr(machine_module, "MARKS_MOST", 3)
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        seen = await lived(client, 150, seed)
        live = DeckModel(StillClock())
        machine = TimeMachine(client, live)
        moments = sorted(seen)
        random.Random(seed).shuffle(moments)
        for seq in moments[:60]:
            assert await machine.go(Wanted(seq=seq))
            replay = machine.model.replay
            assert (replay.seq, bare(replay.rows), replay.counts) == (seq, *seen[seq])
            shown = {row for row in machine.model.rows.values() if row.state == "claimed"}
            assert shown == set(machine.model.leases())
        last = max(seen)
        assert await machine.go(Wanted(seq=last))
        walked = 0
        while await machine.step(-1):
            walked += 1
            if machine.model.replay.seq in seen:
                assert (bare(machine.model.replay.rows), machine.model.counts) == seen[machine.model.replay.seq]
        assert walked == last - 1
        while await machine.step(1):
            if machine.model.replay.seq in seen:
                assert (bare(machine.model.replay.rows), machine.model.counts) == seen[machine.model.replay.seq]
        assert machine.model.replay.seq == last
        assert len(machine._marks) <= 3 + 1


# -- the replay by itself ------------------------------------------------------------------------------------


def changed(seq: int, number: int, kind: str, **changes: Any) -> dict[str, Any]:
    told = event(seq, kind, seq, task(number), "ops")
    told["changes"] = changes
    return told


def test_ended_tasks_are_counted_for_ever_and_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "ENDED_MOST", 3)
    replay = Replay()
    for number in range(1, 11):
        replay.apply(event(number, "task.created", 0, task(number), "x"))
    for number in range(1, 11):
        replay.apply(changed(10 + number, number, "task.completed", state="done", claim=None, finished_at=at(0)))
    assert replay.counts["done"] == 10
    assert sorted(row.number for row in replay.rows.values()) == [8, 9, 10]
    replay.apply(changed(21, 1, "task.retried", state="ready", ready_at=at(9)))
    reborn = replay.rows[task(1)["id"]]
    assert (reborn.title, reborn.state, reborn.key) == (UNTOLD, "ready", "W1")
    assert (replay.counts["done"], replay.counts["ready"]) == (9, 1)
    for _ in range(11):
        replay.back()
    assert replay.counts["ready"] == 10 and len(replay.rows) == 10
    assert {row.title for row in replay.rows.values()} == {f"Task {number}" for number in range(1, 11)}


def test_more_open_tasks_than_are_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "OPEN_MOST", 4)
    replay = Replay()
    for number in range(1, 11):
        replay.apply(event(number, "task.created", 0, task(number), "x"))
    assert replay.counts["ready"] == 10 and replay.kept["ready"] == len(replay.rows) == 4
    replay.apply(changed(11, 9, "task.claimed", state="claimed", claim=claim("a", left=9)))
    assert replay.counts["claimed"] == 1


def test_a_log_whose_beginning_is_gone_tells_what_it_can() -> None:
    replay = Replay()
    replay.apply(changed(70, 5, "task.heartbeat", claim=claim("a", left=9), version=7))
    row = replay.rows[task(5)["id"]]
    assert (row.state, row.holder, row.title, row.version) == ("claimed", "a", UNTOLD, 7)


def test_a_jump_of_the_clock_moves_leases_and_back() -> None:
    replay = Replay()
    replay.apply(event(1, "task.created", 0, task(1, "claimed", claim=claim("a", left=60)), "x"))
    before = replay.rows[task(1)["id"]]
    assert before.lease is not None and before.lease.expires_ms is not None
    replay.apply({**event(2, "clock.jumped", 0, None, "deck", by_seconds=3600.0)})
    after = replay.rows[task(1)["id"]].lease
    assert after is not None and after.expires_ms == before.lease.expires_ms + 3_600_000
    assert replay.back() == {task(1)["id"]} and replay.rows[task(1)["id"]] == before


def test_workers_and_projects_come_and_go_with_the_log() -> None:
    replay = Replay()
    told = {**event(1, "worker.registered", -50, None, "x"), "worker": "robot", "changes": worker("robot", 0)}
    del told["changes"]["last_seen_at"]
    replay.apply(told)
    replay.apply({**changed(2, 1, "task.heartbeat", claim=claim("robot", left=9)), "worker": "robot"})
    assert replay.workers["robot"].last_seen_ms == from_rfc3339(at(2))
    replay.apply({**event(3, "project.paused", 0, None, "x"), "project": "web", "changes": {"paused": {"by": "x"}}})
    replay.apply({**event(4, "worker.deleted", 0, None, "x"), "worker": "robot"})
    assert replay.projects["web"]["paused"] and not replay.workers
    replay.back()
    replay.back()
    assert "robot" in replay.workers and not replay.projects


def test_the_way_back_has_an_end() -> None:
    replay = Replay()
    for seq in range(1, WAY_BACK + 100):
        replay.apply(event(seq, "task.heartbeat", 0, task(1), "x"))
    steps = 0
    while replay.back() is not None:
        steps += 1
    assert steps == WAY_BACK


# -- moments and the scrubber --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("14:02", -31), ("14:02:31", 0), ("14:02:32", 1 - 86_400), ("9:05", -17_851), ("5m", -300), ("-1h30m", -5400),
        ("90 s ago", -90), ("2d", -172_800), ("2026-09-16 14:00", -151), ("2026-09-16T14:00:00+02:00", -7351),
    ],
)  # fmt: skip
def test_moments_are_read(text: str, seconds: int) -> None:
    assert wanted(text, NOW) == Wanted(at_ms=NOW + seconds * 1000)


def test_an_event_and_the_present_are_moments() -> None:
    assert wanted("#42", NOW) == Wanted(seq=42)
    assert wanted("now", NOW) == wanted("", NOW) == Wanted()


@pytest.mark.parametrize("text", ["25:00", "yesterday", "14:60", "#x", "m5", "2026-02-30 12:00"])
def test_what_is_no_moment_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment; say 14:02"):
        wanted(text, NOW)


def test_the_scrubber_shows_the_shortest_stretch_that_holds_the_moment() -> None:
    line = Timeline([(1, 0), (1000, 100 * 60 * MINUTE_MS)])
    now = 100 * 60 * MINUTE_MS
    assert line.span(now - 20 * MINUTE_MS, now) == (now - 60 * MINUTE_MS, now)
    assert line.span(now - 90 * MINUTE_MS, now) == (now - 360 * MINUTE_MS, now)
    assert line.span(5, now) == (0, now)


def test_density_follows_the_points_and_sums_to_the_events() -> None:
    line = Timeline()
    for seq, when in ((1, 0), (101, 100), (111, 200), (211, 300)):
        line.add(seq, when)
    density = line.density(0, 300, 3)
    assert [round(number) for number in density] == [100, 10, 100]
    assert line.density(0, 0, 3) == [] and line.density(0, 9, 0) == []
    assert line.between(150) == (101, 111) and line.between(-1) == (0, 1) and line.between(400) == (211, 0)


# -- on a real deck, with keys ---------------------------------------------------------------------------------


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningDeck]:
    async with deck_in(tmp_path / "d") as deck:
        yield deck


@pytest.fixture
async def at_deck(running: RunningDeck) -> AsyncIterator[Seat]:
    async with client_of(running) as client:
        await client.create(title="The first", payload={"old": 1})
        await client.create(title="The second", priority=20)
        held = (await client.claim("robot"))["claims"][0]
        await client.edit("T1", payload={"new": 2}, title="The first, renamed")
        await client.complete("T1", held["fence"])
        async with seat(running, (200, 50)) as sitting:
            await sitting.sees("The second")
            yield sitting


async def back(seat: Seat, presses: int) -> None:
    await seat.press("t")
    await seat.until(lambda: seat.deck.travel.away, "the past")
    for _ in range(presses):
        await seat.press("left_square_bracket")
    last = seat.app.model.last_seq
    await seat.until(lambda: seat.deck.model.past and seat.deck.model.past.seq == last - presses, "so many steps back")


async def test_steps_back_show_queue_leases_and_workers_as_they_were(at_deck: Seat) -> None:
    await back(at_deck, 2)
    await at_deck.sees("◀ PAST")
    assert at_deck.shows("● claimed 1") and at_deck.deck.queue.select((await at_deck.task("T1"))["id"])
    assert {row.title for row in at_deck.deck.model.rows.values()} == {"The first", "The second"}
    assert [row.holder for row in at_deck.deck.model.leases()] == ["robot"]
    await at_deck.sees('"old"')
    await at_deck.press("right_square_bracket")
    await at_deck.sees("The first, renamed")
    await at_deck.sees('"new"')
    await at_deck.press("right_square_bracket", "right_square_bracket")
    await at_deck.sees("that was the last event")
    await at_deck.press("t")
    await at_deck.until(lambda: not at_deck.deck.travel.away)
    await at_deck.sees("● live")
    assert not at_deck.shows("PAST") and at_deck.shows("✓ done 1")


async def test_the_past_is_read_only_for_every_act(at_deck: Seat) -> None:
    await back(at_deck, 1)
    before = at_deck.app.model.last_seq
    for action in TABLE:
        if action.writes:
            at_deck.deck.act(action.id)
            assert at_deck.shows("the past cannot be changed"), action.id
            assert len(at_deck.app.screen_stack) == 1
    await at_deck.press("p")
    await at_deck.sees("the past stands still by itself")
    assert (await at_deck.other.stats())["last_seq"] == before


async def test_the_present_goes_on_unseen(at_deck: Seat) -> None:
    await back(at_deck, 1)
    await at_deck.other.create(title="Meanwhile", max_attempts=1, priority=90)
    held = (await at_deck.other.claim("robot"))["claims"][0]
    await at_deck.other.fail(held["task"]["key"], held["fence"], "boom")
    await at_deck.until(lambda: at_deck.app.model.counts.get("failed") == 1)
    assert not at_deck.shows("Meanwhile")
    await at_deck.sees("now ▲ 1")
    await at_deck.press("escape", "escape")
    await at_deck.until(lambda: not at_deck.deck.travel.away)
    await at_deck.sees("Meanwhile")


async def test_the_beginning_of_the_log_is_said(at_deck: Seat) -> None:
    await at_deck.press("colon")
    await at_deck.type("at 2d")
    await at_deck.press("enter")
    await at_deck.sees("the log begins at 20")
    assert at_deck.deck.model.past is not None and at_deck.deck.model.past.seq == 1
    await at_deck.press("left_square_bracket")
    await at_deck.sees("the log begins here")


async def test_a_time_a_number_and_nonsense(at_deck: Seat) -> None:
    for typed, seq in (("at #3", 3), ("at #999", at_deck.app.model.last_seq), ("at now", at_deck.app.model.last_seq)):
        await at_deck.press("colon")
        await at_deck.type(typed)
        await at_deck.press("enter")
        await at_deck.until(lambda seq=seq: at_deck.deck.model.past and at_deck.deck.model.past.seq == seq, typed)
    await at_deck.press("colon")
    await at_deck.type("at noon")
    await at_deck.press("enter")
    await at_deck.sees("is no moment; say 14:02")
    await at_deck.press("colon")
    await at_deck.type("live")
    await at_deck.press("enter")
    await at_deck.until(lambda: not at_deck.deck.travel.away)


async def test_a_filter_in_the_past_is_of_the_past(at_deck: Seat) -> None:
    await back(at_deck, 2)
    await at_deck.press("slash")
    await at_deck.type("state:claimed")
    await at_deck.press("enter")
    await at_deck.until(lambda: len(at_deck.deck.model.window) == 1)
    await at_deck.until(lambda: at_deck.deck.queue.current and at_deck.deck.queue.current.title == "The first")
    await at_deck.press("t")
    await at_deck.until(lambda: not at_deck.deck.travel.away)
    assert not at_deck.app.model.window.filter.terms, "the view of the present is as it was left"


async def test_a_minute_and_a_click_on_the_scrubber(at_deck: Seat) -> None:
    await back(at_deck, 1)
    there = at_deck.deck.model.now_ms()
    await at_deck.press("left_curly_bracket")
    await at_deck.sees("the log begins at")
    await at_deck.press("right_curly_bracket")
    await at_deck.until(lambda: at_deck.deck.model.now_ms() > there)
    await at_deck.pilot.click("#vitals", offset=(12, 2))
    await at_deck.until(lambda: at_deck.deck.model.now_ms() <= there, "a moment further left")


async def test_without_room_the_mark_of_the_past_stays(at_deck: Seat) -> None:
    await back(at_deck, 2)
    for width, height in ((80, 24), (60, 16), (40, 10), (20, 5), (1, 1), (120, 36)):
        await at_deck.pilot.resize_terminal(width, height)
        await at_deck.pilot.pause()
        lines = screen(at_deck.app)
        assert len(lines) == height and {len(line) for line in lines} == {width}
        assert width < 40 or "PAST" in lines[0]


async def test_an_empty_log_has_no_past(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as admin:
        await admin.create_project("elsewhere")
        secret = (await admin.create_token("visitor", "reader", projects=["elsewhere"]))["secret"]
        async with seat(deck, client=Client(deck.url, token=secret)) as at_empty:
            await at_empty.press("t")
            await at_empty.until(lambda: at_empty.deck.travel.away, "what this reader may see")
            assert at_empty.deck.model.past is not None and at_empty.deck.model.past.seq > 0


async def test_a_long_log_is_read_from_its_end_and_says_so(at_deck: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "READ_MOST", 2)
    await at_deck.press("t")
    await at_deck.sees("the log was read from")
    assert at_deck.shows("read from 20")
    await at_deck.press("left_square_bracket", "left_square_bracket")
    await at_deck.until(lambda: UNTOLD in {row.title for row in at_deck.deck.model.rows.values()})


async def test_a_server_that_goes_away_leaves_the_present(tmp_path: Path) -> None:
    async with deck_in(tmp_path / "d") as deck, client_of(deck) as client:
        await client.create(title="Alone")
        context = seat(deck)
        at_seat = await context.__aenter__()
        await at_seat.sees("Alone")
    try:
        await at_seat.press("t")
        await at_seat.sees("✗")
        assert not at_seat.deck.travel.away
    finally:
        await context.__aexit__(None, None, None)
