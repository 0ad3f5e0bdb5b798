"""Times as text: what is written is read back, to the millisecond."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskdeck.domain.clock import MAX_MS, SystemClock, from_rfc3339, rfc3339


@given(st.integers(0, MAX_MS))
def test_a_time_survives_its_text(ms: int) -> None:
    text = rfc3339(ms)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert from_rfc3339(text) == ms


@given(st.integers(0, MAX_MS), st.integers(0, MAX_MS))
def test_texts_sort_like_their_times(one: int, two: int) -> None:
    assert (rfc3339(one) < rfc3339(two)) == (one < two)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T02:00:00+02:00", 0),
        ("2026-11-20T14:02:31.123Z", 1795183351123),
        ("2026-11-20T14:02:31.1239Z", 1795183351124),
        ("9999-12-31T23:59:59.999Z", MAX_MS),
    ],
)
def test_known_times(text: str, ms: int) -> None:
    assert from_rfc3339(text) == ms


@pytest.mark.parametrize(
    "text", ["", "now", "2026-11-20", "2026-11-20T14:02:31", "2026-13-01T00:00:00Z", "１９７０-01-01T00:00:00Z"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_rfc3339(text)


def test_the_machines_clocks_go_on() -> None:
    clock = SystemClock()
    assert clock.now_ms() > 1_700_000_000_000
    assert clock.monotonic_ms() <= clock.monotonic_ms()
