"""What Delega calls things, and what the deck calls them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.context import Source
from taskdeck.domain.gates import STRONG, Before, EvidenceKind, gates_from
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.source import Op
from taskdeck.domain.states import State
from taskdeck.domain.task import Json, Task

NAME: Final = "delega"

STATUS = {
    State.BACKLOG: "open",
    State.BLOCKED: "blocked",
    State.SCHEDULED: "open",
    State.READY: "open",
    State.CLAIMED: "claimed",
    State.REVIEW: "in_progress",
    State.DONE: "completed",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}

PRIORITY = {1: 50, 2: 65, 3: 80, 4: 95}
"""1 is normal, 4 is urgent; the deck's 100 is claimed first, and 50 what it gives."""
SPAN = {1: (0, 57), 2: (58, 72), 3: (73, 87), 4: (88, 100)}
"""The deck's priorities that are shown as one of Delega's."""

SOURCE = {
    "human_stated": Source.STATED,
    "agent_inferred": Source.INFERRED,
    "agent_observed": Source.OBSERVED,
    "imported": Source.IMPORTED,
}
SOURCE_SAID = {source: word for word, source in SOURCE.items()}

SOURCE_OPS = {"eq": Op.EQUALS, "neq": Op.DIFFERS, "exists": Op.EXISTS, "not_exists": Op.ABSENT}
"""What an ingress filter asks of the value at its path."""

EVIDENCE = {
    "commit": EvidenceKind.COMMIT,
    "pr": EvidenceKind.PR,
    "ci_check": EvidenceKind.CI_CHECK,
    "deploy_sha": EvidenceKind.DEPLOY,
    "artifact_url": EvidenceKind.ARTIFACT,
    "command_output": EvidenceKind.COMMAND_OUTPUT,
}
EVIDENCE_SAID = {kind.value: word for word, kind in EVIDENCE.items()}

POLICY: Final = {"before": Before.COMPLETE.value, "evidence": sorted(STRONG)}
"""What `evidence_policy: required` asks for, as a gate of the deck."""


def priority_said(priority: int) -> int:
    """The deck's priority in Delega's four steps."""
    return next(step for step, (_, most) in SPAN.items() if priority <= most)


def status_said(task: Task) -> str:
    """Where `task` is in its life; one that waits for what was delegated from it is `delegated`."""
    if task.state is State.BLOCKED and task.children and task.depends_on:
        return "delegated"
    return STATUS[task.state]


@lru_cache(maxsize=1024)
def labels_said(labels: frozenset[str]) -> list[str]:
    """The labels of a task, in their order. Not to be changed."""
    return sorted(labels)


def project_said(name: str) -> str | None:
    """The id of a project; what lies in the deck's default project lies in none."""
    return None if name == DEFAULT_PROJECT else name


def task_id(identity: str) -> str:
    """A task's id as Delega writes it: 32 hexadecimal digits."""
    return identity.replace("-", "")


def task_ref(text: str) -> str:
    """What the deck knows a task by that was named so."""
    if len(text) == 32 and all(char in "0123456789abcdef" for char in text):
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return text


def wants_evidence(gates: Json | None) -> bool:
    """Whether a task with these gates is completed with evidence only."""
    return gates is not None and any(gate.before is Before.COMPLETE and gate.evidence for gate in gates_from(gates))


def midnight(day: date) -> int:
    """The moment a day begins here, in milliseconds since the epoch."""
    return round(datetime.combine(day, time()).astimezone().timestamp() * 1000)


def due_of(day: date) -> int:
    """A task that is due on `day` is late once that day is over."""
    return midnight(day + timedelta(days=1))


def day_of(ms: int) -> date:
    """The day here at a moment."""
    return datetime.fromtimestamp(ms / 1000).astimezone().date()


@lru_cache(maxsize=4096)
def due_said(due: int | None) -> str | None:
    """The last day on which what is due at that moment is in time."""
    return None if due is None else day_of(due - 1).isoformat()


def moment(ms: int | None) -> str | None:
    """A time as Delega writes it."""
    return None if ms is None else rfc3339(ms)


@lru_cache(maxsize=4096)
def agent_said(name: str | None) -> dict[str, str] | None:
    """An agent as it stands inside of other things: the deck knows it by its name alone. Not to be changed."""
    return None if name is None else {"id": name, "name": name, "display_name": name}


def id_of(value: Any) -> str:
    """An id of anything but a task."""
    return str(value)
