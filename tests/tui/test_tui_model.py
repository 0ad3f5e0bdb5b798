"""The model under events, replies, freezing and resting."""

from __future__ import annotations

import random
from typing import Any

import pytest
from scene import NOW, StillClock, at, claim, event, fill, stats, task, tasks, worker

from taskdeck.tui.model.deck import PENDING_LIMIT, DeckModel
from taskdeck.tui.model.events import EventRing, line_of
from taskdeck.tui.model.filter import parse
from taskdeck.tui.model.rows import WorkerRow, per_minute

pytestmark = pytest.mark.unit


@pytest.fixture
def model() -> DeckModel:
    made = DeckModel(StillClock())
    fill(
        made,
        [task(1), task(2, priority=80), task(3, "claimed", claim=claim("a", left=100))],
        counts={"ready": 2, "claimed": 1},
    )
    return made


def changed(seq: int, number: int, kind: str, **changes: Any) -> dict[str, Any]:
    told = event(seq, kind, 0, task(number), "ops")
    told["changes"] = changes
    return told


def keys(model: DeckModel) -> list[str]:
    return [row.key for at in range(len(model.window)) if (row := model.row_at(at))]


def test_a_delta_moves_a_task_to_where_it_belongs(model: DeckModel) -> None:
    assert keys(model) == ["W3", "W2", "W1"]
    model.apply(changed(9, 1, "task.claimed", state="claimed", claim=claim("b", left=30), version=2))
    assert keys(model) == ["W1", "W3", "W2"]
    assert [row.key for row in model.leases()] == ["W1", "W3"]
    model.apply(changed(10, 1, "task.completed", state="done", claim=None, finished_at=at(0), version=3))
    assert keys(model) == ["W3", "W2"]
    assert model.last_seq == 10


def test_an_event_of_a_task_out_of_view_is_told_with_its_title(model: DeckModel) -> None:
    model.set_filter(parse("state:review"))
    model.apply(event(9, "task.created", 0, task(7, title="Backfill"), "pipeline"))
    assert task(7)["id"] not in model.rows
    model.apply(changed(10, 7, "task.claimed", state="claimed", version=2))
    assert [line.text for line in model.events][-1] == "Backfill"


def test_a_renewed_lease_moves_back_in_the_fuses(model: DeckModel) -> None:
    model.apply(changed(9, 1, "task.claimed", state="claimed", claim=claim("b", left=30), version=2))
    model.apply(changed(10, 1, "task.heartbeat", claim=claim("b", left=300, progress=40), version=3))
    assert [row.key for row in model.leases()] == ["W3", "W1"]
    row = model.rows[task(1)["id"]]
    assert row.lease is not None and row.lease.progress == 40


def test_a_jump_of_the_clock_moves_every_running_lease(model: DeckModel) -> None:
    before = model.leases()[0].lease
    model.apply(event(9, "clock.jumped", 0, None, "deck", by_seconds=-600.0, leases=1))
    after = model.leases()[0].lease
    assert before and after and before.expires_ms and after.expires_ms == before.expires_ms - 600_000
    assert keys(model) == ["W3", "W2", "W1"]


def test_a_created_task_needs_no_request(model: DeckModel) -> None:
    model.apply(event(9, "task.created", 0, task(5, priority=100), "ops", title="x"))
    assert keys(model) == ["W3", "W5", "W2", "W1"]
    assert not model.stale_tasks


def test_an_unknown_task_is_asked_for_only_if_it_comes_into_view(model: DeckModel) -> None:
    model.apply(changed(9, 77, "task.heartbeat", claim=claim("b", left=30), version=9))
    assert not model.stale_tasks
    model.apply(changed(10, 77, "task.completed", state="done", claim=None, version=10))
    assert not model.stale_tasks
    model.apply(changed(11, 78, "task.failed", state="failed", claim=None, version=10))
    assert model.stale_tasks == {task(78)["id"]}
    model.learn(task(78, "failed", version=10))
    assert not model.stale_tasks and "W78" in keys(model)


