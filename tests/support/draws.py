"""What the machine that tries tasks draws from: who acts, on what, and the tasks that are wished for."""

from __future__ import annotations

from hypothesis import strategies as st

from support.model_world import Limits, Who
from support.people import ANN, BOB, EVE, ROOT

PEOPLE = {
    ROOT: Who("root", operator=True),
    EVE: Who("eve", operator=True),
    ANN: Who("ann", capabilities=frozenset({"py"}), groups=frozenset({"crew"})),
    BOB: Who("bob", projects=frozenset({"default"})),
}

callers = st.sampled_from([None] * 8 + [ANN, BOB, ROOT])
"""Who writes under a claim: None is its own principal."""
claimers = st.sampled_from([(ANN, "w1"), (ANN, "w1"), (ANN, "w2"), (BOB, "w3"), (BOB, "w3"), (ROOT, "w2"), (BOB, "w1")])
projects = st.sampled_from(["default", "default", "side"])
priorities = st.sampled_from([0, 50, 50, 50, 100])
labels = st.sampled_from([frozenset[str](), frozenset[str](), frozenset({"a"}), frozenset({"a", "b"})])
capabilities = st.sampled_from([frozenset[str]()] * 3 + [frozenset({"py"}), frozenset({"py", "go"})])
workers = st.sampled_from(["w1", "w2", "w3"])
assignees = st.sampled_from([None] * 6 + ["w1", "ann", "crew", "w3", "nobody"])
FORM = '{"properties":{"a":{"type":"integer"}},"required":["a"]}'
leases = st.sampled_from([None, None, 5_000, 120_000, 900_000])
spans = st.sampled_from([0, 0, 4_000, 70_000, 500_000])
ends = st.sampled_from([False] * 4 + [True])
picks = st.integers(0, 100)
fence_offsets = st.sampled_from([0] * 8 + [1, -1])
CHAINS: list[tuple[tuple[str, int | None], ...]] = [
    (("w1", 60_000), ("crew", 300_000), ("w3", None)),
    (("ann", 5_000), ("w2", 5_000)),
    (("crew", None), ("w1", 60_000)),
]
limits = st.builds(
    Limits, st.sampled_from([0, 0, 1, 2]), st.sampled_from([0, 0, 1]),
    st.sampled_from([(), (("a", 1),), (("a", 1), ("b", 2))]), st.booleans(),
)  # fmt: skip
wishes = st.tuples(
    projects, priorities, labels, capabilities, assignees, st.one_of(st.just([]), st.lists(picks, max_size=2)),
    st.sampled_from([0, 0, 0, 0, 4_000, 70_000]), st.sampled_from([None, 1, 2]),
    st.sampled_from([False] * 5 + [True]), st.sampled_from([None, None, None, "optional", "required", "four_eyes"]),
    st.sampled_from(["task"] * 4 + ["goal"]), st.sampled_from([None, None, None, *range(0, 100, 7)]),
    st.sampled_from([frozenset[str]()] * 4 + [frozenset({"claim"}), frozenset({"complete", "approve"})]),
    st.booleans(), st.sampled_from([(), (), (), *CHAINS]), st.sampled_from(["open", "stay", "give_up"]),
    st.sampled_from([frozenset[str](), frozenset[str](), frozenset({"x"}), frozenset({"x", "y"})]),
)  # fmt: skip
