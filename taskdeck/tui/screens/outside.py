"""What leads out of the dashboard: files of tasks, pictures of the screen, its log, other decks."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from taskdeck.client import ApiError, Client, Json, Unreachable
from taskdeck.exporting import EXPORT_MOST, form_of, head, pages, text_of
from taskdeck.newfile import FileRefused, NewFile
from taskdeck.tui import sheets
from taskdeck.tui.actions import BY_ID
from taskdeck.tui.dialogs.connecting import HOME, NotThere, connecting, reach
from taskdeck.tui.dialogs.forms import going_over
from taskdeck.tui.elsewhere import End
from taskdeck.tui.format import clip, count, plural, size
from taskdeck.tui.gate import closed
from taskdeck.tui.keymap import key
from taskdeck.tui.matching import matching
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.logfile import LogFile
from taskdeck.tui.operate import told
from taskdeck.tui.throwaway import Throwaway, throwing_away

if TYPE_CHECKING:
    from taskdeck.tui.screens.deck import DeckScreen

_SETTLE = 0.1
"""Seconds in which the typed line makes room again."""
_SHEET = 110
"""Cells of a sheet, where there is room."""
_LISTED_MOST = 300
"""Most files that are looked at to complete a name."""


class Moving(Protocol):
    """What brings the dashboard to other decks."""

    @property
    def home(self) -> str:
        """The address of the deck it was opened on, empty while it is there."""

    @property
    def throwaway(self) -> bool:
        """Whether the deck looked at ends with being left."""

    def go(self, client: Client, end: End | None = None) -> None:
        """To the deck of a client that was let in; the client is its own from then on, and `end` called on leaving."""

    def go_home(self) -> None:
        """Back to the deck it was opened on."""


class Outside:
    """One method per command; `rest` is what was typed behind it."""

    def __init__(self, screen: DeckScreen) -> None:
        self._screen = screen
        self._exporting = self._stopped = False

    def run(self, command: str, rest: str) -> None:
        """Do a command by its name."""
        getattr(self, command)(rest)

    # -- tasks -----------------------------------------------------------------------------------------------

    def export(self, rest: str) -> None:
        """Write what the filter shows into a file."""
        screen = self._screen
        shut = closed(BY_ID["export"], screen.model)
        if shut is None and self._exporting:
            shut = f"an export is under way; {key('peel')} stops it"
        if shut is not None:
            screen.tell(shut, "refused")
        elif not rest:
            screen.typed_line.ask_command("export ")
        else:
            self._exporting, self._stopped = True, False
            screen.run_worker(self._export(_path(rest)), group="export", exit_on_error=False)

    def stop(self) -> bool:
        """Give up the export that is under way; False if there is none."""
        self._stopped = self._exporting
        return self._exporting

    async def _export(self, path: Path) -> None:
        screen = self._screen
        try:
            over = await self._agreed(path)
            if over is not None:
                number, octets = await self._write(path, over=over)
                screen.tell(f"{plural(number, 'task')} in {path} · {size(octets)}")
        except _Stopped as stopped:
            screen.tell(f"stopped after {plural(stopped.number, 'task')}: no file was written", "refused")
        except FileRefused as error:
            screen.tell(str(error), "failed")
        except (ApiError, Unreachable) as error:
            screen.tell(f"no file was written: {told(error)}", "failed")
        finally:
            self._exporting = False

    async def _agreed(self, path: Path) -> bool | None:
        """Whether to go over a file that is there, which is asked; None: rather not."""
        there = await asyncio.to_thread(_file_at, path)
        if there is None:
            return False
        age_ms = self._screen.live.clock.now_ms() - there.st_mtime_ns // 1_000_000
        values = await self._screen.acting.ask(going_over(path, there.st_size, age_ms))
        return True if values is not None and values["sure"] == "yes" else None

    async def _write(self, path: Path, *, over: bool) -> tuple[int, int]:
        screen, chosen, form = self._screen, self._screen.model.window.filter, form_of(path)
        listed, whole = screen.model.listed()
        number = 0
        with NewFile(path, over=over) as file:
            file.write(head(form))
            async for tasks in self._tasks(chosen):
                # beside the loop: a page of large tasks takes longer to encode than a frame to draw
                file.write(await asyncio.to_thread(text_of, tasks, form))
                number += len(tasks)
                if self._stopped:
                    raise _Stopped(number)
                screen.tell(
                    f"{count(number)} of {count(max(listed, number))}{'' if whole else '+'} tasks … {key('peel')} stops"
                )
            return number, await asyncio.to_thread(file.keep)

    def _tasks(self, chosen: Filter) -> AsyncIterator[list[Json]]:
        """What a filter shows: in the order that was chosen for it, else the oldest first."""
        screen = self._screen
        if chosen.sort.field:
            return matching(screen.client, chosen, screen.model.claims)
        return pages(screen.client, EXPORT_MOST, state=chosen.states, **chosen.params())

    # -- other decks -----------------------------------------------------------------------------------------

    def connect(self, rest: str) -> None:
        """Look at another deck, after asking who one is there."""
        screen, moving = self._screen, self._screen.moving
        if moving is None:
            screen.tell("this dashboard cannot leave its deck", "refused")
        elif rest == HOME:
            if not moving.home:
                screen.tell("this is the deck it was opened on", "refused")
            else:
                moving.go_home()
        else:
            screen.run_worker(self._connect(moving, rest), group="connect", exclusive=True, exit_on_error=False)

    async def _connect(self, moving: Moving, place: str) -> None:
        screen, token, wrong = self._screen, "", ""
        while True:
            form = connecting(screen.live, place, token, home=moving.home, serving=screen.serving, wrong=wrong)
            values = await screen.acting.ask(form)
            if values is None:
                return
            place, token = values["place"], values["token"]
            if place == HOME and moving.home:
                moving.go_home()
                return
            screen.tell(f"asking {clip(place, 60)} …")
            try:
                client = await reach(place, token)
            except NotThere as error:
                wrong = str(error)
                screen.tell(f"still at {clip(screen.live.address, 40)}: {wrong}", "refused")
            else:
                moving.go(client)
                return

    def demo(self, rest: str = "") -> None:
        """A throw-away deck to try things on, after saying what that is."""
        screen, moving = self._screen, self._screen.moving
        if moving is None:
            screen.tell("this dashboard cannot leave its deck", "refused")
        elif moving.throwaway:
            screen.tell("this is a throw-away deck already; :connect home leaves it", "refused")
        else:
            screen.run_worker(self._demo(moving), group="connect", exclusive=True, exit_on_error=False)

    async def _demo(self, moving: Moving) -> None:
        screen = self._screen
        values = await screen.acting.ask(throwing_away(screen.live.address, serving=screen.serving))
        if values is None or values["sure"] != "yes":
            return
        screen.tell("opening a throw-away deck …")
        demo = Throwaway()
        try:
            client = await demo.open()
        except NotThere as error:
            screen.tell(str(error), "failed")
        else:
            moving.go(client, demo.close)

    # -- the screen ------------------------------------------------------------------------------------------

    def screenshot(self, rest: str) -> None:
        """Keep the screen as a picture, as it is once the typed line is gone."""
        name = rest or time.strftime("taskdeck-%Y%m%d-%H%M%S.svg")
        self._screen.set_timer(_SETTLE, partial(self._picture, _path(name)))

    def _picture(self, path: Path) -> None:
        screen = self._screen
        drawn = screen.app.export_screenshot(title=f"taskdeck {clip(screen.model.address, 60)}")
        try:
            with NewFile(path) as file:
                file.write(drawn)
                octets = file.keep()
        except FileRefused as error:
            screen.tell(f"{error}: name another file" if path.exists() else str(error), "failed")
            return
        screen.tell(f"the screen is in {path} · {size(octets)}")

    # -- the log ---------------------------------------------------------------------------------------------

    def log(self, rest: str = "") -> None:
        """The end of the dashboard's log, and where the whole of it lies."""
        screen = self._screen
        path = screen.log_file
        if path is None:
            screen.tell("this dashboard keeps no log", "refused")
            return
        file = LogFile(path)
        width = min(_SHEET, screen.size.width) - 4
        last = len(sheets.log(file, width))
        note = f"{path} · {size(file.octets)} · y copies where"
        screen.show_sheet("Log", note, lambda: sheets.log(file, width), lambda _: None, at=last, text=str(path))

    # -- completing ------------------------------------------------------------------------------------------

    @staticmethod
    def files(word: str) -> list[str]:
        """Names of files and folders that begin with `word`."""
        folder, _, begun = word.rpartition("/")
        where = Path(f"{folder}/" if folder or word.startswith("/") else ".").expanduser()
        found = []
        try:
            for entry in where.iterdir():
                if entry.name.startswith(begun) and (begun or not entry.name.startswith(".")):
                    found.append(f"{folder}{'/' if '/' in word else ''}{entry.name}{'/' if entry.is_dir() else ''}")
                if len(found) >= _LISTED_MOST:
                    break
        except (OSError, ValueError):
            return []
        return found


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # a home of nobody
        return Path(text)


def _file_at(path: Path) -> os.stat_result | None:
    """What is known of a file that is there; of one that cannot be looked at, writing will tell what is wrong."""
    try:
        return path.stat() if path.is_file() else None
    except (OSError, ValueError):
        return None


class _Stopped(Exception):
    """The operator stopped it, after so many tasks."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)
