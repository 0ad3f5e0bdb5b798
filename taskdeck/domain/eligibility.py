"""Who may have which task: the one place that decides, and can say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from taskdeck.domain.task import Bucket


class Claimer(NamedTuple):
    """Who asks for work, and which work they ask for.

    `identities` are the names an assignee may have to mean them: the worker, its principal, the groups.
    `projects` is None for all; `project` and `labels` narrow the request.
    """

    worker: str
    identities: frozenset[str]
    capabilities: frozenset[str]
    projects: frozenset[str] | None = None
    project: str | None = None
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Check:
    """One rule looked at: its name, whether it lets the claimer through, and the facts."""

    rule: str
    passed: bool
    detail: str


def admits(bucket: Bucket, claimer: Claimer, paused: Mapping[str, object]) -> bool:
    """Whether `claimer` may have tasks of `bucket`; the short form of `checks`."""
    return (
        bucket.capabilities <= claimer.capabilities
        and claimer.labels <= bucket.labels
        and (bucket.assignee is None or bucket.assignee in claimer.identities)
        and (claimer.project is None or bucket.project == claimer.project)
        and (claimer.projects is None or bucket.project in claimer.projects)
        and bucket.project not in paused
    )


def checks(bucket: Bucket, claimer: Claimer, paused: Mapping[str, object]) -> list[Check]:
    """Every rule about who may have tasks of `bucket`, each with its outcome for `claimer`."""
    missing = sorted(bucket.capabilities - claimer.capabilities)
    absent = sorted(claimer.labels - bucket.labels)
    in_project = claimer.project is None or bucket.project == claimer.project
    allowed = claimer.projects is None or bucket.project in claimer.projects
    assigned = bucket.assignee is None or bucket.assignee in claimer.identities
    unpaused = bucket.project not in paused
    return [
        Check("project_paused", unpaused, f"project {bucket.project} is {'open' if unpaused else 'paused'}"),
        Check(
            "capabilities_missing",
            not missing,
            f"needs {', '.join(missing)}, which {claimer.worker} does not have"
            if missing
            else "asks for nothing the worker lacks",
        ),
        Check(
            "assigned_to_others",
            assigned,
            "assigned to nobody"
            if bucket.assignee is None
            else f"assigned to {bucket.assignee}" + ("" if assigned else f", not to {claimer.worker}"),
        ),
        Check(
            "labels_not_matched",
            not absent,
            f"lacks the label {', '.join(absent)}" if absent else "has every label asked for",
        ),
        Check(
            "other_project",
            in_project and allowed,
            f"belongs to project {bucket.project}"
            + ("" if allowed else ", which this token is not let into")
            + ("" if in_project else f", not to {claimer.project}"),
        ),
    ]
