"""Gates: which stay shut before what, and why."""

from __future__ import annotations

import orjson
import pytest

from taskdeck.domain.gates import (
    Before,
    Evidence,
    EvidenceKind,
    Gate,
    HookResult,
    Shown,
    example_for,
    gates_from,
    joined,
    unmet,
)

HOOK = Gate(Before.CLAIM, "tests", timeout_s=60)
LINKS = Gate(Before.CLAIM, evidence=frozenset({EvidenceKind.COMMIT, EvidenceKind.PR}), least=2)


def _ran(code: int = 0, ms: int = 5) -> Shown:
    return Shown({"tests": HookResult(code, "", ms)})


def _given(*refs: str, kind: EvidenceKind = EvidenceKind.COMMIT) -> Shown:
    return Shown(evidence=tuple(Evidence(kind, ref) for ref in refs))


@pytest.mark.parametrize(
    ("gate", "shown", "why"),
    [
        (HOOK, Shown(), "not shown"),
        (HOOK, _ran(), None),
        (HOOK, _ran(1), "exit code 1"),
        (HOOK, _ran(0, 60_001), "60.001 seconds; it has 60"),
        (HOOK, _ran(0, 60_000), None),
        (HOOK, Shown({"other": HookResult(0, "", 1)}), "not shown"),
        (LINKS, Shown(), "0 given"),
        (LINKS, _given("a"), "1 given"),
        (LINKS, _given("a", "a"), "1 given"),
        (LINKS, _given("a", "b"), None),
        (LINKS, _given("a", "b", kind=EvidenceKind.COMMAND_OUTPUT), "0 given"),
    ],
)
def test_a_gate_opens_for_what_it_asks_for_alone(gate: Gate, shown: Shown, why: str | None) -> None:
    found = unmet((gate,), Before.CLAIM, shown)
    assert bool(found) == (why is not None)
    if why is not None:
        assert why in found[0].detail
    assert not unmet((gate,), Before.COMPLETE, Shown())


@pytest.mark.parametrize("gate", [HOOK, LINKS])
def test_the_example_opens_the_gate(gate: Gate) -> None:
    example = example_for(gate)
    shown = Shown(
        {name: HookResult(**run) for name, run in example.get("hooks", {}).items()},
        tuple(Evidence(EvidenceKind(e["kind"]), e["ref"], e["summary"]) for e in example.get("evidence", [])),
    )
    assert not unmet((gate,), Before.CLAIM, shown)


def test_a_gate_that_does_not_block_stays_open() -> None:
    assert not unmet((Gate(Before.CLAIM, "lint", blocking=False),), Before.CLAIM, _ran(1))


def test_lists_are_joined_and_read_back() -> None:
    one = '[{"before":"claim","hook":"tests","timeout_seconds":60.0,"blocking":true}]'
    two = '[{"before":"claim","evidence":["commit","pr"],"least":2}]'
    both = joined(one, None, two)
    assert both is not None
    assert orjson.loads(both) == [*orjson.loads(one), *orjson.loads(two)]
    assert gates_from(both) == (HOOK, LINKS)
    assert joined(None, "[]") is None
