"""What goes on when a task is done: those that waited for it, and the goal it was the last child of. Some at a time."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.states import State, Verb, waiting_state
from taskdeck.domain.task import Json, Kind, Review, Task
from taskdeck.service.change import change
from taskdeck.store import dependencies, family, tasks
from taskdeck.store.unit import Unit

AT_ONCE = 64
"""How many that wait for a task are looked at in one unit of work; the rest follow in later batches."""
GOALS_AT_ONCE = 16
"""How many goals one task may bring to their end in one unit of work; those behind them follow in later batches."""
BY_TIME = "deck"
"""The actor of what no caller did."""


def must_wait(unit: Unit, task: Task) -> bool:
    """Whether a task that nobody holds waits for others: a goal always does."""
    return task.kind == Kind.GOAL or held_up(unit, task.number, task.awaits)


def held_up(unit: Unit, task: int, awaits: Json | None) -> bool:
    """Whether the task of that number waits for another that is not done, or for those of `awaits`."""
    return awaits is not None or dependencies.has_open(unit, task)


def carry_on(unit: Unit, done: Task) -> None:
    """Let what `done` held up go on; what is too much for one unit of work is remembered for later batches."""
    work = [done]
    for _ in range(GOALS_AT_ONCE):
        if not work:
            return
        task = work.pop(0)
        count, finished = _let_go_on(unit, task)
        work += finished
        if count == AT_ONCE:
            _remember(unit, task)
    for task in work:
        _remember(unit, task)


def unblock_remembered(unit: Unit) -> None:
    """Go on with a task that is done and has not let go of everything yet."""
    number = dependencies.remembered(unit)
    done = None if number is None else tasks.by_number(unit, number)
    if done is None:
        return
    count, finished = _let_go_on(unit, done)
    if count < AT_ONCE:
        dependencies.forget(unit, done.number)
    for goal in finished:
        _remember(unit, goal)


def settle_goal(unit: Unit, ended: Task) -> None:
    """Finish the goal above `ended`, a task cancelled or removed, if that was the last to be waited for."""
    goal = _goal_above(unit, ended)
    if goal is not None and _finish(unit, goal, ended.key):
        carry_on(unit, goal)


def finish_settled(unit: Unit, task: Task) -> None:
    """Finish `task` if it is a goal with nothing left to wait for."""
    if task.kind == Kind.GOAL and _finish(unit, task, None):
        carry_on(unit, task)


def _remember(unit: Unit, task: Task) -> None:
    dependencies.remember(unit, task.number)
    unit.mirror.due_by(0)


def _let_go_on(unit: Unit, done: Task) -> tuple[int, list[Task]]:
    """Unblock the first of those that wait for `done`: how many were looked at, and the goals that ended by it."""
    finished = []
    goal = _goal_above(unit, done)
    if goal is not None and _finish(unit, goal, done.key):
        finished.append(goal)
    let_go = dependencies.let_go(unit, done.number, AT_ONCE) if done.awaited else []
    waiting = dependencies.waiting(unit, let_go) if let_go else set()
    for number in let_go:
        task = tasks.by_number(unit, number)
        if task is None or task.state is not State.BLOCKED or task.awaits is not None or number in waiting:
            continue
        if task.kind != Kind.GOAL:
            state = waiting_state(blocked=False, not_before=task.not_before, now=unit.now)
            change(unit, task, Verb.UNBLOCK, BY_TIME, {"state": state}, facts={"by": done.key})
        elif _finish(unit, task, done.key):
            finished.append(task)
    return len(let_go), finished


def _goal_above(unit: Unit, task: Task) -> Task | None:
    parent = None if task.parent is None else tasks.by_key(unit, task.parent)
    return parent if parent is not None and parent.kind == Kind.GOAL else None


def _finish(unit: Unit, goal: Task, by: str | None) -> bool:
    """Finish `goal` if nothing is left to wait for; whether it is done, and not to be reviewed first."""
    if goal.state is not State.BLOCKED or not goal.children or held_up(unit, goal.number, goal.awaits):
        return False
    if not family.settled(unit, goal.key):
        return False
    done = goal.review in (Review.NONE, Review.OPTIONAL)
    fields: dict[str, Any] = {"state": State.DONE, "finished_at": unit.now} if done else {"state": State.REVIEW}
    if goal.verdict is not None:  # of what it had come to before it was rejected
        fields["verdict"] = None
    change(unit, goal, Verb.FINISH, BY_TIME, fields, facts={"by": by})
    return done
