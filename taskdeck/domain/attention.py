"""What calls for a human: the reasons there are, most urgent first."""

from __future__ import annotations

from enum import StrEnum

LOOPS = 3
"""A task that was claimed so often without being finished goes round."""
FAILED_FOR_MS = 24 * 3_600_000
"""An older failure is history."""
PAUSED_LONG_MS = 3_600_000
"""A pause that lasts longer may have been forgotten."""


class Need(StrEnum):
    """Why a human is needed. Somebody waits; work is held up; work goes wrong; something was forgotten."""

    WAITING_INPUT = "waiting_input"
    ABANDONED = "abandoned"
    LAPSED = "lapsed"
    ERRORED = "errored"
    SILENT = "silent"
    LOOPING = "looping"
    OVERDUE = "overdue"
    REVIEW = "review"
    NO_WORKER = "no_worker"
    FAILED = "failed"
    PAUSED_LONG = "paused_long"


RANK = {need: rank for rank, need in enumerate(Need)}
