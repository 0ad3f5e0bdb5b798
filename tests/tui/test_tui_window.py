"""The window: order, pages, and rest."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import claim, task

from taskdeck.tui.model.filter import OPEN, Filter, parse
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.window import PAGE, PAGES_MOST, ROWS_MOST, Window, order_key

pytestmark = pytest.mark.unit


def row(number: int, state: str = "ready", **fields: Any) -> TaskRow:
    return TaskRow.of(task(number, state, **fields))


def complete(window: Window) -> Window:
    for segment in window.segments.values():
        segment.complete = True
    return window


def shown(window: Window) -> list[str | None]:
    return [
        entry.task[-3:].lstrip("0") if entry.task else None for entry in map(window.at, range(len(window))) if entry
    ]


def test_attention_comes_first_then_claim_order() -> None:
    window = complete(Window(Filter()))
    for each in (
        row(1), row(2, priority=90), row(3, "blocked"), row(4, "failed", finished_at="2026-09-16T14:00:00.000Z"),
        row(5, "claimed", claim=claim("a", left=200)), row(6, "claimed", claim=claim("b", left=-3)),
        row(7, "claimed", claim=claim("c", left=None)), row(8, "review"), row(9, "done"), row(10),
    ):  # fmt: skip
        window.put(each)
    assert shown(window) == ["6", "5", "7", "8", "4", "2", "1", "10", "3"]


def test_a_ready_task_behind_what_is_loaded_waits_for_its_page() -> None:
    window = Window(Filter())
    ready = window.segments["ready"]
    for number in range(1, 4):
        window.put(row(number), loaded=True)
    ready.cursor = "next"
    assert not window.put(row(9))
    assert window.put(row(8, priority=60))
    assert window.put(row(9), loaded=True)


def test_the_rest_of_a_state_is_one_line() -> None:
    window = complete(Window(Filter()))
    window.put(row(1))
    window.segments["ready"].complete = False
    assert len(window) == 2
    entry = window.at(1)
    assert entry is not None and entry.segment == "ready" and entry.task is None
    assert window.at(2) is None


def test_pages_are_wanted_only_near_the_view() -> None:
    window = complete(Window(parse("state:ready,blocked")))
    for number in range(1, 401):
        window.put(row(number))
    for segment in window.segments.values():
        segment.complete = False
    assert [segment.name for segment in window.wanting(0, 40)] == []
    assert [segment.name for segment in window.wanting(355, 395)] == ["ready", "blocked"]
    window.segments["ready"].pages = PAGES_MOST
    assert [segment.name for segment in window.wanting(355, 395)] == ["blocked"]


def test_while_order_rests_no_line_moves() -> None:
    window = complete(Window(Filter()))
    for number in range(1, 6):
        window.put(row(number))
    window.hold()
    window.put(row(3, priority=99))
    window.put(row(2, "done"))
    window.put(row(6, priority=100))
    assert shown(window) == ["1", "2", "3", "4", "5"]
    assert window.find(row(3).id) == 2
    window.release()
    assert shown(window) == ["6", "3", "1", "4", "5"]


def test_what_events_pile_up_is_let_go_of_behind_the_view() -> None:
    window = complete(Window(Filter()))
    for number in range(1, ROWS_MOST + 2):
        window.put(row(number))
    assert window.trim(last=1000)
    ready = window.segments["ready"]
    assert len(ready.items) == 1000 + PAGE and not ready.full
    assert not window.put(row(9_000_000)), "what is behind the last line is not known any more"
    assert window.put(row(9_000_001, priority=60))
    assert not window.trim(last=1000)
    assert [segment.name for segment in window.wanting(0, 1200)] == ["ready"], "and can be read again"


@given(st.integers(0, 10**6))
def test_lines_are_what_sorting_everything_would_give(seed: int) -> None:
    rng = random.Random(seed)
    window = complete(Window(Filter()))
    truth: dict[str, TaskRow] = {}
    for _ in range(120):
        number = rng.randint(1, 25)
        state = rng.choice([*OPEN, "done", "cancelled"])
        lease = claim("w", left=rng.choice([None, rng.randint(-50, 500)])) if state == "claimed" else None
        each = row(number, state, priority=rng.randint(0, 100), claim=lease)
        window.put(each)
        truth[each.id] = each
    wanted = sorted(
        (each for each in truth.values() if each.state in OPEN),
        key=lambda each: (OPEN.index(each.state), order_key(each), each.id),
    )
    assert [entry.task for entry in map(window.at, range(len(window))) if entry] == [each.id for each in wanted]
    for at, each in enumerate(wanted):
        assert window.find(each.id) == at


@given(
    states=st.lists(st.sampled_from(["claimed", "ready", "failed", "blocked"]), max_size=30),
    whole=st.sets(st.sampled_from(["claimed", "review", "ready", "failed", "blocked"])),
    first=st.integers(0, 40), number=st.integers(0, 40), held=st.booleans(),
)  # fmt: skip
def test_lines_at_once_are_the_lines_one_by_one(
    states: list[str], whole: set[str], first: int, number: int, held: bool
) -> None:
    window = Window(Filter())
    for at, state in enumerate(states, 1):
        window.put(row(at, state, claim=claim("a", left=at) if state == "claimed" else None), loaded=True)
    for state, segment in window.segments.items():
        segment.complete = state in whole
    if held:
        window.hold()
    assert window.lines(first, number) == [
        entry for at in range(first, first + number) if (entry := window.at(at)) is not None
    ]
