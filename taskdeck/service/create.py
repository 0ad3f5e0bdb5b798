"""create: one task or many, all or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from taskdeck.domain.errors import Conflict, DependencyCycle, NotFound
from taskdeck.domain.principal import Principal
from taskdeck.domain.project import Project
from taskdeck.domain.states import State, waiting_state
from taskdeck.domain.task import Task
from taskdeck.service.change import announce_created, created
from taskdeck.service.find import the_project, the_task
from taskdeck.service.requests import NewTask
from taskdeck.store import buckets, dependencies, projects, tasks
from taskdeck.store.unit import Unit


def create(unit: Unit, who: Principal, wishes: Sequence[NewTask]) -> list[Task]:
    """Make the tasks, in order; later ones may depend on earlier ones by key.

    Raises:
        NotFound: a project or a dependency is unknown.
        Conflict: a key is in use (`key_taken`).
    """
    made = [_create(unit, who, wish) for wish in wishes]
    for name in {wish.project for wish in wishes}:
        projects.save_last_key(unit, unit.mirror.projects[name])
    return made


def _create(unit: Unit, who: Principal, wish: NewTask) -> Task:
    project = the_project(unit, who, wish.project)
    parents = resolve_parents(unit, who, wish.depends_on)
    blocked = any(parent.state is not State.DONE for parent in parents)
    state = waiting_state(blocked=blocked, not_before=wish.not_before, now=unit.now)
    task = Task(
        number=0,
        id=unit.ids.task_id(unit.now),
        key=_chosen_key(unit, wish.key) if wish.key else _next_key(unit, project),
        bucket=buckets.intern(unit, project.name, wish.labels, wish.capabilities, wish.assignee),
        state=state,
        priority=wish.priority,
        attempt=0,
        max_attempts=wish.max_attempts or project.max_attempts,
        fence=0,
        not_before=wish.not_before,
        due=wish.due,
        created_at=unit.now,
        ready_at=unit.now if state is State.READY else None,
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
        session=None,
        question=None,
        title=wish.title,
        description=wish.description,
        payload=wish.payload,
        metadata=wish.metadata,
        result=None,
        error=None,
        created_by=who.name,
        files=wish.files,
        depends_on=tuple(parent.key for parent in parents),
    )
    created(unit, task)
    if parents:
        dependencies.replace(unit, task.number, open_pairs(parents))
    announce_created(unit, task, who.name)
    return task


def _chosen_key(unit: Unit, key: str) -> str:
    if tasks.key_is_taken(unit, key):
        raise Conflict(
            f"the key {key} is in use",
            hint="Choose another, or leave `key` out to be given one.",
            code="key_taken",
        )
    return key


def _next_key(unit: Unit, project: Project) -> str:
    while True:
        key = f"{project.prefix}{projects.next_key(unit, project)}"
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


def refuse_cycle(unit: Unit, task: Task, parents: Iterable[Task]) -> None:
    """Refuse dependencies that would make `task` wait for itself.

    Raises:
        DependencyCycle: one of `parents` is `task` or already waits for it.
    """
    for parent in parents:
        if dependencies.waits_for(unit, parent.number, task.number):
            raise DependencyCycle(
                f"{task.key} cannot depend on {parent.key}, which already waits for {task.key}",
                hint="Leave that dependency out, or turn it round.",
                field="depends_on",
            )
