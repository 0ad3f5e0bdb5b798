"""The columns of a task's two rows, in the order of the fields of `Task`."""

from __future__ import annotations

HOT = (
    "number", "id", "key", "bucket", "state", "priority", "attempt", "max_attempts", "fence", "not_before", "due",
    "created_at", "ready_at", "queued_at", "updated_at", "finished_at", "version", "worker", "principal", "claimed_at",
    "heartbeat_at", "expires_at", "lease_ms", "lapsed", "work_state", "detail", "progress", "overdue_at",
    "unique_key", "parent", "root", "depth", "children", "turn_ends_at", "via", "review_ends_at", "entries",
    "session", "question",
)  # fmt: skip
"""Columns of `tasks`: short, and written at every step of its life."""

COLD = (
    "title", "description", "payload", "metadata", "result", "error", "created_by", "handoff", "review", "completed_by",
    "verdict", "kind", "accountable", "gates", "proof", "assignees", "turn", "at_end", "form", "draft",
    "extra", "approve_after_ms", "awaits", "changes", "run", "files", "backoff_ms",
    "backoff_cap_ms",
)  # fmt: skip
"""Columns of `bodies`: long, and written once or at the end."""

LONG_COLUMNS = (
    "description", "payload", "metadata", "result", "error", "handoff", "gates", "proof", "assignees", "draft",
)  # fmt: skip
"""Columns of `bodies` whose text may be long."""
OUTCOME = ("result", "error", "handoff", "completed_by", "verdict", "proof", "draft", "extra")
"""Columns of `bodies` that tell how it went; the others seldom change."""
