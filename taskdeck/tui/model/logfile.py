"""The end of a log file of JSON lines, read anew only when the file has grown or was turned over."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

TAIL = 64 * 1024
"""Bytes of the end that are read."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its moment as it is written, its level, what it says."""

    at: str
    level: str
    text: str
    more: tuple[str, ...] = ()
    """Further lines, as of a traceback."""


class LogFile:
    """A log file that somebody else writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.octets = 0
        self.fault = ""
        """Why it cannot be read, if it cannot."""
        self._seen: tuple[int, int, int] | None = None
        self._records: list[Record] = []

    def records(self) -> list[Record]:
        """The last records of the file, oldest first."""
        try:
            with self.path.open("rb") as file:
                there = os.fstat(file.fileno())
                state = (there.st_ino, there.st_size, there.st_mtime_ns)
                if state != self._seen:
                    file.seek(max(0, there.st_size - TAIL))
                    text = file.read(TAIL).decode("utf-8", "replace")
                    lines = text.splitlines()
                    if there.st_size > TAIL:
                        del lines[:1]
                    self._seen, self.octets = state, there.st_size
                    self._records = [_record(line) for line in lines if line.strip()]
                self.fault = ""
        except OSError as error:
            self.fault = f"it cannot be read: {error.strerror}"
        return self._records


def _record(line: str) -> Record:
    try:
        told = json.loads(line)
        at, level = str(told.get("timestamp") or ""), str(told.get("level") or "")
        extra = {name: value for name, value in told.items() if name not in _USUAL}
        text = str(told.get("event") or "") + "".join(f" · {name} {value}" for name, value in extra.items())
        return Record(at, level, text, tuple(str(told.get("exception") or "").splitlines()))
    except (ValueError, AttributeError):
        return Record("", "", line)


_USUAL = frozenset({"logger", "timestamp", "level", "event", "exception"})
