"""Projects in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable

from taskdeck.domain.project import Project
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit


def insert(unit: Unit, project: Project) -> None:
    """Write a new project; its number is the next one."""
    project.number = max((known.number for known in unit.mirror.projects.values()), default=0) + 1
    unit.write(
        "INSERT INTO projects (name, prefix, last_key, description, lease_ms, max_attempts, backoff_ms,"
        " backoff_cap_ms, created_at, keep_done_ms, keep_failed_ms, keep_cancelled_ms, review, gates, number,"
        " offline_claims, max_claims, max_claims_per_worker, max_claims_per_label, exclusive_files)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            project.keep_done_ms,
            project.keep_failed_ms,
            project.keep_cancelled_ms,
            project.review,
            project.gates,
            project.number,
            *_limits(project),
        ),
    )
    _mirror(unit, project)


async def descriptions(reader: Reader, names: Iterable[str]) -> dict[str, str]:
    """What is told of the projects of these names, of those that there are."""
    sql = "SELECT name, description FROM projects WHERE name IN (SELECT value FROM json_each(?))"
    rows: list[tuple[str, str]] = await reader.rows(sql, (json.dumps(sorted(names)),))
    return dict(rows)


def update(unit: Unit, project: Project) -> None:
    """Write what `project` has become."""
    unit.write(
        "UPDATE projects SET description = ?, lease_ms = ?, max_attempts = ?, backoff_ms = ?, backoff_cap_ms = ?,"
        " paused_at = ?, paused_by = ?, pause_reason = ?, version = ?, keep_done_ms = ?, keep_failed_ms = ?,"
        " keep_cancelled_ms = ?, review = ?, gates = ?, offline_claims = ?, max_claims = ?, max_claims_per_worker = ?,"
        " max_claims_per_label = ?, exclusive_files = ? WHERE name = ?",
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
            project.keep_done_ms,
            project.keep_failed_ms,
            project.keep_cancelled_ms,
            project.review,
            project.gates,
            *_limits(project),
            project.name,
        ),
    )
    _mirror(unit, project)


def next_in_series(unit: Unit, project: Project, series: str) -> int:
    """The next number for a key of that series of the project."""
    row = unit.write(
        "INSERT INTO key_series (project, series, last) VALUES (?, ?, 1)"
        " ON CONFLICT (project, series) DO UPDATE SET last = last + 1 RETURNING last",
        (project.name, series),
    ).fetchone()
    return int(row[0])


def next_key(unit: Unit, project: Project) -> int:
    """The next number for a key of the project; `save_last_key` writes the last one given."""
    before = project.last_key
    project.last_key = before + 1

    def take_back() -> None:
        project.last_key = before

    unit.undo.append((take_back,))
    return project.last_key


def save_last_key(unit: Unit, project: Project) -> None:
    """Write the last number used in a key of the project."""
    unit.write("UPDATE projects SET last_key = ? WHERE name = ?", (project.last_key, project.name))


def _limits(project: Project) -> tuple[object, ...]:
    """The values of its last five columns."""
    return (
        project.offline_claims,
        project.max_claims,
        project.max_claims_per_worker,
        json.dumps(project.max_claims_per_label),
        project.exclusive_files,
    )


def _mirror(unit: Unit, project: Project) -> None:
    known, before = unit.mirror.projects, unit.mirror.projects.get(project.name)
    counted = unit.mirror.held.on

    def take_back() -> None:
        if before is None:
            del known[project.name]
        else:
            known[project.name] = before
        unit.mirror.repause()
        unit.mirror.held.on = counted

    unit.undo.append((take_back,))
    known[project.name] = project
    unit.mirror.repause()
    unit.mirror.heed_limits(unit.read)
