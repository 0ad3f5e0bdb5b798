"""The event: one row per change, in the order in which things happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.task import Task

BESIDE = frozenset(
    {
        "task.commented", "task.comment_edited", "task.comment_deleted", "task.linked", "task.unlinked",
        "task.attached", "task.detached", "task.context_changed", "task.context_retracted",
    }
)  # fmt: skip
"""Types of events of what happens beside a task: its own fields stay as they are."""


@dataclass(slots=True)
class Event:
    """One change: who did what to what, the fields it left behind and the facts beside them.

    `seq` counts up by one from 1 and is given when the change is written; `changes` holds public field names
    with their values after the change, so that laying the changes of a log over each other gives the state. Events
    with the same `act` came of one act, as whoever did it said; those without one stand for themselves.
    """

    at: int
    type: str
    actor: str
    task: Task | None = None
    project: str | None = None
    worker: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    seq: int = 0
    act: str = ""

    def encode(self) -> bytes:
        """The public form, as it is stored, listed and streamed."""
        task = self.task
        public = {
            "seq": self.seq,
            "at": rfc3339(self.at),
            "type": self.type,
            "actor": self.actor,
            "task": None
            if task is None
            else {"id": task.id, "number": task.number, "key": task.key, "project": task.bucket.project},
            "project": self.project,
            "worker": self.worker,
            "changes": self.changes,
            "facts": self.facts,
        }
        if self.act:
            public["act"] = self.act
        return orjson.dumps(public)
