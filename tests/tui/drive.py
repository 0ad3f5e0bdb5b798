"""The real dashboard in a real tmux, key by key: each action of the table where it applies, each dialog, each command.

Run: `python tests/tui/drive.py [FOLDER] [SIZE…] [ACTION…]`, by default all of them at 80x24, 120x36 and 200x50, into
`taskdeck-drive` among the temporary files. What the terminal showed after each key is kept there as text, and as text
with colours. Exits with 1 if something was not as it should be; it names what, and goes on.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from drive_scenes import ASKS, OURS, SCENES, YES, Scene, typed
from live import deck_in
from textual.keys import format_key

from taskdeck.client import Client
from taskdeck.demo.agent import Agent
from taskdeck.demo.plan import Planner
from taskdeck.demo.producer import Producer
from taskdeck.demo.temperament import crew
from taskdeck.domain.clock import SystemClock
from taskdeck.tui.actions import BY_ID, COMMANDS, TABLE, Action
from taskdeck.tui.themes import STATE_GLYPHS

SIZES = ("80x24", "120x36", "200x50")
PATIENCE_S = 6.0
AGENTS = 6
NAMED = {"enter": "Enter", "escape": "Escape", "space": "Space", "tab": "Tab", "shift+tab": "BTab",
         "backspace": "BSpace", "up": "Up", "down": "Down", "left": "Left", "right": "Right", "home": "Home",
         "end": "End", "shift+down": "S-Down", "shift+up": "S-Up",
         "pageup": "PPage", "pagedown": "NPage"}  # fmt: skip
BOX = re.compile(r"╭─|^▌.*esc closes", re.MULTILINE)
"""A dialog, or a sheet."""
NOT_HOME = re.compile(
    r"╭─|esc closes|match |esc leaves|esc restores|marked|5 Task \w|FROZEN| PAST |✓ |✗ \S+ .*esc read"
)
WHOLE = re.compile(r"▚ taskdeck")


LEAVING = ("quit", "suspend")


class Tmux:
    """One pane of a tmux server of its own."""

    def __init__(self, folder: Path, size: str, argv: Sequence[str], env: dict[str, str]) -> None:
        self._folder = folder / size
        self._folder.mkdir(parents=True, exist_ok=True)
        self._socket = f"taskdeck-{os.getpid()}-{size}"
        columns, lines = size.split("x")
        given = " ".join(f"{name}={shlex.quote(value)}" for name, value in env.items())
        self._tmux(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-c",
            env["HOME"],
            "-x",
            columns,
            "-y",
            lines,
            "bash --norc --noprofile",
        )
        self._tmux("set", "-s", "escape-time", "0")
        self._tmux("set", "-g", "status", "off")
        self._tmux("set", "-g", "default-terminal", "tmux-256color")
        self._tmux("send-keys", "-l", f"PS1='shell> '; {given} {shlex.join(argv)}\n")
        self.faults: list[str] = []
        self.at = ""
        """What is being tried."""

    def _tmux(self, *args: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *args], capture_output=True, text=True, check=True, timeout=20
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        for key in keys:
            if (name := NAMED.get(key)) is not None:
                self._tmux("send-keys", name)
            elif key.startswith("ctrl+"):
                self._tmux("send-keys", f"C-{key[5:]}")
            elif re.fullmatch(r"f\d+", key):
                self._tmux("send-keys", key.upper())
            else:
                self._tmux("send-keys", "-l", format_key(key))

    def text(self) -> str:
        return self._tmux("capture-pane", "-p")

    async def sees(self, wanted: str | re.Pattern[str], *, gone: bool = False) -> bool:
        """Whether the pane comes to show it, or no longer shows it; if not, that is a fault."""
        pattern = re.compile(wanted)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if bool(pattern.search(self.text())) is not gone:
                return True
            await asyncio.sleep(0.05)
        self.fault(f"{'still shows' if gone else 'never showed'} {pattern.pattern!r}")
        return False

    async def rests(self) -> None:
        """Wait until what was pressed has had its effect: the pane stands still for a moment but for what counts."""
        await asyncio.sleep(0.35)

    def fault(self, what: str) -> None:
        self.faults.append(f"{self._folder.name} {self.at}: {what}")
        print(f"  ✗ {self.faults[-1]}", flush=True)
        self.keep("FAULT")

    def keep(self, what: str = "") -> None:
        """Write down what the pane shows."""
        name = re.sub(r"[^\w+-]+", "-", f"{self.at} {what}".strip())
        for ending, options in (("txt", ()), ("ansi", ("-e",))):
            (self._folder / f"{name}.{ending}").write_text(self._tmux("capture-pane", "-p", *options), encoding="utf-8")

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], check=False, capture_output=True, timeout=20)


@dataclass
class Props:
    """Makes tasks in the states that the actions need, one for each time it is asked."""

    client: Client
    me: str
    made: int = 0
    robots: int = 0

    async def task(self, state: str) -> str:
        """The key of a fresh task in a state of the table, or `ours`, `mine`, `held`, `asks`, `form`, `turn`."""
        self.made += 1
        key = f"Z-{self.made}"
        special: dict[str, Any] = {
            "ours": {"assignee": self.me},
            "review": {"review": "required"}, "failed": {"max_attempts": 1}, "form": {"form": {"name": "order"}},
            "scheduled": {"not_before": "2099-01-01T00:00:00Z"},
        }.get(state, {})  # fmt: skip
        client = self.client
        if state == "blocked":
            special["depends_on"] = [await self.task("ready")]
        needs = {} if state == "ours" else {"capabilities": [OURS]}
        await client.create(project=OURS, key=key, title=f"To be acted on: {state}", **needs, **special)
        if state in ("mine", "form"):
            await self._held(self.me, key)
        elif state in ("held", "claimed", "asks", "review", "failed", "done"):
            self.robots += 1
            name = f"robot-{self.robots % 4}"
            fence = await self._held(name, key)
            if state == "asks":
                asked = {"question": "Which one is meant?", "options": ["acme", "acme-eu"]}
                await client.heartbeat(key, fence, state="waiting_input", **asked)
            elif state in ("review", "done"):
                await client.complete(key, fence, {"pages": 112})
            elif state == "failed":
                await client.fail(key, fence, "the disk is full", retry=False)
        elif state == "backlog":
            await client.shelve(key)
        elif state == "cancelled":
            await client.cancel(key)
        elif state == "turn":
            await client.assign_in_turn(key, [{"assignee": "maria", "seconds": 7200}, {"assignee": "bob"}])
        return key

    async def _held(self, worker: str, key: str) -> int:
        claims = await self.client.claim(worker, task=key, lease_seconds=600, capabilities=[OURS])
        return int(claims["claims"][0]["fence"])


class Drive:
    """One pass over the whole table at one size."""

    def __init__(self, pane: Tmux, props: Props, only: Sequence[str]) -> None:
        self._pane = pane
        self._props = props
        self._only = only

    async def run(self) -> None:
        pane = self._pane
        pane.at = "start"
        await pane.sees("nothing needs you|need you|needs you")
        pane.keep()
        for action in TABLE:
            if action.keys and action.id not in LEAVING and action.id in (self._only or BY_ID):
                await self._action(action)
        if self._only:
            return
        for text, wanted in ASKS.items():
            await self._command(text, wanted)
        for name, action in COMMANDS.items():
            if not action.keys and name not in (text.split()[0] for text in ASKS):
                await self._command(name, "▚ taskdeck|esc closes")
        await self._bulk()
        await self._leave()

    async def _home(self) -> None:
        """Back to the queue without a filter."""
        pane = self._pane
        for _ in range(8):
            pane.press("escape")
            await asyncio.sleep(0.15)
            if not NOT_HOME.search(pane.text()):
                break
        pane.press("1")
        if " ◀ " in pane.text():  # a key that came too early has scrolled its columns
            pane.press(*["left"] * 3)
        if await pane.sees(WHOLE) and BOX.search(pane.text()):
            pane.fault("esc does not lead back to the deck")
        if " PAST " in pane.text():
            pane.press("t")
            await pane.sees("live")
        if "FROZEN" in pane.text():
            pane.press("p")
            await pane.sees("FROZEN", gone=True)

    async def _stand_on(self, key: str) -> None:
        """The cursor on a task, by a filter that lists it alone, once it stands there as the deck has it."""
        state = (await self._props.client.task(key))["state"]
        self._pane.press("/", *typed(f"key:{key}"), "enter")
        await self._pane.sees(rf"(?m)^▌.*{STATE_GLYPHS[state]}.*\b{key} +To be")

    async def _action(self, action: Action) -> None:
        pane = self._pane
        scene = SCENES.get(action.id) or Scene(_usual(action), opens="")
        pane.at = f"key {action.id}"
        if scene.state:
            key = await self._props.task(scene.state)
            await self._stand_on(key)
        pane.press(*scene.first)
        if scene.first:
            await pane.rests()
        for number, name in enumerate(action.keys):
            if number and scene.answer:
                break  # the other keys of an action that asks are bound in the same place
            pane.press(name)
            await pane.rests()
            if scene.opens:
                await pane.sees(scene.opens)
            pane.keep("" if number == 0 else name)
            if scene.answer:
                pane.press(*scene.answer)
                await pane.rests()
            if scene.done:
                await pane.sees(scene.done)
                pane.keep("done")
        if action.id == "pause":
            await self._props.client.resume(OURS)
        await self._home()

    async def _command(self, text: str, wanted: str) -> None:
        self._pane.at = f"command {text}"
        if text.startswith("prio"):
            await self._stand_on(await self._props.task("ready"))
        self._pane.press("colon", *typed(text), "enter")
        await self._pane.rests()
        await self._pane.sees(wanted)
        self._pane.keep()
        await self._home()

    async def _bulk(self) -> None:
        """Many tasks at once: the number has to be typed, and each is told of."""
        pane = self._pane
        pane.at = "bulk"
        for _ in range(22):
            await self._props.task("ready")
        pane.press("/", *typed(f"project:{OURS} state:ready"), "enter")
        await pane.rests()
        pane.press("*")
        await pane.sees(r"\d\d marked")
        pane.press("X")
        await pane.sees("how many")
        pane.keep("asks")
        pane.press(*YES)
        await pane.sees("type the number")
        pane.keep("refused")
        await self._home()

    async def _leave(self) -> None:
        """Aside and back, and out."""
        pane = self._pane
        pane.at = "key suspend"
        pane.press("ctrl+z")
        if await pane.sees("Stopped|suspended"):
            pane.keep()
            pane.press(*typed("fg"), "enter")
            await pane.sees(WHOLE)
            await pane.rests()
            pane.keep("back")
        pane.at = "key quit"
        pane.press("q")
        await pane.sees(r"shell> ?\n*$")
        pane.keep()


def _usual(action: Action) -> str:
    """A state in which an action applies."""
    if action.scope != "task":
        return ""
    return "ready" if not action.states or "ready" in action.states else min(action.states)


@asynccontextmanager
async def working(url: str, client: Client, token: str) -> AsyncIterator[None]:
    """The tasks of the demo, and some of its agents at work on them."""
    await Producer(client, Planner(Random("drive"), SystemClock()), Random("drive")).seed()
    clients = [Client(url, token=token) for _ in range(AGENTS)]
    agents = [
        asyncio.create_task(Agent(own, member, Random(member.worker)).live())
        for own, member in zip(clients, crew(AGENTS), strict=True)
    ]
    try:
        yield
    finally:
        for agent in agents:
            agent.cancel()
        await asyncio.gather(*agents, return_exceptions=True)
        for own in clients:
            await own.close()


async def pass_at(size: str, folder: Path, only: Sequence[str]) -> list[str]:
    """One pass over the table at one size, on a deck of its own; returns its faults."""
    with tempfile.TemporaryDirectory() as data:
        async with deck_in(Path(data) / "d") as deck:
            token = (deck.data / "admin.token").read_text("ascii").strip()
            home = {"HOME": data, "XDG_CONFIG_HOME": data, "XDG_STATE_HOME": data, "EDITOR": "true",
                    "TASKDECK_TOKEN": token, "COLORTERM": "truecolor"}  # fmt: skip
            async with Client(deck.url, token=token) as client, working(deck.url, client, token):
                await client.create_project(OURS, prefix="Z")
                schema = {"description": "Is it in order?", "properties": {"verdict": {"enum": ["yes", "no"]}}}
                await client.save_form("order", schema)
                props = Props(client, str((await client.me())["principal"]))
                pane = Tmux(folder, size, [sys.executable, "-m", "taskdeck", "attach", deck.url], home)
                try:
                    await Drive(pane, props, only).run()
                finally:
                    pane.close()
                return pane.faults


async def drive(folder: Path, sizes: Sequence[str], only: Sequence[str]) -> int:
    faults: list[str] = []
    for size in sizes:
        found = await pass_at(size, folder, only)
        print(f"{size}: {len(found)} faults, pictures in {folder / size}", flush=True)
        faults += found
    return 1 if faults else 0


if __name__ == "__main__":
    where, *given = [*sys.argv[1:2], *sys.argv[2:]] or [str(Path(tempfile.gettempdir()) / "taskdeck-drive")]
    asked = [word for word in given if word[0].isdigit()]
    sys.exit(asyncio.run(drive(Path(where), asked or SIZES, [word for word in given if word not in asked])))
