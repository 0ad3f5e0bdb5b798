"""What requests about schedules may say."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field, model_validator

from taskdeck.domain.recurrence import MAX_TEXT
from taskdeck.domain.schedule import CatchUp, Overlap
from taskdeck.domain.task import DEFAULT_PRIORITY
from taskdeck.domain.template import Template
from taskdeck.http.models import (
    EMPTY,
    YEAR_S,
    Attempts,
    Body,
    Document,
    Moment,
    Name,
    Names,
    Priority,
    ProjectName,
    Query,
    WorkerId,
    no_controls,
)
from taskdeck.http.task_models import Description, Title


class TaskTemplate(Body):
    """What tasks made by themselves say; `due_in_seconds` counts from the moment they are for."""

    title: Title
    description: Description = ""
    priority: Priority = DEFAULT_PRIORITY
    labels: Names = frozenset()
    capabilities: Names = frozenset()
    payload: Document = EMPTY
    metadata: Document = EMPTY
    assignee: Name | None = None
    max_attempts: Attempts | None = None
    due_in_seconds: Annotated[float, Field(ge=0, le=YEAR_S)] | None = None

    def template(self) -> Template:
        """The template as the domain knows it."""
        return Template(
            title=self.title,
            description=self.description,
            priority=self.priority,
            labels=self.labels,
            capabilities=self.capabilities,
            payload=self.payload,
            metadata=self.metadata,
            assignee=self.assignee,
            max_attempts=self.max_attempts,
            due_in_ms=None if self.due_in_seconds is None else round(self.due_in_seconds * 1000),
        )

    def json_text(self) -> str:
        """The template as it is kept."""
        return orjson.dumps(self.template().view()).decode()

    def document(self) -> Any:
        """The template as a part of another document."""
        return orjson.loads(self.json_text())


When = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(no_controls)]
Zone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(no_controls)]


class CreateSchedule(Body):
    """A new schedule: `when` in words (`daily at 09:00`, `every 15 minutes`) or cron, on the clocks of `zone`."""

    name: WorkerId
    project: ProjectName = "default"
    when: When
    zone: Zone = "UTC"
    task: TaskTemplate
    catch_up: CatchUp = CatchUp.ONE
    overlap: Overlap = Overlap.ALLOW
    starts_at: Moment | None = None


class EditSchedule(Body):
    """Fields to change; `version` refuses the change if the schedule is at another."""

    when: When | None = None
    zone: Zone | None = None
    task: TaskTemplate | None = None
    catch_up: CatchUp | None = None
    overlap: Overlap | None = None
    starts_at: Moment | None = None
    version: int | None = None

    @model_validator(mode="after")
    def _says_something(self) -> EditSchedule:
        if not self.fields():
            raise ValueError("names no field to change")
        return self

    def fields(self) -> dict[str, Any]:
        """What is set, by the names of `domain.schedule.Schedule`."""
        values = {name: getattr(self, name) for name in ("zone", "catch_up", "overlap", "starts_at")}
        values |= {"said": self.when, "template_json": None if self.task is None else self.task.json_text()}
        return {name: value for name, value in values.items() if value is not None}


class ScheduleQuery(Query):
    """Of one project, or of all."""

    project: str | None = None
