"""When commits may be waited for on the event loop."""

from __future__ import annotations

import pytest

from taskdeck.store.disk import FIRST_REST, LONGEST_REST, QUICK_S, SLOW_S, TRUSTED, UNIT_S, Disk


@pytest.fixture
def disk() -> Disk:
    """One that has rested since its start."""
    made = Disk()
    assert _rest(made) == FIRST_REST
    return made


def _rest(disk: Disk) -> int:
    """After how many batches of the thread it is tried again."""
    count = 0
    while not disk.quick:
        disk.rested()
        count += 1
    return count


def test_quick_commits_keep_it_quick(disk: Disk) -> None:
    for _ in range(10_000):
        assert disk.quick
        disk.synced(QUICK_S * 0.9, 0)


def test_many_units_may_take_longer(disk: Disk) -> None:
    for _ in range(100):
        disk.synced(QUICK_S * 0.9 + 50 * UNIT_S, 50)
    assert disk.quick


def test_one_slow_commit_sends_it_to_rest_and_each_trial_that_fails_doubles_the_rest(disk: Disk) -> None:
    rests = []
    for _ in range(8):
        disk.synced(SLOW_S * 1.01 + UNIT_S, 1)
        rests.append(_rest(disk))
    assert rests == [16, 32, 64, 128, 256, 512, LONGEST_REST, LONGEST_REST]


def test_many_quick_commits_make_the_next_slow_one_the_first(disk: Disk) -> None:
    for quick, rest in [(0, 16), (TRUSTED - 1, 32), (TRUSTED, 16), (10 * TRUSTED, 16), (1, 32)]:
        for _ in range(quick):
            disk.synced(QUICK_S / 2, 1)
        disk.synced(SLOW_S * 1.01 + UNIT_S, 1)
        assert _rest(disk) == rest


def test_a_commit_that_fails_sends_it_to_rest(disk: Disk) -> None:
    disk.failed()
    assert not disk.quick


def test_commits_that_are_a_little_slow_send_it_to_rest_before_long(disk: Disk) -> None:
    for count in range(100):
        disk.synced(QUICK_S * 1.2, 0)
        if not disk.quick:
            assert count > 3
            return
    raise AssertionError("it was quick throughout")
