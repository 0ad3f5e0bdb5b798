"""What the command line prints: JSON for programs, aligned columns for people."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size

from taskdeck.domain.text import visible

LEAST_FLEXIBLE_WIDTH = 12
CLOSED_PIPE = 141
"""The exit status when whoever read us has seen enough: that of a command which SIGPIPE ends."""


@dataclass(frozen=True)
class Column:
    """A column's heading. Numbers stand `right`; a `flexible` one is cut to fit the terminal."""

    name: str
    right: bool = False
    flexible: bool = False


@dataclass(frozen=True)
class Output:
    """Where a command's answer goes; `as_json` chooses its form."""

    as_json: bool

    def document(self, value: Any) -> None:
        """One JSON document: indented for eyes, on one line for programs."""
        print(_safe_json(value, indent=2 if sys.stdout.isatty() else None))

    def json_line(self, value: Any) -> None:
        """One line of a stream of JSON documents, at once."""
        print(_safe_json(value), flush=True)

    def text(self, line: str = "") -> None:
        """One line for people. What is in it may come from outside."""
        print(visible(line), flush=True)

    def heading(self, line: str) -> None:
        """A line that stands out a little where the terminal can show that."""
        bold = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        print(f"\x1b[1m{visible(line)}\x1b[0m" if bold else visible(line))

    def block(self, text: str, indent: str = "  ") -> None:
        """Text of several lines."""
        for line in visible(text, keep_newlines=True).split("\n"):
            print(f"{indent}{line}")

    def pairs(self, pairs: Iterable[tuple[str, str | None]]) -> None:
        """Names and values in two columns; a value that is None or empty is left out."""
        shown = [(name, value) for name, value in pairs if value]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self.text(f"  {name:<{width}}  {value}")

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """Rows under headings. On a terminal no line is longer than it is wide, where that can be."""
        cells = [[visible(cell) for cell in row] for row in rows]
        widths = [max([len(column.name), *(cell_len(row[i]) for row in cells)]) for i, column in enumerate(columns)]
        if sys.stdout.isatty():
            _fit(columns, widths, shutil.get_terminal_size().columns)
        self.heading(_line(columns, widths, [column.name for column in columns]))
        for row in cells:
            print(_line(columns, widths, row))


def has_terminal() -> bool:
    """Whether a dashboard can be drawn: someone looks, may type, and the cursor can be moved."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


def seen_enough() -> int:
    """Write nothing more to a closed standard output, not even at exit; returns the exit status."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED_PIPE


def _fit(columns: Sequence[Column], widths: list[int], terminal: int) -> None:
    """Narrow the widest flexible column, again and again, until all fit or none can give more."""
    excess = sum(widths) + 2 * (len(widths) - 1) - terminal
    for _ in range(excess):
        wide = [i for i, column in enumerate(columns) if column.flexible and widths[i] > LEAST_FLEXIBLE_WIDTH]
        if not wide:
            return
        widths[max(wide, key=widths.__getitem__)] -= 1


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    parts = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        if cell_len(cell) > width:
            cell = set_cell_size(cell, width - 1) + "…"
        padding = " " * (width - cell_len(cell))
        parts.append(padding + cell if column.right else cell + padding)
    return "  ".join(parts).rstrip()


def _safe_json(value: Any, indent: int | None = None) -> str:
    """JSON in ASCII: no control character and no lone surrogate gets out as itself."""
    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")
