"""Links and attachments: once each, bounded, told in events, and seen by whom the task is seen."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.app import RunningDeck
from taskdeck.domain.attachment import MAX_ATTACHMENTS, MAX_INLINE, MAX_INLINE_OF_TASK
from taskdeck.domain.link import MAX_LINKS, LinkKind

LINK = {"id", "kind", "repository", "target", "url", "added_by", "added_at"}
ATTACHMENT = {"id", "name", "content_type", "size", "reference", "text", "value", "created_by", "created_at",
              "updated_by", "updated_at"}  # fmt: skip


async def test_a_task_names_each_thing_once(api: Api) -> None:
    task = await api.create()
    path = f"/v1/tasks/{task['key']}/links"
    token = await api.token_for("agent", "ann")
    wish = {"kind": "pr", "target": "5", "repository": "o/r", "url": "https://example.org/pull/5"}
    first = await api.call("POST", path, wish, token=token)
    assert first.status == 201
    made = first.json()
    assert made.keys() == LINK
    assert {name: made[name] for name in wish} == wish
    assert made["added_by"] == "ann"
    again = await api.call("POST", path, wish | {"url": "https://example.org/other"})
    assert (again.status, again.json()) == (200, made)
    for other in (wish | {"repository": "o/s"}, wish | {"target": "6"}, wish | {"kind": "branch"},
                  {"kind": "pr", "target": "5"}, {"kind": "url", "target": "https://example.org"},
                  {"kind": "file", "target": "src/a b.py"}, {"kind": "commit", "target": "abc"}):  # fmt: skip
        assert (await api.call("POST", path, other)).status == 201, other
        assert (await api.call("POST", path, other)).status == 200, other
    assert len((await api.get(path))["links"]) == 8
    assert (await api.get(path))["links"][0] == made
    events = await api.events(type="task.linked")
    assert len(events) == 8
    assert (events[0]["actor"], events[0]["facts"], events[0]["changes"]) == ("ann", {"link": made}, {})
    assert await api.delete(f"{path}/{made['id']}") == {"deleted": made["id"]}
    (gone,) = await api.events(type="task.unlinked")
    assert gone["facts"] == {"link": made}
    assert (await api.call("DELETE", f"{path}/{made['id']}")).code == "unknown_link"
    assert set(LinkKind) == {link["kind"] for link in (await api.get(path))["links"]} | {"pr"}


@pytest.mark.parametrize(
    "wish",
    [{"kind": "cat", "target": "x"}, {"kind": "pr"}, {"kind": "pr", "target": ""}, {"kind": "pr", "target": "a\nb"},
     {"kind": "pr", "target": "x" * 1_001}, {"kind": "pr", "target": 5}, {"kind": "url", "target": "example.org"},
     {"kind": "url", "target": "javascript:alert(1)"}, {"kind": "url", "target": "http://[x"},
     {"kind": "pr", "target": "5", "url": "ftp://example.org"}, {"kind": "pr", "target": "5", "url": "https://"},
     {"kind": "url", "target": "https://a.org", "url": "https://b.org"}],
)  # fmt: skip
async def test_a_bad_link_is_refused(api: Api, wish: dict[str, Any]) -> None:
    task = await api.create()
    reply = await api.call("POST", f"/v1/tasks/{task['key']}/links", wish)
    assert (reply.status, reply.code) == (422, "invalid_request"), reply
    assert (await api.get(f"/v1/tasks/{task['key']}/links"))["links"] == []


async def test_a_task_has_so_many_links_and_no_more(api: Api) -> None:
    path = f"/v1/tasks/{(await api.create())['key']}/links"
    for n in range(MAX_LINKS):
        await api.post(path, {"kind": "commit", "target": str(n)})
    reply = await api.call("POST", path, {"kind": "commit", "target": "more"})
    assert (reply.status, reply.code) == (409, "too_many")
    assert (await api.call("POST", path, {"kind": "commit", "target": "5"})).status == 200


async def test_what_is_attached_comes_back_and_is_replaced(api: Api, clock: FakeClock) -> None:
    task = await api.create()
    path = f"/v1/tasks/{task['key']}/attachments"
    ann = await api.token_for("agent", "ann")
    value = {"steps": [1, None, "ü"]}
    first = await api.call("POST", path, {"name": "plan", "value": value}, token=ann)
    assert first.status == 201
    made = first.json()
    assert made.keys() == ATTACHMENT
    assert (made["value"], made["text"], made["content_type"]) == (value, None, "application/json")
    assert made["size"] == len('{"steps":[1,null,"ü"]}'.encode())
    log = {"name": "log", "reference": "s3://bucket/log", "size": 2**40, "content_type": "text/plain; charset=utf-8"}
    second = await api.post(path, log)
    assert {name: second[name] for name in log} == log
    clock.advance(5)
    reply = await api.call("POST", path, {"name": "plan", "text": "# Plan", "content_type": "text/markdown"})
    assert reply.status == 200
    changed = reply.json()
    assert (changed["id"], changed["created_by"], changed["created_at"]) == (made["id"], "ann", made["created_at"])
    assert (changed["updated_by"], changed["text"], changed["value"], changed["size"]) == ("admin", "# Plan", None, 6)
    assert (await api.get(path))["attachments"] == [second, changed]
    assert await api.get(f"{path}/plan") == changed
    events = await api.events(type="task.attached")
    assert [event["facts"]["replaced"] is None for event in events] == [True, True, False]
    assert events[2]["facts"]["replaced"] == {k: v for k, v in made.items() if k not in ("text", "value")}
    assert "Plan" not in str(events[2]["facts"]["attachment"])
    assert await api.delete(f"{path}/plan") == {"deleted": "plan"}
    assert len(await api.events(type="task.detached")) == 1
    for method in ("GET", "DELETE"):
        assert (await api.call(method, f"{path}/plan")).code == "unknown_attachment"
    assert [one["name"] for one in (await api.get(path))["attachments"]] == ["log"]


@pytest.mark.parametrize(
    "wish",
    [{"name": "n"}, {"name": "n", "value": None}, {"name": "", "text": "t"}, {"name": "x" * 101, "text": "t"},
     {"text": "t"}, {"name": "n", "text": "a\0"}, {"name": "n", "text": "t", "size": -1},
     {"name": "n", "text": "t", "content_type": "plain"}, {"name": "n", "reference": ""},
     {"name": "n", "reference": "a\x1b[2J"}, {"name": "n", "text": "x" * (MAX_INLINE + 1)},
     {"name": "n", "text": "ü" * (MAX_INLINE // 2 + 1)}, {"name": "n", "value": "x" * MAX_INLINE},
     {"name": "n", "text": "x" * (MAX_INLINE - 2), "value": "x"}],
)  # fmt: skip
async def test_a_bad_attachment_is_refused(api: Api, wish: dict[str, Any]) -> None:
    task = await api.create()
    before = await api.last_seq()
    reply = await api.call("POST", f"/v1/tasks/{task['key']}/attachments", wish)
    assert (reply.status, reply.code) == (422, "invalid_request"), reply
    assert await api.last_seq() == before


async def test_attachments_have_a_number_and_a_size_that_they_do_not_exceed(api: Api) -> None:
    path = f"/v1/tasks/{(await api.create())['key']}/attachments"
    most = MAX_INLINE_OF_TASK // MAX_INLINE
    for n in range(most):
        await api.post(path, {"name": f"full-{n}", "text": "x" * MAX_INLINE})
    reply = await api.call("POST", path, {"name": "drop", "text": "x"})
    assert (reply.status, reply.code) == (409, "too_many")
    assert (await api.call("POST", path, {"name": "full-0", "text": "y" * MAX_INLINE})).status == 200
    assert (await api.call("POST", path, {"name": "elsewhere", "reference": "file:///x"})).status == 201
    for n in range(MAX_ATTACHMENTS - most - 1):
        await api.post(path, {"name": f"ref-{n}", "reference": "r"})
    assert (await api.call("POST", path, {"name": "one more", "reference": "r"})).code == "too_many"
    assert (await api.call("POST", path, {"name": "ref-0", "reference": "s"})).status == 200


async def test_both_go_with_their_task_and_stay_in_their_project(api: Api, served: RunningDeck) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    task, other = await api.create(key="ONE"), await api.create(key="TWO")
    link = await api.post("/v1/tasks/ONE/links", {"kind": "branch", "target": "main"})
    await api.post("/v1/tasks/ONE/attachments", {"name": "n", "text": "t"})
    assert (await api.call("DELETE", f"/v1/tasks/TWO/links/{link['id']}")).code == "unknown_link"
    assert (await api.call("GET", "/v1/tasks/TWO/attachments/n")).code == "unknown_attachment"
    assert (await api.get("/v1/tasks/TWO/links"))["links"] == []
    inside = await api.token_for("operator", "inside", projects=["ours"])
    reader = await api.token_for("reader", "eve")
    for method, path, document in (
        ("GET", "links", None),
        ("POST", "links", {"kind": "branch", "target": "x"}),
        ("DELETE", f"links/{link['id']}", None),
        ("GET", "attachments", None),
        ("GET", "attachments/n", None),
        ("POST", "attachments", {"name": "n", "text": "x"}),
        ("DELETE", "attachments/n", None),
    ):
        assert (await api.call(method, f"/v1/tasks/ONE/{path}", document, token=inside)).code == "unknown_task", path
        reply = await api.call(method, f"/v1/tasks/ONE/{path}", document, token=reader)
        assert reply.status == (200 if method == "GET" else 403), path
    await api.delete(f"/v1/tasks/{task['key']}")
    for table in ("links", "attachments"):
        assert await served.deck.reader.rows(f"SELECT * FROM {table}") == []  # noqa: S608
    assert other
