"""Logging: JSON lines to the data folder's file, warnings also to standard error when nothing is drawn there."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

import structlog

FILE = "taskdeck.log"
_FILE_BYTES = 5 << 20
_FILES = 3


def start_logging(folder: Path, level: str, *, to_terminal: bool) -> logging.Handler:
    """Send the package's and aiohttp's records to `folder`/taskdeck.log, which is rotated at 5 MiB.

    JSON escapes control characters, so that no record can act upon a terminal. Returns the file's handler, to be
    closed with `stop_logging`.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    path = folder / FILE
    path.touch(mode=0o600)
    file = logging.handlers.RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8")
    file.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processor=structlog.processors.JSONRenderer(ensure_ascii=True)
        )
    )
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