def test_an_unknown_task_that_left_the_view_again_is_not_read(model: DeckModel) -> None:
    gone = task(77)["id"]
    model.apply(changed(9, 77, "task.claimed", state="claimed", claim=claim("b", left=30), version=2))
    assert model.stale_tasks == {gone}
    model.begin_load()
    model.apply(changed(10, 77, "task.completed", state="done", claim=None, version=3))
    assert not model.stale_tasks
    segment = model.watch.segments["claimed"]
    segment.complete = False
    touched = model.end_load()
    model.load(segment, [task(77, "claimed", claim=claim("b", left=30), version=2)], None, touched)
    assert gone not in model.rows and [row.key for row in model.leases()] == ["W3"], (
        "what was read of it before that is older"
    )
    model.begin_load()
    model.apply(changed(11, 77, "task.retried", state="ready", ready_at=at(0), version=4))
    assert model.stale_tasks == {gone} and gone not in model.end_load(), "it is back"


def test_an_older_reply_does_not_undo_a_newer_event(model: DeckModel) -> None:
    model.apply(changed(9, 1, "task.reprioritized", priority=90, version=5))
    assert model.learn(task(1, priority=10, version=4)).priority == 90
    model.apply(changed(10, 1, "task.reprioritized", priority=20, version=3))
    assert model.rows[task(1)["id"]].priority == 90


def test_a_page_asked_for_before_an_event_does_not_overwrite_it(model: DeckModel) -> None:
    segment = model.window.segments["ready"]
    segment.complete = False
    model.begin_load()
    model.apply(changed(9, 1, "task.completed", state="done", claim=None, version=2))
    model.apply(event(10, "task.created", 0, task(6), "ops"))
    model.apply(changed(11, 6, "task.deleted"))
    touched = model.end_load()
    model.load(segment, [task(1), task(6), task(7)], None, touched)
    assert keys(model) == ["W3", "W2", "W7"]


def test_frozen_changes_wait_and_are_counted(model: DeckModel) -> None:
    model.freeze()
    model.apply(changed(9, 1, "task.completed", state="done", claim=None, version=2))
    model.apply(event(10, "task.created", 0, task(9, priority=100), "ops"))
    assert keys(model) == ["W3", "W2", "W1"]
    assert len(model.pending) == 2 and task(1)["id"] in model.stirred
    assert model.thaw()
    assert keys(model) == ["W3", "W9", "W2"]
    assert not model.pending and not model.stirred


def test_too_many_frozen_changes_ask_for_a_reload(model: DeckModel) -> None:
    model.freeze()
    for seq in range(PENDING_LIMIT + 5):
        model.apply(changed(100 + seq, 1, "task.heartbeat"))
    assert len(model.pending) == PENDING_LIMIT
    assert model.thaw() is False
    assert model.last_seq == PENDING_LIMIT + 104


def test_the_clock_is_the_servers() -> None:
    clock = StillClock(NOW - 90_000)
    model = DeckModel(clock)
    model.set_stats(stats(), round_trip_ms=20)
    assert abs(model.now_ms() - NOW) < 50
    clock.pass_ms(5_000)
    model.set_stats({**stats(), "now": at(5.1)}, round_trip_ms=20)
    assert abs(model.now_ms() - NOW - 5_000) < 50, "a little jitter does not move the countdowns"


def test_a_filter_keeps_leases_and_problems(model: DeckModel) -> None:
    model.set_filter(parse("state:blocked"))
    assert keys(model) == []
    assert [row.key for row in model.leases()] == ["W3"]
    model.apply(changed(9, 3, "task.heartbeat", claim=claim("a", left=-1, lapsed=True), version=4))
    model.refresh_problems()
    assert [problem.key for problem in model.problems] == ["W3"]


