"""What the machine that tries tasks draws from: who acts, on what, and the tasks that are wished for."""

from __future__ import annotations

from support.choice import each_of, one_of, some_of
from support.model_crew import Who
from support.model_world import Limits
from support.people import ANN, BOB, EVE, ROOT

PEOPLE = {
    ROOT: Who("root", operator=True),
    EVE: Who("eve", operator=True),
    ANN: Who("ann", capabilities=frozenset({"py"}), groups=frozenset({"crew"})),
    BOB: Who("bob", projects=frozenset({"default"})),
}

callers = one_of([None] * 8 + [ANN, BOB, ROOT])
"""Who writes under a claim: None is its own principal."""
claimers = one_of([(ANN, "w1")] * 6 + [(BOB, "w3")] * 4 + [(ANN, "w2")] * 3 + [(ROOT, "w2"), (BOB, "w1")])
projects = one_of(["default", "default", "side"])
priorities = one_of([0, 50, 50, 50, 100])
labels = one_of([frozenset[str](), frozenset[str](), frozenset({"a"}), frozenset({"a", "b"})])
capabilities = one_of([frozenset[str]()] * 3 + [frozenset({"py"}), frozenset({"py", "go"})])
workers = one_of(["w1", "w2", "w3"])
assignees = one_of([None] * 9 + ["w1", "ann", "crew", "w3", "nobody"])
FORM = '{"properties":{"a":{"type":"integer"}},"required":["a"]}'
leases = one_of([None, None, None, 5_000, 120_000, 900_000])
spans = one_of([0, 0, 4_000, 70_000, 500_000])
sessions = one_of([None] * 14 + ["s", "t"])
"""In which session of its worker a claim is made."""
ends = one_of([False] * 8 + [True])
picks = one_of(range(101))
flags = one_of([False, True])
fence_offsets = one_of([0] * 8 + [1, -1])
CHAINS: list[tuple[tuple[str, int | None], ...]] = [
    (("w1", 60_000), ("crew", 300_000), ("w3", None)),
    (("ann", 5_000), ("w2", 5_000)),
    (("crew", None), ("w1", 60_000)),
]
limits = one_of(
    [
        Limits(most, each, labels, apart)
        for most in (0, 0, 0, 1, 3)
        for each in (0, 0, 2)
        for labels in ((), (("a", 1),), (("a", 1), ("b", 2)))
        for apart in (False, True)
    ]
)
wishes = each_of(
    projects, priorities, labels, capabilities, assignees, some_of(picks, [0, 0, 0, 0, 0, 1, 2]),
    one_of([0, 0, 0, 0, 0, 4_000, 70_000]), one_of([None, 1, 2]), one_of([False] * 7 + [True]),
    one_of([None, None, None, "optional", "required", "required", "four_eyes"]), one_of(["task"] * 5 + ["goal"]),
    one_of([None] * 15 + list(range(0, 100, 7))),
    one_of([frozenset[str]()] * 6 + [frozenset({"claim"}), frozenset({"complete", "approve"})]),
    one_of([False] * 3 + [True]),
    one_of([(), (), (), (), (), (), *CHAINS]), one_of(["open", "stay", "give_up"]),
    one_of([frozenset[str](), frozenset[str](), frozenset({"x"}), frozenset({"x", "y"})]),
    one_of([None, None, None, 4_000, 70_000, 0]), one_of([None, None, 5_000, 100_000]),
)  # fmt: skip
