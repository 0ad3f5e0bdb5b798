"""The demo: life within seconds, every kind of it, and nothing left behind."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from processes import PATIENCE, TASKDECK, environment, taskdeck

pytestmark = pytest.mark.acceptance


def test_without_a_terminal_it_prints_events_and_ends_by_itself(tmp_path: Path) -> None:
    done = taskdeck("demo", "--seconds", "8", "--seed", "11", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    kinds = {line.split()[1] for line in done.stdout.splitlines()}
    assert {"created", "claimed", "completed", "failed", "cancelled", "heartbeat", "lapsed"} <= kinds
    assert {"project.created", "worker.registered"} <= kinds
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_cleans_up(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [*TASKDECK, "demo", "--agents", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(tmp_path)),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "created" in line:
                break
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert list(tmp_path.iterdir()) == []


def test_it_leaves_the_users_own_deck_alone(tmp_path: Path) -> None:
    own = tmp_path / "own"
    done = taskdeck("demo", "--seconds", "0.5", "--agents", "0", TASKDECK_DATA=str(own), TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert not own.exists()
