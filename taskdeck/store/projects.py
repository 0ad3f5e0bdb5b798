"""Projects in the database."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.project import Project
from taskdeck.store.unit import Unit


def insert(unit: Unit, project: Project) -> None:
    unit.write(
        "INSERT INTO projects (name, prefix, last_key, description, lease_ms, max_attempts, backoff_ms,"
        " backoff_cap_ms, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            project.name,
            project.prefix,
            project.last_key,
            project.description,
            project.lease_ms,
            project.max_attempts,
            project.backoff_ms,
            project.backoff_cap_ms,
            project.created_at,
        ),
    )
    unit.mirror.projects[project.name] = project


def update(unit: Unit, project: Project, fields: dict[str, Any]) -> None:
    """Set `fields` (names of `Project`) and count its version up."""
    unit.changed = True
    for name, value in fields.items():
        setattr(project, name, value)
    project.version += 1
    unit.write(
        "UPDATE projects SET description = ?, lease_ms = ?, max_attempts = ?, backoff_ms = ?, backoff_cap_ms = ?,"
        " paused_at = ?, paused_by = ?, pause_reason = ?, version = ? WHERE name = ?",
        (
            project.description,
            project.lease_ms,
            project.max_attempts,
            project.backoff_ms,
            project.backoff_cap_ms,
            project.paused_at,
            project.paused_by,
            project.pause_reason,
            project.version,
            project.name,
        ),
    )
    unit.mirror.repause()


def save_last_key(unit: Unit, project: Project) -> None:
    """Write the last number used in a key of the project."""
    unit.write("UPDATE projects SET last_key = ? WHERE name = ?", (project.last_key, project.name))
