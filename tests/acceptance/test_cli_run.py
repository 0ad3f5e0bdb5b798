"""`taskdeck run -- CMD…`: the command's fate becomes the task's."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import PATIENCE, TASKDECK, Served, environment, serving, until

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("run") / "data") as served:
        yield served


@pytest.fixture
def project(deck: Served, request: pytest.FixtureRequest) -> str:
    name = f"p{abs(hash(request.node.nodeid)) % 10**9}"
    deck.ask("create_project", name)
    return name


def _python(code: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", code)


def test_the_command_gets_the_task_and_completes_it(deck: Served, project: str, tmp_path: Path) -> None:
    key = deck.json("add", "Tïtle\twith tab", "-p", project, "--payload", '{"n": 3}')["key"]
    found = tmp_path / "found.json"
    code = (
        "import json, os, sys; names = [n for n in os.environ if n.startswith('TASKDECK_TASK_')];"
        f"json.dump([{{n: os.environ[n] for n in names}}, json.load(sys.stdin)], open({str(found)!r}, 'w'))"
    )
    done = deck("run", "-p", project, *_python(code))
    assert done.returncode == 0, done.stderr
    told, payload = json.loads(found.read_text())
    task = deck.ask("task", key)
    assert (task["state"], task["result"]) == ("done", {"exit_code": 0})
    assert payload == {"n": 3} == json.loads(told["TASKDECK_TASK_PAYLOAD"])
    assert (told["TASKDECK_TASK_KEY"], told["TASKDECK_TASK_ID"]) == (key, task["id"])
    assert (told["TASKDECK_TASK_FENCE"], told["TASKDECK_TASK_TITLE"]) == (
        str(task["fence"]),
        "Tïtle\twith tab",
    )


def test_a_deck_that_comes_back_is_told_how_the_command_ended(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as before:
        key = before.json("add", "t")["key"]
        begun, go = tmp_path / "begun", tmp_path / "go"
        code = (
            f"import pathlib, time; pathlib.Path({str(begun)!r}).touch()\n"
            f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)"
        )
        command = [*TASKDECK, "run", "--data", str(before.data), *_python(code)]
        running = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL)
        until(begun.exists, "the command")
        before.process.kill()
        before.process.wait()
        go.touch()
        with serving(tmp_path / "data") as after:
            assert running.wait(PATIENCE) == 0
            assert after.ask("task", key)["state"] == "done"


def test_a_command_that_fails_fails_the_task(deck: Served, project: str) -> None:
    key = deck.json("add", "t", "-p", project, "--max-attempts", "1")["key"]
    done = deck("run", "-p", project, *_python("raise SystemExit(9)"))
    assert done.returncode == 1
    task = deck.ask("task", key)
    assert task["state"] == "failed"
    assert "exit code 9" in task["error"]["message"]


def test_the_claim_outlives_its_first_lease(deck: Served, project: str, tmp_path: Path) -> None:
    key = deck.ask("create", title="t", project=project)["key"]
    go = tmp_path / "go"
    code = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)"
    with _running(deck, "run", "-p", project, "--lease", "5s", *_python(code)) as process:
        claim = until(lambda: deck.ask("task", key)["claim"], "the claim")
        renewed = until(lambda: deck.ask("task", key)["claim"]["expires_at"] != claim["expires_at"], "a heartbeat")
        assert renewed
        go.touch()
        assert process.wait(PATIENCE) == 0
    assert deck.ask("task", key)["state"] == "done"


def test_losing_the_claim_stops_the_command(deck: Served, project: str) -> None:
    key = deck.ask("create", title="t", project=project)["key"]
    with _running(deck, "run", "-p", project, "--lease", "5s", *_python("import time; time.sleep(60)")) as process:
        until(lambda: deck.ask("task", key)["claim"], "the claim")
        deck.json("worker", "register", "other")
        deck.json("override", key, "--to", "other", "--reason", "taking over")
        assert process.wait(PATIENCE) == 4
        assert process.stderr is not None
        assert "stale_fence" in process.stderr.read()
    assert deck.ask("task", key)["claim"]["worker"] == "other"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_gives_the_task_back(deck: Served, project: str, number: signal.Signals) -> None:
    key = deck.ask("create", title="t", project=project)["key"]
    with _running(deck, "run", "-p", project, *_python("import time; time.sleep(60)")) as process:
        until(lambda: deck.ask("task", key)["claim"], "the claim")
        process.send_signal(number)
        assert process.wait(PATIENCE) == 128 + number
    assert deck.ask("task", key)["state"] == "ready"


def _running(deck: Served, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*TASKDECK, *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TASKDECK_DATA=str(deck.data)),
    )
