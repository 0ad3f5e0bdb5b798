"""Migrations: forward only, checked, with a backup before a database that holds something is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from taskdeck.store.connect import open_writer
from taskdeck.store.errors import StoreRefused
from taskdeck.store.migrate import Migration, migrate, shipped

ONE = Migration(1, "one", "CREATE TABLE a (x INTEGER) STRICT;\n-- a remark; it goes on\nINSERT INTO a VALUES (1);\n")
TWO = Migration(2, "two", "ALTER TABLE a ADD COLUMN y INTEGER;\nUPDATE a SET y = x + 1;\n")
BROKEN = Migration(2, "two", "UPDATE a SET x = 9;\nINSERT INTO missing VALUES (1);\n")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[tuple[sqlite3.Connection, Path]]:
    path = tmp_path / "deck.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection, path


def test_the_shipped_steps_have_no_gap() -> None:
    assert [step.number for step in shipped()] == list(range(1, len(shipped()) + 1))


def test_a_database_is_brought_forward_once(database: tuple[sqlite3.Connection, Path]) -> None:
    connection, path = database
    assert migrate(connection, path, 5, [ONE, TWO]) == 2
    assert migrate(connection, path, 6, [ONE, TWO]) == 0
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]
    ledger = connection.execute("SELECT number, name, checksum, applied_at FROM migrations").fetchall()
    assert ledger == [(1, "one", ONE.checksum, 5), (2, "two", TWO.checksum, 5)]


def test_a_backup_is_written_before_a_further_step(database: tuple[sqlite3.Connection, Path]) -> None:
    connection, path = database
    migrate(connection, path, 5, [ONE])
    assert not list(path.parent.glob("*.before-*"))
    connection.execute("INSERT INTO a VALUES (7)")
    migrate(connection, path, 6, [ONE, TWO])
    backup = path.with_name("deck.db.before-0002")
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as before:
        assert before.execute("SELECT * FROM a").fetchall() == [(1,), (7,)]
        assert before.execute("SELECT max(number) FROM migrations").fetchone() == (1,)
        assert before.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_changed_step_is_refused(database: tuple[sqlite3.Connection, Path]) -> None:
    connection, path = database
    migrate(connection, path, 5, [ONE])
    with pytest.raises(StoreRefused, match="not the one this version ships") as refused:
        migrate(connection, path, 6, [Migration(1, "one", ONE.sql + " "), TWO])
    assert refused.value.hint
    assert connection.execute("SELECT count(*) FROM migrations").fetchone() == (1,)
    assert not list(path.parent.glob("*.before-*"))


def test_a_newer_schema_is_refused(database: tuple[sqlite3.Connection, Path]) -> None:
    connection, path = database
    migrate(connection, path, 5, [ONE, TWO])
    with pytest.raises(StoreRefused, match="newer than the 1"):
        migrate(connection, path, 6, [ONE])
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]


def test_a_step_that_fails_leaves_nothing(database: tuple[sqlite3.Connection, Path]) -> None:
    connection, path = database
    migrate(connection, path, 5, [ONE])
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path, 6, [ONE, BROKEN])
    assert connection.execute("SELECT x FROM a").fetchall() == [(1,)]
    assert migrate(connection, path, 7, [ONE, TWO]) == 1


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deck.db"
    open_writer(path, 1).close()
    with closing(sqlite3.connect(path)) as connection:
        before = connection.execute("SELECT * FROM migrations").fetchall()
    open_writer(path, 2).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM migrations").fetchall() == before
    assert path.stat().st_mode & 0o777 == 0o600
