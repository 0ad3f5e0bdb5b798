"""Opening the database: one connection that writes, others that may only read."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import aiosqlite

from taskdeck.domain.errors import StorageFull
from taskdeck.domain.order import USUAL, Order
from taskdeck.store import adapters, order, words
from taskdeck.store.errors import StoreRefused
from taskdeck.store.migrate import LEDGER, migrate
from taskdeck.store.wal import WAL_KEPT_BYTES

SQLITE_FLOOR = (3, 37, 0)
"""STRICT tables."""

_CACHE_KIB = 16 * 1024
"""What the writer keeps of the file. Claims touch each page of a long queue once: at a million tasks four times as
much made none of them faster, and would stay in memory."""
_READER_CACHE_KIB = 8 * 1024
LOCK_WAIT_S = 5.0
"""How long the writer waits for another program that holds the database."""
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
            code="data_unusable",
        )
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    adapters.register()
    connection = sqlite3.connect(
        path, LOCK_WAIT_S, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
    )
    try:
        _check_owner(connection, path)
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StoreRefused(
                f"{path} lies on a file system without shared memory",
                hint="Use a local disk.",
                code="data_unusable",
            )
        connection.execute("PRAGMA synchronous = NORMAL")  # what is lost of a migration is done again
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("BEGIN IMMEDIATE")  # what holds the file against us is met here, and told
        connection.execute("ROLLBACK")
        migrate(connection, path, now)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")  # not before: a step may make a table anew that others refer to
        order.keep(connection, queue)
        words.keep(connection, able=words.able(connection))
    except sqlite3.DatabaseError as error:
        connection.close()
        raise refusal(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that some other program made, before anything in it is changed."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and LEDGER not in tables:
        raise StoreRefused(
            f"{path} is a database of another program",
            hint="Name another data folder with --data; this file was left as it is.",
            code="data_foreign",
        )


def refusal(path: Path, error: Exception) -> StoreRefused:
    """Why the database at `path` does not open, after SQLite or the first write said `error`."""
    full = isinstance(error, StorageFull)
    kind = sqlite3.SQLITE_FULL if full else getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    code, hint = _WHY.get(kind, _DAMAGED)
    return StoreRefused(f"{path} cannot be opened: {error}", hint=hint, code=code)


_DAMAGED = ("data_damaged", "Keep the file as it is and restore a backup into another data folder.")
_OTHERS = (
    "data_unusable",
    "Let the user who runs taskdeck own the data folder and all in it, on a disk to be written.",
)
_BUSY = ("data_locked", "Another program has it open, such as a copy or an SQLite shell; end that and start again.")
_WHY = {
    sqlite3.SQLITE_FULL: ("data_full", "Free some space on its disk and start again; what was acknowledged is there."),
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PERM: _OTHERS,
    sqlite3.SQLITE_READONLY: _OTHERS,
    sqlite3.SQLITE_CANTOPEN: _OTHERS,
}
"""Stable code and safe next step by SQLite's primary result code; all else counts as damage."""


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
