"""Conductor's human tasks: the acceptance list, items 28 to 33: searching, and templates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from office import GROUP, JANE, JANE_USER, JOHN, JOHN_USER, SAM, TASKS, TEMPLATE, Office, opened_office

PLAIN = {
    "size": 15, "start": 0, "states": [], "definitionNames": [], "taskRefNames": [], "claimants": [], "assignees": [],
    "taskInputQuery": "", "taskOutputQuery": "",
}  # fmt: skip
"""What the client's `search({})` sends."""
TEMPLATES = "/api/human/template"


@pytest.fixture
async def office(speaking: Any) -> AsyncIterator[Office]:
    async with opened_office(speaking) as opened:
        yield opened


async def test_28_a_plain_search_pages_what_is_not_deleted(office: Office) -> None:
    tasks = []
    for number in range(5):
        tasks.append(await office.loan(JOHN, title=f"Loan {number}"))
        office.clock.advance(1)
    await office.call("DELETE", f"{TASKS}/delete/{tasks[1]}")
    office.clock.advance(1)
    await office.claim(tasks[0])
    found = await office.search(**PLAIN)
    assert {name: found[name] for name in ("totalHits", "hits", "start", "pageSizeLimit")} == {
        "totalHits": 4, "hits": 4, "start": 0, "pageSizeLimit": 15,
    }  # fmt: skip
    order = [entry["taskId"] for entry in found["results"]]
    assert order == [tasks[0], tasks[4], tasks[3], tasks[2]]
    assert found["results"][0] == await office.entry(tasks[0])
    page = await office.search(**PLAIN | {"size": 2, "start": 2})
    assert [entry["taskId"] for entry in page["results"]] == order[2:]
    assert (page["totalHits"], page["hits"], page["start"], page["pageSizeLimit"]) == (4, 2, 2, 2)
    assert (await office.search(**PLAIN | {"size": 9_999}))["pageSizeLimit"] == 500
    for bad in ({"size": -1}, {"start": -1}, {"states": ["HELD"]}, {"taskInputQuery": 7}):
        assert (await office.call("POST", f"{TASKS}/search", PLAIN | bad)).status == 400


async def test_29_each_filter_narrows(office: Office) -> None:
    loan = await office.loan(JOHN, run="wf-1")
    given = {"displayName": "Two", "definitionName": "check", "taskRefName": "two_ref", "workflowName": "Other"}
    office.clock.advance(10)
    other = await office.loan(GROUP, extra={"conductor": given})
    between = (await office.entry(other))["updatedOn"]
    workflow = (await office.entry(other))["workflowId"]
    office.clock.advance(10)
    await office.claim(other, as_=JANE)
    both = {loan, other}
    assert await office.found(**PLAIN) == both
    for wanted, expected in (
        ({"states": ["ASSIGNED"]}, {loan}),
        ({"states": ["ASSIGNED", "IN_PROGRESS"]}, both),
        ({"taskRefNames": ["two_ref", "x"]}, {other}),
        ({"workflowIds": ["wf-1"]}, {loan}),
        ({"workflowIds": [workflow]}, {other}),
        ({"workflowIds": [workflow, "wf-1"]}, both),
        ({"displayNames": ["LoanApproval"]}, {loan}),
        ({"definitionNames": ["check"]}, {other}),
        ({"workflowNames": ["LoanApprovalWorkflow"]}, {loan}),
        ({"assignees": [{"user": "john*"}]}, {loan}),
        ({"assignees": [{"user": "*writ*", "userType": "CONDUCTOR_GROUP"}]}, {other}),
        ({"assignees": [{"user": JOHN, "userType": "EXTERNAL_USER"}]}, set()),
        ({"claimants": [JANE_USER]}, {other}),
        ({"claimants": [JOHN_USER]}, set()),
        ({"updateEndTime": between}, {loan}),
        ({"updateStartTime": between + 1}, {other}),
        ({"updateStartTime": between + 1, "states": ["ASSIGNED"]}, set()),
    ):
        assert await office.found(**PLAIN | wanted) == expected, wanted


