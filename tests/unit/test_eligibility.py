"""Who may have what: the short answer and the long one always agree."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from taskdeck.domain.eligibility import Claimer, admits, checks
from taskdeck.domain.task import Bucket

names = st.frozensets(st.sampled_from("abc"))
buckets = st.builds(
    Bucket,
    st.just(1),
    st.sampled_from(["p", "q"]),
    names,
    names,
    st.sampled_from([None, "w", "me", "crew", "other"]),
)
claimers = st.builds(
    Claimer,
    st.just("w"),
    st.just(frozenset({"w", "me", "crew"})),
    names,
    st.one_of(st.none(), st.frozensets(st.sampled_from(["p", "q"]))),
    st.sampled_from([None, "p", "q"]),
    names,
)
paused = st.sampled_from([{}, {"p": 1}, {"q": 1}])


@given(buckets, claimers, paused)
def test_admits_is_the_short_form_of_checks(bucket: Bucket, claimer: Claimer, paused: dict[str, int]) -> None:
    assert admits(bucket, claimer, paused) == all(check.passed for check in checks(bucket, claimer, paused))


@given(buckets, claimers, paused)
def test_more_abilities_never_shut_out(bucket: Bucket, claimer: Claimer, paused: dict[str, int]) -> None:
    able = claimer._replace(capabilities=frozenset("abc"), labels=frozenset(), project=None, projects=None)
    if admits(bucket, claimer, paused):
        assert admits(bucket, able, paused)


PLAIN = Claimer("w", frozenset({"w"}), frozenset())
OPEN = Bucket(1, "p", frozenset(), frozenset(), None)


def test_each_rule_shuts_out_alone_and_says_so() -> None:
    cases = {
        "capabilities_missing": (replace(OPEN, capabilities=frozenset({"gpu"})), PLAIN, {}),
        "assigned_to_others": (replace(OPEN, assignee="other"), PLAIN, {}),
        "labels_not_matched": (OPEN, PLAIN._replace(labels=frozenset({"x"})), {}),
        "other_project": (OPEN, PLAIN._replace(project="q"), {}),
        "project_paused": (OPEN, PLAIN, {"p": 1}),
    }
    assert admits(OPEN, PLAIN, {})
    for rule, (bucket, claimer, paused) in cases.items():
        failed = [check for check in checks(bucket, claimer, paused) if not check.passed]
        assert [check.rule for check in failed] == [rule]
        assert failed[0].detail
    assert not admits(OPEN, PLAIN._replace(projects=frozenset()), {})
