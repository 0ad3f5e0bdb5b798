"""What the operator may choose about dialects."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class StrideChoices(BaseModel):
    """Choices of the Stride dialect: the table `[stride]` of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim_minutes: float = Field(60, ge=1, le=1_440)
    """How long a claim holds; then the task may be claimed anew, and its holder may finish it until it is."""
    before_doing_ms: int = Field(60_000, ge=1, le=86_400_000)
    """How long clients may let the hook `before_doing` run."""
    other_hooks_ms: int = Field(600_000, ge=1, le=86_400_000)
    """How long they may let any other run."""
    after_goal_ms: int = Field(500, ge=0, le=86_400_000)
    """How long a goal whose children are done waits for the report of its hook before it is done."""
    completion_contract: Literal["lenient", "current", "strict"] = "current"
    """What completions must tell of exploring and reviewing: nothing, only what is right, or all of it."""


class ConductorChoices(BaseModel):
    """Choices of the Conductor dialect: the table `[conductor]` of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scope: Literal["all", "human"] = "all"
    """Which tasks a search shows: every one, or those for people."""
