"""Events from outside: who may send them, what becomes of them, and that each does so once."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from standardwebhooks.webhooks import Webhook
from support.api import Api, Reply
from support.clock import FakeClock

from taskdeck.app import RunningDeck
from taskdeck.domain.source import DELIVERIES_KEPT_MS, MAX_EVENT, MAX_SOURCES

SOURCES = "/v1/sources"
EVENT = {
    "action": "opened",
    "issue": {"id": 9, "number": 7, "title": "It breaks", "severity": "high", "labels": [{"name": "bug"}]},
}
TEMPLATE = {
    "title": "#{{ issue.number }} {{ issue.title }}",
    "description": "{{ issue.body }}, says {{ sender.login }}",
    "labels": ["inbox", "{{ issue.labels.0.name }}", "{{ issue.gone }}"],
    "capabilities": ["triage"],
    "priority": {"path": "issue.severity", "map": {"high": 90, "low": 10}, "default": 40},
}


class Outside:
    """Somebody outside who signs events with the reference implementation."""

    def __init__(self, api: Api, clock: FakeClock, secret: str, name: str = "tracker") -> None:
        self._url, self._clock = api.url, clock
        self.secret, self.name = secret, name

    async def send(
        self,
        document: Any = EVENT,
        identity: str = "e1",
        *,
        late_s: int = 0,
        raw: bytes | None = None,
        secret: str | None = None,
        more: dict[str, str] | None = None,
    ) -> Reply:
        body = orjson.dumps(document) if raw is None else raw
        moment = datetime.fromtimestamp(self._clock.now_ms() // 1000 - late_s, UTC)
        signature = Webhook(secret or self.secret).sign(identity, moment, body.decode(errors="surrogateescape"))
        headers = {
            "webhook-id": identity,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": signature,
        } | (more or {})
        async with Api(self._url, None) as nobody:
            return await nobody.raw("POST", f"/v1/inbound/{self.name}", body, headers)


async def source(api: Api, clock: FakeClock, **fields: Any) -> Outside:
    """A new source, and who sends for it."""
    wish = {"name": "tracker", "task": TEMPLATE} | fields
    made = await api.post(SOURCES, wish)
    return Outside(api, clock, made["secret"], wish["name"])


async def test_an_event_becomes_a_task_marked_as_untrusted(api: Api, clock: FakeClock) -> None:
    outside = await source(api, clock)
    reply = await outside.send()
    assert reply.status == 201, reply
    answer = reply.json()
    task = await api.get(f"/v1/tasks/{answer['task']['key']}")
    assert answer == {"outcome": "created", "task": {name: task[name] for name in ("id", "number", "key", "state")}}
    assert task["title"] == "#7 It breaks"
    assert task["description"] == ", says "
    assert task["labels"] == ["bug", "inbox", "untrusted"]
    assert task["capabilities"] == ["triage"]
    assert task["priority"] == 90
    assert task["payload"] == EVENT
    assert task["metadata"] == {"source": "tracker", "delivery": "e1", "untrusted": True}
    assert task["created_by"] == "source:tracker"
    (event,) = await api.events(type="task.created")
    assert event["actor"] == "source:tracker"


async def test_an_event_sent_again_makes_no_second_task(api: Api, clock: FakeClock) -> None:
    outside = await source(api, clock)
    first = (await outside.send()).json()
    for document in (EVENT, {"other": "body under the same id"}):
        again = await outside.send(document)
        assert (again.status, again.json()) == (200, {"outcome": "repeated", "task": first["task"]})
    many = await asyncio.gather(*(outside.send(identity="e2") for _ in range(8)))
    assert sorted(reply.json()["outcome"] for reply in many) == ["created"] + ["repeated"] * 7
    assert len((await api.get("/v1/tasks"))["tasks"]) == 2
    await api.delete(f"/v1/tasks/{first['task']['key']}")
    assert (await outside.send()).json() == {"outcome": "repeated", "task": None}
    other = await source(api, clock, name="other")
    assert (await other.send()).json()["outcome"] == "created", "ids are each source's own"


async def test_of_what_is_unique_one_task_lives(api: Api, clock: FakeClock) -> None:
    outside = await source(api, clock, unique="issue-{{ issue.id }}")
    first = (await outside.send(identity="1")).json()
    assert (await outside.send(identity="2")).json() == {"outcome": "exists", "task": first["task"]}
    assert (await outside.send(identity="2")).json()["outcome"] == "repeated"
    another = EVENT | {"issue": {"id": 10}}
    assert (await outside.send(another, "3")).json()["outcome"] == "created"
    await api.post(f"/v1/tasks/{first['task']['key']}/cancel")
    later = (await outside.send(identity="4")).json()
    assert later["outcome"] == "created"
    assert later["task"]["key"] != first["task"]["key"]
    await api.delete(f"/v1/tasks/{later['task']['key']}")
    assert (await outside.send(identity="5")).json()["outcome"] == "created"


async def test_what_is_remembered_does_not_grow_with_what_ended(
    served: RunningDeck, api: Api, clock: FakeClock
) -> None:
    outside = await source(api, clock, unique="{{ n }}", per_minute=6_000)
    for number in range(30):
        clock.advance(1)
        answer = (await outside.send({"n": number}, str(number))).json()
        await api.post(f"/v1/tasks/{answer['task']['key']}/cancel")
    ((kept,),) = await served.deck.reader.rows("SELECT count(*) FROM source_tasks")
    assert kept <= 3
    clock.advance(DELIVERIES_KEPT_MS / 1000 + 60)
    for number in range(30, 50):
        await outside.send({"n": number}, str(number))
    ((kept,),) = await served.deck.reader.rows("SELECT count(*) FROM arrivals")
    assert kept == 20


async def test_filters_let_through_what_they_say(api: Api, clock: FakeClock) -> None:
    rules = [{"path": "action", "op": "in", "value": ["opened", "reopened"]}, {"path": "issue.draft", "op": "absent"}]
    outside = await source(api, clock, filters=rules)
    before = await api.last_seq()
    for number, document in enumerate(({"action": "closed"}, EVENT | {"issue": {"draft": None}}, [], 5, None)):
        reply = await outside.send(document, f"no-{number}")
        assert (reply.status, reply.json()) == (200, {"outcome": "ignored", "task": None}), document
    assert await api.last_seq() == before
    assert (await outside.send()).json()["outcome"] == "created"


async def test_nobody_gets_in_without_the_signature(api: Api, clock: FakeClock) -> None:
    outside = await source(api, clock)
    resting = await source(api, clock, name="resting")
    await api.patch(f"{SOURCES}/resting", {"active": False})
    before = await api.last_seq()
    attempts = [
        await outside.send(secret="whsec_" + "QUJD" * 8),
        await outside.send(more={"webhook-signature": ""}),
        await outside.send(more={"webhook-id": "e2"}),
        await outside.send(more={"webhook-timestamp": "1"}),
        await outside.send(more={"webhook-timestamp": "x"}),
        await outside.send(more={"webhook-timestamp": "9" * 40}),
        await api.raw("POST", "/v1/inbound/tracker", orjson.dumps(EVENT)),
        await resting.send(),
        await Outside(api, clock, outside.secret, "unknown").send(),
    ]
    assert {(reply.status, reply.code) for reply in attempts} == {(401, "bad_signature")}
    told = {reply.json()["detail"] for reply in attempts}
    assert len(told) == 1, "what is wrong, and whether there is such a source, is not told"
    for late_s in (301, -301):
        reply = await outside.send(late_s=late_s)
        assert (reply.status, reply.code) == (401, "stale_event")
    assert await api.last_seq() == before
    for number, late_s in enumerate((299, -299)):
        assert (await outside.send(identity=f"ok-{number}", late_s=late_s)).status == 201


async def test_bad_events_are_refused_and_make_nothing(api: Api, clock: FakeClock) -> None:
    outside = await source(api, clock)
    before = await api.last_seq()
    text = {"Content-Type": "application/x-www-form-urlencoded"}
    for reply, status, code in (
        (await outside.send(raw=b"{"), 400, "bad_json"),
        (await outside.send(raw=b""), 400, "bad_json"),
        (await outside.send(raw=b"[" * 900 + b"]" * 900), 400, "bad_json"),
        (await outside.send(raw=b'{"a": NaN}'), 400, "bad_json"),
        (await outside.send(raw=b"[" * 5000 + b"]" * 5000), 400, "bad_json"),
        (await outside.send(more=text), 415, "unsupported_media_type"),
        (await outside.send(identity="x" * 256), 422, "invalid_request"),
        (await outside.send(raw=b'"' + b"x" * MAX_EVENT + b'"'), 413, "body_too_large"),
    ):
        assert (reply.status, reply.code) == (status, code), reply
    assert await api.last_seq() == before


async def test_a_payload_that_grows_too_large_is_refused(api: Api, clock: FakeClock) -> None:
    template = {"title": "t", "payload": ["{{ x }}"] * 40}
    outside = await source(api, clock, task=template)
    reply = await outside.send({"x": "y" * 10_000})
    assert (reply.status, reply.code) == (422, "invalid_request")
    assert (await outside.send({"x": [1]})).status == 201
    (task,) = (await api.get("/v1/tasks"))["tasks"]
    assert task["payload"] == [[1]] * 40


async def test_hostile_words_stay_words(api: Api, clock: FakeClock) -> None:
    template = {"title": "{{ a }}", "description": "{{ a }}", "labels": ["{{ a }}", "{{ b }}"], "priority": 3}
    outside = await source(api, clock, task=template)
    event = {"a": "{{ b }} [red]\x1b[2J\u202e' OR 1=1\0", "b": "x" * 500}
    answer = (await outside.send(event)).json()
    task = await api.get(f"/v1/tasks/{answer['task']['key']}")
    assert task["title"] == "{{ b }} [red]\x1b[2J\u202e' OR 1=1"
    assert task["labels"] == ["untrusted", "x" * 128]
    empty = (await outside.send({"a": ""}, "e2")).json()
    assert (await api.get(f"/v1/tasks/{empty['task']['key']}"))["title"] == "event of tracker"


@pytest.mark.parametrize(
    ("severity", "priority"), [("high", 90), ("low", 10), ("odd", 40), (77, 77), (101, 40), (True, 40), (None, 40)]
)
async def test_the_priority_comes_from_a_table(api: Api, clock: FakeClock, severity: Any, priority: int) -> None:
    outside = await source(api, clock)
    answer = (await outside.send({"issue": {"severity": severity}})).json()
    assert (await api.get(f"/v1/tasks/{answer['task']['key']}"))["priority"] == priority


async def test_github_signs_in_its_own_way(api: Api, clock: FakeClock) -> None:
    made = await api.post(
        SOURCES, {"name": "hub", "scheme": "github", "task": TEMPLATE, "secret": "a plain old secret"}
    )
    assert made["secret"] == "a plain old secret"
    body = orjson.dumps(EVENT)

    async def send(secret: str, identity: str) -> Reply:
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Delivery": identity}
        async with Api(api.url, None) as nobody:
            return await nobody.raw("POST", "/v1/inbound/hub", body, headers)

    assert (await send("a plain old secret", "d1")).status == 201
    assert (await send("a plain old secret", "d1")).json()["outcome"] == "repeated"
    assert (await send("another plain secret", "d2")).code == "bad_signature"
    assert (await send("a plain old secret", "")).code == "invalid_request"


async def test_a_source_may_send_so_much_a_minute(api: Api, clock: FakeClock) -> None:
    outside = await source(api, clock, per_minute=3)
    clock.advance(60 - clock.now_ms() / 1000 % 60 + 20)
    assert [(await outside.send(identity=str(n))).status for n in range(4)] == [201, 201, 201, 429]
    reply = await outside.send(identity="again")
    assert (reply.code, reply.headers["Retry-After"], reply.json()["retryable"]) == ("too_many_events", "40", True)
    clock.advance(40)
    assert (await outside.send(identity="again")).status == 201


async def test_secrets_are_shown_once_and_turn(api: Api, clock: FakeClock) -> None:
    wish = {"name": "tracker", "task": TEMPLATE}
    first, again = [await api.call("POST", SOURCES, wish, key="k") for _ in range(2)]
    assert again.json() == first.json() | {"secret": None}
    outside = Outside(api, clock, first.json()["secret"])
    turned = await api.post(f"{SOURCES}/tracker/rotate", {"overlap_seconds": 60})
    assert (await outside.send(identity="old")).status == 201
    assert (await outside.send(identity="new", secret=turned["secret"])).status == 201
    clock.advance(61)
    assert (await outside.send(identity="too-old")).code == "bad_signature"
    assert (await outside.send(identity="newer", secret=turned["secret"])).status == 201
    seen = str(await api.events()) + (await api.call("GET", SOURCES)).body.decode()
    assert outside.secret not in seen
    assert turned["secret"] not in seen
    reply = await api.call("POST", f"{SOURCES}/tracker/rotate", {"secret": "no whsec at all, but long"})
    assert reply.code == "invalid_request"


async def test_a_source_tells_how_many_events_led_to_a_task(api: Api, clock: FakeClock) -> None:
    outside = await source(api, clock, filters=[{"path": "action", "op": "equals", "value": "opened"}], unique="one")
    shown = await api.get(f"{SOURCES}/tracker")
    assert (shown["deliveries"], shown["delivered_at"]) == (0, None)
    made = (await outside.send()).json()["task"]
    clock.advance(1)
    outcomes = [
        (await outside.send(document, identity)).json()["outcome"]
        for document, identity in ((EVENT, "e1"), (EVENT, "e2"), ({"action": "closed"}, "e3"))
    ]
    assert outcomes == ["repeated", "exists", "ignored"]
    (listed,) = (await api.get(SOURCES))["sources"]
    edited = await api.patch(f"{SOURCES}/tracker", {"active": False})
    for told in (listed, edited, await api.get(f"{SOURCES}/tracker")):
        assert told["deliveries"] == 2
        assert told["delivered_at"] > (await api.get(f"/v1/tasks/{made['key']}"))["created_at"]
    assert (await api.post(f"{SOURCES}/tracker/rotate"))["source"] == edited | {"version": edited["version"] + 1} | {
        "rotates_until": (await api.get(f"{SOURCES}/tracker"))["rotates_until"]
    }


async def test_what_rules_make_of_an_event_is_known_by_its_source_too(api: Api, clock: FakeClock) -> None:
    outside = await source(api, clock)
    acts = [{"act": "create", "task": {"title": "{{title}}"}}, {"act": "delegate", "task": {"title": "child"}}]
    worded = {"field": "source", "op": "eq", "value": "tracker"}
    rule = {"name": "follow", "events": ["task.created"], "acts": acts, "conditions": [worded]}
    await api.post("/v1/rules", rule)
    own = {"act": "label", "add": ["own"]}
    alone = {"field": "source", "op": "is_null"}
    await api.post("/v1/rules", {"name": "own", "events": ["task.created"], "acts": [own], "conditions": [alone]})
    await api.create("ours", metadata={"source": "tracker", "untrusted": True})
    await outside.send()
    tasks = {
        task["title"]: task for task in (await api.get("/v1/tasks"))["tasks"] if task["created_by"] == "rule:follow"
    }
    assert set(tasks) == {"#7 It breaks", "child"}
    for task in tasks.values():
        assert task["labels"] == ["untrusted"]
        assert task["metadata"].items() >= {"source": "tracker", "untrusted": True}.items()
    assert [task["title"] for task in (await api.get("/v1/tasks?label=own"))["tasks"]] == ["ours"]


async def test_sources_are_edited_and_removed(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    outside = await source(api, clock)
    shown = await api.get(f"{SOURCES}/tracker")
    changed = await api.patch(f"{SOURCES}/tracker", {"project": "ours", "task": {"title": "x"}, "version": 1})
    assert (changed["project"], changed["task"], changed["version"]) == ("ours", {"title": "x"}, 2)
    assert changed["filters"] == shown["filters"]
    assert (await api.call("PATCH", f"{SOURCES}/tracker", {"version": 1, "active": False})).code == "version_conflict"
    answer = (await outside.send()).json()
    assert (await api.get(f"/v1/tasks/{answer['task']['key']}"))["project"] == "ours"
    assert await api.delete(f"{SOURCES}/tracker") == {"deleted": "tracker"}
    assert (await outside.send(identity="e2")).code == "bad_signature"
    assert (await api.call("GET", f"{SOURCES}/tracker")).code == "unknown_source"
    kinds = [event["type"] for event in await api.events() if event["type"].startswith("source.")]
    assert kinds == ["source.created", "source.edited", "source.deleted"]


async def test_an_admin_of_one_project_sees_no_other_source(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    await source(api, clock)
    token = await api.token_for("admin", "inside", projects=["ours"])
    assert (await api.get(SOURCES, token=token))["sources"] == []
    wish = {"name": "mine", "task": TEMPLATE}
    assert (await api.call("POST", SOURCES, wish, token=token)).code == "unknown_project"
    await api.post(SOURCES, wish | {"project": "ours"}, token=token)
    assert (await api.call("PATCH", f"{SOURCES}/mine", {"project": "default"}, token=token)).code == "unknown_project"
    path = f"{SOURCES}/tracker"
    for method, where, body in (
        ("GET", path, None),
        ("PATCH", path, {"active": False}),
        ("POST", f"{path}/rotate", {}),
        ("DELETE", path, None),
    ):
        assert (await api.call(method, where, body, token=token)).code == "unknown_source", where


async def test_there_are_only_so_many(api: Api, clock: FakeClock) -> None:
    for number in range(MAX_SOURCES):
        await source(api, clock, name=f"s{number}")
    reply = await api.call("POST", SOURCES, {"name": "more", "task": TEMPLATE})
    assert (reply.status, reply.code) == (409, "too_many_sources")
    assert (await api.call("POST", SOURCES, {"name": "s1", "task": TEMPLATE})).code == "source_exists"
