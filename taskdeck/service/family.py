"""Parents and children: who may give a task children, and how it learns of them."""

from __future__ import annotations

from collections.abc import Sequence

from taskdeck.domain.errors import Conflict, Forbidden, Invalid, NotFound, WrongState
from taskdeck.domain.people import directs
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import TERMINAL, Verb
from taskdeck.domain.task import MAX_CHILDREN, MAX_DEPTH, Task
from taskdeck.domain.view import holder_view
from taskdeck.service.change import change
from taskdeck.service.find import the_task
from taskdeck.store import tasks
from taskdeck.store.unit import Unit


def a_parent(unit: Unit, who: Principal, ref: str) -> Task:
    """The task `ref`, to be given children by `who`: its holder, its creator or who directs it.

    Raises:
        NotFound: there is no such task.
        Forbidden: `who` is none of these.
        WrongState: it has ended.
        Invalid: it stands too deep in its chain (`too_deep`).
    """
    try:
        parent = the_task(unit, who, ref)
    except NotFound as error:
        error.field = "parent"
        raise
    if who.name not in (parent.principal, parent.created_by) and not directs(who, parent):
        raise Forbidden(
            f"{who.name} may not give {parent.key} children",
            hint="Its holder, its creator or an operator may; claim it first.",
        )
    if parent.state in TERMINAL:
        raise WrongState(
            f"{parent.key} is {parent.state} and has no more children",
            hint="An operator puts it back to work with retry.",
            holder=holder_view(parent),
        )
    if parent.depth >= MAX_DEPTH:
        raise Invalid(
            f"{parent.key} stands at depth {parent.depth}, as deep as a chain goes",
            hint="Give the child to one of the tasks above it.",
            code="too_deep",
            field="parent",
        )
    return parent


def adopt(unit: Unit, who: Principal, made: Sequence[Task]) -> None:
    """Let the parents of the new tasks `made` know of them, each once.

    Raises:
        Conflict: one of them would have too many (`too_many_children`).
    """
    new = {task.key: task for task in made}
    children: dict[str, list[str]] = {}
    for task in made:
        if task.parent is not None:
            children.setdefault(task.parent, []).append(task.key)
    for key, keys in children.items():
        parent = new.get(key) or tasks.by_key(unit, key)
        if parent is None:
            raise RuntimeError(f"{key} was there when its children were made")
        if key in new:  # its children found it in the database, as it was before they came
            unit.rows.forget(parent.number)
        fields = {"children": counted(parent, len(keys))}
        change(unit, parent, Verb.DELEGATE, who.name, fields, facts={"children": keys})


def counted(parent: Task, more: int) -> int:
    """The number of children of `parent` with `more`.

    Raises:
        Conflict: that is too many (`too_many_children`).
    """
    count = parent.children + more
    if count > MAX_CHILDREN:
        raise Conflict(
            f"{parent.key} would have {count} children; {MAX_CHILDREN:,} are the most",
            hint="Put a task between, and give it some of them.",
            code="too_many_children",
        )
    return count
