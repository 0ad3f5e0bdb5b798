"""Bringing a database to the schema of this version, or refusing it."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from taskdeck.store.errors import StoreRefused

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")

LEDGER = "migrations"
"""The table that tells which steps were applied; every deck's database has it."""
_MAKE_LEDGER = f"""
CREATE TABLE IF NOT EXISTS {LEDGER} (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the step's text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def shipped() -> tuple[Migration, ...]:
    """The steps this version of taskdeck brings, in order, without a gap."""
    found = []
    for entry in files("taskdeck.store.migrations").iterdir():
        if match := _NAME.fullmatch(entry.name):
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda step: step.number))


def migrate(connection: sqlite3.Connection, path: Path, now: int, steps: Sequence[Migration] | None = None) -> int:
    """Apply the steps the database lacks, each in a transaction of its own; return how many.

    Before the first step on a database that already holds something, a backup is written beside it
    (`deck.db.before-NNNN`).

    Raises:
        StoreRefused: the schema is newer than this version, or a step differs from the one once applied.
    """
    steps = shipped() if steps is None else steps
    connection.execute(_MAKE_LEDGER)
    applied = dict(connection.execute("SELECT number, checksum FROM migrations ORDER BY number"))
    newest = steps[-1].number if steps else 0
    if applied and max(applied) > newest:
        raise StoreRefused(
            f"{path} has schema {max(applied)}, newer than the {newest} this version knows",
            hint="Start it with the newer taskdeck that wrote it; nothing was changed.",
            code="data_newer",
        )
    for step in steps:
        if step.number in applied and applied[step.number] != step.checksum:
            raise StoreRefused(
                f"migration {step.number} of {path} is not the one this version ships",
                hint="The file or the installation was altered; restore a backup or reinstall. Nothing was changed.",
                code="data_foreign",
            )
    missing = [step for step in steps if step.number not in applied]
    if missing and applied:
        _backup(connection, path.with_name(f"{path.name}.before-{missing[0].number:04d}"))
    for step in missing:
        _apply(connection, step, now)
    return len(missing)


def _apply(connection: sqlite3.Connection, step: Migration, now: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(step.sql):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
            (step.number, step.name, step.checksum, now),
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _statements(script: str) -> list[str]:
    """The script's statements one by one; `executescript` would commit the transaction around them."""
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    if pending.strip():
        statements.append(pending)
    return statements


def _backup(connection: sqlite3.Connection, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    copy = sqlite3.connect(target)
    try:
        connection.backup(copy)
    finally:
        copy.close()
