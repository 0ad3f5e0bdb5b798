"""What its user prefers of the dashboard: a file of their own, in which nothing has to stand."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taskdeck.environment import nearest
from taskdeck.tui.keymap import Keymap
from taskdeck.tui.themes import THEMES

FILE = "dashboard.toml"
FILE_MOST = 100_000
"""Bytes of the file that are read."""


@dataclass(frozen=True)
class Preferences:
    """How the dashboard looks and calls. `faults` name what in the file was not understood; the rest of it counts."""

    theme: str = THEMES[0].name
    ascii: bool = False
    mouse: bool = True
    bell: bool = False
    """Whether the terminal's bell rings for a new problem."""
    notice: bool = False
    """Whether the terminal is asked for a desktop notice (OSC 9) of a new problem."""
    keys: Keymap = field(default_factory=Keymap)
    faults: tuple[str, ...] = ()


def read(file: Path | None) -> Preferences:
    """The preferences in a file; without one, the usual ones."""
    if file is None:
        return Preferences()
    try:
        with file.open("rb") as stored:
            told = tomllib.loads(stored.read(FILE_MOST).decode())
    except FileNotFoundError:
        return Preferences()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Preferences(faults=(f"{file.name} was not understood: {error} ({file})",))
    reader = _Reader(file)
    reader.names(told, "", ("theme", "ascii", "mouse", "attention", "keys"))
    calling = reader.table(told, "attention")
    reader.names(calling, "attention.", ("bell", "notice"))
    keys = Keymap.of(reader.table(told, "keys"), reader.fault)
    return Preferences(
        theme=reader.theme(told),
        ascii=reader.switch(told, "ascii", default=False),
        mouse=reader.switch(told, "mouse", default=True),
        bell=reader.switch(calling, "bell", default=False),
        notice=reader.switch(calling, "notice", default=False),
        keys=keys,
        faults=tuple(reader.faults),
    )


class _Reader:
    """Takes values out of tables and notes what is wrong with them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.faults: list[str] = []
        self.fault: Callable[[str], None] = lambda text: self.faults.append(f"{self._file.name}: {text}")

    def names(self, told: Mapping[str, Any], prefix: str, known: tuple[str, ...]) -> None:
        for name in told:
            if name not in known:
                self.fault(f"there is no {prefix}{name}; {nearest(name, known)}")

    def table(self, told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        value = told.get(name, {})
        if isinstance(value, dict):
            return value
        self.fault(f"{name} is no table")
        return {}

    def switch(self, told: Mapping[str, Any], name: str, *, default: bool) -> bool:
        value = told.get(name, default)
        if not isinstance(value, bool):
            self.fault(f"{name} is true or false, not {value!r}")
            return default
        return value

    def theme(self, told: Mapping[str, Any]) -> str:
        names = [theme.name for theme in THEMES]
        value = told.get("theme", names[0])
        if value not in names:
            self.fault(f"there is no theme {value!r}; {nearest(str(value), names)}")
            return names[0]
        return str(value)
