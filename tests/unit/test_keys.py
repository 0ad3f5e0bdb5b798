"""Project prefixes, request digests, liveness, and ids that sort by time."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from taskdeck.domain.ids import RandomIds
from taskdeck.domain.refs import PREFIX, PROJECT
from taskdeck.domain.worker import Liveness, liveness
from taskdeck.http import cursor
from taskdeck.service.once import request_digest
from taskdeck.service.projects import _free_prefix


@given(st.from_regex(PROJECT, fullmatch=True), st.integers(0, 40))
def test_a_prefix_is_found_for_every_name(name: str, others: int) -> None:
    taken: set[str] = set()
    for _ in range(others + 1):
        prefix = _free_prefix(name, taken)
        assert prefix not in taken
        assert PREFIX.fullmatch(prefix)
        taken.add(prefix)


@given(st.text(), st.text(), st.binary())
def test_digests_tell_requests_apart(method: str, path: str, body: bytes) -> None:
    one = request_digest("POST", "/v1/tasks", b"{}")
    assert len(one) == 32
    assert request_digest("POST", "/v1/tasks", b"{}") == one
    assert request_digest("PATCH", "/v1/tasks", b"{}") != one


def test_liveness_follows_missed_heartbeats() -> None:
    seen = [liveness(0, 1000, now) for now in (0, 1000, 1001, 2000, 2001)]
    assert seen == [Liveness.ACTIVE, Liveness.ACTIVE, Liveness.LATE, Liveness.LATE, Liveness.OFFLINE]


def test_ids_sort_by_time_and_are_uuids() -> None:
    ids = RandomIds()
    made = [ids.task_id(ms) for ms in range(1_795_000_000_000, 1_795_000_000_050)]
    assert made == sorted(made)
    assert all(uuid.UUID(text).version == 7 and uuid.UUID(text).variant == uuid.RFC_4122 for text in made)
    assert len({ids.secret() for _ in range(100)}) == 100
    assert all(0 <= ids.chance() < 1 for _ in range(100))


@given(st.lists(st.integers(-(2**61), 2**61), min_size=1, max_size=3))
def test_a_cursor_comes_back_as_it_was(key: list[int]) -> None:
    assert cursor.decode("k", len(key), cursor.encode("k", tuple(key))) == tuple(key)
