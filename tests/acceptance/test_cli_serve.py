"""Starting and stopping: one server a folder, a clean end, and the dashboard on a real terminal."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from processes import PATIENCE, serving, taskdeck

pytestmark = pytest.mark.acceptance


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path / "data") as deck:
        deck.json("add", "kept")
        deck.process.send_signal(number)
        assert deck.process.wait(PATIENCE) == 0
    with serving(tmp_path / "data") as deck:
        assert [task["title"] for task in deck.json("list")["tasks"]] == ["kept"]


def test_the_first_start_says_where_everything_is(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as deck:
        said = (tmp_path / "data.output").read_text()
        assert deck.url in said
        assert "admin.token" in said
        assert (deck.data / "admin.token").read_text().strip() not in said
        assert (deck.data / "admin.token").stat().st_mode & 0o077 == 0


def test_a_second_server_on_the_folder_is_refused_by_name(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as deck:
        second = taskdeck("serve", "--data", str(deck.data), "--port", "0")
        assert second.returncode == 1
        assert f"process {deck.process.pid}" in second.stderr
        assert "[data_in_use]" in second.stderr
        assert "Traceback" not in second.stderr
        assert deck("stats").returncode == 0


def test_a_port_in_use_is_said_plainly(tmp_path: Path) -> None:
    with serving(tmp_path / "one") as deck:
        port = deck.url.rsplit(":", 1)[1]
        second = taskdeck("serve", "--data", str(tmp_path / "two"), "--port", port)
        assert second.returncode == 1, second.stderr
        assert f"127.0.0.1 port {port}: Address already in use [address_unusable]" in second.stderr
        assert "Traceback" not in second.stderr


def test_a_bad_setting_is_a_usage_error(tmp_path: Path) -> None:
    assert taskdeck("serve", "--data", str(tmp_path), "--port", "70000").returncode == 2
    (tmp_path / "taskdeck.toml").write_text("prot = 1\n")
    done = taskdeck("serve", "--data", str(tmp_path))
    assert (done.returncode, "did you mean port?" in done.stderr) == (2, True)


def test_without_a_terminal_the_bare_command_serves(tmp_path: Path) -> None:
    """Shown by a second one, which is refused just as a second `serve` is."""
    with serving(tmp_path / "data") as deck:
        done = taskdeck("--data", str(deck.data), "--port", "0")
        assert done.returncode == 1
        assert str(deck.process.pid) in done.stderr


def test_attach_without_a_terminal_is_refused(tmp_path: Path) -> None:
    done = taskdeck("attach", "http://127.0.0.1:1")
    assert (done.returncode, "terminal" in done.stderr) == (2, True)


def test_a_killed_server_is_reported_as_gone(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as deck:
        deck.process.kill()
        deck.process.wait(PATIENCE)
        facts = json.loads((deck.data / "deck.lock").read_text())
        assert facts["pid"] == deck.process.pid
        done = deck("list")
        assert done.returncode == 7
        assert str(deck.process.pid) in done.stderr
