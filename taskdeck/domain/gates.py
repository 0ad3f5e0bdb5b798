"""Gates: what must be shown before a task is claimed, completed or approved, and whether it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson

from taskdeck.domain.task import Json


class Before(StrEnum):
    """The verbs that a gate may stand before."""

    CLAIM = "claim"
    COMPLETE = "complete"
    APPROVE = "approve"


class EvidenceKind(StrEnum):
    """What evidence points to."""

    COMMIT = "commit"
    PR = "pr"
    CI_CHECK = "ci_check"
    DEPLOY = "deploy"
    ARTIFACT = "artifact"
    COMMAND_OUTPUT = "command_output"


STRONG = frozenset(EvidenceKind) - {EvidenceKind.COMMAND_OUTPUT}
"""Evidence that others can look up; a command's output is only what somebody says it was."""
DEFAULT_HOOK_S = 600.0
MAX_GATES = 20

EXAMPLE_HOOK = {"exit_code": 0, "output": "12 passed", "duration_ms": 1234}
EXAMPLE_REF = "4f2a91c"


@dataclass(frozen=True, slots=True)
class Gate:
    """A hook that must have been run well, or evidence that must be given: exactly one of `hook` and `evidence`.

    A hook that is not `blocking` is only asked for. `evidence` are the kinds that count; `least` of them are wanted.
    """

    before: Before
    hook: str | None = None
    timeout_s: float = DEFAULT_HOOK_S
    blocking: bool = True
    evidence: frozenset[EvidenceKind] = frozenset()
    least: int = 1


@dataclass(frozen=True, slots=True)
class HookResult:
    """How a hook ended, as whoever ran it says."""

    exit_code: int
    output: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A pointer to what shows that the work was done. It is kept as it was given, and not looked up."""

    kind: EvidenceKind
    ref: str
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a caller shows: results by the hook's name, and evidence."""

    hooks: Mapping[str, HookResult] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    def document(self) -> dict[str, Any]:
        """As it is kept with the task and shown in its event."""
        return {
            "hooks": {
                name: {"exit_code": run.exit_code, "output": run.output, "duration_ms": run.duration_ms}
                for name, run in self.hooks.items()
            },
            "evidence": [
                {"kind": e.kind, "ref": e.ref, "summary": e.summary, "strong": e.kind in STRONG} for e in self.evidence
            ],
        }


@dataclass(frozen=True, slots=True)
class Unmet:
    """A gate that stays shut: which, why, and what `shown` would open it."""

    gate: str
    detail: str
    example: dict[str, Any]


@lru_cache(maxsize=1024)
def gates_from(text: Json) -> tuple[Gate, ...]:
    """The gates of their public JSON form; tasks of one project share theirs."""
    return tuple(
        Gate(
            Before(gate["before"]),
            gate.get("hook"),
            gate.get("timeout_seconds", DEFAULT_HOOK_S),
            gate.get("blocking", True),
            frozenset(EvidenceKind(kind) for kind in gate.get("evidence", ())),
            gate.get("least", 1),
        )
        for gate in orjson.loads(text)
    )


def joined(*lists: Json | None) -> Json | None:
    """One list of gates out of several; None if there is no gate in any."""
    gates = [gate for text in lists if text is not None for gate in orjson.loads(text)]
    return orjson.dumps(gates).decode() if gates else None


@lru_cache(maxsize=1024)
def before_claim(text: Json | None) -> Json | None:
    """Those of the gates that a claim must pass; None if there is none."""
    if text is None:
        return None
    gates = [g for g in orjson.loads(text) if g["before"] == Before.CLAIM and g.get("blocking", True)]
    return orjson.dumps(gates).decode() if gates else None


def unmet(gates: tuple[Gate, ...], before: Before, shown: Shown) -> list[Unmet]:
    """The blocking gates before `before` that `shown` does not open, in order."""
    found = []
    for gate in gates:
        if gate.before is not before or not gate.blocking:
            continue
        failed = _hook(gate, gate.hook, shown) if gate.hook is not None else _evidence(gate, shown)
        if failed is not None:
            found.append(failed)
    return found


def example_for(gate: Gate) -> dict[str, Any]:
    """A `shown` that opens `gate`."""
    if gate.hook is not None:
        return {"hooks": {gate.hook: EXAMPLE_HOOK}}
    kind = min(gate.evidence)
    refs = [EXAMPLE_REF] + [f"{EXAMPLE_REF}-{n}" for n in range(2, gate.least + 1)]
    return {"evidence": [{"kind": kind.value, "ref": ref, "summary": "what it shows"} for ref in refs]}


def _hook(gate: Gate, name: str, shown: Shown) -> Unmet | None:
    run = shown.hooks.get(name)
    if run is None:
        why = f"the result of the hook {name} is not shown"
    elif run.exit_code != 0:
        why = f"the hook {name} ended with exit code {run.exit_code}"
    elif run.duration_ms > gate.timeout_s * 1000:
        why = f"the hook {name} took {run.duration_ms / 1000:g} seconds; it has {gate.timeout_s:g}"
    else:
        return None
    return Unmet(name, why, example_for(gate))


def _evidence(gate: Gate, shown: Shown) -> Unmet | None:
    given = len({(item.kind, item.ref) for item in shown.evidence if item.kind in gate.evidence})
    if given >= gate.least:
        return None
    kinds = ", ".join(sorted(gate.evidence))
    return Unmet("evidence", f"evidence is wanted ({gate.least} of: {kinds}); {given} given", example_for(gate))
