"""The schema's own rules: what a bug in the code could not write either."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.requests import ClaimRequest, NewTask


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    """Tasks 1 ready, 2 claimed, 3 blocked by 1, 4 lapsed."""
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    made(lambda unit: create(unit, ROOT, [NewTask(str(n), "default") for n in (1, 2)]))
    made(lambda unit: create(unit, ROOT, [NewTask("3", "default", depends_on=("1",)), NewTask("4", "default")]))
    made(lambda unit: claim(unit, ROOT, ClaimRequest("w", "4", lease_ms=5000)))
    made.clock.advance(6)
    made(lambda unit: claim(unit, ROOT, ClaimRequest("w", "2")))
    yield made
    made.close()


@pytest.mark.parametrize(
    "change",
    [
        "state = 'gone'",
        "state = 'claimed'",
        "state = 'done'",
        "state = 'scheduled'",
        "state = 'failed', finished_at = NULL",
        "finished_at = 1",
        "priority = 101",
        "priority = -1",
        "priority = 'high'",
        "attempt = 4",
        "attempt = 3",
        "attempt = -1",
        "max_attempts = 0",
        "max_attempts = 1001",
        "fence = -1",
        "ready_at = NULL",
        "worker = 'w'",
        "principal = 'p'",
        "expires_at = 5",
        "expires_at = 5, lease_ms = 5",
        "lapsed = 1",
        "progress = 101",
        "work_state = 'working'",
        "work_state = 'asleep'",
        "session = 's'",
        "question = '{}'",
        "bucket = 99",
        "id = 'short'",
        "key = ''",
        "key = 'T2'",
        "number = 2",
    ],
)
def test_a_ready_task_cannot_be_made_odd(store: BareStore, change: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.rows(f"UPDATE tasks SET {change} WHERE number = 1")  # noqa: S608


@pytest.mark.parametrize(
    "change",
    ["worker = NULL", "state = 'ready'", "claimed_at = NULL", "heartbeat_at = NULL", "lease_ms = NULL", "fence = 0",
     "work_state = NULL", "question = 'no json'", "lapsed = 1, attempt = 3"],
)  # fmt: skip
def test_a_claimed_task_cannot_be_made_odd(store: BareStore, change: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.rows(f"UPDATE tasks SET {change} WHERE number = 2")  # noqa: S608


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = '{}' WHERE seq = 1",
        "UPDATE events SET seq = 999 WHERE seq = 1",
        "INSERT INTO events (seq, at, type, body) VALUES (1, 0, 't', x'')",
        "DELETE FROM tasks WHERE number = 1",
        "DELETE FROM projects",
        "INSERT INTO dependencies VALUES (1, 99, 1)",
        "INSERT INTO dependencies VALUES (3, 1, 1)",
        "UPDATE dependencies SET open = 2",
        "UPDATE counts SET n = -1",
        "UPDATE bodies SET title = ''",
        "UPDATE bodies SET title = NULL",
        "UPDATE projects SET lease_ms = 1",
        "UPDATE projects SET backoff_ms = 9, backoff_cap_ms = 5",
        "UPDATE projects SET paused_at = 5",
        "UPDATE projects SET prefix = 'T' WHERE name = 'side'",
        "INSERT INTO tokens (prefix, hash, principal, created_at) VALUES ('x', x'00', 'nobody', 0)",
        "INSERT INTO principals VALUES ('p', 'king', NULL, '[]', '[]', 0)",
        "UPDATE workers SET kind = 'cat'",
        "UPDATE workers SET capabilities = 'py'",
        "UPDATE workers SET told = 'idle'",
        "UPDATE projects SET offline_claims = 'burn'",
        "UPDATE projects SET max_claims = -1",
        "UPDATE bodies SET files = 'a.py'",
        "INSERT INTO sessions (worker, key, status, metadata, opened_at, updated_at)"
        " VALUES ('x', 'k', 'active', '{}', 0, 0)",
        "INSERT INTO sessions (worker, key, status, metadata, opened_at, updated_at)"
        " VALUES ('w', 'k', 'failed', '{}', 0, 0)",
        "INSERT INTO buckets (project, labels, capabilities) VALUES ('default', 'no json', '[]')",
        "INSERT INTO answers VALUES ('p', 'k', x'00', 200, x'', 0)",
    ],
)
def test_a_broken_rule_is_refused(store: BareStore, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.rows(statement)


def test_the_log_is_not_removed_from(store: BareStore) -> None:
    count = len(store.events())
    assert count > 5
    store(lambda unit: None)
    assert len(store.events()) == count