async def test_30_who_sees_what(office: Office) -> None:
    johns, groups, nobodys = await office.loan(JOHN), await office.loan(GROUP), await office.loan()
    sams = await office.loan(JOHN, by=SAM)
    assert (await office.search(SAM, searchType="ADMIN"))["totalHits"] == 0
    assert (await office.search(JOHN, searchType="ADMIN"))["totalHits"] == 4
    assert await office.found(JANE, searchType="INBOX") == {groups, nobodys}
    assert await office.found(SAM, searchType="INBOX") == {nobodys}
    assert await office.found(SAM) == {nobodys, sams}
    await office.claim(nobodys, as_=JANE)
    assert await office.found(JANE, searchType="INBOX") == {groups, nobodys}
    assert await office.found(SAM, searchType="INBOX") == set()
    for task, who, status in ((johns, SAM, 403), (sams, SAM, 200), (groups, JANE, 200), (groups, SAM, 403)):
        assert (await office.call("GET", f"{TASKS}/{task}", as_=who)).status == status


async def test_31_what_a_task_says_is_found(office: Office) -> None:
    task = await office.loan(JOHN)
    await office.loan(JOHN, payload={"loan_amount": 1.5, "x": {"y": True}})
    for text, found in (
        ("loan_amount = 80000 AND paperUrl = doc*", True),
        ("loan_amount IN (1, 2)", False),
        ("loan_amount IN (1, 80000) and not_there = x OR approve = ''", False),
        ('(paperUrl = "documents.pdf" OR x = 1) AND loan_amount = 8*0', True),
        ('paperUrl = "DOCUMENTS.pdf"', False),
    ):
        assert (task in await office.found(**PLAIN | {"taskInputQuery": text})) == found, text
    assert len(await office.found(taskInputQuery="x.y = true")) == 1
    assert len(await office.found(taskInputQuery="loan_amount = 1.5")) == 1
    for bad in (
        "loan_amount =",
        "= 1",
        "a = 1 AND",
        "(a = 1",
        'a = "x',
        "a IN 1",
        "a = 1 b = 2",
        "(" * 60,
        "a=1 " * 900,
    ):
        assert (await office.call("POST", f"{TASKS}/search", {"taskInputQuery": bad})).status == 400, bad
    for text, found in (
        ('"bank-statement.pdf" OR nothing', True),
        ("BANK-statement.pdf documents.pdf", True),
        ("bank-statement.pdf AND nothing", False),
        ("bank-*", True),
        ("atement.pdf", False),
        ("*atement.p*", True),
        (f'"{JOHN}"', True),
        ("LoanApprovalWorkflow", True),
    ):
        assert (task in await office.found(**PLAIN | {"fullTextQuery": text})) == found, text
    await office.claim(task)
    await office.call("POST", f"{TASKS}/{task}/update", {"comments": "well done"})
    assert await office.found(taskOutputQuery='comments = "well done"') == {task}
    assert await office.found(fullTextQuery='"well done"') == {task}


async def test_32_a_task_and_its_template(office: Office) -> None:
    task = await office.loan(JOHN)
    assert "fullTemplate" not in (await office.entry(task))["humanTaskDef"]
    full = (await office.entry(task, query="?withTemplate=true"))["humanTaskDef"]["fullTemplate"]
    assert (await office.call("GET", f"{TEMPLATES}/LoanApproval/1")).json() == full
    assert (await office.call("GET", f"{TEMPLATES}/{task}")).json() == full
    for gone in ("LoanApproval/2", "Nothing/1"):
        assert (await office.call("GET", f"{TEMPLATES}/{gone}")).status == 404
    plain = await office.plain()
    assert (await office.call("GET", f"{TEMPLATES}/{plain}")).status == 404
    assert (await office.call("GET", f"{TEMPLATES}/7c1f0000-0000-4000-8000-000000000000")).status == 400
    await office.call("DELETE", f"{TEMPLATES}/LoanApproval/1")
    reply = await office.claim(task, "?withTemplate=true")
    assert (reply.status, "fullTemplate" in reply.json()["humanTaskDef"]) == (200, False)


