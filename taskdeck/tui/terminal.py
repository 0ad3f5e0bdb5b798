"""The terminal the deck is drawn on, which may go away at any moment."""

from __future__ import annotations

from types import FrameType
from typing import IO, Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


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


class DeckDriver(LinuxDriver):
    """Textual's driver, for a terminal that may be closed under it."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = LastingFile(self._file)

    def _sigcont_application(self, *signal: int | FrameType | None) -> None:
        """Come back only where `ctrl+z` went before: a terminal that is closed sends SIGCONT too."""
        if self._must_signal_resume:
            super()._sigcont_application(*signal)
