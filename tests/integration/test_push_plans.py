"""What webhooks and sources cost: nothing to a claim, and rows found by an index to themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.domain.reach import Reach
from taskdeck.domain.source import Scheme
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.finish import complete
from taskdeck.service.inbound import Became, Wish, take
from taskdeck.service.outbox import Looked, Outcome, record, take_in
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.service.sources import Sources, create_source
from taskdeck.service.webhooks import Webhooks, create_webhook
from taskdeck.store import deliveries
from taskdeck.store.reader import Reader

PUSH = r"\b(webhooks|deliveries|sources|arrivals|source_tasks)\b"


@pytest.fixture
def known() -> Webhooks:
    return Webhooks([])


@pytest.fixture
def store(tmp_path: Path, known: Webhooks) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    wish = {"url": "https://example.org", "patterns": ("*",)}
    for _ in range(20):
        known.put(made(lambda unit: create_webhook(unit, known, ROOT, Reach(), wish)))
    source = {"name": "s", "project": "default", "scheme": Scheme.STANDARD, "template": {}, "filters": ()}
    made(lambda unit: create_source(unit, Sources([]), ROOT, source | {"unique": None, "per_minute": 1}))
    made(lambda unit: create(unit, ROOT, [NewTask("t", "default")] * 50))
    for hook in known.all():
        made(lambda unit, hook=hook: take_in(unit, known, [Looked(hook, 60, tuple(range(1, 51)))]))
    yield made
    made.close()


def _statements(store: BareStore, act: Callable[[], object]) -> list[str]:
    seen: list[str] = []
    store.runner.connection.set_trace_callback(seen.append)
    act()
    store.runner.connection.set_trace_callback(None)
    return seen


def _check(store: BareStore, statements: list[str]) -> None:
    looked = [sql for sql in statements if re.search(PUSH, sql) and not sql.startswith("INSERT")]
    assert looked
    for sql in looked:
        plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}")]
        assert not any("TEMP B-TREE" in line for line in plan), (sql, plan)
        assert not any(re.match(r"SCAN \w+$", line) for line in plan), (sql, plan)


def test_a_claim_and_its_end_touch_none_of_it(store: BareStore) -> None:
    def act() -> None:
        given = store(lambda unit: claim(unit, ROOT, ClaimRequest("w"))).tasks
        store(lambda unit: complete(unit, ROOT, given[0].key, 1))

    seen = _statements(store, act)
    assert len(seen) > 5
    assert not [sql for sql in seen if re.search(PUSH, sql)]


def test_what_is_sent_and_noted_is_found_by_its_index(store: BareStore, known: Webhooks) -> None:
    outcomes = [Outcome(1, 1, 200, None), Outcome(2, 1, 500, "answered 500"), Outcome(60, 2, None, "no connection")]
    _check(store, _statements(store, lambda: store(lambda unit: record(unit, known, outcomes))))
    hook = known.all()[2]
    _check(store, _statements(store, lambda: store(lambda unit: take_in(unit, known, [Looked(hook, 61, (61,))]))))


def test_events_from_outside_are_found_by_their_index(store: BareStore) -> None:
    def act() -> None:
        for number in range(4):
            wish = Wish(NewTask("t", "default"), f"about-{number % 2}")
            became, _ = store(lambda unit, n=number, wish=wish: take(unit, "s", str(n), wish))
            assert became is (Became.CREATED if number < 2 else Became.EXISTS)

    _check(store, _statements(store, act))


async def test_what_is_read_beside_is_found_by_its_index(store: BareStore) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []

    class Asking(Reader):
        async def rows(self, sql: str, values: object = ()) -> list[tuple[object, ...]]:
            asked.append((sql, tuple(values)))  # type: ignore[arg-type]
            return store.rows(sql, tuple(values))  # type: ignore[arg-type]

    reader = Asking([])
    assert (await deliveries.pending(reader))[1][0] == 50
    assert len(await deliveries.due(reader, 1, store.clock.now_ms(), 8)) == 8
    assert len(await deliveries.list_deliveries(reader, 1, None, 40, 10)) == 10
    for sql, values in asked:
        plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert not any("TEMP B-TREE" in line for line in plan), (sql, plan)
        assert not any(re.match(r"SCAN \w+$", line) for line in plan), (sql, plan)
