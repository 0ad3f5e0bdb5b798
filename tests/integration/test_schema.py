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

from taskdeck.domain.attachment import Contents
from taskdeck.domain.link import LinkKind
from taskdeck.domain.reach import Reach
from taskdeck.domain.source import Scheme
from taskdeck.service.attachments import attach
from taskdeck.service.claim import claim
from taskdeck.service.comments import comment
from taskdeck.service.contexts import change_context
from taskdeck.service.create import create
from taskdeck.service.links import link
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.service.sources import Sources, create_source
from taskdeck.service.webhooks import Webhooks, create_webhook
from taskdeck.store import deliveries, sources


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    """Tasks 1 ready, 2 claimed, 3 blocked by 1, 4 lapsed."""
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    made(lambda unit: create(unit, ROOT, [NewTask(str(n), "default") for n in (1, 2)]))
    made(lambda unit: create(unit, ROOT, [NewTask("3", "default", depends_on=("1",)), NewTask("4", "default")]))
    made(lambda unit: claim(unit, ROOT, ClaimRequest("w", "4", lease_ms=5000)))
    made.clock.advance(6)
    made(lambda unit: claim(unit, ROOT, ClaimRequest("w", "2")))
    made(lambda unit: comment(unit, ROOT, "1", "said"))
    made(lambda unit: link(unit, ROOT, "1", LinkKind.PR, "5"))
    made(lambda unit: attach(unit, ROOT, "1", "n", Contents(value="{}")))
    made(lambda unit: change_context(unit, ROOT, "1", {"a": 1}))
    hook = {"url": "https://example.org", "patterns": ("*",)}
    made(lambda unit: create_webhook(unit, Webhooks([]), ROOT, Reach(), hook))
    made(lambda unit: deliveries.insert(unit, 1, [1]))
    wish = {"name": "s", "project": "default", "scheme": Scheme.STANDARD, "template": {}, "filters": (), "unique": None}
    made(lambda unit: create_source(unit, Sources([]), ROOT, wish | {"per_minute": 1}))
    made(lambda unit: sources.note_arrival(unit, "s", "id", 1))
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
        "depth = 11",
        "depth = -1",
        "children = 1001",
        "children = NULL",
    ],
)
def test_a_ready_task_cannot_be_made_odd(store: BareStore, change: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.rows(f"UPDATE tasks SET {change} WHERE number = 1")  # noqa: S608


@pytest.mark.parametrize(
    "change",
    ["worker = NULL", "state = 'ready'", "claimed_at = NULL", "heartbeat_at = NULL", "lease_ms = NULL", "fence = -1",
     "work_state = NULL", "question = 'no json'", "lapsed = 1, attempt = 3", "turn_ends_at = 5"],
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
        "UPDATE bodies SET review = 'maybe'",
        "UPDATE bodies SET kind = 'cat'",
        "UPDATE bodies SET gates = 'no json'",
        "UPDATE bodies SET verdict = 'no json'",
        "UPDATE bodies SET turn = 20",
        "UPDATE bodies SET at_end = 'never'",
        "UPDATE projects SET review = 'maybe'",
        "INSERT INTO forms VALUES ('f', 0, '{}', '{}', 'p', 0, 'p', 0)",
        "INSERT INTO forms VALUES ('f', 1, 'no json', '{}', 'p', 0, 'p', 0)",
        "INSERT INTO cancelling VALUES (99, 'p', NULL)",
        "UPDATE projects SET lease_ms = 1",
        "UPDATE projects SET backoff_ms = 9, backoff_cap_ms = 5",
        "UPDATE projects SET paused_at = 5",
        "UPDATE projects SET prefix = 'T' WHERE name = 'side'",
        "INSERT INTO tokens (prefix, hash, principal, created_at) VALUES ('x', x'00', 'nobody', 0)",
        "INSERT INTO principals VALUES ('p', 'king', NULL, '[]', '[]', 0, NULL, '')",
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
        "UPDATE comments SET text = ''",
        "UPDATE comments SET byline = ''",
        "UPDATE comments SET task = 99",
        "UPDATE links SET kind = 'cat'",
        "UPDATE links SET repository = NULL",
        "INSERT INTO links SELECT 99, task, kind, repository, target, url, added_by, added_at FROM links",
        "UPDATE attachments SET value = 'no json'",
        "UPDATE attachments SET value = NULL",
        "UPDATE attachments SET inline_bytes = 65537",
        "UPDATE attachments SET size = -1",
        "UPDATE contexts SET document = '[]'",
        "UPDATE contexts SET document = 'no json'",
        "UPDATE contexts SET version = 0",
        "UPDATE contexts SET task = 99",
        "UPDATE context_entries SET author = 'x'",
        "INSERT INTO context_entries VALUES (9, 1, 1, 'k', 'set', NULL, 'stated', 'a', 0)",
        "INSERT INTO context_entries VALUES (9, 1, 1, 'k', 'removed', '1', 'stated', 'a', 0)",
        "INSERT INTO context_entries VALUES (9, 1, 1, 'k', 'set', '1', 'guessed', 'a', 0)",
        "UPDATE webhooks SET url = ''",
        "UPDATE webhooks SET active = 1, disabled_reason = 'r'",
        "UPDATE webhooks SET failures = 1",
        "UPDATE webhooks SET old_secret = 's'",
        "UPDATE webhooks SET patterns = 'task.*'",
        "UPDATE deliveries SET next_at = NULL",
        "UPDATE deliveries SET state = 'lost'",
        "UPDATE deliveries SET state = 'failed'",
        "UPDATE deliveries SET webhook = 99",
        "UPDATE sources SET scheme = 'none'",
        "UPDATE sources SET project = 'none'",
        "UPDATE sources SET per_minute = 0",
        "INSERT INTO arrivals VALUES ('none', 'id', 1, 0)",
        "INSERT INTO arrivals VALUES ('s', 'id', 1, 0)",
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
