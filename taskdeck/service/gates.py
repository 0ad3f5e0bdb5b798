"""Gates at work: refusing what was not shown, keeping what was, and telling beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from taskdeck.domain.errors import GateUnmet
from taskdeck.domain.gates import STRONG, Before, Gate, Shown, example_for, gates_from, unmet
from taskdeck.domain.task import Json, Task
from taskdeck.store.unit import Unit

NOTHING = Shown()


def pass_gates(task: Task, before: Before, shown: Shown | None, facts: dict[str, Any]) -> dict[str, Any]:
    """The fields by which `task` keeps what was shown before this verb; it is put into the event's `facts` too.

    A claim begins with nothing shown. A task without gates to whom nothing is shown has no such fields.

    Raises:
        GateUnmet: a gate stays shut; nothing was changed.
    """
    if task.gates is not None:
        shut = unmet(gates_from(task.gates), before, shown or NOTHING)
        if shut:
            raise GateUnmet(
                f"{task.key} has gates before {before} that are not met: " + "; ".join(gate.detail for gate in shut),
                hint="Send what `gates` asks for as `shown`; GET its /gates tells it beforehand.",
                gates=[{"gate": gate.gate, "detail": gate.detail, "example": {"shown": gate.example}} for gate in shut],
            )
    if shown is None:
        return {} if before is not Before.CLAIM or task.proof is None else {"proof": None}
    document = shown.document()
    facts["shown"] = document
    kept = {} if before is Before.CLAIM else orjson.loads(task.proof or "{}")
    return {"proof": orjson.dumps(kept | {before.value: document}).decode()}


def shut(unit: Unit, shown: Shown | None) -> Callable[[int], bool] | None:
    """Of which buckets no task may be had by who shows this; None if it is none of them."""
    buckets = unit.mirror.buckets

    def is_shut(number: int) -> bool:
        gates = buckets[number].gates
        return gates is not None and bool(unmet(gates_from(gates), Before.CLAIM, shown or NOTHING))

    return is_shut if unit.mirror.gated else None


def gates_view(task: Task, worker: str) -> list[dict[str, Any]]:
    """Every gate of `task`, with a right answer, and for a hook the variables that `worker` should run it with."""
    if task.gates is None:
        return []
    return [_gate_view(task, worker, gate) for gate in gates_from(task.gates)]


def _gate_view(task: Task, worker: str, gate: Gate) -> dict[str, Any]:
    view: dict[str, Any] = {"before": gate.before, "blocking": gate.blocking, "example": {"shown": example_for(gate)}}
    if gate.hook is None:
        return view | {"evidence": sorted(gate.evidence), "least": gate.least, "strong": gate.evidence <= STRONG}
    return view | {
        "hook": gate.hook,
        "timeout_seconds": gate.timeout_s,
        "environment": environment(task, worker, gate.hook),
    }


def environment(task: Task, worker: str, hook: str) -> dict[str, str]:
    """What a hook should find in its environment. Every value is text; none is to be trusted as a command."""
    values = {
        "HOOK": hook,
        "WORKER": worker,
        "TASK_KEY": task.key,
        "TASK_ID": task.id,
        "TASK_NUMBER": task.number,
        "TASK_TITLE": task.title,
        "TASK_DESCRIPTION": task.description,
        "TASK_STATE": task.state.value,
        "TASK_PRIORITY": task.priority,
        "TASK_KIND": task.kind,
        "TASK_REVIEW": task.review,
        "TASK_ATTEMPT": task.attempt,
        "TASK_PARENT": task.parent or "",
        "TASK_FENCE": task.fence,
        "TASK_PROJECT": task.bucket.project,
    }
    # a NUL cannot stand in an environment; the API lets none in, but a title is not ours
    return {f"TASKDECK_{name}": str(value).replace("\0", "") for name, value in values.items()}


def asked_for(gates: Json, before: Before) -> list[str]:
    """What the blocking gates before `before` want, in a few words each."""
    return [gate.detail for gate in unmet(gates_from(gates), before, NOTHING)]
