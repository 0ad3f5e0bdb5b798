"""The rest between attempts doubles, is capped and jitters in its upper half."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from taskdeck.domain.backoff import backoff_seconds

attempts = st.integers(1, 1_000)
spans = st.floats(0, 86_400)


@given(attempts, spans, spans, st.floats(0, 1, exclude_max=True))
def test_it_stays_within_half_and_all_of_the_full_span(attempt: int, base: float, cap: float, chance: float) -> None:
    full = min(cap, base * 2.0 ** min(attempt - 1, 200)) if attempt <= 60 else cap
    rest = backoff_seconds(attempt, base=base, cap=cap, random=lambda: chance)
    assert full / 2 <= rest <= full


@given(attempts, spans, spans)
def test_it_never_grows_shorter(attempt: int, base: float, cap: float) -> None:
    def rest(number: int) -> float:
        return backoff_seconds(number, base=base, cap=max(base, cap), random=lambda: 0.5)

    assert rest(attempt) <= rest(attempt + 1)


def test_no_base_is_no_rest() -> None:
    assert backoff_seconds(50, base=0, cap=600, random=lambda: 0.9) == 0
    assert backoff_seconds(1_000, base=0, cap=0, random=lambda: 0.9) == 0
