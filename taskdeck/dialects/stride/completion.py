"""The fields of a completion."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from taskdeck.dialects.stride.errors import invalid
from taskdeck.dialects.stride.fields import COMPLEXITY, Filled, Text, no_nul, told
from taskdeck.dialects.stride.view import Data

ReasonCode = Literal[
    "decision_matrix_skip",
    "ran_inline",
    "hook_body_empty",
    "subsumed_by_task_spec",
    "folded_into_prior_step",
    "matrix_deviation",
]


class _Loose(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)


class Done(_Loose):
    """A step of the work that was done."""

    name: Text
    dispatched: Literal[True]
    duration_ms: int


class Skipped(_Loose):
    """A step of the work that was left out, and why."""

    name: Text
    dispatched: Literal[False]
    reason: Text
    reason_code: ReasonCode | None = None


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else value


class Completion(_Loose):
    """What a completion tells of the work."""

    completion_summary: Filled
    actual_complexity: COMPLEXITY
    actual_files_changed: Text
    time_spent_minutes: Annotated[int, Field(ge=0, le=2**31), BeforeValidator(_number)]
    completion_notes: Annotated[str, Field(max_length=65_535), AfterValidator(no_nul)] | None = None
    review_report: Text | None = None
    workflow_steps: list[Done | Skipped] | None = None
    explorer_result: dict[str, Any] | None = None
    reviewer_result: dict[str, Any] | None = None


def completion_fields(asked: Data) -> Data:
    """What a completion tells, as it is kept; what it leaves out is missing.

    Raises:
        Refused: a field is missing or wrong.
    """
    try:
        done = Completion.model_validate(asked)
    except ValidationError as error:
        raise invalid(told(error), "api/patch_tasks_id_complete.md") from None
    return done.model_dump(exclude_none=True)
