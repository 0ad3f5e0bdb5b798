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
from taskdeck.domain.task import NO_CLAIM, Task
from taskdeck.service.cancelling import call_off_remembered
from taskdeck.service.change import change
from taskdeck.service.finish import error_document
from taskdeck.service.handoff import handed_off
from taskdeck.service.review import approve_unjudged
from taskdeck.service.ticks import begin_earlier, tick_schedules
from taskdeck.service.turns import pass_on
from taskdeck.service.unblock import BY_TIME, unblock_remembered
from taskdeck.store import tasks, timers
from taskdeck.store.rows import Spoiled
from taskdeck.store.unit import Unit
from taskdeck.store.writer import Runner, Work

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
    """Let every running lease and turn end after as much real time as it had left before the clock jumped."""
    leases, turns = timers.shift(unit, by)
    unit.mirror.due_by(0)
    unit.append(
        Event(unit.now, "clock.jumped", BY_TIME, facts={"by_seconds": by / 1000, "leases": leases, "turns": turns})
    )


def move_due(unit: Unit) -> None:
    """Lapse leases past their end, make due tasks ready, pass on, approve, unblock and call off: a chunk of each."""
    for number in timers.lapsed(unit):
        _lapse(unit, _the(unit, number))
    for number in timers.come_due(unit):
        change(unit, _the(unit, number), Verb.DUE, BY_TIME, {"state": State.READY})
    for number in timers.turns_over(unit):
        pass_on(unit, _the(unit, number))
    for number in timers.reviews_over(unit):
        approve_unjudged(unit, _the(unit, number))
    unblock_remembered(unit)
    call_off_remembered(unit)


def tell_overdue(unit: Unit) -> None:
    """Note which tasks are past their due date, a chunk of them."""
    for number in timers.overdue(unit):
        task = _the(unit, number)
        facts = {"late_seconds": (unit.now - (task.due or 0)) / 1000}
        change(unit, task, Verb.OVERDUE, BY_TIME, {"overdue_at": unit.now}, facts=facts)


def look_ahead(unit: Unit) -> None:
    """Note when time will next have something to do."""
    unit.mirror.next_due = timers.next_moment(unit)


STEPS: tuple[Work, ...] = (move_due, tell_overdue, tick_schedules, look_ahead)


def _the(unit: Unit, number: int) -> Task:
    task = tasks.by_number(unit, number)
    if task is None:
        raise RuntimeError(f"an index names task {number}, which is not there")
    return task


def _lapse(unit: Unit, task: Task) -> None:
    """The lease has ended and the attempt is spent: others may take the task, or it has failed."""
    worker = task.worker
    facts = {"from_worker": worker, "fence": task.fence}
    if task.attempt < task.max_attempts:
        change(unit, task, Verb.LAPSE, BY_TIME, {"lapsed": True}, facts=facts, worker=worker)
        return
    message = f"the lease of {worker} lapsed and attempt {task.attempt} of {task.max_attempts} was the last"
    error = error_document(unit, task, message, "lapsed", principal=task.principal)
    fields = NO_CLAIM | handed_off(unit, task) | {"state": State.FAILED, "finished_at": unit.now, "error": error}
    change(unit, task, Verb.LAPSE, BY_TIME, fields, facts=facts, worker=worker)
