"""Projects: making, changing, pausing and resuming them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, Forbidden, Invalid
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal
from taskdeck.domain.project import DAY_MS, Project
from taskdeck.service.find import require_version, the_project, unknown_project
from taskdeck.store import projects
from taskdeck.store.mirror import SELECT_PROJECTS
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

LIMITS = frozenset({"max_claims", "max_claims_per_worker", "max_claims_per_label", "exclusive_files"})


def project_view(project: Project, counts: dict[str, int] | None = None) -> dict[str, Any]:
    """The public shape of a project; `counts` are its tasks by state, where they are asked for."""
    paused = None
    if project.paused_at is not None:
        paused = {"at": rfc3339(project.paused_at), "by": project.paused_by, "reason": project.pause_reason}
    view: dict[str, Any] = {
        "name": project.name,
        "number": project.number,
        "prefix": project.prefix,
        "description": project.description,
        "paused": paused,
        "lease_seconds": project.lease_ms / 1000,
        "max_attempts": project.max_attempts,
        "backoff_seconds": project.backoff_ms / 1000,
        "backoff_cap_seconds": project.backoff_cap_ms / 1000,
        "keep_done_days": project.keep_done_ms / DAY_MS,
        "keep_failed_days": project.keep_failed_ms / DAY_MS,
        "keep_cancelled_days": project.keep_cancelled_ms / DAY_MS,
        "review": project.review,
        "gates": [] if project.gates is None else orjson.Fragment(project.gates),
        "offline_claims": project.offline_claims,
        "max_claims": project.max_claims,
        "max_claims_per_worker": project.max_claims_per_worker,
        "max_claims_per_label": project.max_claims_per_label,
        "exclusive_files": project.exclusive_files,
        "created_at": rfc3339(project.created_at),
        "version": project.version,
    }
    return view if counts is None else view | {"counts": counts}


def create_project(unit: Unit, who: Principal, name: str, prefix: str | None, fields: dict[str, Any]) -> Project:
    """Make a project. Without a `prefix` for its tasks' keys, one is made from its name.

    Raises:
        Conflict: the name or the prefix is in use (`project_exists`).
        Forbidden: `who` is let into certain projects only.
    """
    if who.projects is not None:
        raise Forbidden(
            f"{who.name} is let into certain projects only and makes no new ones",
            hint="Ask an unrestricted operator.",
        )
    if name in unit.mirror.projects:
        raise Conflict(f"there is a project {name} already", hint="PATCH changes it.", code="project_exists")
    taken = {project.prefix for project in unit.mirror.projects.values()}
    if prefix is None:
        prefix = _free_prefix(name, taken)
    elif prefix in taken:
        raise Conflict(f"the prefix {prefix} is another project's", hint="Choose another one.", code="project_exists")
    project = Project(name, prefix, created_at=unit.now)
    for field, value in fields.items():
        setattr(project, field, value)
    _refuse_odd_backoff(project)
    projects.insert(unit, project)
    unit.append(Event(unit.now, "project.created", who.name, project=name, changes=project_view(project)))
    return project


def _free_prefix(name: str, taken: set[str]) -> str:
    """The shortest beginning of `name` that no project has, or one with a number behind it."""
    letters = "".join(char for char in name.upper() if char.isascii() and char.isalnum()).lstrip("0123456789") or "T"
    for length in range(1, min(len(letters), 6) + 1):
        if letters[:length] not in taken:
            return letters[:length]
    return next(f"{letters[:3]}{n}" for n in range(2, len(taken) + 3) if f"{letters[:3]}{n}" not in taken)


def edit_project(unit: Unit, who: Principal, name: str, fields: dict[str, Any], version: int | None) -> Project:
    """Change defaults of a project; they hold for what is created, claimed or failed from now on.

    Raises:
        NotFound: there is no such project.
        VersionConflict: it is not at `version`.
    """
    project = the_project(unit, who, name)
    require_version(f"project {name}", project.version, version)
    edited = _changed(unit, who, project, "project.edited", fields)
    if fields.keys() & LIMITS:
        unit.opened += 1  # what was held up may go on
    return edited


def pause(unit: Unit, who: Principal, name: str, reason: str | None) -> Project:
    """Let no task of the project be claimed until it is resumed. What is held goes on. Pausing twice is one pause."""
    project = the_project(unit, who, name)
    if project.paused_at is not None:
        return project
    fields = {"paused_at": unit.now, "paused_by": who.name, "pause_reason": reason}
    return _changed(unit, who, project, "project.paused", fields)


def resume(unit: Unit, who: Principal, name: str) -> Project:
    """Let the project's tasks be claimed again; those who wait are served at once."""
    project = the_project(unit, who, name)
    if project.paused_at is None:
        return project
    fields = {"paused_at": None, "paused_by": None, "pause_reason": None}
    resumed = _changed(unit, who, project, "project.resumed", fields)
    unit.opened += 1
    return resumed


async def find_project(reader: Reader, who: Principal, name: str) -> Project:
    """The project of that name, as it is read beside the writer.

    Raises:
        NotFound: there is none, or `who` is not let into it.
    """
    row = await reader.row(f"{SELECT_PROJECTS} WHERE name = ?", (name,)) if who.sees(name) else None
    if row is None:
        raise unknown_project(name)
    return Project(*row)


def _changed(unit: Unit, who: Principal, project: Project, event: str, fields: dict[str, Any]) -> Project:
    changed = replace(project, **fields, version=project.version + 1)
    _refuse_odd_backoff(changed)
    projects.update(unit, changed)
    unit.append(Event(unit.now, event, who.name, project=changed.name, changes=project_view(changed)))
    return changed


def _refuse_odd_backoff(project: Project) -> None:
    if project.backoff_cap_ms < project.backoff_ms:
        raise Invalid(
            f"backoff_cap_seconds {project.backoff_cap_ms / 1000:g} is below backoff_seconds"
            f" {project.backoff_ms / 1000:g}",
            hint="The cap is the longest rest; give one that is at least the first.",
            field="backoff_cap_seconds",
        )
