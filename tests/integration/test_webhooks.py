"""Webhooks: what is sent, how it is signed, what becomes of what fails; against a real receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import standardwebhooks.webhooks as reference
from support.api import Api
from support.clock import START_MS, FakeClock
from support.fresh import fresh
from support.hooks import HOOKS, admin, deliveries, ended, follow_clock, hook, settings, until
from support.ids import CountingIds
from support.receiver import Receiver, receiver

from taskdeck.app import RunningDeck, running_deck
from taskdeck.domain.webhook import KEPT, MAX_TRIES, MAX_WAITING, MAX_WEBHOOKS
from taskdeck.push import post as post_module
from taskdeck.push import sender as sender_module


@pytest.fixture
async def served(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> AsyncIterator[RunningDeck]:
    """A deck that may send to loopback."""
    async with running_deck(settings(fresh(tmp_path / "data")), clock=clock, ids=ids) as running:
        yield running


@pytest.fixture(autouse=True)
def _reference_clock(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    follow_clock(monkeypatch, clock)


async def test_an_event_is_sent_signed_and_whole(api: Api, there: Receiver) -> None:
    made = await hook(api, there)
    task = await api.create("Ünïcode 😀")
    (got,) = await there.until(1)
    (event,) = await api.events(type="task.created")
    assert got.verified(made["secret"]) == {"type": "task.created", "timestamp": event["at"], "data": event}
    assert event["task"]["id"] == task["id"]
    assert got.headers["webhook-timestamp"] == str(START_MS // 1000)
    assert got.headers["Content-Type"] == "application/json"
    assert got.path == "/hook"
    (listed,) = await until(api, made, ended(1))
    assert (listed["state"], listed["attempts"], listed["status"], listed["error"]) == ("delivered", 1, 200, None)
    assert (listed["seq"], listed["type"], f"msg_{listed['id']}") == (event["seq"], "task.created", got.id)
    with pytest.raises(reference.WebhookVerificationError):
        got.verified("whsec_" + "A" * 44)


async def test_only_the_wanted_events_are_sent_each_once(api: Api, there: Receiver) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    mine = await hook(api, there, "task.claimed", "worker.*", projects=["ours"])
    await api.post("/v1/workers", {"id": "w"})  # belongs to no project
    await api.create("no")
    await api.claim("w")
    await api.create("yes", project="ours")
    await api.claim("w")
    (got,) = await there.until(1)
    assert got.json()["data"]["project"] == "ours"
    assert got.json()["type"] == "task.claimed"
    everything = await hook(api, there, "*", after=0)
    log = await api.events()
    got_all = (await there.until(1 + len(log)))[1:]
    assert sorted(one.json()["data"]["seq"] for one in got_all) == [event["seq"] for event in log]
    assert len(await deliveries(api, mine)) == 1
    assert len(await until(api, everything, ended(len(log)))) == len(log)


async def test_a_burst_larger_than_what_may_wait_arrives_whole(api: Api, there: Receiver) -> None:
    made = await hook(api, there, "task.created")
    there.gate.clear()
    await api.post("/v1/tasks", {"tasks": [{"title": str(n)} for n in range(450)]})
    await there.until(sender_module.AT_ONCE_EACH)
    waiting = await until(api, made, lambda found: len(found) >= MAX_WAITING)
    assert len(waiting) == MAX_WAITING
    there.gate.set()
    got = await there.until(450)
    assert sorted(int(one.json()["data"]["changes"]["title"]) for one in got) == list(range(450))
    assert there.most_at_once <= sender_module.AT_ONCE_EACH
    assert len({one.id for one in got}) == 450


async def test_a_failed_try_is_made_again_later_and_later(api: Api, there: Receiver, clock: FakeClock) -> None:
    made = await hook(api, there, "task.created")
    there.answers = [500, 503, 302]
    there.body, there.headers = b"inner secrets", {"Location": "http://127.0.0.1:1/elsewhere"}
    await api.create()
    rests = []
    for tries, status in ((1, 500), (2, 503), (3, 302)):
        await there.until(tries)
        (one,) = await until(api, made, lambda found, tries=tries: found[0]["attempts"] == tries)
        assert (one["state"], one["status"]) == ("pending", status)
        assert str(status) in one["error"]
        rests.append(_ms(one["next_at"]) - clock.now_ms())
        clock.advance(rests[-1] / 1000 - 0.001)
        await api.post("/v1/workers", {"id": f"early-{tries}"})
        clock.advance(0.001)
        await api.post("/v1/workers", {"id": f"in-time-{tries}"})
    got = await there.until(4)
    (one,) = await until(api, made, ended(1))
    assert (one["state"], one["attempts"], one["error"]) == ("delivered", 4, None)
    assert len({message.id for message in got}) == 1
    assert len({message.headers["webhook-timestamp"] for message in got}) == 4
    assert 5_000 <= rests[0] <= 10_000 <= rests[1] <= 20_000 <= rests[2] <= 40_000
    assert (await api.get(f"{HOOKS}/{made['id']}"))["failures"] == 0
    shown = (await api.call("GET", f"{HOOKS}/{made['id']}/deliveries")).body
    assert b"inner secrets" not in shown


def _ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)


async def test_what_only_fails_is_given_up_and_the_webhook_disabled(
    api: Api, there: Receiver, clock: FakeClock
) -> None:
    made = await hook(api, there, "task.created")
    there.always = 500
    await api.create()
    for tries in range(1, MAX_TRIES + 1):
        await there.until(tries)
        await until(api, made, lambda found, tries=tries: found[0]["attempts"] == tries)
        clock.advance(3_600)
        await api.post("/v1/workers", {"id": f"w{tries}"})
    (one,) = await deliveries(api, made)
    assert (one["state"], one["next_at"]) == ("failed", None)
    now = await api.get(f"{HOOKS}/{made['id']}")
    assert (now["active"], now["failures"]) == (False, MAX_TRIES)
    (event,) = await api.events(type="webhook.disabled")
    assert event["actor"] == "deck"
    assert event["facts"]["webhook"] == made["id"]
    assert "10 tries" in event["facts"]["reason"]
    await api.create("while it rests")
    refused = await api.call("POST", f"{HOOKS}/{made['id']}/deliveries/{one['id']}/redeliver", {})
    assert (refused.status, refused.code) == (409, "webhook_disabled")
    there.always = 200
    again = await api.patch(f"{HOOKS}/{made['id']}", {"active": True})
    assert (again["active"], again["failures"], again["disabled_reason"]) == (True, 0, None)
    got = await there.until(MAX_TRIES + 1)
    assert got[-1].json()["data"]["changes"]["title"] == "while it rests"


async def test_a_short_trouble_disables_nothing(api: Api, there: Receiver) -> None:
    made = await hook(api, there, "task.created")
    there.always = 500
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 30})
    await there.until(30)
    await until(api, made, lambda found: all(one["attempts"] == 1 for one in found))
    assert (await api.get(f"{HOOKS}/{made['id']}"))["active"] is True
    assert there.most_at_once <= sender_module.AT_ONCE_EACH


async def test_a_receiver_that_is_gone_is_not_called_again(api: Api, there: Receiver) -> None:
    made = await hook(api, there, "task.created")
    there.always = 410
    await api.create()
    await there.until(1)
    async with asyncio.timeout(10):
        while (await api.get(f"{HOOKS}/{made['id']}"))["active"]:
            pass
    (event,) = await api.events(type="webhook.disabled")
    assert "410" in event["facts"]["reason"]


async def test_a_delivery_is_sent_again_by_hand_under_its_id(api: Api, there: Receiver) -> None:
    made = await hook(api, there, "task.created")
    await api.create()
    (one,) = await until(api, made, ended(1))
    asked = await api.post(f"{HOOKS}/{made['id']}/deliveries/{one['id']}/redeliver")
    assert (asked["state"], asked["attempts"]) == ("pending", 0)
    first, second = await there.until(2)
    assert first.id == second.id
    assert first.body == second.body
    (event,) = await api.events(type="webhook.redelivered")
    assert event["facts"]["seq"] == one["seq"]
    for path in (f"{HOOKS}/{made['id']}/deliveries/x", f"{HOOKS}/99/deliveries/{one['id']}"):
        assert (await api.call("POST", f"{path}/redeliver", {})).status == 404


async def test_during_a_rotation_both_secrets_hold(api: Api, there: Receiver, clock: FakeClock) -> None:
    made = await hook(api, there, "task.created")
    rotated = await api.post(f"{HOOKS}/{made['id']}/rotate", {"overlap_seconds": 60})
    assert rotated["webhook"]["rotates_until"] is not None
    await api.create()
    (got,) = await there.until(1)
    assert got.verified(made["secret"]) == got.verified(rotated["secret"])
    clock.advance(61)
    await api.create()
    later = (await there.until(2))[1]
    assert later.verified(rotated["secret"])
    with pytest.raises(reference.WebhookVerificationError):
        later.verified(made["secret"])
    assert (await api.get(f"{HOOKS}/{made['id']}"))["rotates_until"] is None


async def test_a_secret_is_shown_once_and_stands_nowhere(api: Api, there: Receiver) -> None:
    wish = {"url": f"{there.url}?token=inner", "events": ["*"]}
    first = await api.call("POST", HOOKS, wish, key="k")
    again = await api.call("POST", HOOKS, wish, key="k")
    secret = first.json()["secret"]
    assert secret.startswith("whsec_")
    assert again.json() == {"webhook": first.json()["webhook"], "secret": None}
    assert len((await api.get(HOOKS))["webhooks"]) == 1
    turned = (await api.post(f"{HOOKS}/{first.json()['webhook']['id']}/rotate"))["secret"]
    seen = str(await api.events()) + (await api.call("GET", HOOKS)).body.decode()
    assert secret not in seen
    assert turned not in seen
    assert "token=inner" not in str(await api.events()), "a URL's query may be a secret"
    given = "whsec_" + "QUJD" * 8
    assert (await api.post(HOOKS, wish | {"secret": given}))["secret"] == given


async def test_edits_hold_at_once(api: Api, there: Receiver) -> None:
    made = await hook(api, there, "task.created")
    path = f"{HOOKS}/{made['id']}"
    resting = await api.patch(path, {"active": False, "version": made["version"]})
    assert (resting["active"], resting["version"]) == (False, made["version"] + 1)
    assert (await api.call("PATCH", path, {"active": True, "version": 1})).code == "version_conflict"
    await api.create("missed")
    await api.patch(path, {"active": True, "after": await api.last_seq(), "events": ["task.cancelled"]})
    task = await api.create("no")
    await api.post(f"/v1/tasks/{task['id']}/cancel")
    (got,) = await there.until(1)
    assert got.json()["type"] == "task.cancelled"
    assert await api.delete(path) == {"deleted": made["id"]}
    assert (await api.call("GET", path)).code == "unknown_webhook"
    assert (await api.get(HOOKS))["webhooks"] == []


async def test_a_restart_goes_on_where_it_stopped(
    tmp_path: Path, clock: FakeClock, ids: CountingIds, there: Receiver
) -> None:
    there.gate.clear()
    async with running_deck(settings(tmp_path / "data"), clock=clock, ids=ids) as first, admin(first) as api:
        await hook(api, there, "task.created")
        await api.post("/v1/tasks", {"tasks": [{"title": str(n)} for n in range(20)]})
        await there.until(1)
    there.gate.set()
    there.got.clear()
    async with (
        running_deck(settings(tmp_path / "data"), clock=clock, ids=CountingIds(9_000)) as second,
        admin(second) as api,
    ):
        await api.create("20")
        await there.until(21)
        assert {one.json()["data"]["changes"]["title"] for one in there.got} == {str(n) for n in range(21)}


async def test_a_slow_receiver_is_cut_off(api: Api, there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_module, "TIMEOUT_S", 0.2)
    there.gate.clear()
    made = await hook(api, there, "task.created")
    await api.create()
    (one,) = await until(api, made, lambda found: bool(found and found[0]["attempts"]))
    assert one["status"] is None
    assert "no answer within" in one["error"]


async def test_an_event_that_is_no_longer_kept_is_given_up_at_once(
    served: RunningDeck, api: Api, there: Receiver
) -> None:
    made = await hook(api, there, "task.created")
    there.always = 500
    await api.create()
    (one,) = await until(api, made, lambda found: bool(found and found[0]["attempts"]))
    failures = (await api.get(f"{HOOKS}/{made['id']}"))["failures"]
    await served.deck.write(lambda unit: unit.write("DELETE FROM events WHERE seq = ?", (one["seq"],)) and None)
    await served.deck.write(lambda unit: unit.write("UPDATE deliveries SET next_at = 0") and None)
    await api.post("/v1/workers", {"id": "w"})
    (one,) = await until(api, made, ended(1))
    assert (one["state"], one["type"], one["error"]) == ("failed", None, "the event is no longer kept")
    assert (await api.get(f"{HOOKS}/{made['id']}"))["failures"] == failures
    reply = await api.call("POST", f"{HOOKS}/{made['id']}/deliveries/{one['id']}/redeliver", {})
    assert reply.code == "unknown_delivery"


async def test_one_failing_webhook_holds_up_no_other(api: Api, there: Receiver) -> None:
    there.gate.clear()
    await hook(api, there, "task.created")
    async with receiver() as other:
        await hook(api, other, "task.created")
        await api.post("/v1/tasks", {"tasks": [{"title": str(n)} for n in range(60)]})
        assert len(await other.until(60)) == 60
    assert there.most_at_once <= sender_module.AT_ONCE_EACH


async def test_ended_deliveries_are_kept_to_a_number(
    api: Api, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskdeck.store.deliveries.KEPT", 10)
    made = await hook(api, there, "task.created")
    await api.post("/v1/tasks", {"tasks": [{"title": str(n)} for n in range(60)]})
    await there.until(60)
    found = await until(api, made, lambda found: len(found) == 10 and all(one["state"] == "delivered" for one in found))
    assert len({one["id"] for one in found}) == 10
    assert KEPT >= 100
    page = await api.get(f"{HOOKS}/{made['id']}/deliveries?limit=6")
    rest = await api.get(f"{HOOKS}/{made['id']}/deliveries?limit=6&cursor={page['next_cursor']}")
    assert [one["id"] for one in page["deliveries"] + rest["deliveries"]] == [one["id"] for one in found]
    assert rest["next_cursor"] is None
    assert await deliveries(api, made, "&state=failed") == []


async def test_there_are_only_so_many(api: Api, there: Receiver) -> None:
    for _ in range(MAX_WEBHOOKS):
        await hook(api, there)
    reply = await api.call("POST", HOOKS, {"url": there.url, "events": ["*"]})
    assert (reply.status, reply.code) == (409, "too_many_webhooks")


async def test_an_admin_of_one_project_tells_of_no_other(api: Api, there: Receiver) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    all_seeing = await hook(api, there)
    token = await api.token_for("admin", "inside", projects=["ours"])
    wish = {"url": there.url, "events": ["*"]}
    assert (await api.call("POST", HOOKS, wish, token=token)).code == "forbidden"
    reply = await api.call("POST", HOOKS, wish | {"projects": ["default"]}, token=token)
    assert reply.code == "unknown_project"
    made = (await api.post(HOOKS, wish | {"projects": ["ours"]}, token=token))["webhook"]
    assert [one["id"] for one in (await api.get(HOOKS, token=token))["webhooks"]] == [made["id"]]
    path = f"{HOOKS}/{all_seeing['id']}"
    for method, where, body in (
        ("GET", path, None),
        ("GET", f"{path}/deliveries", None),
        ("PATCH", path, {"active": False}),
        ("POST", f"{path}/rotate", {}),
        ("DELETE", path, None),
    ):
        assert (await api.call(method, where, body, token=token)).code == "unknown_webhook", where
    widened = await api.call("PATCH", f"{HOOKS}/{made['id']}", {"projects": None}, token=token)
    assert widened.code == "forbidden"


async def test_without_webhooks_nobody_listens(served: RunningDeck, api: Api, there: Receiver) -> None:
    await api.create()
    assert served.deck.bus.listeners == 0
    made = await hook(api, there)
    async with asyncio.timeout(10):
        while served.deck.bus.listeners != 1:
            await api.tick()
    await api.delete(f"{HOOKS}/{made['id']}")
    await api.create()
    async with asyncio.timeout(10):
        while served.deck.bus.listeners:
            await api.tick()


async def test_a_webhook_behind_a_pruned_log_is_told_what_it_missed(
    api: Api, served: RunningDeck, there: Receiver, clock: FakeClock
) -> None:
    task = await api.create()
    last = await api.last_seq()
    clock.advance(91 * 86_400)
    await served.deck.prune()
    made = await hook(api, there, "task.*", "webhook.missed", after=0)
    (first,) = await there.until(1)
    told = first.verified(made["secret"])
    assert told["type"] == "webhook.missed"
    (event,) = await api.events(last, type="webhook.missed")
    assert event["facts"] == {"webhook": made["id"], "origin": "http://127.0.0.1", "active": True,
                              "first": 1, "last": last}  # fmt: skip
    assert told["data"] == event
    await api.patch(f"/v1/tasks/{task['id']}", {"title": "new"})
    await there.until(2)
    await until(api, made, ended(2))
    assert [one.json()["type"] for one in there.got] == ["webhook.missed", "task.edited"], "each is told once"
