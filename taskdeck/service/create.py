"""create: one task or many, all or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from taskdeck.domain.errors import Conflict, DeckError, NotFound
from taskdeck.domain.gates import before_claim, joined
from taskdeck.domain.principal import Principal
from taskdeck.domain.project import Project
from taskdeck.domain.states import State, waiting_state
from taskdeck.domain.task import Json, Kind, Task, scoped_key
from taskdeck.domain.turns import turns_from
from taskdeck.domain.view import holder_view
from taskdeck.service.awaiting import arrive, keys_of, sorted_out
from taskdeck.service.change import announce_created, created
from taskdeck.service.cycles import refuse_cycle
from taskdeck.service.family import a_parent, adopt
from taskdeck.service.find import the_project, the_task
from taskdeck.service.forms import the_form
from taskdeck.service.requests import NewTask
from taskdeck.store import buckets, dependencies, family, projects, tasks
from taskdeck.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Made:
    """What a wish came to: a new task, or one that `existed` under its unique key."""

    task: Task
    existed: bool = False


def create(unit: Unit, who: Principal, wishes: Sequence[NewTask]) -> list[Task]:
    """The tasks of `create_or_find`."""
    return [made.task for made in create_or_find(unit, who, wishes)]


def create_or_find(unit: Unit, who: Principal, wishes: Sequence[NewTask]) -> list[Made]:
    """Make the tasks, in order; later ones may depend on earlier ones by key.

    Raises:
        NotFound: a project or a dependency is unknown.
        Conflict: a key is in use (`key_taken`, `unique_key_taken`), or the parent can have no more children
            (`too_many_children`).
        Forbidden: `who` may not give the parent children.
    """
    made = []
    for place, wish in enumerate(wishes):
        try:
            made.append(existing(unit, who, wish) or Made(make(unit, who, wish)))
        except DeckError as error:
            error.place = place
            raise
    adopt(unit, who, [one.task for one in made if not one.existed])
    for name in {wish.project for wish in wishes}:
        projects.save_last_key(unit, unit.mirror.projects[name])
    return made


def existing(unit: Unit, who: Principal, wish: NewTask) -> Made | None:
    """The task that has not ended under the wish's unique key.

    Raises:
        Conflict: there is one, and the wish is to be refused then (`unique_key_taken`).
    """
    if wish.unique_key is None:
        return None
    project = the_project(unit, who, wish.project)
    task = tasks.live_under(unit, scoped_key(project.name, wish.unique_key))
    if task is not None and wish.refuse_existing:
        raise unique_key_taken(task)
    return None if task is None else Made(task, existed=True)


def refuse_successor(unit: Unit, unique_key: str) -> None:
    """Refuse to open a task that ended under `unique_key` again.

    Raises:
        Conflict: another task has taken its place (`unique_key_taken`).
    """
    successor = tasks.live_under(unit, unique_key)
    if successor is not None:
        raise unique_key_taken(successor)


def unique_key_taken(task: Task) -> Conflict:
    return Conflict(
        f"{task.key} is {task.state} under the same unique key",
        hint="Wait until it has ended, or use that task.",
        code="unique_key_taken",
        holder=holder_view(task),
    )


def make(unit: Unit, who: Principal, wish: NewTask) -> Task:
    """One new task. Its parent, if it has one, is to be told with `adopt` or by the caller's own change of it."""
    above = None if wish.parent is None else a_parent(unit, who, wish.parent)
    project = the_project(unit, who, wish.project)
    there, missing = sorted_out(unit, who, wish.awaits)
    parents = resolve_parents(unit, who, (*wish.depends_on, *there))
    if above is not None:
        refuse_cycle(unit, above, parents)
    blocked = missing is not None or any(parent.state is not State.DONE for parent in parents)
    state = State.BACKLOG
    if not wish.backlog:
        blocked = blocked or wish.kind == Kind.GOAL
        state = waiting_state(blocked=blocked, not_before=wish.not_before, now=unit.now)
    task = _fresh(unit, who, wish, project, state, above)
    task.awaits, task.depends_on = missing, tuple(parent.key for parent in parents)
    created(unit, task)
    if parents:
        dependencies.begin(unit, task.number, open_pairs(parents))
    if missing is not None:
        dependencies.await_missing(unit, task.number, (), keys_of(missing))
    announce_created(unit, task, who.name)
    if task.key in unit.mirror.missing:
        arrive(unit, task)
    return task


