"""What requests about projects may say."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from taskdeck.domain.project import DAY_MS, MAX_KEEP_DAYS, OfflineClaims
from taskdeck.domain.task import Review
from taskdeck.http.gate_models import Gates
from taskdeck.http.models import Attempts, Body, LeaseSeconds, Name, Prefix, ProjectName, Reason, Rest, no_nul

MAX_LIMIT = 1_000_000

Days = Annotated[float, Field(ge=0, le=MAX_KEEP_DAYS)]


class ProjectSettings(Body):
    """Defaults of a project, each left as it is if left out."""

    description: Annotated[str, Field(max_length=1_000), AfterValidator(no_nul)] | None = None
    lease_seconds: LeaseSeconds | None = None
    max_attempts: Attempts | None = None
    backoff_seconds: Rest | None = None
    backoff_cap_seconds: Rest | None = None
    review: Review | None = None
    gates: Gates = None
    keep_done_days: Days | None = None
    keep_failed_days: Days | None = None
    keep_cancelled_days: Days | None = None
    offline_claims: OfflineClaims | None = None
    max_claims: Annotated[int, Field(ge=0, le=MAX_LIMIT)] | None = None
    max_claims_per_worker: Annotated[int, Field(ge=0, le=MAX_LIMIT)] | None = None
    max_claims_per_label: (
        Annotated[dict[Name, Annotated[int, Field(ge=1, le=MAX_LIMIT)]], Field(max_length=32)] | None
    ) = None
    exclusive_files: bool | None = None

    def fields(self) -> dict[str, Any]:
        """What is set, by the names and in the units of `domain.project.Project`."""
        spans = {
            "lease_seconds": ("lease_ms", 1_000),
            "backoff_seconds": ("backoff_ms", 1_000),
            "backoff_cap_seconds": ("backoff_cap_ms", 1_000),
            "keep_done_days": ("keep_done_ms", DAY_MS),
            "keep_failed_days": ("keep_failed_ms", DAY_MS),
            "keep_cancelled_days": ("keep_cancelled_ms", DAY_MS),
        }
        values: dict[str, Any] = {}
        for name in ProjectSettings.model_fields:
            value = getattr(self, name)
            if value is not None and name in spans:
                field, unit = spans[name]
                values[field] = round(value * unit)
            elif value is not None:
                values[name] = value
        if "gates" in self.model_fields_set:
            values["gates"] = self.gates
        return values


class CreateProject(ProjectSettings):
    """A new project. `prefix` begins its tasks' keys."""

    name: ProjectName
    prefix: Prefix | None = None


class EditProject(ProjectSettings):
    """Defaults to change; `version` refuses the change if the project is at another."""

    version: int | None = None


class Pause(Body):
    """Why nothing is to be claimed from the project."""

    reason: Reason | None = None
