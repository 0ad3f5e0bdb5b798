"""What requests say about gates: which there are, and what is shown to them."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Discriminator, Field, Tag

from taskdeck.domain.gates import DEFAULT_HOOK_S, MAX_GATES, Before, Evidence, EvidenceKind, HookResult, Shown
from taskdeck.domain.task import MAX_LEASE_S
from taskdeck.http.models import Body, Name, Note, Query, WorkerId, no_nul

MAX_EVIDENCE = 20


class HookGate(Body):
    """A hook to be run before the verb, and its result shown; one that does not block is only asked for."""

    before: Before
    hook: Name
    timeout_seconds: Annotated[float, Field(ge=1, le=MAX_LEASE_S)] = DEFAULT_HOOK_S
    blocking: bool = True


class EvidenceGate(Body):
    """Evidence to be given before the verb: at least so many pieces of these kinds."""

    before: Before
    evidence: Annotated[frozenset[EvidenceKind], Field(min_length=1)]
    least: Annotated[int, Field(ge=1, le=MAX_EVIDENCE)] = 1


def _kind_of_gate(gate: Any) -> str:
    asks = gate if isinstance(gate, dict) else gate.__dict__ if isinstance(gate, Body) else {}
    return "hook" if "hook" in asks else "evidence"


Gate = Annotated[
    Annotated[HookGate, Tag("hook")] | Annotated[EvidenceGate, Tag("evidence")], Discriminator(_kind_of_gate)
]


def gates_text(gates: list[HookGate | EvidenceGate] | None) -> Any:
    """Gates in the service's form."""
    if gates is None:
        return None
    documents = [gate.model_dump(mode="json") for gate in gates]
    for document in documents:
        if "evidence" in document:
            document["evidence"].sort()
    return orjson.dumps(documents).decode() if documents else None


Gates = Annotated[Annotated[list[Gate], Field(max_length=MAX_GATES)] | None, AfterValidator(gates_text)]
"""In the service's form: JSON text, or None for no gates."""


class HookRun(Body):
    """How a hook ended."""

    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**32)]
    output: Note
    duration_ms: Annotated[int, Field(ge=0, le=2**53)]


class EvidenceItem(Body):
    """A pointer to what shows that the work was done."""

    kind: EvidenceKind
    ref: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(no_nul)]
    summary: Annotated[str, Field(max_length=500), AfterValidator(no_nul)] | None = None


class ShowGates(Body):
    """What is shown to the gates before a verb: results of hooks by name, and evidence."""

    hooks: Annotated[dict[Name, HookRun], Field(max_length=MAX_GATES)] = Field(default_factory=dict)
    evidence: Annotated[list[EvidenceItem], Field(max_length=MAX_EVIDENCE)] = Field(default_factory=list)

    def service(self) -> Shown:
        """In the service's form."""
        return Shown(
            {name: HookResult(run.exit_code, run.output, run.duration_ms) for name, run in self.hooks.items()},
            tuple(Evidence(item.kind, item.ref, item.summary) for item in self.evidence),
        )


def shown(asked: ShowGates | None) -> Shown | None:
    """What a request shows, in the service's form."""
    return None if asked is None else asked.service()


class GatesQuery(Query):
    """Whose environment to show; without one, the caller's under its own name."""

    worker: WorkerId | None = None
