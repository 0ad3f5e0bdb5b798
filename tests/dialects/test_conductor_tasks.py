"""Conductor's human tasks: the acceptance list, items 19 to 27: filling in, passing on, and what time does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from office import (
    JANE,
    JANE_USER,
    JOHN,
    JOHN_USER,
    OFFERED,
    OPENED,
    SAM,
    TASKS,
    Office,
    context_of,
    log_of,
    opened_office,
    steps,
)

VALID = {"approve": "Yes", "comments": "fine"}


@pytest.fixture
async def office(speaking: Any) -> AsyncIterator[Office]:
    async with opened_office(speaking) as opened:
        yield opened


async def _update(office: Office, task: str, values: Any, *, complete: bool = False, **more: Any) -> Any:
    query = "?complete=true" if complete else ""
    return await office.call(more.pop("method", "POST"), f"{TASKS}/{task}/update{query}", values, **more)


async def test_19_filling_in_and_completing(office: Office) -> None:
    task = await office.loan(JOHN)
    await office.claim(task)
    assert (await _update(office, task, {"comments": "x"})).void
    entry = await office.entry(task)
    assert (entry["output"], entry["state"]) == ({"comments": "x"}, "IN_PROGRESS")
    office.clock.advance(5)
    assert (await _update(office, task, {"approve": "Yes"}, complete=True)).void
    done = await office.entry(task)
    assert (done["state"], done["output"]) == ("COMPLETED", {"comments": "x", "approve": "Yes"})
    assert (done["claimant"], done["assignee"], log_of(done)) == (JOHN_USER, JOHN_USER, log_of(entry))
    assert context_of(done)["lastUpdated"] == done["updatedOn"] > entry["updatedOn"]
    native = await office.native.get(f"/v1/tasks/{task}")
    assert (native["state"], native["result"]) == ("done", {"comments": "x", "approve": "Yes"})
    again = [await _update(office, task, VALID), await _update(office, task, {}), await office.claim(task)]
    again += [await office.call("POST", f"{TASKS}/{task}/{verb}") for verb in ("release", "skip")]
    assert {reply.status for reply in again} == {400}


async def test_20_what_does_not_fit_is_not_saved(office: Office) -> None:
    task, plain = await office.loan(JOHN), await office.plain()
    await office.claim(task)
    reply = await _update(office, task, {"approve": "Perhaps", "comments": "x"}, complete=True)
    assert (reply.status, reply.json()["validationErrors"][0]["path"]) == (400, "approve")
    entry = await office.entry(task)
    assert (entry["output"], entry["state"]) == ({}, "IN_PROGRESS")
    short = await _update(office, task, {"approve": "Yes"}, complete=True)
    assert (short.status, short.json()["validationErrors"][0]["path"]) == (400, "comments")
    assert (await _update(office, plain, {}, complete=True)).void
    assert (await office.entry(plain))["state"] == "COMPLETED"


async def test_21_a_body_is_taken_as_it_is(office: Office) -> None:
    task = await office.plain()
    await office.claim(task)
    await _update(office, task, {"output": {"a": 1}})
    assert (await office.entry(task))["output"] == {"output": {"a": 1}}
    for body in (b"[1]", b"{", b'{"a": NaN}'):
        assert (await office.call("POST", f"{TASKS}/{task}/update", data=body)).status == 400


async def test_22_who_may_fill_in(office: Office) -> None:
    held, waiting = await office.loan(JOHN), await office.loan(JANE, by=SAM)
    await office.claim(held)
    assert (await _update(office, held, {"comments": "x"}, as_=JANE)).status == 403
    assert (await _update(office, waiting, {"comments": "x"}, as_=JANE)).status == 403
    assert (await _update(office, waiting, {"comments": "x"}, as_=SAM)).void
    assert (await _update(office, waiting, {"approve": "No"}, complete=True, as_=SAM)).void
    entry = await office.entry(waiting)
    assert (entry["state"], "claimant" in entry, entry["updatedBy"]) == ("COMPLETED", False, SAM)
    assert (entry["output"], entry["assignee"]) == ({"comments": "x", "approve": "No"}, JANE_USER)


async def test_23_put_is_taken_for_post(office: Office) -> None:
    task = await office.loan(JOHN)
    await office.claim(task)
    assert (await _update(office, task, VALID, complete=True, method="PUT")).void
    assert (await office.entry(task))["state"] == "COMPLETED"


async def test_24_reassigning(office: Office) -> None:
    task = await office.loan(JOHN)
    old = (await office.entry(task))["humanTaskDef"]["assignments"]
    new = [{"assignee": JANE_USER, "slaMinutes": 20}, {"assignee": JOHN_USER, "slaMinutes": 0}, {"assignee": JOHN_USER}]
    assert (await office.call("POST", f"{TASKS}/{task}/reassign", new)).void
    entry = await office.entry(task)
    assert (entry["assignee"], context_of(entry)["assigneeIndex"]) == (JANE_USER, 0)
    assert entry["humanTaskDef"]["assignments"] == new
    assert entry["input"]["__humanTaskDefinition"]["assignments"] == old
    assert steps(entry) == [OFFERED, ("REASSIGN", "PENDING", JOHN), OFFERED]
    for bad in (
        [{"assignee": {"userType": "KING", "user": "x"}}],
        [{"assignee": JOHN_USER, "slaMinutes": -1}],
        {},
        [{}],
    ):
        assert (await office.call("POST", f"{TASKS}/{task}/reassign", bad)).status == 400
    assert (await office.call("POST", f"{TASKS}/{task}/reassign", new, as_=SAM)).status == 403
    assert (await office.call("POST", f"{TASKS}/{task}/reassign", [], as_=JANE)).void
    opened = await office.entry(task, as_=SAM)
    assert ("assignee" in opened, context_of(opened)["assignmentsCompleted"]) == (False, True)
    await office.claim(task, as_=SAM)
    assert (await office.call("POST", f"{TASKS}/{task}/reassign", new)).status == 400


async def test_25_skipping(office: Office) -> None:
    task = await office.loan(JANE, JOHN)
    assert (await office.call("POST", f"{TASKS}/{task}/skip", as_=SAM)).status == 403
    assert (await office.call("POST", f"{TASKS}/{task}/skip?reason=P0%20prio", as_=JANE)).void
    entry = await office.entry(task)
    context = context_of(entry)
    assert (entry["assignee"], context["assigneeIndex"], context["skippedAssigneeIndexes"]) == (JOHN_USER, 1, [0])
    assert steps(entry) == [OFFERED, ("SKIP", "PENDING", JANE), OFFERED]
    assert log_of(entry)[1]["reason"] == "P0 prio"
    assert (await office.call("POST", f"{TASKS}/{task}/skip")).void
    entry = await office.entry(task)
    context = context_of(entry)
    assert ("assignee" in entry, context["assignmentsCompleted"], "assigneeIndex" in context) == (False, True, False)
    assert context["skippedAssigneeIndexes"] == [0, 1]
    assert steps(entry)[-1] == OPENED
    assert (await office.call("POST", f"{TASKS}/{task}/skip")).status == 400


async def test_25_a_skip_takes_a_claim_back(office: Office) -> None:
    task = await office.loan(JANE, JOHN)
    await office.claim(task, as_=JANE)
    assert (await office.call("POST", f"{TASKS}/{task}/skip", as_=JANE)).void
    entry = await office.entry(task)
    assert (entry["state"], "claimant" in entry, entry["assignee"]) == ("ASSIGNED", False, JOHN_USER)


def _minute(name: str) -> dict[str, Any]:
    return {"assignee": name, "seconds": 60}


async def test_26_time_passes_a_task_on(office: Office) -> None:
    task, held = await office.loan(_minute(JANE), _minute(JOHN)), await office.loan(_minute(JANE), _minute(JOHN))
    await office.claim(held, as_=JANE)
    begun = log_of(await office.entry(task))[0]["stateStart"]
    office.clock.advance(61)
    assert (await office.claim(task, as_=JANE)).status == 403
    entry = await office.entry(task)
    context = context_of(entry)
    assert (entry["assignee"], context["assigneeIndex"], context["skippedAssigneeIndexes"]) == (JOHN_USER, 1, [])
    assert [one["stateStart"] for one in log_of(entry)] == [begun, begun + 60_000]
    assert entry["updatedOn"] == context["lastUpdated"] == begun + 61_000
    assert (await office.claim(task)).status == 200
    entry = await office.entry(held)
    assert (entry["claimant"], context_of(entry)["assigneeIndex"]) == (JANE_USER, 0)
    await office.call("POST", f"{TASKS}/{held}/release", as_=JANE)
    office.clock.advance(59)
    assert (await office.entry(held))["assignee"] == JANE_USER


async def test_26_when_all_turns_are_over_it_is_open(office: Office) -> None:
    task = await office.loan(_minute(JANE), _minute(JOHN))
    office.clock.advance(122)
    entry = await office.entry(task, as_=SAM)
    assert (steps(entry), "assignee" in entry) == ([OFFERED, OFFERED, OPENED], False)
    assert (await office.claim(task, as_=SAM)).status == 200


async def test_27_when_all_turns_are_over_it_is_given_up(office: Office) -> None:
    task = await office.loan(_minute(JANE), _minute(JOHN), at_end="give_up")
    assert (await office.entry(task))["humanTaskDef"]["assignmentCompletionStrategy"] == "TERMINATE"
    office.clock.advance(122)
    assert (await office.entry(task))["state"] == "DELETED"
    native = await office.native.get(f"/v1/tasks/{task}")
    assert (native["state"], native["error"]["reason"]) == ("failed", "given_up")
    step = (await office.call("GET", f"{TASKS}/{task}/conductorTask")).json()
    assert step["reasonForIncompletion"] == (
        "Task terminated as no more assignments pending and completion strategy is TERMINATE"
    )
    assert (await office.claim(task)).status == 400


async def test_a_task_whose_last_holder_let_its_time_pass_has_timed_out(office: Office) -> None:
    task = await office.plain(max_attempts=1)
    wish = {"worker": "desk", "task": task, "lease_seconds": 5}
    await office.native.post("/v1/claims", wish, token=office.tokens[JOHN])
    office.clock.advance(6)
    entry = await office.entry(task)
    assert (entry["state"], entry["claimant"]["user"]) == ("TIMED_OUT", "desk")
    step = (await office.call("GET", f"{TASKS}/{task}/conductorTask")).json()
    assert (step["status"], step["endTime"] > 0) == ("TIMED_OUT", True)
    assert await office.found(states=["TIMED_OUT"]) == await office.found() == {task}
    assert await office.found(states=["DELETED"]) == set()
    assert (await office.claim(task)).status == 400
    assert (await _update(office, task, {}, complete=True)).status == 400
