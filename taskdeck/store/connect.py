"""Opening the database: one connection that writes, others that may only read."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import aiosqlite

from taskdeck.domain.order import USUAL, Order
from taskdeck.store import order, words
from taskdeck.store.errors import StoreRefused
from taskdeck.store.migrate import migrate
from taskdeck.store.wal import WAL_KEPT_BYTES

SQLITE_FLOOR = (3, 37, 0)
"""STRICT tables."""

_CACHE_KIB = 16 * 1024
"""What the writer keeps of the file. Claims touch each page of a long queue once: at a million tasks four times as
much made none of them faster, and would stay in memory."""
_READER_CACHE_KIB = 8 * 1024
_STATEMENTS = 256
"""How many prepared statements a connection keeps."""


def open_writer(path: Path, now: int, queue: Order = USUAL) -> sqlite3.Connection:
    """The one connection that writes and checkpoints, on a migrated database whose queue is in the order `queue`.

    Every commit is synced before it returns (`synchronous=FULL`). Checkpoints are left to the writer
    (`wal_autocheckpoint=0`), which chooses its moment.

    Raises:
        StoreRefused: SQLite is too old, the file is no database or damaged, or its schema is not ours.
    """
    if sqlite3.sqlite_version_info < SQLITE_FLOOR:
        raise StoreRefused(
            f"SQLite {sqlite3.sqlite_version} is too old; taskdeck needs 3.37 or newer",
            hint="Use a Python built with a newer SQLite.",
        )
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS)
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StoreRefused(f"{path} lies on a file system without shared memory", hint="Use a local disk.")
        connection.execute("PRAGMA synchronous = NORMAL")  # what is lost of a migration is done again
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        migrate(connection, path, now)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")  # not before: a step may make a table anew that others refer to
        order.keep(connection, queue)
        words.keep(connection, able=words.able(connection))
    except sqlite3.DatabaseError as error:
        connection.close()
        raise damaged(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def damaged(path: Path, error: Exception) -> StoreRefused:
    """The refusal of a database that cannot be read."""
    return StoreRefused(
        f"{path} cannot be opened: {error}",
        hint="Keep the file as it is and restore a backup into another data folder.",
    )


async def open_reader(path: Path) -> aiosqlite.Connection:
    """A connection that sees what is committed and can change nothing."""
    connection = await aiosqlite.connect(path, isolation_level=None, cached_statements=_STATEMENTS)
    try:
        await connection.execute("PRAGMA query_only = ON")
        await connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")
    except BaseException:
        await connection.close()
        raise
    return connection
