"""The terminal the deck is drawn on, which may go away at any moment; its title, its bell, its notices."""

from __future__ import annotations

from types import FrameType
from typing import IO, Any, Protocol, runtime_checkable

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from taskdeck.domain.text import visible

KEEP_TITLE, GIVE_BACK_TITLE = "\x1b[22;2t", "\x1b]2;\x07\x1b[23;2t"
"""Put the terminal's title aside; take it from there again. A terminal that cannot is left without a title."""
_TEXT_MOST = 120


class LastingFile:
    """Text for a terminal; once the terminal is gone it goes nowhere.

    Textual writes from a thread behind a short queue. An error would end that thread, and the next write that finds
    the queue full would stop the whole process, with a deck in it perhaps.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def title_of(text: str) -> str:
    """What gives the terminal a title."""
    return f"\x1b]2;{_harmless(text)}\x07"


def notice_of(text: str) -> str:
    """What has the terminal show a notice on the desktop, where it can."""
    return f"\x1b]9;{_harmless(text)}\x07"


def _harmless(text: str) -> str:
    """One short line in which nothing ends the sequence around it or begins another."""
    return "".join(char for char in visible(text[: _TEXT_MOST * 2]) if char.isprintable())[:_TEXT_MOST]


@runtime_checkable
class OnTerminal(Protocol):
    """An application that wants to know its terminal."""

    terminal: DeckDriver | None


class DeckDriver(LinuxDriver):
    """Textual's driver, for a terminal that may be closed under it, and with what Textual has no call for."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = LastingFile(self._file)
        self._title = ""
        self._drawing = False
        if isinstance(app, OnTerminal):
            app.terminal = self

    def show_title(self, text: str) -> None:
        """Give the window this title until the deck leaves it."""
        if text != self._title:
            self._title = text
            self._say(title_of(text))

    def ring(self) -> None:
        """The terminal's bell."""
        self._say("\x07")

    def notify(self, text: str) -> None:
        """A notice on the desktop."""
        self._say(notice_of(text))

    def _say(self, sequence: str) -> None:
        if self._drawing:
            self.write(sequence)
            self.flush()

    def start_application_mode(self) -> None:
        """Take the terminal, its title too."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._drawing = True
        self._say(KEEP_TITLE)
        if self._title:
            self._say(title_of(self._title))

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self._say(GIVE_BACK_TITLE)
        self._drawing = False
        super().stop_application_mode()

    def _sigcont_application(self, *signal: int | FrameType | None) -> None:
        """Come back only where `ctrl+z` went before: a terminal that is closed sends SIGCONT too."""
        if self._must_signal_resume:
            super()._sigcont_application(*signal)
