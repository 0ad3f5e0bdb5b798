"""Workers that come, fall silent, come back and start anew; their sessions; what they have done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.bare import Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.app import RunningDeck, running_deck
from taskdeck.config import Settings
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.store.folder import ADMIN_TOKEN
from taskdeck.store.timers import CHUNK


async def _told(api: Api, after: int = 0) -> list[tuple[str, str]]:
    """What the log says of the liveness of workers."""
    kinds = ("worker.late", "worker.offline", "worker.back")
    return [(e["type"].partition(".")[2], e["worker"]) for e in await api.events(after) if e["type"] in kinds]


async def _liveness(api: Api, worker: str) -> str:
    return str((await api.get(f"/v1/workers/{worker}"))["liveness"])


async def test_each_silence_is_told_once(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "w", "heartbeat_seconds": 10})
    for seconds in (10, 1, 1, 8, 0.5, 1, 30):
        clock.advance(seconds)
        await api.tick()
    assert await _told(api) == [("late", "w"), ("offline", "w")]
    late, offline = [e for e in await api.events() if e["type"] in ("worker.late", "worker.offline")]
    assert (late["facts"], late["actor"]) == ({"silent_seconds": 11, "heartbeat_seconds": 10}, "deck")
    assert offline["facts"]["silent_seconds"] == 21.5
    await api.post("/v1/workers/w/heartbeat", {})
    await api.post("/v1/workers/w/heartbeat", {"state": "working"})
    assert (await _told(api))[2:] == [("back", "w")]
    (back,) = await api.events(type="worker.back")
    assert back["facts"] == {"was": "offline", "silent_seconds": 51.5}
    clock.advance(15)
    await api.tick()
    assert (await _told(api))[3:] == [("late", "w")]


async def test_who_is_heard_of_in_time_is_never_told(api: Api, clock: FakeClock) -> None:
    await api.create(key="T")
    fence = (await api.claim("w"))["fence"]
    for _ in range(10):
        clock.advance(50)
        await api.post("/v1/tasks/T/heartbeat", {"fence": fence})
    assert await _told(api) == []


async def test_a_long_silence_is_told_as_one(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "w"})
    clock.advance(3600)
    await api.tick()
    assert await _told(api) == [("offline", "w")]


async def test_a_shorter_heartbeat_holds_at_once(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "w", "heartbeat_seconds": 3600})
    await api.post("/v1/workers", {"id": "w", "heartbeat_seconds": 5})
    clock.advance(7)
    await api.tick()
    assert await _told(api) == [("late", "w")]


async def test_people_are_not_expected_to_beat(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "ann", "kind": "human", "heartbeat_seconds": 1})
    clock.advance(86_400)
    await api.tick()
    assert (await _told(api), await _liveness(api, "ann")) == ([], "idle")


async def test_a_jump_of_the_clock_makes_nobody_late(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "w"})
    for by in (7200, -3600, -86_400):
        clock.jump(by)
        await api.tick()
        assert await _liveness(api, "w") == "idle"
    assert await _told(api) == []
    clock.advance(62)
    await api.tick()
    assert (await _told(api), await _liveness(api, "w")) == ([("late", "w")], "late")
    stats = await api.get("/v1/stats")
    assert (stats["workers"]["late"], stats["uptime_seconds"]) == (1, 62)


async def test_liveness_is_one_word_for_how_a_worker_stands(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "w"})
    assert await _liveness(api, "w") == "idle"
    await api.create(key="T")
    await api.claim("w")
    assert await _liveness(api, "w") == "active"
    await api.post("/v1/workers/w/drain")
    assert await _liveness(api, "w") == "draining"
    clock.advance(61)
    assert await _liveness(api, "w") == "late"
    clock.advance(60)
    assert await _liveness(api, "w") == "offline"
    (listed,) = (await api.get("/v1/workers"))["workers"]
    shown = await api.get("/v1/workers/w")
    del shown["metrics"]
    assert listed == shown
    assert (await api.get("/v1/stats"))["workers"] == {
        "total": 1, "active": 0, "idle": 0, "late": 0, "offline": 1, "draining": 0
    }  # fmt: skip


async def test_a_deck_that_was_away_gives_workers_their_time_anew(
    tmp_path: Path, clock: FakeClock, ids: CountingIds
) -> None:
    settings = Settings(data=tmp_path / "data", port=0)
    for away in (0, 600):
        clock.advance(away)
        async with running_deck(settings, clock=clock, ids=ids) as running, _admin(running) as api:
            if not away:
                await api.post("/v1/workers", {"id": "w"})
                await api.post("/v1/workers", {"id": "gone", "heartbeat_seconds": 5})
                clock.advance(30)
                await api.tick()
                assert await _told(api) == [("offline", "gone")]
            else:
                assert await _told(api) == [("offline", "gone")], "told once, not once more after a restart"
                assert await _liveness(api, "w") == "idle"
                clock.advance(62)
                await api.tick()
                assert await _told(api) == [("offline", "gone"), ("late", "w")]


def _admin(running: RunningDeck) -> Api:
    return Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip())


@pytest.mark.parametrize(("policy", "lapsed"), [("keep", False), ("lapse", True)])
async def test_a_project_says_what_becomes_of_the_claims_of_the_gone(
    api: Api, clock: FakeClock, policy: str, lapsed: bool
) -> None:
    await api.post("/v1/projects", {"name": "p", "offline_claims": policy})
    task = await api.create(key="T", project="p")
    await api.create(key="OTHER")
    claims = (await api.post("/v1/claims", {"worker": "w", "max_tasks": 2, "lease_seconds": 3600}))["claims"]
    clock.advance(122)
    await api.tick()
    shown = await api.get("/v1/tasks/T")
    assert (shown["state"], shown["claim"]["lapsed"], shown["attempt"]) == ("claimed", lapsed, 1)
    assert (await api.get("/v1/tasks/OTHER"))["claim"]["lapsed"] is False
    if lapsed:
        (event,) = await api.events(type="task.lapsed")
        assert event["facts"] == {"from_worker": "w", "fence": 1, "why": "worker_offline"}
        assert shown["claim"]["expires_at"] == event["at"]
    # the holder comes back before another has it, and may finish
    done = await api.post("/v1/tasks/T/complete", {"fence": claims[0]["fence"]})
    assert done["id"] == task["id"]


async def test_work_of_the_gone_goes_to_another_and_its_last_attempt_fails(api: Api, clock: FakeClock) -> None:
    await api.patch("/v1/projects/default", {"offline_claims": "lapse"})
    await api.create(key="TWO", max_attempts=2)
    for worker in ("one", "two"):
        assert (await api.claim(worker, lease_seconds=3600))["task"]["key"] == "TWO"
        clock.advance(122)
        await api.tick()
    shown = await api.get("/v1/tasks/TWO")
    assert (shown["state"], shown["error"]["reason"], shown["error"]["worker"]) == ("failed", "lapsed", "two")
    # a machine that only started again loses nothing: its last attempt may still be finished, or be given anew
    assert (await api.post("/v1/tasks/TWO/complete", {"fence": shown["fence"]}))["state"] == "done"
    await api.create(key="ONE", max_attempts=1)
    await api.claim("three", lease_seconds=3600)
    clock.advance(122)
    await api.tick()
    retried = await api.post("/v1/tasks/ONE/retry")
    assert (retried["state"], retried["attempt"]) == ("ready", 0)


def test_many_claims_of_one_worker_lapse_in_chunks(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> None:
    store = Template(tmp_path).copy(tmp_path / "deck.db", clock, ids)
    store.rows("UPDATE projects SET offline_claims = 'lapse'")
    store.close()
    store.open()
    count = 3 * CHUNK + 1
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default") for _ in range(count)]))
    wish = ClaimRequest("w", max_tasks=count, lease_ms=3_600_000)
    store(lambda unit: claim(unit, ROOT, wish))
    clock.advance(122)
    for batch in range(1, 5):
        store.batch()
        ((lapsed,),) = store.rows("SELECT count(*) FROM tasks WHERE lapsed = 1")
        assert lapsed == min(count, batch * CHUNK)
        if batch == 2:  # a new start goes on with it
            store.close()
            store.open()
    store.check()
    assert store.runner.mirror.next_due > clock.now_ms()
    assert [e["type"] for e in store.events() if e["type"].startswith("worker.")] == [
        "worker.registered", "worker.offline"
    ]  # fmt: skip
    store.close()


def test_a_fault_while_silences_are_told_loses_none(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> None:
    store = Template(tmp_path).copy(tmp_path / "deck.db", clock, ids)
    store(lambda unit: claim(unit, ROOT, ClaimRequest("w")))
    clock.advance(62)
    store.rows("CREATE TRIGGER refuse BEFORE UPDATE OF told ON workers BEGIN SELECT RAISE(ABORT, 'no'); END")
    store.batch()
    assert not [e for e in store.events() if e["type"] == "worker.late"]
    store.rows("DROP TRIGGER refuse")
    store.batch()
    assert [e["worker"] for e in store.events() if e["type"] == "worker.late"] == ["w"]
    store.check()
    store.close()


async def test_what_a_worker_says_of_itself_is_kept(api: Api) -> None:
    said = {"roles": ["reviewer", "coder"], "instance": "boot-1", "client": "agent 1.2"}
    worker = await api.post("/v1/workers", {"id": "w", **said})
    assert (worker["roles"], worker["instance"], worker["client"]) == (["coder", "reviewer"], "boot-1", "agent 1.2")
    before = await api.last_seq()
    assert await api.post("/v1/workers", {"id": "w", **said}) == worker
    assert await api.last_seq() == before
    again = await api.post("/v1/workers", {"id": "w", "roles": []})
    assert (again["roles"], again["client"]) == ([], "agent 1.2")


async def test_a_restart_is_told_apart(api: Api) -> None:
    await api.post("/v1/workers", {"id": "w", "instance": "boot-1"})
    await api.create(key="T")
    await api.post("/v1/workers/w/sessions", {"session": "s"})
    await api.claim("w", session="s")
    await api.post("/v1/workers", {"id": "w", "instance": "boot-2"})
    (event,) = await api.events(type="worker.restarted")
    assert event["facts"] == {"was_instance": "boot-1", "holds": ["T"], "sessions_ended": 1}
    assert event["changes"]["instance"] == "boot-2"
    (session,) = (await api.get("/v1/workers/w/sessions"))["sessions"]
    assert (session["status"], session["instance"]) == ("failed", "boot-1")
    assert (await api.get("/v1/tasks/T"))["claim"]["session"] == "s"
    await api.post("/v1/workers/w/sessions", {"session": "s2"})
    assert (await api.get("/v1/workers/w/sessions?open=true"))["sessions"][0]["instance"] == "boot-2"


async def test_a_session_is_opened_changed_and_ended(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "w", "instance": "i", "client": "c 1"})
    await api.create(key="T")
    path = "/v1/workers/w/sessions"
    opened = await api.post(path, {"session": "s 1", "task": "T", "metadata": {"a": 1}})
    assert {name: opened[name] for name in ("worker", "session", "status", "instance", "client", "task")} == {
        "worker": "w", "session": "s 1", "status": "active", "instance": "i", "client": "c 1", "task": "T",
    }  # fmt: skip
    clock.advance(5)
    changed = await api.post(path, {"session": "s 1", "metadata": {"a": 2}})
    assert (changed["metadata"], changed["task"], changed["opened_at"]) == ({"a": 2}, "T", opened["opened_at"])
    before = await api.last_seq()
    assert await api.post(path, {"session": "s 1"}) == changed
    assert await api.last_seq() == before
    ended = await api.post(path, {"session": "s 1", "status": "completed"})
    assert (ended["status"], ended["ended_at"]) == ("completed", changed["updated_at"])
    reopened = await api.post(path, {"session": "s 1", "status": "active"})
    assert (reopened["ended_at"], reopened["number"]) == (None, opened["number"])
    kinds = [e["type"] for e in await api.events() if e["type"].startswith("session.")]
    assert kinds == ["session.opened", "session.changed", "session.ended", "session.opened"]
    await api.post(path, {"session": "s 2"})
    assert [s["session"] for s in (await api.get(path))["sessions"]] == ["s 2", "s 1"]
    page = await api.get(f"{path}?limit=1")
    assert [s["session"] for s in (await api.get(f"{path}?cursor={page['next_cursor']}"))["sessions"]] == ["s 1"]


async def test_a_claim_names_an_open_session_of_its_worker(api: Api) -> None:
    await api.create(key="T")
    for session in ("never", "over", "other"):
        await api.post("/v1/workers", {"id": "w"})
        await api.post("/v1/workers", {"id": "v"})
        await api.post("/v1/workers/w/sessions", {"session": "over", "status": "failed"})
        await api.post("/v1/workers/v/sessions", {"session": "other"})
        before = await api.last_seq()
        reply = await api.call("POST", "/v1/claims", {"worker": "w", "session": session})
        assert (reply.status, reply.code) == (404, "unknown_session")
        assert await api.last_seq() == before
    claim = await api.claim("v", session="other")
    assert claim["task"]["claim"]["session"] == "other"
    released = await api.post("/v1/tasks/T/release", {"fence": 1})
    assert released["claim"] is None
    assert (await api.claim("v"))["task"]["claim"]["session"] is None


async def test_sessions_have_their_limits(api: Api) -> None:
    await api.post("/v1/workers", {"id": "w"})
    path = "/v1/workers/w/sessions"
    for number in range(100):
        await api.post(path, {"session": f"s{number}"})
    reply = await api.call("POST", path, {"session": "one more"})
    assert (reply.status, reply.code) == (409, "too_many_sessions")
    await api.post(path, {"session": "s0", "status": "cancelled"})
    await api.post(path, {"session": "one more"})
    for body in ({"session": "x" * 513}, {"session": ""}, {"session": "a\nb"}, {"session": "s", "status": "open"}):
        assert (await api.call("POST", path, body)).code == "invalid_request"
    assert (await api.call("POST", "/v1/workers/nobody/sessions", {"session": "s"})).code == "unknown_worker"


async def test_a_session_is_its_owners_and_hides_what_others_may_not_see(api: Api) -> None:
    ann, bob = await api.token_for("agent", "ann"), await api.token_for("agent", "bob")
    await api.post("/v1/workers", {"id": "w"}, token=ann)
    assert (await api.call("POST", "/v1/workers/w/sessions", {"session": "s"}, token=bob)).code == "forbidden"
    await api.post("/v1/projects", {"name": "secret"})
    await api.create(key="HIDDEN", project="secret")
    await api.post("/v1/workers/w/sessions", {"session": "s", "task": "HIDDEN"}, token=ann)
    outside = await api.token_for("reader", "outside", projects=["default"])
    (shown,) = (await api.get("/v1/workers/w/sessions", token=outside))["sessions"]
    assert (shown["session"], shown["task"]) == ("s", None)
    assert "HIDDEN" not in str(await api.get("/v1/events?limit=1000", token=outside))


async def test_metrics_tell_what_a_worker_did(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": "t", "key": f"K{n}", "max_attempts": 9} for n in range(6)]})

    async def take(key: str, seconds: float, verb: str, **body: Any) -> None:
        fence = (await api.claim("w", task=key, lease_seconds=500))["fence"]
        clock.advance(seconds)
        await api.post(f"/v1/tasks/{key}/{verb}", {"fence": fence, **body})

    await take("K0", 10, "complete")
    await take("K1", 30, "complete")
    await take("K2", 20, "fail", error="e")
    await take("K3", 40, "release")
    await api.claim("w", task="K4", lease_seconds=5)
    clock.advance(10)
    await api.tick()
    metrics = (await api.get("/v1/workers/w"))["metrics"]
    since = metrics.pop("since")
    assert metrics == {
        "claims": 5, "completions": 2, "failures": 1, "releases": 1, "lapses": 1,
        "completions_per_hour": 2, "median_hold_seconds": 20,
    }  # fmt: skip
    assert since == (await api.events())[0]["at"]
    pace = (await api.get("/v1/workers"))["workers"][0]["completions_by_minute"]
    assert len(pace) == 15 and sum(pace) == 2
    clock.advance(60)
    assert (await api.get("/v1/workers"))["workers"][0]["completions_by_minute"] == [*pace[1:], 0], "oldest first"
    clock.advance(3700)
    assert (await api.get("/v1/workers/w"))["metrics"]["completions_per_hour"] == 0
    assert (await api.call("GET", "/v1/workers/nobody")).code == "unknown_worker"


async def test_metrics_survive_a_restart(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> None:
    settings, seen = Settings(data=tmp_path / "data", port=0), []
    for start in range(2):
        async with running_deck(settings, clock=clock, ids=ids) as running, _admin(running) as api:
            if not start:
                await api.create(key="T")
                fence = (await api.claim("w"))["fence"]
                clock.advance(7)
                await api.post("/v1/tasks/T/complete", {"fence": fence})
            seen.append((await api.get("/v1/workers/w"))["metrics"])
    assert seen[0] == seen[1]
    assert seen[1]["median_hold_seconds"] == 7


async def test_a_worker_that_leaves_gives_back_what_it_holds(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": "t", "key": f"K{n}"} for n in range(3)]})
    await api.post("/v1/claims", {"worker": "w", "max_tasks": 2})
    await api.post("/v1/workers/w/sessions", {"session": "s"})
    clock.advance(5)
    left = await api.post("/v1/workers/w/leave")
    assert (sorted(left["released"]), left["held"], left["liveness"]) == (["K0", "K1"], 0, "offline")
    for key in ("K0", "K1"):
        task = await api.get(f"/v1/tasks/{key}")
        assert (task["state"], task["attempt"], task["fence"]) == ("ready", 0, 1)
    (event,) = await api.events(type="worker.left")
    assert event["facts"] == {"released": 2, "sessions_ended": 1}
    (session,) = (await api.get("/v1/workers/w/sessions"))["sessions"]
    assert session["status"] == "completed"
    clock.advance(600)
    await api.tick()
    assert await _told(api) == [], "it said so itself"
    before = await api.last_seq()
    assert (await api.post("/v1/workers/w/leave"))["released"] == []
    assert await api.last_seq() == before


async def test_who_left_comes_back_by_its_next_call(api: Api) -> None:
    await api.create(key="T")
    await api.post("/v1/workers", {"id": "w"})
    await api.post("/v1/workers/w/leave")
    assert (await api.claim("w"))["task"]["key"] == "T"
    assert (await _told(api), await _liveness(api, "w")) == ([("back", "w")], "active")
    reply = await api.call("POST", "/v1/workers/w/leave", {}, token=await api.token_for("agent"))
    assert reply.code == "forbidden"


async def test_who_is_told_to_be_offline_is_so_until_heard_of(
    tmp_path: Path, clock: FakeClock, ids: CountingIds
) -> None:
    settings, seen = Settings(data=tmp_path / "data", port=0), []
    for start in range(2):
        async with running_deck(settings, clock=clock, ids=ids) as running, _admin(running) as api:
            if not start:
                await api.post("/v1/workers", {"id": "w"})
                clock.advance(122)
                await api.tick()
            seen.append(await _liveness(api, "w"))
    assert seen == ["offline", "offline"]
