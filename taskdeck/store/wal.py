"""The write-ahead log: how long it is, and moving it into the database beside the writer.

A checkpoint on the writer's connection would hold up every write until the database is synced. Most of it is done on
another connection while the writer goes on; what was written meanwhile is little, and only that is moved by the writer
itself, so that the next commit finds nothing left and begins the log anew.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

log = logging.getLogger(__name__)

WAL_KEPT_BYTES = 16 << 20
"""To what the log is cut when it begins anew.

Below it the file does not grow any more, and syncing what was overwritten costs less than syncing a longer file.
"""
LONG_BYTES = 12 << 20
"""From this length on the log is moved; what is written meanwhile still fits into what is kept."""
SHORT_BYTES = 1 << 18
"""What the writer may be kept waiting for."""
LOOK_EVERY = 64
"""After so many events the length of the log is looked at: they write 16 MB at most."""
PASSES = 4
"""How often what was written meanwhile is moved in its turn, before the writer has to wait for whatever is left."""
_HEADER = 32
_FRAME_HEADER = 24
_PAGE_SIZE = slice(8, 12)
_SALTS = slice(16, 24)
_FRAME_SALTS = slice(8, 16)


class Wal:
    """The write-ahead log of the database at `path`, which is open already. All but `close` is for the event loop.

    `settle` is called there once the rest is the writer's to move, by `moved`.
    """

    def __init__(self, path: Path, settle: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._settle = settle
        self._file = os.open(f"{path}-wal", os.O_RDONLY)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._thread = ThreadPoolExecutor(1, "taskdeck-checkpoint")
        self._limit = LONG_BYTES
        self._written = 0
        self.moving = False

    def wrote(self, events: int) -> None:
        """So many events were committed: now and then, begin to move the log if it is long."""
        self._written += events
        if self._written >= LOOK_EVERY and not self.moving:
            self._written = 0
            if self._longer_than(self._limit):
                self.move()

    def move(self) -> None:
        """Begin to move the log, however long it is."""
        if not self.moving:
            self.moving = True
            self._loop.run_in_executor(self._thread, self._pass_by_pass).add_done_callback(self._passed)

    def moved(self, left: int) -> None:
        """The writer has moved the rest but for `left` bytes, which somebody still reads."""
        self._limit = LONG_BYTES + left
        self.moving = False

    def close(self) -> None:
        """Wait for what is being moved, and let go of the files. May be called from any thread."""
        self._thread.shutdown()
        self._connection.close()
        os.close(self._file)

    def _passed(self, _done: asyncio.Future[None]) -> None:
        self._settle()

    def _pass_by_pass(self) -> None:
        for _ in range(PASSES):
            if checkpoint(self._connection) <= SHORT_BYTES:
                break

    def _longer_than(self, limit: int) -> bool:
        """Whether the frame there belongs to the log as it is now, told by its salts.

        See https://sqlite.org/fileformat2.html#the_write_ahead_log.
        """
        header = os.pread(self._file, _HEADER, 0)
        frame = _FRAME_HEADER + int.from_bytes(header[_PAGE_SIZE], "big")
        there = os.pread(self._file, _FRAME_HEADER, _HEADER + limit // frame * frame)
        return bool(there) and there[_FRAME_SALTS] == header[_SALTS]


def checkpoint(connection: sqlite3.Connection, mode: str = "PASSIVE") -> int:
    """Move what nobody reads any more from the log into the database; gives how many bytes of it are left."""
    try:
        _, frames, moved = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    except sqlite3.Error as error:  # such as a full disk: the log stays, and is moved another time
        log.error("the write-ahead log could not be moved: %s", error)  # noqa: TRY400
        return 0
    return int(frames - moved) * int(connection.execute("PRAGMA page_size").fetchone()[0])
