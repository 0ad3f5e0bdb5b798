"""One deadline for many waits."""

from __future__ import annotations

import asyncio

import pytest

from taskdeck.service.patience import Patience

pytestmark = pytest.mark.unit


async def test_a_result_that_comes_in_time_is_passed_on() -> None:
    patience, future = Patience(60), asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, 7)
    assert await patience.wait(future) == 7
    patience.close()


async def test_an_error_is_passed_on() -> None:
    patience, future = Patience(60), asyncio.get_running_loop().create_future()
    future.set_exception(KeyError("why"))
    with pytest.raises(KeyError):
        await patience.wait(future)
    patience.close()


async def test_a_wait_that_is_too_long_ends_and_others_go_on() -> None:
    loop = asyncio.get_running_loop()
    short, long = Patience(0, look_s=0.001), Patience(60, look_s=0.001)
    late, other = loop.create_future(), loop.create_future()
    going_on = asyncio.create_task(long.wait(other))
    with pytest.raises(TimeoutError):
        await short.wait(late)
    assert late.done()
    other.set_result("came")
    assert await going_on == "came"
    short.close()
    long.close()


async def test_a_cancelled_wait_cancels_what_it_waited_for() -> None:
    patience, future = Patience(60), asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(patience.wait(future))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert future.cancelled()
    patience.close()
