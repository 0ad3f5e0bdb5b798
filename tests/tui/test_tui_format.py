"""The small words of the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from taskdeck.tui import format as say

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (-5, "0s"), (0, "0s"), (999, "0s"), (59_999, "59s"), (60_000, "1m00s"), (78_000, "1m18s"),
        (3_599_000, "59m59s"), (3_600_000, "1h00m"), (86_399_000, "23h59m"), (90_000_000, "1d01h"),
        (86_400_000 * 1000, "1000d"),
    ],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(ms: int, told: str) -> None:
    assert say.duration(ms) == told


def test_a_length_that_was_chosen_ends_with_what_it_has() -> None:
    told = {45: "45s", 90: "1m30s", 900: "15m", 3600: "1h", 5400: "1h30m", 86_400: "1d", 600.5: "10m"}
    assert {seconds: say.span(seconds) for seconds in told} == told


@pytest.mark.parametrize(
    ("left", "length", "heat"),
    [
        (None, 0, "endless"), (0, 300_000, "lapsed"), (-1, 300_000, "lapsed"), (60_000, 300_000, "hot"),
        (60_001, 300_000, "warm"), (150_000, 300_000, "warm"), (150_001, 300_000, "calm"),
        (300_000, 86_400_000, "hot"), (300_001, 86_400_000, "warm"),
    ],
)  # fmt: skip
def test_heat_is_a_share_of_the_lease_with_a_bound(left: int | None, length: int, heat: str) -> None:
    assert say.heat(left, length) == heat


@given(st.integers(-10, 400_000), st.integers(1, 300_000), st.integers(2, 40))
def test_a_fuse_always_fills_its_cells(left: int, length: int, width: int) -> None:
    heat = say.heat(left, length)
    burning, burnt = say.fuse(say.fuse_cells(left, length, width), width, heat)
    assert cell_len(burning + burnt) == width
    assert ("◆" in burning) is (heat == "hot")


@given(st.text(max_size=80), st.integers(0, 30), st.sampled_from(["left", "right"]))
def test_fitted_text_is_exactly_so_wide_and_harmless(text: str, width: int, align: str) -> None:
    fitted = say.fit(text, width, align)  # type: ignore[arg-type]
    assert cell_len(fitted) == width
    assert fitted.replace("\N{REPLACEMENT CHARACTER}", "").isprintable() or not any(
        ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in fitted
    )


def test_wide_characters_never_straddle_the_edge() -> None:
    assert say.fit("日本語", 4) == "日… "
    assert say.fit("日本語", 5) == "日本…"
    assert say.fit("日本語", 6) == "日本語"


@given(st.lists(st.integers(0, 1000), max_size=70), st.integers(0, 40))
def test_a_sparkline_has_its_width(values: list[int], width: int) -> None:
    assert len(say.spark(values, width)) == width


def test_a_sparkline_shows_the_newest_at_its_right() -> None:
    assert say.spark([0] * 59 + [9], 15)[-1] == "█"
    assert say.spark([9] + [0] * 59, 15)[0] == "█"
    assert say.spark([], 4) == "▁▁▁▁"


@pytest.mark.parametrize(("number", "told"), [(9999, "9999"), (10_000, "10k"), (48_211, "48k"), (2_400_000, "2M")])
def test_short_counts_take_four_cells(number: int, told: str) -> None:
    assert say.short_count(number) == told
