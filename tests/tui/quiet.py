"""When an app has nothing left to do, as its queues tell; Textual's own wait guesses it from the processor time."""

from __future__ import annotations

import asyncio
from typing import Any

from textual._context import active_app
from textual.message_pump import MessagePump
from textual.screen import Screen

CALM = 6
"""Turns of the loop without anything to do after which nothing comes by itself: a task may take a few to its next."""
AT_ONCE = 200
"""Turns after which it is something slow that is done, and each turn is given a millisecond."""
DEADLINE = 5.0
"""Seconds at most: what is fed without end is never quiet."""


async def quiet(*_: Any) -> None:
    """Wait until every message to the app in use is handled, and every screen of its stack laid out and drawn.

    What comes from elsewhere, a server or a timer, is not waited for: that takes a condition.
    """
    app, loop = active_app.get(), asyncio.get_running_loop()
    pumps: list[MessagePump] = []
    calm, turns, end = 0, 0, loop.time() + DEADLINE
    while calm < CALM and app._running and loop.time() < end:
        turns += 1
        await asyncio.sleep(0 if turns < AT_ONCE else 0.001)
        if app._resize_event is not None:
            app._check_resize()  # instead of its timer
        screens = [screen for screen in app._screen_stack if screen.is_current]
        undrawn = [screen for screen in screens if _undrawn(screen, app.screen)]
        for screen in undrawn:
            screen._on_timer_update()
        if not calm:  # else nobody has come or gone
            pumps = [app, *(pump for screen in screens for pump in screen.walk_children(with_self=True))]
        calm = calm + 1 if not undrawn and all(map(_rests, pumps)) else 0


def _rests(pump: MessagePump) -> bool:
    """Whether it waits for its next message, or will never have one."""
    if pump._closed or pump._closing:
        return True
    come = pump._message_queue.ready_event
    return not come.is_set() and bool(come._waiters) and pump._pending_message is None


def _undrawn(screen: Screen[Any], top: Screen[Any]) -> bool:
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
        or (screen._repaint_required and screen is top)  # one below draws itself once more at its next message
    )
