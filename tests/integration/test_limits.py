"""Limits on claims: how much is held at once, how fast claims are given, and which tasks do not go side by side."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.app import running_deck
from taskdeck.config import Settings
from taskdeck.domain.errors import DeckError
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.edit import edit
from taskdeck.service.finish import complete, fail
from taskdeck.service.heartbeat import heartbeat
from taskdeck.service.operate import assign, cancel, retry
from taskdeck.service.override import override_to_queue, override_to_worker
from taskdeck.service.projects import edit_project
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest, Edit, NewTask
from taskdeck.store.apart import LOOKED_AT
from taskdeck.store.folder import ADMIN_TOKEN


async def _limit(api: Api, **fields: Any) -> None:
    await api.patch("/v1/projects/default", fields)


async def _claim(api: Api, worker: str = "w", **fields: Any) -> tuple[list[str], list[str]]:
    """Keys given, and the codes of the reasons for none."""
    reply = await api.post("/v1/claims", {"worker": worker, **fields})
    return [claim["task"]["key"] for claim in reply["claims"]], [reason["code"] for reason in reply["reasons"]]


async def _tasks(api: Api, *keys: str, **fields: Any) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": key, "key": key, **fields} for key in keys]})


async def test_a_project_gives_no_more_than_its_limit(api: Api) -> None:
    await _tasks(api, "A", "B", "C", "D")
    await api.claim("before")
    await _limit(api, max_claims=3)
    assert (await _claim(api, max_tasks=9))[0] == ["B", "C"], "what was held before the limit counts"
    reply = await api.post("/v1/claims", {"worker": "w"})
    assert reply["reasons"] == [
        {"code": "project_limit", "detail": "1 ready task is held up: 3 of at most 3 tasks of default are held"}
    ]
    named = await api.call("POST", "/v1/claims", {"worker": "w", "task": "D"})
    assert (named.status, named.code) == (409, "project_limit")
    checks = (await api.get("/v1/tasks/D/explain?worker=w"))["checks"]
    assert [check["rule"] for check in checks if not check["passed"]] == ["project_limit"]
    await api.post("/v1/tasks/A/complete", {"fence": 1})
    assert (await _claim(api))[0] == ["D"]


async def test_a_worker_gets_no_more_than_its_limit(api: Api) -> None:
    await api.post("/v1/projects", {"name": "side"})
    await _tasks(api, "A", "B", "C")
    await _tasks(api, "S", project="side", priority=0)
    await _limit(api, max_claims_per_worker=1)
    assert (await _claim(api, "one", max_tasks=9))[0] == ["A", "S"], "another project has no limit"
    assert await _claim(api, "one") == ([], ["worker_limit"])
    assert (await _claim(api, "two"))[0] == ["B"]
    await api.post("/v1/tasks/A/release", {"fence": 1})
    assert (await _claim(api, "one"))[0] == ["A"]


async def test_a_label_has_its_limit(api: Api) -> None:
    await _tasks(api, "A", "B", labels=["gpu", "x"])
    await _tasks(api, "C", labels=["x"], priority=0)
    await _limit(api, max_claims_per_label={"gpu": 1})
    assert (await _claim(api, max_tasks=9))[0] == ["A", "C"]
    assert await _claim(api) == ([], ["label_limit"])
    await api.patch("/v1/tasks/A", {"labels": []})
    assert (await _claim(api))[0] == ["B"], "a task that loses the label counts no more"


async def test_a_lapsed_claim_does_not_count(api: Api, clock: FakeClock) -> None:
    await _tasks(api, "A", "B")
    await _limit(api, max_claims=1)
    await api.claim("w", lease_seconds=5)
    assert await _claim(api, "v") == ([], ["project_limit"])
    clock.advance(6)
    assert (await _claim(api, "v"))[0] == ["A"]
    assert (await _claim(api, "v"))[0] == []


async def test_a_holder_that_comes_back_counts_again(api: Api, clock: FakeClock) -> None:
    await _tasks(api, "A", "B")
    await _limit(api, max_claims=1)
    await api.claim("w", lease_seconds=5)
    clock.advance(6)
    await api.post("/v1/tasks/A/heartbeat", {"fence": 1})
    assert await _claim(api, "v") == ([], ["project_limit"])


async def test_no_limit_is_set_by_zero_and_an_operator_is_above_them(api: Api) -> None:
    await _tasks(api, "A", "B", "C")
    await _limit(api, max_claims=1, max_claims_per_label={"x": 1})
    await api.claim("w")
    wish = {"worker": "w", "task": "B", "override": {"reason": "now"}}
    assert len((await api.post("/v1/claims", wish))["claims"]) == 1
    await _limit(api, max_claims=0, max_claims_per_label={})
    assert (await _claim(api))[0] == ["C"]


async def test_waiting_claims_are_served_when_there_is_room(api: Api) -> None:
    await _tasks(api, "A", "B", "C")
    await _limit(api, max_claims=1)
    await api.claim("w")
    for free in (
        lambda: api.post("/v1/tasks/A/complete", {"fence": 1}),
        lambda: _limit(api, max_claims=2),
    ):
        waiting = asyncio.create_task(_claim(api, "v", wait_seconds=30))
        await api.until_waiting(1)
        await free()
        async with asyncio.timeout(5):
            assert (await waiting)[0] in (["B"], ["C"])


async def test_many_at_once_never_pass_a_limit(api: Api) -> None:
    await _tasks(api, *(f"K{n}" for n in range(40)))
    await _limit(api, max_claims=10, max_claims_per_worker=2)
    given = await asyncio.gather(*(_claim(api, f"w{n % 8}", max_tasks=3) for n in range(32)))
    held = (await api.get("/v1/leases"))["leases"]
    assert len(held) == sum(len(keys) for keys, _ in given) == 10
    assert all([lease["worker"] for lease in held].count(f"w{n}") <= 2 for n in range(8))


@pytest.mark.parametrize(
    "fields",
    [
        {"max_claims": -1}, {"max_claims": 1.5}, {"max_claims_per_worker": 1_000_001},
        {"max_claims_per_label": {"x": 0}}, {"max_claims_per_label": {f"l{n}": 1 for n in range(33)}},
        {"exclusive_files": "yes"},
    ],
)  # fmt: skip
async def test_odd_limits_are_refused(api: Api, fields: dict[str, Any]) -> None:
    assert (await api.call("PATCH", "/v1/projects/default", fields)).code == "invalid_request"


async def test_tasks_that_name_the_same_files_go_one_after_another(api: Api) -> None:
    await _limit(api, exclusive_files=True)
    await _tasks(api, "A", files=["src/a.py", "docs/x.md"])
    await _tasks(api, "B", files=["./src//a.py"])
    await _tasks(api, "C", files=["src/c.py"])
    await _tasks(api, "D")
    assert (await api.get("/v1/tasks/B"))["files"] == ["src/a.py"]
    assert (await _claim(api, max_tasks=9))[0] == ["A", "C", "D"]
    reply = await api.post("/v1/claims", {"worker": "v"})
    assert [reason["code"] for reason in reply["reasons"]] == ["files_in_use"]
    checks = (await api.get("/v1/tasks/B/explain?worker=v"))["checks"]
    assert [c["detail"] for c in checks if not c["passed"]] == ["another task that is worked on names src/a.py"]
    await api.post("/v1/tasks/A/complete", {"fence": 1})
    assert (await _claim(api, "v"))[0] == ["B"]


async def test_files_are_shared_where_nobody_asks_and_across_projects(api: Api) -> None:
    await api.post("/v1/projects", {"name": "side", "exclusive_files": True})
    await _tasks(api, "A", "B", files=["a"])
    await _tasks(api, "S1", "S2", files=["a"], project="side")
    assert (await _claim(api, max_tasks=9))[0] == ["A", "B", "S1"]


async def test_the_best_of_all_projects_is_given_first(api: Api) -> None:
    await api.post("/v1/projects", {"name": "side", "exclusive_files": True})
    await _tasks(api, "LOW", priority=10)
    await _tasks(api, "MID", priority=50, project="side", files=["a"])
    await _tasks(api, "HIGH", priority=90)
    await _tasks(api, "TOP", priority=95, project="side", files=["a"])
    given = [(await _claim(api))[0] for _ in range(4)]
    assert given == [["TOP"], ["HIGH"], ["LOW"], []]


async def test_who_names_a_task_has_chosen_its_files(api: Api) -> None:
    await _limit(api, exclusive_files=True)
    await _tasks(api, "A", "B", files=["a"])
    assert (await _claim(api))[0] == ["A"]
    assert (await _claim(api, "v", task="B"))[0] == ["B"]


async def test_changed_files_count_as_they_are(api: Api) -> None:
    await _limit(api, exclusive_files=True)
    await _tasks(api, "A", "B", files=["a"])
    await _claim(api)
    await api.patch("/v1/tasks/A", {"files": ["other"]})
    assert (await _claim(api, "v"))[0] == ["B"]
    await _tasks(api, "C", files=["other"])
    assert await _claim(api, "v") == ([], ["files_in_use"])


async def test_what_is_removed_names_no_files(api: Api) -> None:
    await _limit(api, exclusive_files=True)
    await _tasks(api, "A", "B", files=["a"], review="required")
    (claim,) = (await api.post("/v1/claims", {"worker": "w"}))["claims"]
    await api.post("/v1/tasks/A/complete", {"fence": claim["fence"]})
    assert await _claim(api) == ([], ["files_in_use"])
    await api.call("DELETE", "/v1/tasks/A")
    assert (await _claim(api))[0] == ["B"]


@pytest.mark.parametrize("files", [["/a"], ["a/../b"], [""], ["."], ["a\nb"], ["x" * 501], ["a"] * 101, "a", [1]])
async def test_odd_files_are_refused(api: Api, files: Any) -> None:
    assert (await api.call("POST", "/v1/tasks", {"title": "t", "files": files})).code == "invalid_request"


async def test_only_so_many_are_passed_over(api: Api) -> None:
    await _limit(api, exclusive_files=True)
    await _tasks(api, "FIRST", files=["a"], priority=100)
    await _tasks(api, *(f"K{n}" for n in range(LOOKED_AT)), files=["a"])
    await _tasks(api, "FREE", priority=0)
    assert (await _claim(api))[0] == ["FIRST"]
    assert await _claim(api) == ([], ["files_in_use"])
    await api.post("/v1/tasks/K0/cancel")
    assert (await _claim(api))[0] == ["FREE"]


@pytest.fixture
async def paced(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> AsyncIterator[Api]:
    """A deck that gives a worker three claims a minute and a principal five."""
    settings = Settings(
        data=tmp_path / "data", port=0, claims_per_minute_per_worker=3, claims_per_minute_per_principal=5
    )
    async with (
        running_deck(settings, clock=clock, ids=ids) as running,
        Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip()) as api,
    ):
        yield api


async def test_a_clock_that_jumps_leaves_the_minute_of_a_limit_as_long_as_it_was(paced: Api, clock: FakeClock) -> None:
    for number in range(9):
        await paced.create(f"t{number}")
    await _claim(paced, "w", max_tasks=3)
    for jump in (-86_400, 3_600):
        clock.jump(jump)
        assert (await paced.call("POST", "/v1/claims", {"worker": "w"})).headers["Retry-After"] == "60"
    clock.advance(60)
    assert len((await _claim(paced, "w", max_tasks=3))[0]) == 3


async def test_a_worker_is_given_so_many_claims_in_any_minute(paced: Api, clock: FakeClock) -> None:
    await _tasks(paced, *(f"K{n}" for n in range(9)))
    assert (await _claim(paced))[0] == ["K0"]
    clock.advance(20)
    assert (await _claim(paced, max_tasks=9))[0] == ["K1", "K2"]
    before = await paced.last_seq()
    for wish in ({"worker": "w"}, {"worker": "w", "task": "K5"}, {"worker": "w", "wait_seconds": 30}):
        reply = await paced.call("POST", "/v1/claims", wish)
        assert (reply.status, reply.code, reply.headers["Retry-After"]) == (429, "rate_limited", "40")
        assert reply.json()["retryable"] is True
    assert await paced.last_seq() == before
    assert (await _claim(paced, "w", task="K0"))[0] == ["K0"], "what it holds it may claim again"
    clock.advance(40)
    assert (await _claim(paced))[0] == ["K3"]
    assert (await paced.call("POST", "/v1/claims", {"worker": "w"})).headers["Retry-After"] == "20"


async def test_a_principal_is_given_so_many_by_whatever_worker(paced: Api, clock: FakeClock) -> None:
    await _tasks(paced, *(f"K{n}" for n in range(9)))
    ann, bob = await paced.token_for("agent", "ann"), await paced.token_for("agent", "bob")
    for worker, count in (("a1", 3), ("a2", 2)):
        reply = await paced.post("/v1/claims", {"worker": worker, "max_tasks": 9}, token=ann)
        assert len(reply["claims"]) == count
    reply = await paced.call("POST", "/v1/claims", {"worker": "a3"}, token=ann)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "60")
    assert len((await paced.post("/v1/claims", {"worker": "b"}, token=bob))["claims"]) == 1


async def test_a_token_is_given_so_many_whoever_else_its_principal_is(tmp_path: Path, clock: FakeClock) -> None:
    settings = Settings(data=tmp_path / "data", port=0, claims_per_minute_per_token=2)
    async with (
        running_deck(settings, clock=clock, ids=CountingIds()) as running,
        Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip()) as api,
    ):
        await _tasks(api, *(f"K{n}" for n in range(9)))
        one, two = await api.token_for("agent", "ann"), await api.token_for("agent", "ann")
        assert len((await api.post("/v1/claims", {"worker": "a", "max_tasks": 9}, token=one))["claims"]) == 2
        reply = await api.call("POST", "/v1/claims", {"worker": "b"}, token=one)
        assert (reply.status, reply.code, reply.headers["Retry-After"]) == (429, "rate_limited", "60")
        told = {token: await api.get("/v1/tasks/K8/explain?worker=b", token=token) for token in (one, two)}
        paced = [next(c for c in told[token]["checks"] if c["rule"] == "rate_limited") for token in (one, two)]
        assert [check["passed"] for check in paced] == [False, True]
        assert (paced[0]["detail"], told[one]["claimable"]) == ("there is room for one more in 60 s", False)
        assert len((await api.post("/v1/claims", {"worker": "b"}, token=two))["claims"]) == 1


async def test_what_is_not_given_is_not_counted(paced: Api) -> None:
    for _ in range(10):
        assert await _claim(paced) == ([], ["nothing_ready"])
    await _tasks(paced, "A")
    for _ in range(5):
        assert (await paced.call("POST", "/v1/claims", {"worker": "w", "task": "A"}, key="once")).status == 200
    await _tasks(paced, "B", "C")
    assert (await _claim(paced, max_tasks=9))[0] == ["B", "C"]


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", clock, ids)
    yield made
    made.close()


def test_what_is_counted_is_what_is_held_whatever_happens(store: BareStore) -> None:
    chance = random.Random(7)
    limits = {"max_claims": 9, "max_claims_per_worker": 4, "max_claims_per_label": {"x": 3}, "exclusive_files": True}
    store(lambda unit: edit_project(unit, ROOT, "default", limits, None))
    wishes = [
        NewTask(
            "t", chance.choice(["default", "side"]), labels=frozenset(chance.choices("xyz", k=2)), max_attempts=5,
            files=chance.choice(["[]", '["a"]', '["a","b"]', '["c"]']),
        )
        for _ in range(60)
    ]  # fmt: skip
    keys = [task.key for task in store(lambda unit: create(unit, ROOT, wishes))]
    given = refused = 0
    for step in range(900):
        key, worker, fence = chance.choice(keys), chance.choice("uvw"), chance.randrange(1, 6)
        works = [
            partial(claim, who=ROOT, request=ClaimRequest(worker, max_tasks=chance.randrange(1, 4))),
            partial(claim, who=ROOT, request=ClaimRequest(worker, key, lease_ms=5_000)),
            partial(claim, who=ROOT, request=ClaimRequest(worker, key, override_reason="r")),
            partial(complete, who=ROOT, ref=key, fence=fence),
            partial(release, who=ROOT, ref=key, fence=fence),
            partial(fail, who=ROOT, ref=key, fence=fence, message="e"),
            partial(heartbeat, who=ROOT, ref=key, fence=fence),
            partial(cancel, who=ROOT, ref=key),
            partial(retry, who=ROOT, ref=key),
            partial(assign, who=ROOT, ref=key, assignee=chance.choice([None, "u"])),
            partial(edit, who=ROOT, ref=key, wish=Edit({"files": '["b"]', "labels": frozenset("x")})),
            partial(override_to_queue, who=ROOT, ref=key, reason="r"),
            partial(override_to_worker, who=ROOT, ref=key, worker=worker, reason="r"),
        ]
        work = chance.choice(works)

        def and_fail(unit: Any, work: Any = work) -> None:
            work(unit)
            raise RuntimeError("undone")

        for attempt in (and_fail, work):
            try:
                store(attempt)
                given += 1
            except (DeckError, RuntimeError):
                refused += 1
        store.clock.advance(chance.random() * 3)
        if step % 50 == 0:
            store.check()
            counts = store.runner.mirror.held.counts
            assert counts["project", "side"] >= 0
    store.check()
    assert store.runner.mirror.held.counts
    assert given > 200
    assert refused > 900
    store.close()
    store.open()
    store.check()
    assert store.runner.mirror.held.on


def test_a_deck_without_limits_counts_nothing(store: BareStore) -> None:
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default", files='["a"]')]))
    store(lambda unit: claim(unit, ROOT, ClaimRequest("w")))
    held = store.runner.mirror.held
    assert (held.on, dict(held.counts)) == (False, {})