async def test_33_versions_of_templates(office: Office) -> None:
    shape = {"name": "Leave request", "jsonSchema": TEMPLATE["jsonSchema"], "templateUI": TEMPLATE["templateUI"]}

    async def save(query: str = "", **more: Any) -> Any:
        reply = await office.call("POST", f"{TEMPLATES}{query}", shape | more, as_=SAM)
        assert reply.status == 200, reply
        return reply.json()

    first = await save()
    assert (first["version"], first["createdBy"]) == (1, f"USER:{SAM}")
    assert (await save("?newVersion=true"))["version"] == 2
    office.clock.advance(5)
    changed = await save("?newVersion=true", version=1, templateUI={"type": "Group"})
    assert (changed["version"], changed["templateUI"]) == (1, {"type": "Group"})
    assert (changed["createTime"], changed["updateTime"] > first["updateTime"]) == (first["createTime"], True)
    assert (await save(version=0))["version"] == 2
    listed = (await office.call("GET", f"{TEMPLATES}?name=Leave%20request")).json()
    assert [one["version"] for one in listed] == [2, 1]
    (one,) = (await office.call("GET", f"{TEMPLATES}?name=Leave%20request&version=1")).json()
    assert one == changed
    names = [(one["name"], one["version"]) for one in (await office.call("GET", TEMPLATES)).json()]
    assert names == [("Leave request", 2), ("Leave request", 1), ("LoanApproval", 1)]
    assert (await office.call("GET", f"{TEMPLATES}?name=Nothing")).status == 404
    assert (await office.call("DELETE", f"{TEMPLATES}/Leave%20request/2")).void
    assert (await office.call("GET", f"{TEMPLATES}/Leave%20request/2")).status == 404
    assert (await office.call("DELETE", f"{TEMPLATES}/Leave%20request")).void
    for gone in ("Leave%20request", "Leave%20request/1", "Nothing"):
        assert (await office.call("DELETE", f"{TEMPLATES}/{gone}")).status == 500
    for bad in (
        {"name": "x"},
        {"name": "x", "jsonSchema": [], "templateUI": {}},
        [],
        shape | {"jsonSchema": {"type": 1}},
    ):
        assert (await office.call("POST", TEMPLATES, bad)).status == 400
    bulk = await office.call("POST", f"{TEMPLATES}/bulk?newVersion=true", [shape, shape | {"name": "B"}, shape])
    assert [(one["name"], one["version"]) for one in bulk.json()] == [
        ("Leave request", 1),
        ("B", 1),
        ("Leave request", 2),
    ]
    half = await office.call("POST", f"{TEMPLATES}/bulk", [shape | {"name": "C"}, shape | {"jsonSchema": {"type": 1}}])
    assert half.status == 400
    assert (await office.call("GET", f"{TEMPLATES}?name=C")).status == 404


async def test_tags_belong_to_a_templates_name(office: Office) -> None:
    path = f"{TEMPLATES}/LoanApproval/tags"
    assert (await office.call("GET", path)).json() == []
    assert (await office.call("PUT", path, [{"key": "team", "value": "loans"}, {"key": "a", "value": "1"}])).void
    assert (await office.call("PUT", path, [{"key": "a", "value": "2"}])).void
    assert (await office.call("DELETE", path, [{"key": "team", "value": "other"}, {"key": "a", "value": "2"}])).void
    assert (await office.call("GET", path)).json() == [{"key": "team", "value": "loans"}]
    for method in ("GET", "PUT", "DELETE"):
        document = None if method == "GET" else [{"key": "a", "value": "b"}]
        assert (await office.call(method, f"{TEMPLATES}/Nothing/tags", document)).status == 404


async def test_a_name_that_is_too_long_is_refused(office: Office) -> None:
    task = await office.loan()
    reply = await office.call("POST", f"{TASKS}/{task}/externalUser/{'x' * 130}")
    assert (reply.status, reply.json()["code"]) == (400, "invalid_request")
    for name in ("x" * 130, "a\tb", ""):
        assignment = [{"assignee": {"userType": "EXTERNAL_USER", "user": name}}]
        assert (await office.call("POST", f"{TASKS}/{task}/reassign", assignment)).status == 400
    assert (await office.entry(task))["state"] == "ASSIGNED"


async def test_a_page_of_long_tasks_is_shorter(office: Office) -> None:
    for _ in range(22):
        await office.plain(payload={"text": "x" * 200_000})
    found = await office.search(size=50)
    assert found["totalHits"] == 22
    assert 0 < found["hits"] == len(found["results"]) < 22
