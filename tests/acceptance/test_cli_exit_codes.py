"""What a script learns from the exit status, and a person from the two lines on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import Served, serving, taskdeck

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("codes") / "data") as served:
        yield served


def test_0_ok(deck: Served) -> None:
    done = deck("stats")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "args",
    [
        ("lst",),
        ("add",),
        ("add", "t", "--priority", "101"),
        ("add", "t", "--payload", "{"),
        ("add", "t", "--payload", "@/nowhere/at/all"),
        ("add", "t", "--not-before", "soon"),
        ("claim", "--lease", "a while"),
        ("complete", "T1"),
        ("assign", "T1"),
        ("override", "T1", "--reason", "r"),
        ("show", ".."),
        ("list", "--url", "ftp://deck"),
        ("list", "--url", "http://127.0.0.1:1", "--data", "elsewhere"),
        ("list", "--sort", "colour"),
        ("run", "--", "no-such-command-here"),
    ],
    ids=" ".join,
)
def test_2_usage(deck: Served, args: tuple[str, ...]) -> None:
    done = deck(*args)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("taskdeck: ")
    assert "[" in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr


def test_2_an_unknown_variable_is_named(deck: Served) -> None:
    done = deck("list", TASKDECK_TOKNE="x")
    assert done.returncode == 2
    assert "did you mean TASKDECK_TOKEN?" in done.stderr


def test_3_nothing_to_claim(deck: Served) -> None:
    deck.ask("create_project", "empty")
    assert deck("claim", "-p", "empty").returncode == 3
    assert deck("claim", "-p", "empty", "--json").stdout.startswith('{"claims": []')
    assert deck("run", "-p", "empty", "--", "true").returncode == 3


def test_4_refused(deck: Served) -> None:
    deck.ask("create_project", "held")
    key = deck.json("add", "t", "-p", "held")["key"]
    fence = deck.json("claim", key, "--worker", "one")["claims"][0]["fence"]
    other = deck("claim", key, "--worker", "two")
    assert (other.returncode, "claimed_by_other" in other.stderr) == (4, True), other.stderr
    stale = deck("complete", key, "--fence", str(fence + 7))
    assert (stale.returncode, "[stale_fence]" in stale.stderr) == (4, True), stale.stderr
    assert deck("project", "create", "held").returncode == 4


def test_5_not_found(deck: Served) -> None:
    for args in (("show", "NOPE-1"), ("complete", "NOPE-1", "--fence", "1"), ("pause", "nowhere")):
        done = deck(*args)
        assert done.returncode == 5, (args, done.stderr)
        assert done.stderr.startswith("taskdeck: ")


def test_6_not_authorised(deck: Served) -> None:
    wrong = deck("stats", "--url", deck.url, "--token", "td_wrong")
    assert wrong.returncode == 6
    assert deck("stats", "--url", deck.url).returncode == 6
    reader = {"TASKDECK_TOKEN": deck.token("reader")}
    assert deck("stats", **reader).returncode == 0
    assert deck("add", "t", **reader).returncode == 6


def test_7_unreachable(tmp_path: Path) -> None:
    done = taskdeck("list", TASKDECK_DATA=str(tmp_path))
    assert done.returncode == 7
    assert "taskdeck serve" in done.stderr
    assert taskdeck("list", "--url", "http://127.0.0.1:1").returncode == 7


def test_1_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = taskdeck("serve", "--data", str(tmp_path / "file"), "--port", "0")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "file") in done.stderr
