"""Conductor's human tasks: the acceptance list of its dialect, items 1 to 18: claiming and giving back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from office import (
    GROUP,
    GROUP_USER,
    INPUT,
    JANE,
    JANE_USER,
    JOHN,
    JOHN_USER,
    OFFERED,
    OPENED,
    SAM,
    TASKS,
    TEMPLATE,
    Office,
    context_of,
    log_of,
    opened_office,
    steps,
    user,
)

CLAIMED_BY_JOHN = ("CLAIM", "IN_PROGRESS", f"CONDUCTOR_USER:{JOHN}")


@pytest.fixture
async def office(speaking: Any) -> AsyncIterator[Office]:
    async with opened_office(speaking) as opened:
        yield opened


async def test_01_a_claim_by_its_assignee(office: Office) -> None:
    task = await office.loan(JOHN)
    office.clock.advance(5)
    reply = await office.claim(task, "?overrideAssignment=false&withTemplate=false")
    entry = reply.json()
    assert (reply.status, entry["state"], entry["definitionName"]) == (200, "IN_PROGRESS", "human")
    assert (entry["assignee"], entry["claimant"]) == (JOHN_USER, JOHN_USER)
    assert entry["createdBy"] == entry["input"]["_createdBy"] == JOHN
    assert (entry["output"], entry["taskRefName"], entry["workflowName"]) == ({}, "human_ref", "LoanApprovalWorkflow")
    assert {name: entry["input"][name] for name in INPUT} == INPUT
    assert steps(entry) == [OFFERED, CLAIMED_BY_JOHN]
    assert [one.get("claimant") for one in log_of(entry)] == [None, JOHN_USER]
    context = context_of(entry)
    assert (context["assigneeIndex"], context["skippedAssigneeIndexes"], context["humanTaskTriggerLog"]) == (0, [], [])
    assert context["assignmentsCompleted"] is False
    assert "fullTemplate" not in entry["humanTaskDef"]


async def test_02_a_claim_in_anothers_place(office: Office) -> None:
    task = await office.loan(JANE)
    entry = (await office.claim(task, "?overrideAssignment=true")).json()
    assert entry["assignee"] == entry["claimant"] == log_of(entry)[1]["assignee"] == JOHN_USER
    for definition in (entry["humanTaskDef"], entry["input"]["__humanTaskDefinition"]):
        assert definition["assignments"][0]["assignee"] == JANE_USER
    assert (log_of(entry)[0]["assignee"], context_of(entry)["assigneeIndex"]) == (JANE_USER, 0)
    assert (await office.entry(task))["assignee"] == JOHN_USER


async def test_03_the_reply_is_of_the_task_asked_for(office: Office) -> None:
    task = await office.loan(JOHN)
    entry = (await office.claim(task, "?overrideAssignment=false&withTemplate=false")).json()
    assert entry["taskId"] == task
    assert entry["humanTaskDef"]["userFormTemplate"] == {"name": "LoanApproval", "version": 1}
    assert "fullTemplate" not in entry["humanTaskDef"]


async def test_04_a_claim_with_the_template(office: Office) -> None:
    task = await office.loan(JOHN)
    entry = (await office.claim(task, "?withTemplate=true")).json()
    full = entry["humanTaskDef"]["fullTemplate"]
    assert (full["name"], full["version"]) == ("LoanApproval", 1)
    assert (full["jsonSchema"], full["templateUI"]) == (TEMPLATE["jsonSchema"], TEMPLATE["templateUI"])
    assert full["createdBy"] == full["updatedBy"] == f"USER:{JOHN}"
    assert isinstance(full["createTime"], int)
    assert full["updateTime"] == full["createTime"]
    assert "fullTemplate" not in entry["input"]["__humanTaskDefinition"]


async def test_05_the_times_of_a_claim(office: Office) -> None:
    task = await office.loan(JOHN)
    office.clock.advance(5)
    entry = (await office.claim(task)).json()
    first, second = log_of(entry)
    assert entry["updatedOn"] == first["stateStart"]
    assert context_of(entry)["lastUpdated"] == second["stateStart"] > entry["updatedOn"]
    later = await office.entry(task)
    assert later["updatedOn"] == context_of(later)["lastUpdated"]
    assert log_of(later) == log_of(entry)


async def test_06_an_unknown_task(office: Office) -> None:
    reply = await office.claim("7c1f0000-0000-4000-8000-000000000000")
    told = reply.json()
    assert (reply.status, told["status"], told["retryable"], told["instance"]) == (400, 400, False, "taskdeck")
    assert isinstance(told["message"], str)
    assert (await office.call("GET", f"{TASKS}/7c1f0000-0000-4000-8000-000000000000")).status == 404


async def test_07_what_is_claimed_is_not_claimed_again(office: Office) -> None:
    task = await office.loan(JOHN)
    await office.claim(task)
    before = await office.entry(task)
    for query in ("", "?overrideAssignment=true"):
        assert (await office.claim(task, query)).status == 400
    assert await office.entry(task) == before


async def test_08_of_twenty_claims_one_succeeds(office: Office) -> None:
    task = await office.loan()
    replies = await asyncio.gather(*(office.claim(task, as_=who) for who in [JOHN, JANE, SAM, JOHN] * 5))
    assert sorted(reply.status for reply in replies) == [200] + [400] * 19
    assert [one["action"] for one in log_of(await office.entry(task))].count("CLAIM") == 1


async def test_09_who_has_no_say_is_told_so(office: Office) -> None:
    task = await office.loan(JANE)
    assert (await office.claim(task)).status == 400
    for query in ("", "?overrideAssignment=true"):
        reply = await office.claim(task, query, as_=SAM)
        assert (reply.status, "error" in reply.json()) == (403, False)


async def test_10_a_member_claims_for_the_group_or_in_its_place(office: Office) -> None:
    first, second = await office.loan(GROUP), await office.loan(GROUP)
    entry = (await office.claim(first, as_=JANE)).json()
    assert (entry["assignee"], entry["claimant"]) == (GROUP_USER, JANE_USER)
    entry = (await office.claim(second, "?overrideAssignment=true", as_=JANE)).json()
    assert (entry["assignee"], entry["claimant"]) == (JANE_USER, JANE_USER)
    assert (await office.entry(first))["assignee"] == GROUP_USER
    assert (await office.entry(second))["assignee"] == JANE_USER


async def test_11_what_is_assigned_to_nobody_is_anybodys(office: Office) -> None:
    task = await office.loan()
    entry = await office.entry(task, as_=SAM)
    assert (entry["state"], "assignee" in entry, steps(entry)) == ("ASSIGNED", False, [OPENED])
    assert entry["humanTaskDef"]["assignments"] == []
    context = context_of(entry)
    assert ("assigneeIndex" in context, context["assignmentsCompleted"]) == (False, True)
    claimed = (await office.claim(task, as_=SAM)).json()
    assert ("assignee" in claimed, claimed["claimant"]) == (False, user(SAM))


async def test_12_a_claim_needs_no_body_and_no_query(office: Office) -> None:
    form = {"data": b"", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    for more, query in ((form, "?overrideAssignment=false&withTemplate=false"), ({}, "?x=1"), ({}, "")):
        task = await office.loan(JOHN)
        assert (await office.call("POST", f"{TASKS}/{task}/claim{query}", **more)).status == 200


async def test_13_a_flag_is_true_or_false(office: Office) -> None:
    task = await office.loan(JOHN)
    assert (await office.claim(task, "?overrideAssignment=maybe")).status == 400
    assert (await office.claim(task, "?overrideAssignment=FALSE&withTemplate=True")).status == 200


async def test_14_a_claim_for_somebody_outside(office: Office) -> None:
    group = user("abc", "EXTERNAL_GROUP")
    first, second = await office.loan("external-group:abc"), await office.loan("external-group:abc")
    entry = (await office.call("POST", f"{TASKS}/{first}/externalUser/abc")).json()
    outsider = user("abc", "EXTERNAL_USER")
    assert (entry["claimant"], entry["assignee"]) == (outsider, group)
    assert log_of(entry)[-1]["actedBy"] == "EXTERNAL_USER:abc"
    entry = (await office.call("POST", f"{TASKS}/{second}/externalUser/abc?overrideAssignment=true")).json()
    assert (entry["assignee"], entry["humanTaskDef"]["assignments"][0]["assignee"]) == (outsider, group)


async def test_15_who_somebody_outside_may_be(office: Office) -> None:
    task = await office.loan("external:bob")
    path = f"{TASKS}/{task}/externalUser"
    assert (await office.call("POST", f"{path}/bob", as_=SAM)).status == 403
    assert (await office.call("POST", f"{path}/eve")).status == 400
    entry = (await office.call("POST", f"{path}/eve?overrideAssignment=true")).json()
    assert entry["assignee"] == entry["claimant"] == user("eve", "EXTERNAL_USER")
    other, of_jane, of_group = await office.loan("external:bob"), await office.loan(JANE), await office.loan(GROUP)
    assert (await office.call("POST", f"{TASKS}/{other}/externalUser/bob")).status == 200
    assert (await office.call("POST", f"{TASKS}/{of_jane}/externalUser/{SAM}")).status == 400
    for task in (of_jane, of_group):
        reply = await office.call("POST", f"{TASKS}/{task}/externalUser/{JANE}")
        assert (reply.status, reply.json()["claimant"]) == (200, user(JANE, "EXTERNAL_USER"))
    nobodys = await office.loan()
    assert (await office.call("POST", f"{TASKS}/{nobodys}/externalUser/x", as_=SAM)).status == 200


@pytest.mark.parametrize(
    ("path", "name"),
    [("jane%20doe%2Bx%40acme.com", "jane doe+x@acme.com"), ("a%2Fb", "a/b"), ("a/b", "a/b"), ("50%25", "50%")],
)
async def test_16_any_name_outside(office: Office, path: str, name: str) -> None:
    task = await office.loan()
    url = f"{office.spoken.url}{TASKS}/{task}/externalUser/{path}"
    import yarl

    reply = await office.session.post(yarl.URL(url, encoded=True), headers={"X-Authorization": office.tokens[JOHN]})
    assert (await reply.json())["claimant"] == user(name, "EXTERNAL_USER")


async def test_17_giving_a_task_back(office: Office) -> None:
    task = await office.loan(JOHN)
    await office.claim(task)
    assert (await office.call("POST", f"{TASKS}/{task}/release", as_=JANE)).status == 403
    assert (await office.call("POST", f"{TASKS}/{task}/release")).void
    entry = await office.entry(task)
    assert (entry["state"], "claimant" in entry, entry["assignee"]) == ("ASSIGNED", False, JOHN_USER)
    assert steps(entry)[2:] == [("RELEASE", "PENDING", JOHN), OFFERED]
    assert ("claimant" in log_of(entry)[2], log_of(entry)[2]["assignee"]) == (False, JOHN_USER)
    assert (await office.call("POST", f"{TASKS}/{task}/release")).status == 400


async def test_18_after_an_override_the_assignee_comes_back(office: Office) -> None:
    task = await office.loan(JANE)
    await office.claim(task, "?overrideAssignment=true")
    await office.call("POST", f"{TASKS}/{task}/release")
    assert (await office.entry(task))["assignee"] == JANE_USER
    entry = (await office.claim(task, as_=JANE)).json()
    assert (entry["assignee"], entry["claimant"], len(log_of(entry))) == (JANE_USER, JANE_USER, 5)
    assert log_of(entry)[-1]["action"] == "CLAIM"
    assert log_of(entry) == log_of(await office.entry(task))
