"""What requests about inbound sources may say."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from taskdeck.domain.places import PATH, refuse_odd
from taskdeck.domain.signature import MAX_KEY, MIN_KEY, key_of
from taskdeck.domain.source import Filter, Op, Scheme
from taskdeck.domain.task import DEFAULT_PRIORITY
from taskdeck.http.models import Body, Name, Names, Priority, ProjectName, Text
from taskdeck.http.webhook_models import WEEK_S, Description


def _path(text: str) -> str:
    if not PATH.fullmatch(text):
        raise ValueError("is no path, such as issue.labels.0.name")
    return text


def _template(template: Any) -> Any:
    refuse_odd(template)
    return template


def _source_secret(text: str) -> str:
    if not MIN_KEY <= len(text) <= 2 * MAX_KEY or not text.isascii() or not text.isprintable():
        raise ValueError(f"has {MIN_KEY} to {2 * MAX_KEY} printable ASCII characters")
    return text


Path = Annotated[str, Field(max_length=500), AfterValidator(_path)]
TextTemplate = Annotated[Text, Field(max_length=10_000), AfterValidator(_template)]
LabelTemplate = Annotated[Text, Field(min_length=1, max_length=500), AfterValidator(_template)]
SourceSecret = Annotated[str, AfterValidator(_source_secret)]


class PriorityByValue(Body):
    """The priority that `map` gives for the value at `path`, as text; else the value, if it is a priority itself."""

    path: Path
    map: Annotated[dict[Annotated[str, Field(max_length=200)], Priority], Field(max_length=100)] = Field(
        default_factory=dict
    )
    default: Priority = DEFAULT_PRIORITY


class TaskTemplate(Body):
    """The task an event becomes. Texts have places such as `{{ issue.title }}`; `payload` is by default the event."""

    title: Annotated[TextTemplate, Field(min_length=1)]
    description: TextTemplate = ""
    labels: Annotated[list[LabelTemplate], Field(max_length=31)] = Field(default_factory=list)
    capabilities: Names = frozenset()
    assignee: Name | None = None
    priority: Priority | PriorityByValue = DEFAULT_PRIORITY
    payload: Annotated[Any, AfterValidator(_template)] = None


class FilterRule(Body):
    """A condition on the event: what stands at `path` `equals`, `differs` from, `contains` or is `in` `value`."""

    path: Path
    op: Op = Op.EQUALS
    value: Annotated[Any, AfterValidator(_template)] = None

    @model_validator(mode="after")
    def _in_a_list(self) -> FilterRule:
        if self.op is Op.IN and not isinstance(self.value, list):
            raise ValueError("`in` takes a list as its value")
        return self


class SourceFields(Body):
    """What can be said of a source; `fields` gives it by the names of `domain.source.Source`."""

    description: Description = ""
    filters: Annotated[list[FilterRule], Field(max_length=20)] = Field(default_factory=list)
    unique: Annotated[TextTemplate, Field(min_length=1, max_length=500)] | None = None
    per_minute: Annotated[int, Field(ge=1, le=6_000)] = 300

    def fields(self, *, every: bool) -> dict[str, Any]:
        """What was said; with `every` the defaults of the rest too."""
        names = set(type(self).model_fields) if every else self.model_fields_set
        said = {name: getattr(self, name) for name in names - {"version", "secret"}}
        if "filters" in said:
            said["filters"] = tuple(Filter(one.path, one.op, one.value) for one in said["filters"])
        if "task" in said:
            said["template"] = said.pop("task").model_dump(mode="json", exclude_unset=True)
        return said


class CreateSource(SourceFields):
    """Somebody outside whose signed events become tasks of a project."""

    name: ProjectName
    project: ProjectName = "default"
    scheme: Scheme = Scheme.STANDARD
    task: TaskTemplate
    secret: SourceSecret | None = None

    @model_validator(mode="after")
    def _secret_fits(self) -> CreateSource:
        refuse_secret(self.scheme, self.secret)
        return self


class EditSource(SourceFields):
    """Fields to change."""

    project: ProjectName | None = None
    task: TaskTemplate | None = None
    active: bool | None = None
    version: int | None = None

    @model_validator(mode="after")
    def _says_something(self) -> EditSource:
        if not self.model_fields_set - {"version"}:
            raise ValueError("names no field to change")
        for name in ("project", "task", "active"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


class RotateSource(Body):
    """A new secret, made here unless given; the old one holds beside it for `overlap_seconds`."""

    overlap_seconds: Annotated[float, Field(ge=0, le=WEEK_S)] = 24 * 3600
    secret: SourceSecret | None = None


def refuse_secret(scheme: Scheme, secret: str | None) -> None:
    """Refuse a secret that the scheme cannot use.

    Raises:
        ValueError: it is one.
    """
    if secret is not None and scheme is Scheme.STANDARD:
        key_of(secret)
