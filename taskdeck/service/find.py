"""Finding what a request names, for the principal who names it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from taskdeck.domain.errors import Conflict, Forbidden, NotFound, VersionConflict
from taskdeck.domain.principal import Principal
from taskdeck.domain.project import Project
from taskdeck.domain.task import Task
from taskdeck.domain.worker import Worker
from taskdeck.service.near import near
from taskdeck.store import tasks
from taskdeck.store.unit import Unit

_ALIKE_MOST = 3
"""Names like it that are told to who named none of them."""
_ALL_MOST = 6
"""All names are told, where none is like it, if there are no more of them."""


def missing(what: str, name: str | int, hint: str) -> NotFound:
    """The refusal of a name or number that nothing has, with the code `unknown_…`."""
    shown = repr(name[:80]) if isinstance(name, str) else name
    return NotFound(f"there is no {what} {shown}", hint=hint, code=f"unknown_{what}")


def full(what: str, most: int) -> Conflict:
    """The refusal of one more where a deck has as many as it may have, with the code `too_many_…s`."""
    return Conflict(
        f"there are {most} {what}s, which is all a deck may have",
        hint="Remove one that is not needed any more.",
        code=f"too_many_{what}s",
    )


def the_task(unit: Unit, who: Principal, ref: str) -> Task:
    """The task that `ref` names.

    Raises:
        NotFound: there is none, or it lies in a project that `who` is not let into.
    """
    task = tasks.find(unit, ref)
    if task is None or not who.sees(task.bucket.project):
        raise unknown_task(ref)
    return task


def unknown_task(ref: str) -> NotFound:
    return missing("task", ref, "A task is named by its id, its number or its key, such as T21.")


def the_project(unit: Unit, who: Principal, name: str) -> Project:
    """The project of that name.

    Raises:
        NotFound: there is none, or `who` is not let into it.
    """
    project = unit.mirror.projects.get(name)
    if project is None or not who.sees(name):
        raise unknown_project(name)
    return project


def unknown_project(name: str) -> NotFound:
    return missing("project", name, "GET /v1/projects lists them; an operator makes a new one with POST /v1/projects.")


def the_worker(unit: Unit, who: Principal, name: str) -> Worker:
    """The registered worker of that id, if `who` may act as or upon it.

    Raises:
        NotFound: no worker of that id has registered.
        Forbidden: it belongs to another principal, and `who` is no operator.
    """
    worker = unit.mirror.workers.get(name)
    if worker is None:
        raise unknown_worker(name)
    require_owner(worker, who)
    return worker


def unknown_worker(name: str, known: Collection[str] = ()) -> NotFound:
    """The refusal of a worker that nobody has registered; it names those of `known` that may have been meant."""
    alike = near(name, known, _ALIKE_MOST) or (sorted(known) if len(known) <= _ALL_MOST else [])
    return NotFound(
        f"no worker {name[:80]!r} has registered" + (f"; there is {', '.join(alike)}" if alike else ""),
        hint="A worker registers by its first claim or with POST /v1/workers.",
        code="unknown_worker",
    )


def require_voice(who: Principal, worker: str | None) -> None:
    """Refuse a token that is for another worker than `worker` alone.

    Raises:
        Forbidden: it is.
    """
    if not who.speaks_for(worker):
        raise Forbidden(
            f"this token is for the worker {who.worker} alone",
            hint="Act as that worker, or use a token of its principal.",
        )


def require_owner(worker: Worker, who: Principal) -> None:
    """Refuse a principal that acts as somebody else's worker, or as another than its token is for.

    Raises:
        Forbidden: it does, and is no operator.
    """
    require_voice(who, worker.id)
    if worker.principal != who.name and not who.is_operator():
        raise Forbidden(
            f"worker {worker.id} belongs to another principal than {who.name}",
            hint="Choose a worker id of your own.",
        )


def require_version(
    what: str, at: int, wanted: int | None, *, holder: dict[str, Any] | None = None, more: dict[str, Any] | None = None
) -> None:
    """Refuse a change that was decided on another version of `what` than the one it is `at`; None fits all.

    Raises:
        VersionConflict: it is not at `wanted`; with the `holder` of a task, and what `more` is told.
    """
    if wanted is not None and wanted != at:
        raise VersionConflict(
            f"{what} is at version {at}, not {wanted}",
            hint="Read it again and decide on what it says now.",
            holder=holder,
            more=more,
        )
