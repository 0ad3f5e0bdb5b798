"""Migrations: forward only, checked, with a backup before a database that holds something is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.bare import BareStore
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.domain.view import task_view
from taskdeck.service.claim import claim
from taskdeck.service.finish import complete
from taskdeck.service.requests import ClaimRequest
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


def test_a_deck_of_the_first_schema_goes_on_in_the_newest(database: tuple[sqlite3.Connection, Path]) -> None:
    connection, path = database
    migrate(connection, path, 1, shipped()[:1])
    for statement in (
        "INSERT INTO projects (name, prefix, last_key, lease_ms, max_attempts, backoff_ms, backoff_cap_ms, created_at)"
        " VALUES ('default', 'T', 1, 60000, 3, 0, 0, 1)",
        "INSERT INTO buckets VALUES (1, 'default', '[]', '[]', NULL)",
        "INSERT INTO tasks (id, key, bucket, state, priority, max_attempts, created_at, ready_at, updated_at)"
        " VALUES ('00000000-0000-7000-8000-000000000001', 'T1', 1, 'ready', 50, 3, 1, 1, 1)",
        "INSERT INTO bodies (task, title, description, payload, metadata, created_by)"
        " VALUES (1, 'old', '', '{}', '{}', 'root')",
        "INSERT INTO counts VALUES (1, 'ready', 1)",
    ):
        connection.execute(statement)
    connection.close()
    store = BareStore(path, FakeClock(), CountingIds())
    (task,) = store(lambda unit: claim(unit, ROOT, ClaimRequest("w"))).tasks
    shown = task_view(task)
    assert (shown["title"], shown["review"], shown["kind"], shown["gates"], shown["depth"]) == (
        "old", "none", "task", None, 0,
    )  # fmt: skip
    assert store(lambda unit: complete(unit, ROOT, "T1", 1)).state == "done"
    store.check()
    assert store.rows("PRAGMA integrity_check") == [("ok",)]
    store.close()


def test_what_has_gates_before_a_claim_moves_to_a_bucket_that_says_so(
    database: tuple[sqlite3.Connection, Path], tmp_path: Path
) -> None:
    connection, path = database
    before = [step for step in shipped() if step.number < next(s.number for s in shipped() if s.name == "gates")]
    migrate(connection, path, 1, before)
    connection.execute(
        "INSERT INTO projects (name, number, prefix, last_key, lease_ms, max_attempts, backoff_ms, backoff_cap_ms,"
        " created_at) VALUES ('default', 1, 'T', 4, 60000, 3, 0, 0, 1)"
    )
    connection.execute("INSERT INTO buckets VALUES (1, 'default', '[]', '[]', 'root')")
    asks = '[{"before": "claim", "hook": "h"}, {"before": "complete", "hook": "h"}]'
    gates = [asks, asks, '[{"before": "claim", "hook": "h", "blocking": false}]', None]
    for number, text in enumerate(gates, 1):
        connection.execute(
            "INSERT INTO tasks (id, key, bucket, state, priority, max_attempts, created_at, ready_at, updated_at)"
            " VALUES (?, ?, 1, 'ready', 50, 3, 1, 1, 1)",
            (f"00000000-0000-7000-8000-{number:012d}", f"T{number}"),
        )
        connection.execute(
            "INSERT INTO bodies (task, title, description, payload, metadata, created_by, gates)"
            " VALUES (?, 'old', '', '{}', '{}', 'root', ?)",
            (number, text),
        )
    connection.execute("INSERT INTO counts VALUES (1, 'ready', 4)")
    connection.close()
    store = BareStore(path, FakeClock(), CountingIds())
    store.check()
    assert store.rows("PRAGMA foreign_key_check") == []
    assert store.rows("SELECT bucket, count(*) FROM tasks GROUP BY 1 ORDER BY 1") == [(1, 2), (2, 2)]
    given = store(lambda unit: claim(unit, ROOT, ClaimRequest("w", max_tasks=4))).tasks
    assert [task.key for task in given] == ["T3", "T4"]
    store.check()
    store.close()
