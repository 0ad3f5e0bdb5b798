"""Logs: what holders tell of their work, under a cursor; and who held a task when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.app import RunningDeck, running_deck
from taskdeck.config import Settings
from taskdeck.domain import log as limits
from taskdeck.store.folder import ADMIN_TOKEN

ONE, TWO = {"type": "say", "body": {"delta": "a", "n": 1}}, {"type": "say", "body": {"delta": "b"}}


async def tell(api: Api, task: Any, fence: int, *entries: Any, **more: Any) -> Any:
    return await api.call("POST", f"/v1/tasks/{task['key']}/log", {"fence": fence, "entries": list(entries), **more})


async def test_what_is_told_is_kept_in_order_over_all_claims(api: Api, clock: FakeClock) -> None:
    task = await api.create()
    held = await api.claim("w", lease_seconds=60)
    assert (await tell(api, task, 1, ONE, TWO)).json() == {"entries": 2, "sequence": 2, "added": 2}
    quiet = {"type": "note", "quiet": True}
    assert (await tell(api, task, 1, quiet, after=2)).json() == {"entries": 3, "sequence": 2, "added": 1}
    shown = await api.get(f"/v1/tasks/{task['key']}")
    assert (shown["entries"], shown["claim"]["expires_at"]) == (3, held["expires_at"])
    (event, _) = await api.events(type="task.logged")
    assert (event["facts"], event["changes"]["entries"], "delta" in str(event)) == ({"added": 2}, 2, False)
    clock.advance(61)
    await api.claim("x")
    assert (await tell(api, task, 1, ONE)).code == "stale_fence"
    assert (await tell(api, task, 2, ONE)).json()["entries"] == 4
    first = await api.get(f"/v1/tasks/{task['key']}/log?limit=2")
    assert [(e["number"], e["fence"], e["type"], e["body"]) for e in first["entries"]] == [
        (1, 1, "say", {"delta": "a", "n": 1}), (2, 1, "say", {"delta": "b"}),
    ]  # fmt: skip
    rest = await api.get(f"/v1/tasks/{task['key']}/log?after={first['next_after']}")
    assert [(e["number"], e["sequence"], e["fence"]) for e in rest["entries"]] == [(3, 2, 1), (4, 3, 2)]
    assert rest["next_after"] is None
    await api.post(f"/v1/tasks/{task['key']}/complete", {"fence": 2})
    await api.delete(f"/v1/tasks/{task['key']}")


async def test_a_repetition_adds_nothing_and_another_text_is_refused(api: Api) -> None:
    task = await api.create()
    await api.claim()
    await tell(api, task, 1, ONE, TWO, after=0)
    turned = {"type": "say", "body": {"n": 1, "delta": "a"}}
    assert (await tell(api, task, 1, turned, TWO, after=0)).json() == {"entries": 2, "sequence": 2, "added": 0}
    assert (await tell(api, task, 1, TWO, after=1)).json()["added"] == 0
    before = await api.last_seq()
    for entries, after in (([TWO, ONE], 0), ([ONE], 1), ([ONE, TWO, ONE], 0), ([ONE], 5)):
        reply = await tell(api, task, 1, *entries, after=after)
        assert (reply.status, reply.code, reply.json()["entries"]) == (409, "log_moved", 2)
    assert await api.last_seq() == before


async def test_a_log_has_its_limits(api: Api, served: RunningDeck, monkeypatch: Any) -> None:
    task = await api.create()
    await api.claim()
    assert (await tell(api, task, 1)).code == "invalid_request"
    assert (await tell(api, task, 1, *[ONE] * 101)).code == "invalid_request"
    big = {"type": "say", "body": "x" * (limits.MAX_ENTRY - 2)}
    assert (await tell(api, task, 1, big)).code == "entry_too_large"
    assert (await tell(api, task, 1, {"type": "say", "body": "x" * (limits.MAX_ENTRY - 3)})).status == 200
    monkeypatch.setattr("taskdeck.service.log.MAX_ENTRIES", 2)
    assert (await tell(api, task, 1, ONE)).status == 200
    assert (await tell(api, task, 1, ONE)).code == "log_full"


async def test_the_claims_of_a_task_tell_how_each_ended(api: Api, clock: FakeClock) -> None:
    task = await api.create(max_attempts=9)
    path = f"/v1/tasks/{task['key']}"
    await api.claim("a")
    await api.post(f"{path}/release", {"fence": 1, "note": "later"})
    await api.claim("b")
    await api.post(f"{path}/fail", {"fence": 2, "error": "broke", "code": "E7", "delay_seconds": 0})
    assert (await api.get(path))["error"] | {"at": ""} == {
        "message": "broke", "reason": "failed", "worker": "b", "attempt": 1, "fence": 2, "code": "E7", "at": "",
    }  # fmt: skip
    await api.claim("c", lease_seconds=5)
    clock.advance(6)
    await api.claim("d")
    await api.register("e")
    await api.post(f"{path}/override", {"worker": "e", "reason": "r"})
    clock.advance(1)
    await api.post(f"{path}/complete", {"fence": 5})
    claims = (await api.get(f"{path}/claims"))["claims"]
    assert [(c["fence"], c["worker"], c["end"], c["message"], c["code"]) for c in claims] == [
        (1, "a", "released", "later", None),
        (2, "b", "failed", "broke", "E7"),
        (3, "c", "lapsed", None, None),
        (4, "d", "overridden", "r", None),
        (5, "e", "completed", None, None),
    ]
    assert claims[4]["ended_at"] > claims[4]["began_at"] == claims[3]["ended_at"]


async def test_a_claim_goes_on_while_others_are_made_and_a_review_begins_another(api: Api) -> None:
    task = await api.create(review="required")
    path = f"/v1/tasks/{task['key']}"
    await api.claim("a")
    await api.post(f"{path}/delegate", {"fence": 1, "title": "c", "backlog": True})
    (claim,) = (await api.get(f"{path}/claims"))["claims"]
    assert (claim["end"], claim["ended_at"], claim["worker"]) == (None, None, "a")
    await api.post(f"{path}/complete", {"fence": 1, "leave_children": True})
    await api.post(f"{path}/reject", {"note": "no", "to": "worker"})
    claims = (await api.get(f"{path}/claims"))["claims"]
    assert [(c["fence"], c["worker"], c["end"]) for c in claims] == [(1, "a", "completed"), (2, "a", None)]


async def test_a_holder_cancels_under_its_fence(api: Api) -> None:
    task = await api.create()
    ann = await api.token_for("agent", "ann")
    await api.post("/v1/claims", {"worker": "w"}, token=ann)
    path = f"/v1/tasks/{task['key']}/cancel"
    assert (await api.call("POST", path, {}, token=ann)).code == "forbidden"
    bob = await api.token_for("agent", "bob")
    assert (await api.call("POST", path, {"fence": 1}, token=bob)).code == "forbidden"
    assert (await api.post(path, {"fence": 1, "reason": "moot"}, token=ann))["state"] == "cancelled"


async def test_a_workers_token_acts_as_that_worker_alone(api: Api, served: RunningDeck) -> None:
    ann = await api.token_for("operator", "ann")
    await api.post("/v1/workers", {"id": "w", "label": "Laptop"}, token=ann)
    made = await api.post("/v1/workers/w/tokens", token=ann)
    secret = made["secret"]
    assert (made["token"]["worker"], made["token"]["principal"], made["token"]["role"]) == ("w", "ann", "agent")
    me = await api.get("/v1/me", token=secret)
    assert (me["worker"], me["role"]) == ("w", "agent")
    for _ in range(2):
        await api.create()
    assert (await api.call("POST", "/v1/claims", {"worker": "v"}, token=secret)).code == "forbidden"
    held = (await api.post("/v1/claims", {"worker": "w"}, token=secret))["claims"][0]
    other = (await api.post("/v1/claims", {"worker": "v"}, token=ann))["claims"][0]
    for verb in ("heartbeat", "complete", "release"):
        reply = await api.call("POST", f"/v1/tasks/{other['task']['key']}/{verb}", {"fence": 1}, token=secret)
        assert reply.code == "forbidden"
    assert (await api.call("POST", "/v1/workers/w/tokens", {}, token=secret)).code == "forbidden"
    assert (await api.call("POST", "/v1/workers", {"id": "u"}, token=secret)).code == "forbidden"
    assert (await api.call("POST", "/v1/workers/v/heartbeat", {}, token=secret)).code == "forbidden"
    await api.post(f"/v1/tasks/{held['task']['key']}/complete", {"fence": 1}, token=secret)
    (worker,) = [one for one in (await api.get("/v1/workers"))["workers"] if one["id"] == "w"]
    assert worker["label"] == "Laptop"
    for _ in range(32):
        newest = (await api.post("/v1/workers/w/tokens", token=ann))["secret"]
    assert (await api.call("GET", "/v1/me", token=secret)).status == 401
    assert (await api.get("/v1/me", token=newest))["worker"] == "w"


async def test_a_long_log_is_removed_some_at_a_time_and_a_workers_token_outlasts_a_restart(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskdeck.service.retention.SHORT_LOG", 2)
    monkeypatch.setattr("taskdeck.service.retention.ENTRIES_AT_ONCE", 3)
    settings = Settings(data=tmp_path / "data", port=0)

    def admin(running: RunningDeck) -> Api:
        return Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip())

    async with running_deck(settings, clock=clock) as running, admin(running) as api:
        tasks = [await api.create(), await api.create()]
        for task in tasks:
            await api.claim()
            await tell(api, task, 1, *[ONE] * 7)
        await api.post(f"/v1/tasks/{tasks[0]['key']}/complete", {"fence": 1})
        secret = (await api.post("/v1/workers/w/tokens"))["secret"]
        clock.advance(31 * 86_400)
        await running.deck.prune()
        left = await running.deck.reader.rows("SELECT task, count(*) FROM log_entries GROUP BY task")
        assert left == [(tasks[1]["number"], 7)]
        assert (await api.call("GET", f"/v1/tasks/{tasks[0]['key']}")).status == 404
    async with running_deck(settings, clock=clock) as running, Api(running.url, secret) as api:
        assert (await api.get("/v1/me"))["worker"] == "w"
