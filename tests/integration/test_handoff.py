"""Handoff notes: what a holder leaves, however it loses its task, reaches the next one with its claim."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.finish import complete
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest, NewTask

SHAPE = {"note", "worker", "principal", "state", "progress", "attempt", "at"}


async def _held(api: Api, worker: str = "w", **fields: Any) -> Any:
    """A task and the claim of `worker` on it."""
    task = await api.create(**fields)
    return await api.claim(worker, task=task["key"])


async def _reports(api: Api, claim: Any, **fields: Any) -> str:
    path = f"/v1/tasks/{claim['task']['key']}"
    await api.post(f"{path}/heartbeat", {"fence": claim["fence"], **fields})
    return path


async def test_a_note_left_at_release_comes_with_the_next_claim(api: Api) -> None:
    first = await _held(api)
    assert first["task"]["handoff"] is None
    path = await _reports(api, first, progress=40, state="errored", detail="boom")
    released = await api.post(f"{path}/release", {"fence": 1, "note": "step 2 is left"})
    left = released["handoff"]
    assert left.keys() == SHAPE
    assert (left["note"], left["worker"], left["principal"]) == ("step 2 is left", "w", "admin")
    assert (left["state"], left["progress"], left["attempt"]) == ("errored", 40, 1)
    (event,) = await api.events(type="task.released")
    assert event["changes"]["handoff"] == left
    again = await api.claim("x")
    assert again["task"]["handoff"] == left == (await api.get(path))["handoff"]
    assert "handoff" not in (await api.get("/v1/tasks?view=summary"))["tasks"][0]


async def test_without_a_note_the_last_report_is_left(api: Api) -> None:
    claim = await _held(api)
    path = await _reports(api, claim, detail="reading the logs")
    assert (await api.post(f"{path}/release", {"fence": 1}))["handoff"]["note"] == "reading the logs"
    second = await api.claim("x")
    silent = await api.post(f"{path}/release", {"fence": second["fence"], "note": ""})
    assert (silent["handoff"]["note"], silent["handoff"]["worker"]) == ("reading the logs", "w")


async def test_a_failed_attempt_leaves_its_note_for_good_or_not(api: Api, clock: FakeClock) -> None:
    claim = await _held(api)
    path = f"/v1/tasks/{claim['task']['key']}"
    failed = await api.post(f"{path}/fail", {"fence": 1, "error": "e", "note": "not on mondays", "delay_seconds": 1})
    assert failed["handoff"]["note"] == "not on mondays"
    (event,) = await api.events(type="task.failed")
    assert event["facts"]["note"] == "not on mondays"
    clock.advance(2)
    second = await api.claim("x")
    given_up = await api.post(
        f"{path}/fail", {"fence": second["fence"], "error": "e", "retry": False, "note": "ask mira"}
    )
    assert (given_up["state"], given_up["handoff"]["note"], given_up["handoff"]["attempt"]) == ("failed", "ask mira", 2)
    await api.post(f"{path}/retry")
    assert (await api.claim("y"))["task"]["handoff"]["note"] == "ask mira"


async def test_a_lapsed_holder_leaves_what_it_last_said(api: Api, clock: FakeClock) -> None:
    claim = await _held(api, max_attempts=2)
    path = await _reports(api, claim, detail="compiling", progress=70, lease_seconds=300)
    clock.advance(301)
    taken = await api.claim("x")
    left = taken["task"]["handoff"]
    assert (left["note"], left["worker"], left["progress"], left["attempt"]) == ("compiling", "w", 70, 1)
    assert taken["task"]["claim"]["detail"] is None
    await api.post(f"{path}/heartbeat", {"fence": taken["fence"], "detail": "linking"})
    clock.advance(301)
    await api.tick()
    lost = await api.get(path)
    assert (lost["state"], lost["handoff"]["note"], lost["handoff"]["worker"]) == ("failed", "linking", "x")


@pytest.mark.parametrize("target", [{"worker": "new"}, {"assignee": "new"}, {"release": True}])
async def test_an_overridden_holder_leaves_what_it_last_said(api: Api, target: dict[str, Any]) -> None:
    await api.register("new")
    path = await _reports(api, await _held(api), detail="half way")
    task = await api.post(f"{path}/override", {"reason": "r", **target})
    assert (task["handoff"]["note"], task["handoff"]["worker"]) == ("half way", "w")


async def test_a_claim_by_override_finds_it_too(api: Api) -> None:
    path = await _reports(api, await _held(api), detail="half way")
    taken = await api.claim("new", task=path.rpartition("/")[2], override={"reason": "r"})
    assert taken["task"]["handoff"]["note"] == "half way"


async def test_a_done_task_hands_nothing_off(api: Api) -> None:
    claim = await _held(api)
    path = f"/v1/tasks/{claim['task']['key']}"
    await api.post(f"{path}/release", {"fence": 1, "note": "n"})
    again = await api.claim("x")
    assert (await api.post(f"{path}/complete", {"fence": again["fence"]}))["handoff"] is None
    await api.post(f"{path}/retry")
    assert (await api.claim("y"))["task"]["handoff"] is None


@pytest.mark.parametrize("verb", ["release", "fail"])
async def test_a_bad_note_is_refused(api: Api, verb: str) -> None:
    claim = await _held(api)
    more = {"error": "e"} if verb == "fail" else {}
    for note in ("x" * 10_001, "a\0b", 5):
        reply = await api.call("POST", f"/v1/tasks/{claim['task']['key']}/{verb}", {"fence": 1, "note": note, **more})
        assert (reply.status, reply.code) == (422, "invalid_request")
    assert (await api.get(f"/v1/tasks/{claim['task']['key']}"))["state"] == "claimed"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    yield made
    made.close()


def test_a_note_costs_claim_and_completion_no_statement(store: BareStore) -> None:
    """It is read and written with the task's own row."""

    def statements(ref: str) -> list[int]:
        counts = []
        for work in (partial(claim, who=ROOT, request=ClaimRequest("w", ref)), partial(complete, who=ROOT, ref=ref)):
            seen: list[str] = []
            store.runner.connection.set_trace_callback(seen.append)
            fence = {"fence": store.rows("SELECT fence FROM tasks WHERE key = ?", (ref,))[0][0]}
            store(partial(work, **({} if "request" in work.keywords else fence)))
            store.runner.connection.set_trace_callback(None)
            counts.append(len(seen))
        return counts

    store(lambda unit: create(unit, ROOT, [NewTask("t", "default"), NewTask("t", "default")]))
    for ref, note in (("T1", None), ("T2", "look at the log")):
        store(partial(claim, who=ROOT, request=ClaimRequest("w", ref)))
        store(partial(release, who=ROOT, ref=ref, fence=1, note=note))
    assert statements("T1") == statements("T2")
