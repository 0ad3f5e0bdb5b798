"""Logging: JSON lines to the data folder's file, warnings also to standard error when nothing is drawn there."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import sys
from pathlib import Path

from taskdeck.domain.clock import rfc3339

FILE = "taskdeck.log"
DASHBOARD = "dashboard.log"
"""Where a dashboard logs that serves no deck."""
_FILE_BYTES = 5 << 20
_FILES = 3


class _Lines(logging.Formatter):
    """A record as one line of JSON. It escapes control characters, so that no record can act upon a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": rfc3339(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class _File(logging.handlers.RotatingFileHandler):
    """A file that may be on a full disk: what it cannot take is left out, and nothing is said of that."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the library's name)
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            super().close()


def start_logging(folder: Path, level: str, *, to_terminal: bool, name: str = FILE) -> logging.Handler:
    """Send the package's and aiohttp's records to the file `name` in `folder`, which is rotated at 5 MiB.

    Returns the file's handler, to be closed with `stop_logging`.
    """
    path = folder / name
    path.touch(mode=0o600)
    file = _File(path, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8")
    file.setFormatter(_Lines())
    root = logging.getLogger()
    root.addHandler(file)
    root.setLevel(level.upper())
    if to_terminal:
        terminal = logging.StreamHandler(sys.stderr)
        terminal.setLevel(logging.WARNING)
        terminal.setFormatter(file.formatter)
        terminal.name = "taskdeck-terminal"
        root.addHandler(terminal)
    return file


def stop_logging(file: logging.Handler) -> None:
    """Undo `start_logging`."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if handler is file or handler.name == "taskdeck-terminal":
            root.removeHandler(handler)
            handler.close()
