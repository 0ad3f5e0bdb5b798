"""A recording of the real dashboard in a real terminal: agents work, one goes silent, `!`, override, done.

Run: `python tests/tui/record.py [FILE]`, by default into `screenshots/override.cast` (asciinema, version 2), and a
picture of it that plays by itself beside it (`moving.py`).
"""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import json
import os
import pty
import random
import re
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import moving
from live import client_of, deck_in

from taskdeck.client import Client

ROOT = Path(__file__).parents[2]
COLUMNS, LINES = 110, 26
TITLES = (
    "Fix flaky test of checkout form", "Parse new column in price feed", "Rotate credentials of mail relay",
    "Add dark theme to order history", "Backfill last week of stock levels", "Rewrite the page on webhooks",
)  # fmt: skip
STORY: tuple[tuple[float, str], ...] = (
    (9.0, "!"), (2.2, "o"), (1.8, "no sign of life"), (1.4, "\x1b[Z"), (0.4, "\x1b[Z"), (0.9, "\x1b[C"), (1.6, "\r"),
    (5.5, "q"),
)  # fmt: skip
"""Seconds to wait, and what is typed then."""
Frame = tuple[float, str]
"""Seconds since the first, and what was written to the terminal."""
LOOK = re.compile(r"(\x1b\[[0-9;]*m)")
HUMAN = 0.06
"""Seconds between the letters of a word."""


async def agent(client: Client, name: str, rng: random.Random) -> None:
    """Works on one task after another."""
    while True:
        for claim in (await client.claim(name, wait_seconds=20, lease_seconds=60))["claims"]:
            key, fence = claim["task"]["key"], claim["fence"]
            for step in range(1, 4):
                await asyncio.sleep(rng.uniform(1.2, 2.6))
                await client.heartbeat(key, fence, progress=step * 30, detail="running the tests")
            await client.complete(key, fence, {"tests": "all passed"})


async def relief(client: Client, name: str) -> None:
    """Waits until an operator hands it a task, and finishes that."""
    while True:
        await asyncio.sleep(0.4)
        await client.worker_heartbeat(name)
        for lease in (await client.leases())["leases"]:
            if (lease["task"].get("claim") or lease)["worker"] == name:
                await asyncio.sleep(2.5)
                await client.complete(lease["task"]["key"], lease["fence"], {"tests": "all passed"})


async def play(client: Client, url: str, stack: AsyncExitStack) -> list[Coroutine[Any, Any, None]]:
    """The scene: a queue, three agents at work, one that will not be heard of again, one that is free."""
    rng = random.Random(4)
    await client.create_project("web", prefix="W")
    for number in range(24):
        title = f"{TITLES[number % len(TITLES)]} #{number + 1}"
        await client.create(project="web", title=title, priority=rng.choice((40, 50, 50, 60)))
    await client.create(project="web", title="Migrate tenant to v7", priority=80, key="W-77")
    hands: dict[str, Client] = {}
    for name in ("agent-atlas", "agent-birch", "agent-cobalt", "agent-ember", "agent-fern"):
        secret = (await client.create_token(name, "agent"))["secret"]
        hands[name] = await stack.enter_async_context(Client(url, token=secret))
        await hands[name].register_worker(name, heartbeat_seconds=3 if name == "agent-ember" else 20)
    await hands["agent-ember"].claim("agent-ember", task="W-77", lease_seconds=28)
    working = [agent(hands[name], name, random.Random(name)) for name in list(hands)[:3]]
    return [*working, relief(hands["agent-fern"], "agent-fern")]


async def record() -> list[Frame]:
    """Run the dashboard in a terminal, type the story into it, and return what it drew."""
    with tempfile.TemporaryDirectory() as folder:
        async with deck_in(Path(folder) / "d") as deck, client_of(deck) as client, AsyncExitStack() as stack:
            cast = [asyncio.create_task(act) for act in await play(client, deck.url, stack)]
            token = (deck.data / "admin.token").read_text("ascii").strip()
            pid, terminal = spawn([sys.executable, "-m", "taskdeck", "attach", deck.url], token)
            try:
                return await follow(terminal)
            finally:
                os.kill(pid, signal.SIGTERM)
                os.close(terminal)  # nobody reads any more what it would still write
                await asyncio.to_thread(os.waitpid, pid, 0)
                for each in cast:
                    each.cancel()
                await asyncio.gather(*cast, return_exceptions=True)


class Lean:
    """The same picture in fewer characters: of each look only what differs from the one before."""

    def __init__(self) -> None:
        self._has: dict[str, str] = {}
        self._wants: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        out: list[str] = []
        for part in LOOK.split(text):
            if LOOK.fullmatch(part):
                self._wants = self._read(part[2:-1])
            elif part:
                out += [self._change(), part]
        return "".join(out)

    @staticmethod
    def _read(codes: str) -> dict[str, str]:
        """Colours and flags of a look, each by its name."""
        looks = {}
        for code in re.findall(r"[34]8;2;\d+;\d+;\d+|\d+", codes):
            looks[code[:2] if code[:3] in ("38;", "48;") else code] = code
        return {} if codes in ("", "0") else looks

    def _change(self) -> str:
        if self._has == self._wants:
            return ""
        gone = self._has.keys() - self._wants.keys()
        fresh = [code for name, code in self._wants.items() if gone or self._has.get(name) != code]
        self._has = self._wants
        return f"\x1b[{';'.join(['0'] * bool(gone) + fresh)}m"


def write(frames: list[Frame], file: Path) -> None:
    """As a file of asciinema, version 2."""
    header = {"version": 2, "width": COLUMNS, "height": LINES, "title": "taskdeck: one goes silent",
              "env": {"TERM": "xterm-256color"}}  # fmt: skip
    lean = Lean()
    lines = [
        json.dumps(header),
        *(json.dumps([round(at, 3), "o", lean(text)], ensure_ascii=False) for at, text in frames),
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file.chmod(0o644)
    print(f"{file}: {len(frames)} frames, {frames[-1][0]:.0f} s, {file.stat().st_size // 1000} kB")


def spawn(command: list[str], token: str) -> tuple[int, int]:
    """A command in a terminal of its own; its process and the other end of that terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"TASKDECK_TOKEN": token, "TERM": "xterm-256color", "COLORTERM": "truecolor",
                       "TEXTUAL_ANIMATIONS": "none"}  # fmt: skip
        os.environ.pop("NO_COLOR", None)
        os.execv(command[0], command)  # noqa: S606 - this very Python
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    os.set_blocking(terminal, False)
    return pid, terminal


async def follow(terminal: int) -> list[Frame]:
    """What the terminal shows, with the seconds since the first frame, while the story is typed."""
    loop, decoder = asyncio.get_running_loop(), codecs.getincrementaldecoder("utf-8")("replace")
    events: list[Frame] = []
    began = 0.0

    def read() -> None:
        nonlocal began
        try:
            text = decoder.decode(os.read(terminal, 65536))
        except OSError:
            loop.remove_reader(terminal)
            return
        began = began or time.monotonic()
        at = time.monotonic() - began
        if events and at - events[-1][0] < 0.01:
            events[-1] = (events[-1][0], events[-1][1] + text)
        elif text:
            events.append((at, text))

    loop.add_reader(terminal, read)
    try:
        for wait, typed in STORY:
            await asyncio.sleep(wait)
            for part in [typed] if typed.startswith("\x1b") else list(typed):
                os.write(terminal, part.encode())
                await asyncio.sleep(HUMAN)
    finally:
        loop.remove_reader(terminal)
    return events


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots" / "override.cast"
    write(asyncio.run(record()), target)
    moving.write(target)
