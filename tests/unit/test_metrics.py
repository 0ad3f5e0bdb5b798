"""Rates and percentiles of the last while."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from taskdeck.service.hour import PROJECTS_MOST, Hour
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


def test_the_last_hour_of_each_project() -> None:
    hour = Hour()
    for minute in range(90):
        hour.note("task.claimed", minute * 60_000, "web", {"wait_seconds": float(minute)})
        hour.note("task.completed", minute * 60_000 + 5, "web", {"run_seconds": 2.0})
    hour.note("task.failed", 89 * 60_000, "ops", {})
    hour.note("worker.late", 89 * 60_000, "ops", {})
    hour.note("task.failed", 89 * 60_000, None, {})
    web, ops, none = (hour.view(name, 89 * 60_000 + 30_000) for name in ("web", "ops", "docs"))
    assert (web["claims"], web["completions"], web["failures"]) == (60, 60, 0)
    assert web["completions_by_minute"] == [1] * 60
    assert web["wait_seconds"] == {"p50": 59.0, "p95": 87.0, "count": 60}
    assert (ops["failures"], ops["run_seconds"]["count"]) == (1, 0)
    assert none["claims"] == 0 and hour.view("web", 500 * 60_000)["claims"] == 0


def test_no_more_projects_are_kept_than_can_be() -> None:
    hour = Hour()
    for number in range(PROJECTS_MOST + 5):
        hour.note("task.claimed", 0, f"p{number}", {})
    assert [hour.view(f"p{number}", 0)["claims"] for number in (0, 4, 5, PROJECTS_MOST + 4)] == [0, 0, 1, 1]
