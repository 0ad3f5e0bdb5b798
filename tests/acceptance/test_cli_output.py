"""Text from outside never commands the terminal of whoever looks at it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import unicodedata
from collections.abc import Iterator

import pytest
from processes import PATIENCE, TASKDECK, Served, environment, serving

pytestmark = pytest.mark.acceptance

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m[bold]x[/bold] \u202egnp.exe\u200b\x7f"
    + "z\u0301\u0301\u0301\u0301\u0301\u0301\u0301"
)
WIDE = "テスト 表示幅 🧪 " * 12


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("output") / "data") as served:
        lines = [{"title": HOSTILE, "description": f"{HOSTILE}\nsecond"}, {"title": WIDE}, {"title": "plain"}]
        made = served("add", "-", stdin="\n".join(map(json.dumps, lines)))
        assert made.returncode == 0, made.stderr
        yield served


def _obeyed(text: str) -> list[str]:
    """Characters that a terminal would act on or hide."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")]


@pytest.mark.parametrize(
    "command",
    [("list",), ("events",), ("show", "1"), ("claim", "1", "--worker", "w"), ("leases",)],
    ids=" ".join,
)
def test_a_hostile_title_is_shown_and_not_obeyed(deck: Served, command: tuple[str, ...]) -> None:
    done = deck(*command)
    if command[0] != "leases":
        assert "owned" in done.stdout, done.stderr
    assert _obeyed(done.stdout) == []
    assert _obeyed(done.stderr) == []


def test_hostile_arguments_come_back_harmless(deck: Served) -> None:
    done = deck("show", "\x1b[31mred")
    assert done.returncode == 5
    assert _obeyed(done.stderr) == []


def test_json_keeps_the_title_and_escapes_it(deck: Served) -> None:
    done = deck("show", "1", "--json")
    assert done.stdout.isascii()
    assert _obeyed(done.stdout) == []
    assert json.loads(done.stdout)["title"] == HOSTILE


def test_on_a_terminal_no_line_is_wider_than_it(deck: Served) -> None:
    """Wide characters count for two columns, and a long title is cut."""
    from rich.cells import cell_len

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
    env = environment(TASKDECK_DATA=str(deck.data), NO_COLOR="1", TERM="xterm-256color")
    del env["COLUMNS"]
    with subprocess.Popen([*TASKDECK, "list"], stdin=child, stdout=child, stderr=subprocess.PIPE, env=env) as process:
        os.close(child)
        shown = b""
        while chunk := _read(parent):
            shown += chunk
        assert process.wait(PATIENCE) == 0
    os.close(parent)
    lines = shown.decode().replace("\r\n", "\n").splitlines()
    assert max(map(cell_len, lines)) <= 90
    assert any("テスト" in line and line.endswith("…") for line in lines)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux reports the closed other side of a pseudo-terminal as an error
        return b""


def test_a_closed_pipe_ends_quietly(deck: Served) -> None:
    with subprocess.Popen(
        [*TASKDECK, "events", "--follow", "--after", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TASKDECK_DATA=str(deck.data)),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        deck.ask("create", title="one more, so that a line is written")
        deck.ask("create", title="and another")
        assert process.wait(PATIENCE) == 141
        assert process.stderr.read() == ""
