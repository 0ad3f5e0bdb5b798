"""What time does to tasks, done at the start of every batch before anyone claims.

So no claim hangs on a timer: whoever asks next finds leases lapsed and scheduled tasks ready, whether or not
anything else woke up in time.
"""

from __future__ import annotations

import logging
import sqlite3

from taskdeck.domain.clock import Clock
from taskdeck.domain.events import Event
from taskdeck.domain.states import State, Verb
from taskdeck.service.cancelling import call_off_remembered
from taskdeck.service.change import change
from taskdeck.service.lapse import lapse, the_numbered
from taskdeck.service.review import approve_unjudged
from taskdeck.service.silence import tell_silences
from taskdeck.service.ticks import begin_earlier, tick_schedules
from taskdeck.service.turns import pass_on
from taskdeck.service.unblock import BY_TIME, unblock_remembered
from taskdeck.store import timers, workers
from taskdeck.store.rows import Spoiled
from taskdeck.store.runner import Runner, Work
from taskdeck.store.unit import Unit

log = logging.getLogger(__name__)

JUMP_MS = 2_000
"""By how much the wall clock may stray from the time passed before it counts as a jump."""


class Upkeep:
    """The hook that runs before each batch."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.now_ms() - clock.monotonic_ms()

    def __call__(self, runner: Runner) -> None:
        """Guard leases against a clock that jumped, then move what is due."""
        offset = self._clock.now_ms() - self._clock.monotonic_ms()
        jump, self._offset = offset - self._offset, offset
        if abs(jump) >= JUMP_MS:
            _attempt(runner, lambda unit: _follow_jump(unit, jump))
            if jump < 0:
                _attempt(runner, begin_earlier)
        if runner.mirror.next_due <= runner.batch.now:
            for step in STEPS:
                _attempt(runner, step)


def _attempt(runner: Runner, step: Work) -> None:
    """Run one step; one task or schedule that cannot be moved must not stop every claim."""

    def work(unit: Unit) -> None:
        step(unit)
        unit.write_out()

    try:
        runner.unit(work)
    except Spoiled:
        log.exception("moving what is due broke a rule of the schema")
    except sqlite3.OperationalError:
        raise
    except Exception:
        log.exception("moving what is due failed")


def _follow_jump(unit: Unit, by: int) -> None:
    """Let all that runs end after as much real time as it had left, and no worker seem silent longer.

    That are leases, turns, reviews that nobody judges, and the minute in which so many claims are given.
    """
    facts = {"by_seconds": by / 1000} | timers.shift(unit, by)
    workers.shift_seen(unit, by)
    unit.mirror.pace.shift(unit, by)
    unit.mirror.due_by(0)
    unit.append(Event(unit.now, "clock.jumped", BY_TIME, facts=facts))


def move_due(unit: Unit) -> None:
    """Lapse leases past their end, make due tasks ready, pass on, approve, unblock and call off: a chunk of each."""
    for number in timers.lapsed(unit):
        lapse(unit, number)
    for number in timers.come_due(unit):
        change(unit, the_numbered(unit, number), Verb.DUE, BY_TIME, {"state": State.READY})
    for number in timers.turns_over(unit):
        pass_on(unit, the_numbered(unit, number))
    for number in timers.reviews_over(unit):
        approve_unjudged(unit, the_numbered(unit, number))
    unblock_remembered(unit)
    call_off_remembered(unit)


def tell_overdue(unit: Unit) -> None:
    """Note which tasks are past their due date, a chunk of them."""
    for number in timers.overdue(unit):
        task = the_numbered(unit, number)
        facts = {"late_seconds": (unit.now - (task.due or 0)) / 1000}
        change(unit, task, Verb.OVERDUE, BY_TIME, {"overdue_at": unit.now}, facts=facts)


def look_ahead(unit: Unit) -> None:
    """Note when time will next have something to do."""
    unit.mirror.next_due = min(timers.next_moment(unit), unit.mirror.watch.next_moment())


STEPS: tuple[Work, ...] = (move_due, tell_overdue, tell_silences, tick_schedules, look_ahead)
