"""One deadline for many waits: a timer for each would cost more than the wait."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

T = TypeVar("T")


class Patience:
    """Lets each wait last `seconds`, or up to `look_s` longer, looking at all of them with one timer."""

    def __init__(self, seconds: float, look_s: float = 1.0) -> None:
        self._seconds = seconds
        self._look_s = look_s
        self._since: dict[asyncio.Future[Any], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, future: asyncio.Future[T]) -> T:
        """The result of `future`.

        Raises:
            TimeoutError: it took too long; `future` has that outcome then, and whoever would set it must look.
        """
        loop = asyncio.get_running_loop()
        self._since[future] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._look_s, self._look, loop)
        try:
            return await future
        finally:
            del self._since[future]

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        late = loop.time() - self._seconds
        for future, since in list(self._since.items()):
            if since > late:  # those behind began to wait later
                break
            if not future.done():
                future.set_exception(TimeoutError())
        self._timer = loop.call_later(self._look_s, self._look, loop) if self._since else None
