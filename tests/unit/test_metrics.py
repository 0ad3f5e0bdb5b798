"""Rates and percentiles of the last while."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from taskdeck.service.metrics import SAMPLES, WINDOW_S, Metrics, percentiles


def test_rates_are_of_the_last_whole_minute() -> None:
    metrics = Metrics()
    for second in range(120):
        for _ in range(second % 3):
            metrics.note("task.claimed", second * 1000 + 7, {"wait_seconds": 1.0})
    rates = metrics.rates(120_500)
    assert rates["series"]["claims"] == [second % 3 for second in range(60, 120)]
    assert rates["claims_per_second"] == 1.0
    assert rates["completions_per_second"] == 0
    assert metrics.rates(500_000)["series"]["claims"] == [0] * WINDOW_S


def test_other_events_count_nowhere() -> None:
    metrics = Metrics()
    metrics.note("task.lapsed", 1000, {})
    metrics.note("task.released", 1000, {})
    assert metrics.rates(2000)["failures_per_second"] == 0
    assert metrics.waits() == {"p50": None, "p95": None, "count": 0}


def test_a_clock_that_goes_back_breaks_nothing() -> None:
    metrics = Metrics()
    for at in (100_000, 50_000, 100_000, 0):
        metrics.note("task.completed", at, {"run_seconds": 2.0})
    assert sum(metrics.rates(101_000)["series"]["completions"]) <= 4
    assert metrics.runs()["count"] == 4


def test_only_the_newest_samples_are_kept() -> None:
    metrics = Metrics()
    for n in range(SAMPLES + 10):
        metrics.note("task.claimed", n, {"wait_seconds": 0.0 if n < 10 else 5.0})
    assert metrics.waits() == {"p50": 5.0, "p95": 5.0, "count": SAMPLES}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_percentiles_are_samples_in_order(samples: list[float]) -> None:
    found = percentiles(deque(samples))
    assert min(samples) - 0.001 <= found["p50"] <= found["p95"] <= max(samples) + 0.001
    assert found["count"] == len(samples)
