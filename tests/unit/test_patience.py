"""One deadline for many waits."""

from __future__ import annotations

import asyncio

import pytest

from taskdeck.service.patience import Patience

pytestmark = pytest.mark.unit


def _patience(seconds: float) -> Patience:
    return Patience(seconds, lambda: TimeoutError("too long"), look_s=0.001)


async def test_a_wait_that_is_too_long_ends_and_others_go_on() -> None:
    loop = asyncio.get_running_loop()
    short, long = _patience(0), _patience(60)
    late, other = loop.create_future(), loop.create_future()
    short.watch(late)
    long.watch(other)
    with pytest.raises(TimeoutError):
        await late
    assert not other.done()
    other.set_result("came")
    assert await other == "came"
    short.close()
    long.close()


async def test_what_has_ended_is_left_as_it_is() -> None:
    loop = asyncio.get_running_loop()
    patience = _patience(0)
    done, failed, gone, late = (loop.create_future() for _ in range(4))
    for future in (done, failed, gone, late):
        patience.watch(future)
    done.set_result(7)
    failed.set_exception(KeyError("why"))
    gone.cancel()
    with pytest.raises(TimeoutError):
        await late
    assert await done == 7
    with pytest.raises(KeyError):
        await failed
    assert gone.cancelled()
    patience.close()


async def test_nothing_is_looked_at_or_held_once_all_have_ended() -> None:
    loop = asyncio.get_running_loop()
    patience, future = _patience(60), loop.create_future()
    patience.watch(future)
    future.set_result(None)
    patience._look()
    assert patience._timer is None
    assert not patience._waits
    assert not patience._new
    patience.watch(loop.create_future())
    assert patience._timer is not None
    patience.close()
