"""`taskdeck backup` and `taskdeck docs`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from processes import serving, taskdeck

from taskdeck.backup import NoBackup, back_up

pytestmark = pytest.mark.acceptance


def test_a_backup_of_a_running_deck_is_a_deck(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with serving(tmp_path / "data") as deck:
        deck.json("add", "kept")
        done = deck("backup", str(copy), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"file": str(copy), "bytes": copy.stat().st_size}
        assert copy.stat().st_mode & 0o777 == 0o600
        deck.json("add", "later")
        again = deck("backup", str(copy))
        assert (again.returncode, "--force" in again.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    (tmp_path / "restored").mkdir()
    copy.rename(tmp_path / "restored" / "deck.db")
    with serving(tmp_path / "restored") as deck:
        assert [task["title"] for task in deck.json("list")["tasks"]] == ["kept"]
        assert "admin token" not in (tmp_path / "restored.output").read_text()
        assert deck("token", "create", "new-admin", "--role", "admin").returncode == 0


def test_a_stopped_deck_is_copied_too_and_left_as_it_is(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as deck:
        deck.json("add", "kept")
    before = (tmp_path / "data" / "deck.db").read_bytes()
    assert back_up(tmp_path / "data", tmp_path / "copy.db") > 0
    assert (tmp_path / "data" / "deck.db").read_bytes() == before
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT title FROM bodies").fetchall() == [("kept",)]


def test_a_damaged_database_is_not_taken_for_a_backup(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "deck.db").write_bytes(b"no database" * 1000)
    with pytest.raises(NoBackup, match="cannot be copied"):
        back_up(tmp_path / "data", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
    nothing = taskdeck("backup", str(tmp_path / "copy.db"), "--data", str(tmp_path / "none"))
    assert (nothing.returncode, "[no_backup]" in nothing.stderr) == (1, True)
    assert not (tmp_path / "none").exists()


def test_the_documents_can_be_read_where_it_is_installed() -> None:
    listed = taskdeck("docs")
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert {"api", "running", "dialects", "delega", "keys"} <= set(names)
    assert taskdeck("docs", "running").stdout.startswith("# Running a deck for a team")
    assert taskdeck("docs", "delega.md").returncode == 0
    unknown = taskdeck("docs", "runing")
    assert (unknown.returncode, "did you mean running?" in unknown.stderr) == (5, True)
