"""What requests about rules may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, Field, model_validator

from taskdeck.domain.comment import MAX_COMMENT
from taskdeck.domain.gates import MAX_GATES
from taskdeck.domain.places import paths_in, refuse_odd
from taskdeck.domain.rule import EVENTS, FIELDS, OF_EVENT, SOURCE, SPANS, Condition, Op, is_field
from taskdeck.http.gate_models import Gate, gates_text
from taskdeck.http.models import Body, Delay, Line, Name, Names, Priority, ProjectName, Reason, Ref, WorkerId
from taskdeck.http.schedule_models import TaskTemplate


def _event(name: str) -> str:
    if name not in EVENTS:
        raise ValueError(f"rules wait for {', '.join(sorted(EVENTS))}")
    return name


def _field(name: str) -> str:
    if not is_field(name):
        known = ", ".join(sorted(FIELDS | OF_EVENT | {SOURCE}))
        raise ValueError(f"is none of {known}, nor reaches into facts, payload or metadata")
    return name


def _placed(text: str) -> str:
    """Lets text through whose places name fields, or the event."""
    refuse_odd(text)
    for path in paths_in(text):
        if path != "event" and not is_field(path):
            raise ValueError(f"has the place {{{{ {path} }}}}, which names no field of a condition, nor the event")
    return text


EventName = Annotated[str, AfterValidator(_event)]
FieldName = Annotated[str, Field(max_length=200), AfterValidator(_field)]
Plain = Annotated[str, Field(max_length=500)] | bool | int | float
Span = Annotated[list[int | float], Field(min_length=2, max_length=2)]
Placed = AfterValidator(_placed)


class RuleCondition(Body):
    """One comparison; all of a rule's must hold. `is_null` and `not_null` take no value, `within` and `outside` two."""

    field: FieldName
    op: Op
    value: Plain | Span | None = None

    @model_validator(mode="after")
    def _value_fits(self) -> RuleCondition:
        bare = self.op in (Op.IS_NULL, Op.NOT_NULL)
        if bare and self.value is not None:
            raise ValueError(f"{self.op} takes no value")
        if not bare and self.value is None:
            raise ValueError(f"{self.op} needs a value")
        if (self.op in SPANS) != isinstance(self.value, list):
            raise ValueError(f"{self.op} needs {'[least, most]' if self.op in SPANS else 'one value'}")
        return self


class PlacedTemplate(TaskTemplate):
    """What a task made by a rule says; places in its title and description are filled in."""

    @model_validator(mode="after")
    def _places_fit(self) -> PlacedTemplate:
        _placed(self.title)
        _placed(self.description)
        return self


class CreateAct(Body):
    """Make a task, in the same project unless another is named; places such as `{{ title }}` are filled in."""

    act: Literal["create"]
    task: PlacedTemplate
    project: ProjectName | None = None

    def stored(self) -> dict[str, Any]:
        return {"act": self.act, "project": self.project, "task": self.task.document()}


class _PlainAct(Body):
    def stored(self) -> dict[str, Any]:
        return {
            name: sorted(value) if isinstance(value, frozenset) else value for name, value in self.model_dump().items()
        }


class _FieldAct(_PlainAct):
    """Changes fields of the task; with `unless_held` not while somebody holds it."""

    unless_held: bool = False

    def stored(self) -> dict[str, Any]:
        document = super().stored()
        return document if self.unless_held else {name: document[name] for name in document if name != "unless_held"}


class ReprioritizeAct(_FieldAct):
    """Set the priority."""

    act: Literal["reprioritize"]
    priority: Priority


class AssignAct(_FieldAct):
    """Say who alone may claim it; null for anyone."""

    act: Literal["assign"]
    assignee: Name | None


class LabelAct(_FieldAct):
    """Add and remove labels."""

    act: Literal["label"]
    add: Names = frozenset()
    remove: Names = frozenset()


class DelegateAct(_FieldAct):
    """Make a child of the task, for which it waits, in its project unless another is named; places are filled in."""

    act: Literal["delegate"]
    task: PlacedTemplate
    project: ProjectName | None = None

    def stored(self) -> dict[str, Any]:
        return super().stored() | {"task": self.task.document()}


class RequireAct(_FieldAct):
    """Add gates to those the task has."""

    act: Literal["require"]
    gates: Annotated[list[Gate], Field(min_length=1, max_length=MAX_GATES)]

    def stored(self) -> dict[str, Any]:
        return super().stored() | {"gates": orjson.loads(gates_text(self.gates) or "[]")}


class CancelAct(_PlainAct):
    """End the task."""

    act: Literal["cancel"]
    reason: Reason | None = None


class RetryAct(_PlainAct):
    """Put a task that has ended back to work."""

    act: Literal["retry"]
    delay_seconds: Delay = 0
    reset_attempts: bool = False


class NotifyAct(_PlainAct):
    """Leave a `rule.notified` event; places in the message are filled in."""

    act: Literal["notify"]
    message: Annotated[Reason, Placed]


class CommentAct(_PlainAct):
    """Say something about the task; places in the text are filled in."""

    act: Literal["comment"]
    text: Annotated[str, Field(min_length=1, max_length=MAX_COMMENT), Placed]


Act = Annotated[
    CreateAct
    | DelegateAct
    | ReprioritizeAct
    | AssignAct
    | LabelAct
    | RequireAct
    | CancelAct
    | RetryAct
    | NotifyAct
    | CommentAct,
    Field(discriminator="act"),
]
Events = Annotated[list[EventName], Field(min_length=1, max_length=10)]
Conditions = Annotated[list[RuleCondition], Field(max_length=10)]
Acts = Annotated[list[Act], Field(min_length=1, max_length=5)]
About = Annotated[Line, Field(max_length=500)]


class CreateRule(Body):
    """On one of `events`, if all `conditions` hold, do `acts` in order, all or none."""

    name: WorkerId
    description: About = ""
    project: ProjectName | None = None
    events: Events
    conditions: Conditions = Field(default_factory=list)
    acts: Acts
    paused: bool = False


class EditRule(Body):
    """Lists to replace as a whole; `version` refuses the change if the rule is at another."""

    description: About | None = None
    events: Events | None = None
    conditions: Conditions | None = None
    acts: Acts | None = None
    version: int | None = None

    @model_validator(mode="after")
    def _says_something(self) -> EditRule:
        if self.description is None and self.events is None and self.conditions is None and self.acts is None:
            raise ValueError("names no field to change")
        return self


class DryRun(Body):
    """The task to which the rule's first event is to seem to happen."""

    task: Ref


def fields(asked: CreateRule | EditRule) -> dict[str, Any]:
    """What is set, by the names of `domain.rule.Rule`."""
    values: dict[str, Any] = {}
    if asked.description is not None:
        values["description"] = asked.description
    if asked.events is not None:
        values["events"] = tuple(dict.fromkeys(asked.events))
    if asked.conditions is not None:
        values["conditions"] = tuple(Condition(one.field, one.op, one.value) for one in asked.conditions)
    if asked.acts is not None:
        values["acts"] = tuple(act.stored() for act in asked.acts)
    return values
