"""Calling whoever does not look: the window's title, and once for each new problem a bell and a notice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from taskdeck.tui.model.attention import Problem
from taskdeck.tui.plain import plain


class Terminal(Protocol):
    """What is asked of the terminal."""

    def show_title(self, text: str) -> None:
        """Give the window a title."""

    def ring(self) -> None:
        """Ring its bell."""

    def notify(self, text: str) -> None:
        """Show a notice on the desktop."""


class Calling:
    """Told of the problems once a second; says each once, for as long as it lasts."""

    def __init__(self, terminal: Callable[[], Terminal | None], *, bell: bool, notice: bool, ascii: bool) -> None:
        self._terminal = terminal
        self._bell, self._notice, self._ascii = bell, notice, ascii
        self._known: set[tuple[str, int]] | None = None

    def report(self, problems: Sequence[Problem], *, settled: bool, lost: bool = False) -> None:
        """What needs someone now. Until it is `settled`, that is once all was read, nothing is new.

        `lost`: there is no connection, so that all may be different by now.
        """
        new = self._new(problems, settled=settled)
        terminal = self._terminal()
        if terminal is None:
            return
        sign = "✗ " if lost else "◌ " if not settled else f"▲{len(problems)} " if problems else ""
        title = f"{sign}taskdeck"
        terminal.show_title(plain(title) if self._ascii else title)
        if new and self._bell:
            terminal.ring()
        if new and self._notice:
            more = f" (and {len(new) - 1} more)" if len(new) > 1 else ""
            terminal.notify(f"taskdeck: {new[0].key} {new[0].reason}{more}")

    def _new(self, problems: Sequence[Problem], *, settled: bool) -> list[Problem]:
        there = {(problem.task, problem.rank): problem for problem in problems}
        before, self._known = self._known, set(there) if settled else None
        return [] if before is None else [problem for key, problem in there.items() if key not in before]
