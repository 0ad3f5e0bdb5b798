"""When commits may be waited for on the event loop."""

from __future__ import annotations

import pytest

from taskdeck.store.disk import FIRST_REST, QUICK_S, REST, SLOW_S, UNIT_S, Disk


@pytest.fixture
def disk() -> Disk:
    """One that has rested since its start."""
    made = Disk()
    for _ in range(FIRST_REST):
        assert not made.quick
        made.rested()
    return made


def test_quick_commits_keep_it_quick(disk: Disk) -> None:
    for _ in range(10_000):
        assert disk.quick
        disk.synced(QUICK_S * 0.9, 0)


def test_many_units_may_take_longer(disk: Disk) -> None:
    for _ in range(100):
        disk.synced(QUICK_S * 0.9 + 50 * UNIT_S, 50)
    assert disk.quick


def test_one_slow_commit_sends_it_to_rest_and_it_is_tried_again(disk: Disk) -> None:
    disk.synced(SLOW_S * 1.01, 1)
    for _ in range(REST):
        assert not disk.quick
        disk.rested()
    assert disk.quick
    disk.synced(SLOW_S * 1.01, 1)
    assert not disk.quick


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
