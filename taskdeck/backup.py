"""A copy of a deck's database, whole and checked, while the deck runs or not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from taskdeck.newfile import FileRefused, NewFile

DATABASE = "deck.db"


class NoBackup(Exception):
    """There is no database to copy, or it or its copy is damaged; the text says which."""


def back_up(data: Path, file: Path, *, over: bool = False) -> int:
    """Copy the database of the folder `data`, as it is at one moment, to `file`; returns the copy's bytes.

    The copy is its owner's alone, and there only once it is whole and checked; it goes over another file if `over`.

    Raises:
        NoBackup: there is nothing to copy, or what was copied is damaged.
        FileRefused: `file` cannot be written.
    """
    database = data / DATABASE
    if not database.is_file():
        raise NoBackup(f"there is no deck in {data}")
    with NewFile(file, over=over) as made:
        try:
            with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(made.place)) as copy:
                source.execute("PRAGMA query_only = ON")
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file holds it all
                faults = [str(row[0]) for row in copy.execute("PRAGMA quick_check(1)")]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise FileRefused(f"{file} cannot be written: no space left on its disk") from None
            raise NoBackup(f"{database} cannot be copied: {error}") from None
        if faults != ["ok"]:
            raise NoBackup(f"the copy of {database} is damaged ({faults[0][:200]}): the database itself may be")
        return made.keep()
