"""Server and dashboard in one process, on a real terminal: who ends what, and what survives whom."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from processes import PATIENCE, TASKDECK, environment, serving, taskdeck
from terminal import terminal

pytestmark = pytest.mark.acceptance

ALTERNATE, ORDINARY = "\x1b[?1049h", "\x1b[?1049l"
BROKEN = """
import sys
from taskdeck.tui import app
def mount(self): raise RuntimeError("made to break")
app.DeckApp.on_mount = mount
from taskdeck.cli.app import main
sys.exit(main())
"""


def _deck_command(data: Path) -> list[str]:
    return [*TASKDECK, "--data", str(data), "--port", "0"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_dashboard_and_server(tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "data"
    with terminal(_deck_command(data)) as screen:
        screen.shows("This deck is new")
        assert taskdeck("stats", TASKDECK_DATA=str(data)).returncode == 0
        screen.process.send_signal(number)
        assert screen.ended() == 0
        assert screen.drawn.rfind(ORDINARY) > screen.drawn.rfind(ALTERNATE)
        assert "Traceback" not in screen.drawn
    assert taskdeck("stats", TASKDECK_DATA=str(data)).returncode == 7


def test_where_another_process_serves_it_attaches_and_says_so(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as deck, terminal(_deck_command(deck.data)) as screen:
        screen.shows("attached to it")
        screen.shows("Queue")
        screen.press("q")
        assert screen.ended() == 0
        assert deck("stats").returncode == 0


def test_attach_takes_an_address_and_a_token(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as deck:
        with terminal([*TASKDECK, "attach", deck.url], TASKDECK_TOKEN=deck.token("reader")) as screen:
            screen.shows("Queue")
            screen.press("q")
            assert screen.ended() == 0
        with terminal([*TASKDECK, "attach", deck.url], TASKDECK_TOKEN="td_wrong") as screen:
            assert screen.ended() == 6
            assert ALTERNATE not in screen.drawn


def test_a_broken_dashboard_leaves_the_server_serving(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with terminal([sys.executable, "-c", BROKEN, "--data", str(data), "--port", "0"]) as screen:
        screen.shows("[dashboard]")
        assert screen.drawn.rfind(ORDINARY) > screen.drawn.rfind(ALTERNATE)
        said = screen.drawn[screen.drawn.rfind(ORDINARY) :]
        assert str(data / "taskdeck.log") in said
        assert "made to break" not in said
        assert "made to break" in (data / "taskdeck.log").read_text()
        assert taskdeck("stats", TASKDECK_DATA=str(data)).returncode == 0
        screen.process.send_signal(signal.SIGINT)
        assert screen.ended() == 0


def test_a_broken_dashboard_ends_the_server_where_that_is_wanted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    argv = [sys.executable, "-c", BROKEN, "--data", str(data), "--port", "0", "--on-tui-crash", "stop"]
    with terminal(argv) as screen:
        assert screen.ended() == 1
        assert "and the server with it" in screen.drawn[screen.drawn.rfind(ORDINARY) :]


def test_title_bell_and_notice_call_for_a_new_problem_and_the_title_is_given_back(tmp_path: Path) -> None:
    config = tmp_path / "config"
    (config / "taskdeck").mkdir(parents=True)
    (config / "taskdeck" / "dashboard.toml").write_text("mouse = false\n[attention]\nbell = true\nnotice = true\n")
    with serving(tmp_path / "data") as deck:
        made = deck.ask("create", title="Render\x07", max_attempts=1)
        held = deck.ask("claim", "render-02", task=made["key"])["claims"][0]
        argv = [*TASKDECK, "attach", "--data", str(deck.data)]
        with terminal(argv, XDG_CONFIG_HOME=str(config), XDG_STATE_HOME=str(tmp_path / "state")) as screen:
            screen.shows("\x1b]2;taskdeck\x07")
            before = screen.drawn.count("\x07")
            deck.ask("fail", made["key"], held["fence"], "disk\x1b]2;evil\x07full")
            screen.shows("\x1b]9;taskdeck: T1 failed for good: disk␛]2;evil␇full\x07")
            screen.shows("\x1b]2;▲1 taskdeck\x07")
            assert screen.drawn.count("\x07") == before + 3, "title, bell, notice"
            assert "\x1b[?1000h" not in screen.drawn, "the mouse is left to the terminal"
            screen.press("q")
            assert screen.ended() == 0
            assert screen.drawn.rfind("\x1b]2;\x07\x1b[23;2t") > screen.drawn.rfind("\x1b]2;▲1")
    assert (tmp_path / "state" / "taskdeck" / "dashboard.log").read_text().count("live at unix:") == 1


def test_the_demo_opens_the_dashboard_and_ends_in_time(tmp_path: Path) -> None:
    with terminal([*TASKDECK, "demo", "--seconds", "4"], TMPDIR=str(tmp_path)) as screen:
        screen.shows("agent-atlas")
        assert screen.ended() == 0
        assert screen.drawn.rfind(ORDINARY) > screen.drawn.rfind(ALTERNATE)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_left_behind_does_not_keep_a_deck_from_starting(tmp_path: Path) -> None:
    """A killed server's process number may belong to another process by now: here, to this test."""
    data = tmp_path / "data"
    data.mkdir()
    facts = {"pid": os.getpid(), "url": "http://127.0.0.1:1", "socket": str(data / "deck.sock")}
    (data / "deck.lock").write_text(json.dumps(facts))
    (data / "admin.token").write_text("td_old")
    with terminal(_deck_command(data)) as screen:
        screen.shows("This deck is new")
        screen.process.send_signal(signal.SIGTERM)
        assert screen.ended() == 0


IN_CONTROL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the terminal is this session's: closing it sends SIGHUP and SIGCONT
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_terminal_that_is_closed_ends_dashboard_and_server(tmp_path: Path) -> None:
    """With a busy deck: it is the drawing that must not block once nobody reads it."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", IN_CONTROL, *TASKDECK, "demo", "--agents", "20"],
        stdin=child,
        stdout=child,
        stderr=child,
        env=environment(TERM="xterm-256color", TMPDIR=str(tmp_path)),
        start_new_session=True,
    )
    os.close(child)
    drawn = b""
    try:
        while drawn.count(b"done") < 20:
            assert select.select([parent], [], [], PATIENCE)[0], drawn
            drawn += os.read(parent, 65536)
        os.close(parent)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    assert not list(tmp_path.glob("taskdeck-demo-*")), "the demo's folder is left"