def test_marks_survive_sorting_and_filters(model: DeckModel) -> None:
    row = model.rows[task(1)["id"]]
    assert model.marks.toggle(row)
    model.set_filter(parse("state:failed"))
    model.apply(changed(9, 1, "task.reprioritized", priority=5, version=2))
    assert [marked.priority for marked in model.marks] == [5]
    model.apply(changed(10, 1, "task.deleted"))
    assert not model.marks


def test_deltas_and_reloads_agree() -> None:
    """Whatever happens, following events gives the same lines as loading everything anew."""
    rng = random.Random(3)
    truth = {row["id"]: row for row in tasks()}
    followed = DeckModel(StillClock())
    fill(followed, list(truth.values()), counts=dict.fromkeys(followed.window.segments, 0))
    for segment in followed.window.segments.values():
        segment.complete, segment.cursor = True, None
    for seq in range(1, 600):
        wire = rng.choice(list(truth.values()))
        state = rng.choice(["ready", "claimed", "review", "failed", "scheduled", "done", "cancelled"])
        delta: dict[str, Any] = {
            "state": state, "version": wire["version"] + 1, "priority": rng.randint(0, 100), "updated_at": at(seq),
            "claim": claim("w", left=rng.randint(-9, 900)) if state == "claimed" else None,
            "finished_at": at(seq) if state in ("failed", "done", "cancelled") else None,
            "ready_at": at(seq), "queued_at": at(seq), "not_before": at(seq) if state == "scheduled" else None,
        }  # fmt: skip
        truth[wire["id"]] = {**wire, **delta}
        told = event(seq, "task.edited", seq, wire, "x")
        told["changes"] = delta
        followed.apply(told)
        for task_id in list(followed.stale_tasks):
            followed.learn(truth[task_id])
    loaded = DeckModel(StillClock())
    fill(loaded, list(truth.values()), counts=dict.fromkeys(loaded.window.segments, 0))
    for segment in loaded.window.segments.values():
        segment.complete = True
    assert keys(followed) == keys(loaded)
    assert [row.key for row in followed.leases()] == [row.key for row in loaded.leases()]


def test_the_ring_keeps_positions_while_it_turns() -> None:
    ring = EventRing(100)
    for seq in range(1, 251):
        ring.add(line_of(event(seq, "task.heartbeat", 0, task(1), "a")))
    assert ring.end == 250
    newest = ring.at(249)
    assert newest is not None and newest.seq == 250
    assert 100 <= ring.end - ring.first <= 110
    assert not ring.add(line_of(event(250, "task.heartbeat", 0, task(1), "a"))), "nothing twice"
    assert ring.at(ring.first - 1) is None


def test_worker_beats_keep_it_alive(model: DeckModel) -> None:
    model.set_workers([worker("a", -200)])
    assert model.workers["a"].liveness(model.now_ms()) == "silent"
    told = changed(9, 3, "task.heartbeat", claim=claim("a", left=100), version=2)
    told["worker"] = "a"
    model.apply(told)
    assert model.workers["a"].liveness(model.now_ms()) == "active"


def test_a_worker_is_as_fast_as_in_the_last_minutes() -> None:
    start = 1_000 * 60_000
    row = WorkerRow.of({"id": "w", "completions_by_minute": [3, 0, 0, 0, 0, 4, 4, 4, 4, 2]}, start + 30_000)
    assert per_minute(row.done, 30_000) == 18 / 4.5
    row = row.completed(start + 31_000)
    assert row.done[-1] == 3, "told by an event"
    row = row.completed(start - 20_000)
    assert row.done[-2:] == (5, 3), "late, yet in its minute"
    row = row.completed(start + 2 * 60_000)
    assert row.done[-4:] == (5, 3, 0, 1) and len(row.done) == 10, "minutes without any lie between"
    assert row.by(start + 90 * 60_000).done == (0,) * 10
    assert row.completed(start - 90 * 60_000).done == row.done
    assert WorkerRow.of({"id": "w"}).completed(start).done == (), "an older deck does not tell"
