"""Between the present and the past: who travels, what is told of it, and the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import WorkType

from taskdeck.client import ApiError, Unreachable
from taskdeck.tui.format import clock, count, moment
from taskdeck.tui.keymap import key
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.moment import Wanted
from taskdeck.tui.operate import told
from taskdeck.tui.past import NoPast, TimeMachine

if TYPE_CHECKING:
    from taskdeck.tui.screens.deck import DeckScreen

Journey = Callable[[], Awaitable[object]]


class Travel:
    """Shows moments of the past on a screen. The present goes on unseen, and is there again with one key."""

    def __init__(self, screen: DeckScreen) -> None:
        self._screen = screen
        self._machine: TimeMachine | None = None

    @property
    def away(self) -> bool:
        """Whether the past is on screen."""
        return self._screen.model is not self._screen.live

    def toggle(self) -> None:
        """Into the past, at its last event; from there back to now."""
        if self.away:
            self.leave()
        else:
            self.go(Wanted())

    def leave(self) -> None:
        """Back to now."""
        if not self.away:
            return
        self._screen.workers.cancel_group(self._screen, "travel")
        self._screen.workers.cancel_group(self._screen, "steps")
        self._machine = None
        self._screen.show_model(self._screen.live)
        self._screen.place_panes()
        self._screen.tell("this is now")

    def stop(self) -> bool:
        """Give up the journey that has not arrived anywhere yet; False if there is none."""
        if self.away or self._machine is None:
            return False
        self._screen.workers.cancel_group(self._screen, "travel")
        self._machine = None
        return True

    def report(self) -> None:
        """Once a second: what the present needs meanwhile, and how far the first journey has come.

        Later journeys are told of at the top of the screen.
        """
        if self._machine is None:
            return
        past, needed = self._machine.model.past, len(self._screen.live.problems)
        if past.needed_now != needed:
            past.needed_now = needed
            self._machine.model.changed()
        if not self.away and past.to_do:
            self._screen.tell(
                f"reading the log: {count(past.done)} of {count(past.to_do)} events · {key('peel')} stops"
            )

    def go(self, wanted: Wanted) -> None:
        """To a moment."""
        self._run(partial(self._go, wanted), "travel", exclusive=True)

    def step(self, by: int) -> None:
        """One event on or back. From the present, back means before the last one."""
        if self.away:
            self._run(partial(self._step, by), "steps")
        elif by < 0:
            self._run(self._last, "travel", exclusive=True)
        else:
            self._screen.tell("this is now; [ goes back from here", "refused")

    def shift(self, by_ms: int) -> None:
        """So much time on or back."""
        past = self._screen.model.past
        if past is not None or by_ms < 0:
            self.go(Wanted(at_ms=(past.at_ms if past else self._screen.live.now_ms()) + by_ms))
        else:
            self._screen.tell("this is now; { goes back from here", "refused")

    def choose(self, chosen: Filter) -> None:
        """View the moment through another filter."""
        if self._machine is not None:
            self._machine.model.set_filter(chosen)
            self._run(partial(self._machine.choose, chosen), "travel", exclusive=True)

    def look_back(self) -> Awaitable[int] | None:
        """Older events than those shown, if it is the past that is shown."""
        return self._machine.look_back() if self.away and self._machine is not None else None

    def _run(self, journey: Journey, group: str, *, exclusive: bool = False) -> None:
        # a function, not a coroutine: one that is cancelled before it began is then not left unawaited
        work: WorkType[None] = partial(self._told, journey)
        self._screen.run_worker(work, group=group, exclusive=exclusive, exit_on_error=False)

    async def _told(self, journey: Journey) -> None:
        try:
            await journey()
        except (NoPast, ApiError, Unreachable) as error:
            if not self.away:
                self._machine = None
            if isinstance(error, NoPast):
                self._screen.tell(str(error), "refused")
            else:
                self._screen.tell(told(error), "failed")

    async def _go(self, wanted: Wanted) -> None:
        screen, machine = self._screen, self._machine
        if machine is None:
            machine = TimeMachine(screen.client, screen.live)
            machine.model.set_filter(screen.live.window.filter)
            self._machine = machine
        if not await machine.go(wanted, lambda: self._arrived(machine)):
            begin = moment(machine.model.past.timeline.first_ms // 1000)
            screen.tell(f"the log begins at {begin}; nothing is known of before", "refused")
        elif not machine.model.past.whole:
            since = moment(machine.model.past.read_from_ms // 1000)
            screen.tell(
                f"the log was read from {since} on: a task that nothing happened to since is missing", "refused"
            )

    def _arrived(self, machine: TimeMachine) -> None:
        """Show the moment before its surroundings are known."""
        if self._machine is machine and self._screen.model is not machine.model:
            self._screen.show_model(machine.model)

    async def _last(self) -> None:
        await self._go(Wanted())
        await self._step(-1)

    async def _step(self, by: int) -> None:
        machine = self._machine
        if machine is not None and not await machine.step(by):
            end = f"that was the last event; {key('past')} returns to now" if by > 0 else self._beginning(machine)
            self._screen.tell(end, "refused")
        self._screen.redraw()

    @staticmethod
    def _beginning(machine: TimeMachine) -> str:
        return f"the log begins here, at {clock(machine.model.past.timeline.first_ms // 1000)}"
