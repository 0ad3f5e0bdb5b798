"""`taskdeck bench` from outside: what it prints, how it refuses. How fast anything is, is not tested here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from processes import serving, taskdeck

pytestmark = pytest.mark.acceptance

SHORT = ("--seconds", "0.2", "--connections", "1,4")
ECHO = "echo: ready bytes, no store"
FLOOR = "floor: same server, no store"
CYCLES = "claim, then complete"


def figures(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [figure for figure in document["figures"] if figure["name"] == name]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A short bench of a deck of its own, which leaves nothing behind."""
    folder = tmp_path_factory.mktemp("bench")
    done = taskdeck("bench", *SHORT, "--json", TMPDIR=str(folder))
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_figure_has_a_value_and_a_unit(document: dict[str, Any]) -> None:
    assert document["figures"]
    for figure in document["figures"]:
        assert figure["value"] > 0, figure
        assert figure["unit"] in {"requests/s", "cycles/s", "tasks/s", "ms", "MB"}, figure
        assert (figure["ratio"] is None) == (figure["ratio_to"] is None), figure


def test_cycles_stand_beside_their_floor_at_each_number_of_connections(document: dict[str, Any]) -> None:
    echoes, floors, cycles = (figures(document, name) for name in (ECHO, FLOOR, CYCLES))
    for found in (echoes, floors, cycles):
        assert [figure["connections"] for figure in found] == [1, 4]
    for figure in floors:
        assert figure["ratio"] > 0
        assert figure["ratio_to"] == "the echo"
    for figure in cycles:
        assert figure["ratio"] > 0
        assert figure["ratio_to"] == "the floor, in requests/s"
        assert figure["p50_ms"] <= figure["p95_ms"] <= figure["p99_ms"]


def test_it_says_what_the_figures_hold_for(document: dict[str, Any]) -> None:
    assert document["machine"].keys() >= {"taskdeck", "python", "sqlite", "cpus", "load_average", "durability"}
    assert document["seconds_each"] == 0.2


def test_a_deck_that_runs_is_measured_where_it_is_and_left_without_open_tasks(tmp_path: Path) -> None:
    with serving(tmp_path / "deck") as deck:
        done = taskdeck("bench", *SHORT, "--url", deck.url, "--token", deck.token("operator"))
        assert done.returncode == 0, done.stderr
        for heading in ("CONNECTIONS", "RATE", "UNIT", "P50 MS", "RATIO", ECHO, FLOOR, CYCLES, "create 100 at once"):
            assert heading in done.stdout
        counts = deck.ask("project", "bench")["counts"]
        assert counts["done"] > 0
        assert counts["ready"] == counts["claimed"] == 0


def test_a_token_that_may_not_is_refused_in_one_line(tmp_path: Path) -> None:
    with serving(tmp_path / "deck") as deck:
        done = taskdeck("bench", *SHORT, "--url", deck.url, "--token", "td_nobody")
    assert done.returncode == 6
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("taskdeck: ")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--connections", "0"), "--connections"),
        (("--connections", "many"), "--connections"),
        (("--url", "https://127.0.0.1:1"), "https"),
        (("--seconds", "0"), "--seconds"),
    ],
)
def test_what_cannot_be_measured_is_a_usage_error(arguments: tuple[str, ...], word: str) -> None:
    done = taskdeck("bench", *arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert done.stdout == ""


def test_what_the_dashboard_costs_is_measured_beside_a_server_alone(tmp_path: Path) -> None:
    done = taskdeck("bench", *SHORT[:2], "--connections", "4", "--deck", "--json", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
    found = json.loads(done.stdout)
    (cycles,) = figures(found, f"{CYCLES}: with the dashboard")
    (paced,) = figures(found, "claim, 50 a second: with the dashboard")
    assert cycles["ratio"] > 0
    assert cycles["ratio_to"] == "server alone, in cycles/s"
    assert paced["ratio"] > 0
    assert paced["value"] == paced["p99_ms"]


def test_what_cannot_be_measured_together_is_refused() -> None:
    assert taskdeck("bench", "--deck", "--dialect", "stride").returncode == 2
    done = taskdeck("bench", "--dialect", "strid")
    assert (done.returncode, "did you mean stride" in done.stderr) == (2, True)
