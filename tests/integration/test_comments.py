"""Comments: who may say, mend and take back what, what is kept of it, and how it is listed."""

from __future__ import annotations

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.app import RunningDeck
from taskdeck.domain.comment import MAX_COMMENT, MAX_COMMENTS


async def _facts(api: Api, kind: str) -> list[dict]:
    return [event["facts"] for event in await api.events(type=kind)]


async def test_a_comment_is_said_listed_and_told(api: Api, clock: FakeClock) -> None:
    task = await api.create()
    token = await api.token_for("agent", "ann")
    made = await api.post(
        f"/v1/tasks/{task['key']}/comments", {"text": "why so?\nsee [red]x", "byline": "A"}, token=token
    )
    assert made.keys() == {"id", "author", "byline", "text", "created_at", "edited_at"}
    assert (made["author"], made["byline"], made["text"], made["edited_at"]) == (
        "ann",
        "A",
        "why so?\nsee [red]x",
        None,
    )
    assert await api.get(f"/v1/tasks/{task['id']}/comments") == {"comments": [made], "next_cursor": None}
    (event,) = await api.events(type="task.commented")
    assert (event["actor"], event["task"]["key"], event["changes"]) == ("ann", task["key"], {})
    assert event["facts"] == {"comment": made}
    assert await api.get(f"/v1/tasks/{task['key']}") == task
    assert [e["type"] for e in (await api.get(f"/v1/tasks/{task['key']}/events"))["events"]] == [
        "task.created",
        "task.commented",
    ]


async def test_only_its_author_or_an_operator_changes_a_comment(api: Api, clock: FakeClock) -> None:
    path = f"/v1/tasks/{(await api.create())['key']}/comments"
    ann, bob = await api.token_for("agent", "ann"), await api.token_for("agent", "bob")
    reader = await api.token_for("reader", "eve")
    first = await api.post(path, {"text": "one"}, token=ann)
    before = await api.last_seq()
    for document, method in (({"text": "mine now"}, "PATCH"), (None, "DELETE")):
        for token in (bob, reader):
            reply = await api.call(method, f"{path}/{first['id']}", document, token=token)
            assert (reply.status, reply.code) == (403, "forbidden")
    assert (await api.call("POST", path, {"text": "x"}, token=reader)).status == 403
    assert await api.last_seq() == before
    clock.advance(5)
    edited = await api.patch(f"{path}/{first['id']}", {"text": "two"}, token=ann)
    assert (edited["text"], edited["created_at"]) == ("two", first["created_at"])
    assert edited["edited_at"] > first["created_at"]
    assert (await api.patch(f"{path}/{first['id']}", {"text": "two"}, token=ann)) == edited
    mended = await api.patch(f"{path}/{first['id']}", {"text": "three"})
    assert (mended["text"], mended["author"]) == ("three", "ann")
    assert [(f["before"], f["comment"]["text"]) for f in await _facts(api, "task.comment_edited")] == [
        ("one", "two"),
        ("two", "three"),
    ]
    assert await api.delete(f"{path}/{first['id']}", token=ann) == {"deleted": first["id"]}
    (gone,) = await _facts(api, "task.comment_deleted")
    assert gone["comment"]["text"] == "three"
    assert (await api.get(path))["comments"] == []
    assert (await api.call("DELETE", f"{path}/{first['id']}")).code == "unknown_comment"


async def test_comments_page_and_stay_apart(api: Api) -> None:
    one, two = await api.create(key="ONE"), await api.create(key="TWO")
    for n in range(7):
        await api.post(f"/v1/tasks/{(one, two)[n % 2]['key']}/comments", {"text": str(n)})
    found, cursor = [], ""
    while True:
        shown = await api.get(f"/v1/tasks/ONE/comments?limit=2{cursor}")
        assert len(shown["comments"]) <= 2
        found += shown["comments"]
        if shown["next_cursor"] is None:
            break
        cursor = f"&cursor={shown['next_cursor']}"
        await api.post("/v1/tasks/TWO/comments", {"text": "meanwhile"})
    assert [comment["text"] for comment in found] == ["0", "2", "4", "6"]
    other = found[0]["id"]
    for method, document in (("PATCH", {"text": "x"}), ("DELETE", None)):
        assert (await api.call(method, f"/v1/tasks/TWO/comments/{other}", document)).code == "unknown_comment"
    assert (await api.call("GET", "/v1/tasks/ONE/comments?cursor=x")).code == "invalid_request"


@pytest.mark.parametrize(
    "document",
    [{}, {"text": ""}, {"text": "x" * (MAX_COMMENT + 1)}, {"text": "a\0"}, {"text": 5}, {"text": "x", "byline": ""},
     {"text": "x", "byline": "a\u202e"}, {"text": "x", "author": "me"}],
)  # fmt: skip
async def test_a_bad_comment_is_refused(api: Api, document: dict) -> None:
    task = await api.create()
    before = await api.last_seq()
    reply = await api.call("POST", f"/v1/tasks/{task['key']}/comments", document)
    assert (reply.status, reply.code in ("invalid_request", "unknown_field")) == (422, True), reply
    assert await api.last_seq() == before


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999999999999", "1.0", "%00"])
async def test_an_odd_number_names_no_comment(api: Api, number: str) -> None:
    task = await api.create()
    await api.post(f"/v1/tasks/{task['key']}/comments", {"text": "x"})
    reply = await api.call("DELETE", f"/v1/tasks/{task['key']}/comments/{number}")
    assert (reply.status, reply.code) == (404, "unknown_comment")


async def test_a_task_has_so_many_comments_and_no_more(api: Api, served: RunningDeck) -> None:
    task = await api.create()
    rows = [(task["number"], str(n)) for n in range(MAX_COMMENTS)]
    await served.deck.write(
        lambda unit: (
            unit.connection.executemany(
                "INSERT INTO comments (task, author, text, created_at) VALUES (?, 'a', ?, 0)", rows
            ).rowcount
        )
    )
    reply = await api.call("POST", f"/v1/tasks/{task['key']}/comments", {"text": "one more"})
    assert (reply.status, reply.code) == (409, "too_many")
    assert str(MAX_COMMENTS) in reply.json()["detail"]


async def test_comments_go_with_their_task_and_are_written_once(api: Api, served: RunningDeck) -> None:
    task = await api.create()
    path = f"/v1/tasks/{task['key']}/comments"
    first = await api.call("POST", path, {"text": "x"}, key="k")
    again = await api.call("POST", path, {"text": "x"}, key="k")
    assert (first.status, again.body) == (201, first.body)
    assert len((await api.get(path))["comments"]) == 1
    await api.delete(f"/v1/tasks/{task['key']}")
    assert (await api.call("GET", path)).code == "unknown_task"
    assert await served.deck.reader.rows("SELECT * FROM comments") == []


async def test_a_token_of_another_project_sees_no_comments(api: Api) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    other = await api.create()
    said = await api.post(f"/v1/tasks/{other['key']}/comments", {"text": "secret"})
    secret = await api.token_for("operator", "inside", projects=["ours"])
    path = f"/v1/tasks/{other['key']}/comments"
    for method, where, document in (
        ("GET", path, None),
        ("POST", path, {"text": "x"}),
        ("PATCH", f"{path}/{said['id']}", {"text": "x"}),
        ("DELETE", f"{path}/{said['id']}", None),
    ):
        assert (await api.call(method, where, document, token=secret)).code == "unknown_task"