def _fresh(unit: Unit, who: Principal, wish: NewTask, project: Project, state: State, above: Task | None) -> Task:
    """The task as it begins, in `state`, below `above`; what it waits for is the caller's to say."""
    turns = turns_from(wish.assignees) if wish.assignees is not None else ()
    assignee = turns[0].assignee if turns else wish.assignee
    gates = joined(project.gates, wish.gates)
    capabilities = wish.capabilities | unit.mirror.needs(wish.payload)
    return Task(
        number=0,
        id=unit.ids.task_id(unit.now),
        key=_chosen_key(unit, wish.key) if wish.key else _next_key(unit, project, wish.series),
        bucket=buckets.intern(unit, project.name, wish.labels, capabilities, assignee, before_claim(gates)),
        state=state,
        priority=wish.priority,
        attempt=0,
        max_attempts=wish.max_attempts or project.max_attempts,
        fence=0,
        not_before=wish.not_before,
        due=wish.due,
        created_at=unit.now,
        ready_at=unit.now if state is State.READY else None,
        queued_at=unit.now,
        updated_at=unit.now,
        finished_at=None,
        version=1,
        worker=None,
        principal=None,
        claimed_at=None,
        heartbeat_at=None,
        expires_at=None,
        lease_ms=None,
        lapsed=False,
        work_state=None,
        detail=None,
        progress=None,
        overdue_at=None,
        unique_key=None if wish.unique_key is None else scoped_key(project.name, wish.unique_key),
        parent=above.key if above else None,
        root=above.root or above.key if above else None,
        depth=above.depth + 1 if above else 0,
        children=0,
        turn_ends_at=turns[0].ends_at(unit.now) if turns and state is State.READY else None,
        via=None,
        review_ends_at=None,
        entries=0,
        session=None,
        question=None,
        title=wish.title,
        description=wish.description,
        payload=wish.payload,
        metadata=wish.metadata,
        result=None,
        error=None,
        created_by=who.name,
        handoff=None,
        review=wish.review or project.review,
        approve_after_ms=wish.approve_after_ms,
        backoff_ms=wish.backoff_ms,
        backoff_cap_ms=wish.backoff_cap_ms,
        kind=wish.kind,
        gates=gates,
        accountable=above.accountable or above.created_by if above else None,
        assignees=wish.assignees,
        turn=0 if turns else None,
        at_end=wish.at_end if turns else None,
        form=None if wish.form is None else _form(unit, wish.form),
        extra=wish.extra,
        run=wish.run,
        files=wish.files,
    )


def _form(unit: Unit, wanted: tuple[str, int | None]) -> Json:
    try:
        form = the_form(unit, *wanted)
    except NotFound as error:
        error.field = "form"
        raise
    return orjson.dumps({"name": form.name, "version": form.version}).decode()


def _chosen_key(unit: Unit, key: str) -> str:
    if tasks.key_is_taken(unit, key) or family.is_named(unit, key):
        raise Conflict(
            f"the key {key} is in use",
            hint="Choose another, or leave `key` out to be given one.",
            code="key_taken",
        )
    return key


def _next_key(unit: Unit, project: Project, series: str | None) -> str:
    while True:
        if series is None:
            key = f"{project.prefix}{projects.next_key(unit, project)}"
        else:
            key = f"{project.prefix}-{series}{projects.next_in_series(unit, project, series)}"
        # one chosen by hand may stand in the way
        if not tasks.key_is_taken(unit, key):
            return key


def resolve_parents(unit: Unit, who: Principal, refs: Iterable[str]) -> list[Task]:
    """The tasks that `refs` name, each once, oldest first.

    Raises:
        NotFound: one of them is unknown.
    """
    found: dict[int, Task] = {}
    for ref in refs:
        try:
            parent = the_task(unit, who, ref)
        except NotFound as error:
            error.field = "depends_on"
            raise
        found[parent.number] = parent
    return [found[number] for number in sorted(found)]


def open_pairs(parents: Iterable[Task]) -> list[tuple[int, bool]]:
    """Each parent with whether it is still to be waited for."""
    return [(parent.number, parent.state is not State.DONE) for parent in parents]
