"""Schedules and what is kept, on the command line against a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from processes import Served, serving

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("schedules") / "data") as served:
        yield served


def test_a_schedule_lives_from_create_to_delete(deck: Served) -> None:
    options = ("--zone", "Europe/Berlin", "-l", "auto", "--due", "2h", "--catch-up", "skip", "--overlap", "skip")
    made = deck.json("schedule", "create", "nightly", "daily at 02:30", "Tidy up", *options)
    assert (made["when"], made["zone"], made["catch_up"], made["overlap"]) == (
        "daily at 02:30", "Europe/Berlin", "skip", "skip",
    )  # fmt: skip
    assert (made["task"]["labels"], made["task"]["due_in_seconds"]) == (["auto"], 7200)
    assert [one["name"] for one in deck.json("schedule", "list")["schedules"]] == ["nightly"]
    assert "Tidy up" in deck("schedule", "list").stdout
    shown = deck("schedule", "show", "nightly").stdout
    assert made["next_ticks"][4] in shown
    assert deck.json("schedule", "pause", "nightly", "-r", "quiet")["paused"]["reason"] == "quiet"
    assert "quiet" in deck("schedule", "show", "nightly").stdout
    assert "next at" in deck("schedule", "resume", "nightly").stdout
    assert deck.json("schedule", "delete", "nightly") == {"deleted": "nightly"}
    assert deck("schedule", "show", "nightly").returncode == 5


def test_an_odd_schedule_is_refused_with_a_hint(deck: Served) -> None:
    refused = deck("schedule", "create", "odd", "now and then", "t")
    assert refused.returncode == 2
    assert "daily at 09:00" in refused.stderr


def test_a_project_says_how_long_it_keeps_what_ended(deck: Served) -> None:
    made = deck.json("project", "create", "brief", "--keep-done", "12h")
    assert made["keep_done_days"] == 0.5
    changed = deck.json("project", "edit", "brief", "--keep-failed", "7d", "--keep-cancelled", "1d")
    assert (changed["keep_done_days"], changed["keep_failed_days"], changed["keep_cancelled_days"]) == (0.5, 7, 1)
