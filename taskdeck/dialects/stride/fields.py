"""The fields of a task that clients write, and what is wrong with them in words that clients know."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
)
from pydantic_core import ErrorDetails

from taskdeck.dialects.stride.errors import Errors
from taskdeck.dialects.stride.words import CAPABILITIES
from taskdeck.domain.changes import odd_path

INVALID = "is invalid"
BLANK = "can't be blank"
COMPLEXITY = Literal["small", "medium", "large"]
_CATEGORIES = frozenset(
    {
        "Happy path",
        "Boundary",
        "Error / exception",
        "Null / empty",
        "Concurrency",
        "Lifecycle / wiring",
        "Contract / serialization",
    }
)
_WAIVED = re.compile(r"\s*n/?a\b", re.IGNORECASE)


def no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError(INVALID)
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError(BLANK)
    return text


def _path(text: str) -> str:
    wrong = odd_path(text)
    if wrong:
        raise ValueError(wrong)
    return text


def _type(value: Any) -> Any:
    return "work" if value == "task" else value


def _known(names: list[str]) -> list[str]:
    unknown = sorted(set(names) - CAPABILITIES)
    if unknown:
        raise ValueError(f"contains unknown capabilities: {', '.join(unknown)[:200]}")
    return names


def _kinds(text: str) -> str:
    if not set(text.split("/")) <= {"unit", "integration", "manual"}:
        raise ValueError(INVALID)
    return text


Text = Annotated[str, AfterValidator(no_nul)]
Filled = Annotated[Text, AfterValidator(_not_blank)]
Short = Annotated[str, Field(max_length=255), AfterValidator(no_nul)]
Title = Annotated[Short, AfterValidator(_not_blank)]
Long = Annotated[str, Field(max_length=100_000), AfterValidator(no_nul)]
Place = Annotated[int, Field(ge=0, le=2**31)]
Texts = Annotated[list[Text], Field(max_length=1_000)]
Plans = dict[Text, Text | Texts]


class _Model(BaseModel):
    """Unknown fields are left out; nothing is converted from another type."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)


class KeyFile(_Model):
    """A file that the work is about."""

    file_path: Annotated[Filled, AfterValidator(_path)]
    note: Text | None = None
    position: Place


class Step(_Model):
    """A step by which the work is verified."""

    step_type: Literal["command", "manual"]
    step_text: Filled
    expected_result: Text | None = None
    position: Place


class Behaviour(_Model):
    """A row of the matrix of behaviours and their tests."""

    category: Text
    behaviour: Filled
    test_name: Text | None = None
    type: Annotated[Text, AfterValidator(_kinds)] | None = None
    status: Literal["planned", "passing", "failing", "not_applicable"] = "planned"
    na_reason: Text | None = None
    position: Place = 0


def _matrix(rows: list[Behaviour] | None) -> list[Behaviour] | None:
    if not rows:
        return rows
    missing = sorted(_CATEGORIES - {row.category for row in rows})
    if missing:
        raise ValueError(f"is missing categories: {', '.join(missing)}")
    for row in rows:
        if row.category not in _CATEGORIES:
            raise ValueError(INVALID)
        waived = row.status == "not_applicable" or _WAIVED.match(row.test_name or "") is not None
        if waived and not (row.na_reason or "").strip():
            raise ValueError("needs an na_reason where a row is not applicable")
        if not waived and not (row.test_name or "").strip():
            raise ValueError("needs a test_name in every row that is applicable")
    return rows


Dependency = int | Annotated[Short, AfterValidator(_not_blank)]


def _rows(value: Any, handler: Any) -> Any:
    """A list of objects; where an element is no object, the whole is wrong."""
    if isinstance(value, list) and not all(isinstance(row, dict) for row in value):
        raise ValueError(INVALID)
    return handler(value)


class TaskFields(_Model):
    """What a task says, as far as clients write it. What is left out is not in `model_fields_set`."""

    title: Title
    description: Long | None = None
    type: Annotated[Literal["work", "defect", "goal"] | None, BeforeValidator(_type)] = None
    priority: Literal["low", "medium", "high", "critical"] | None = None
    complexity: COMPLEXITY | None = None
    needs_review: bool | None = None
    human_task: bool | None = None
    dependencies: Annotated[list[Dependency], Field(max_length=100)] | None = None
    required_capabilities: Annotated[list[Text], AfterValidator(_known)] | None = None

    acceptance_criteria: Text | None = None
    estimated_files: Short | None = None
    why: Text | None = None
    what: Text | None = None
    where_context: Text | None = None
    patterns_to_follow: Text | None = None
    database_changes: Text | None = None
    validation_rules: Text | None = None
    telemetry_event: Short | None = None
    metrics_to_track: Text | None = None
    logging_requirements: Text | None = None
    error_user_message: Text | None = None
    error_on_failure: Text | None = None
    key_files: Annotated[list[KeyFile], WrapValidator(_rows)] | None = None
    verification_steps: Annotated[list[Step], WrapValidator(_rows)] | None = None
    behaviour_test_matrix: Annotated[
        Annotated[list[Behaviour], WrapValidator(_rows)] | None, AfterValidator(_matrix)
    ] = None
    technology_requirements: Texts | None = None
    pitfalls: Texts | None = None
    out_of_scope: Texts | None = None
    security_considerations: Annotated[list[Short], Field(max_length=1_000)] | None = None
    testing_strategy: Plans | None = None
    integration_points: Plans | None = None
    technical_details: dict[str, Any] | None = None


class NewTaskFields(TaskFields):
    """The fields of a new task."""

    created_by_agent: Short | None = None


class Changed(TaskFields):
    """The fields of a task that are changed."""

    title: Title = ""


def told(error: ValidationError) -> Errors:
    """What is wrong, field by field: a list of messages; for rows of objects a list with what is wrong in each."""
    wrong: Errors = {}
    for entry in error.errors(include_url=False, include_context=True, include_input=False)[:50]:
        field, *rest = entry["loc"] or ("base",)
        message = _message(entry)
        if field in _ROWS and len(rest) >= 2 and isinstance(rest[0], int):
            rows = wrong.setdefault(str(field), [])
            if all(isinstance(row, dict) for row in rows):
                rows += [{} for _ in range(rest[0] + 1 - len(rows))]
                rows[rest[0]].setdefault(str(rest[1]), []).append(message)
            continue
        messages = wrong.setdefault(str(field), [])
        if message not in messages:
            messages.append(message)
    return wrong


_ROWS = frozenset({"key_files", "verification_steps", "behaviour_test_matrix"})


def _message(entry: ErrorDetails) -> str:
    match entry["type"]:
        case "missing":
            return BLANK
        case "string_too_long":
            return f"should be at most {entry['ctx']['max_length']} character(s)"
        case "value_error":
            return str(entry["ctx"]["error"])
    return INVALID
