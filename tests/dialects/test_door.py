"""What all dialects have in common: where they are served, whom they let in, how a claim says which it came by."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from support.api import Api, Reply
from support.clock import FakeClock

from taskdeck.app import running_deck
from taskdeck.config import ConfigError, Settings
from taskdeck.dialects.dialect import Dialect
from taskdeck.dialects.door import Door, mount_dialect
from taskdeck.dialects.registry import ALL
from taskdeck.domain.errors import DeckError
from taskdeck.domain.principal import Role
from taskdeck.domain.via import DIALECTS
from taskdeck.http.call import Call
from taskdeck.http.late import Late
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Problem, body, task_reply
from taskdeck.service.claim import claim
from taskdeck.service.deck import Deck
from taskdeck.service.extra import extra_of, keep
from taskdeck.service.requests import ClaimRequest
from taskdeck.store.folder import ADMIN_TOKEN

table = RouteTable()


@table.add("POST", "/take/{worker}", Role.AGENT)
async def take(call: Call) -> web.StreamResponse:
    """Claim what is best, and note the query."""

    def work(unit):  # type: ignore[no-untyped-def]
        (task,) = claim(unit, call.who, ClaimRequest(call.path("worker"))).tasks
        return keep(unit, call.who, task, {"asked": call.request.query_string, "sent": call.raw.decode()})

    return await call.write(work, task_reply)


def refuse(error: Problem | DeckError, _request: web.Request, request_id: str) -> web.Response:
    code = error.code if isinstance(error, Problem) else error.stable_code
    return web.Response(status=418, body=body({"oh": code, "id": request_id}))


PROBE = Dialect("probe", table, refuse)


@pytest.fixture(params=[False, True], ids=["token", "opened"])
def opened(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def probe(deck: Deck, opened: bool) -> AsyncIterator[Api]:
    app = web.Application(client_max_size=4096)
    mount_dialect(app.router, Door(deck, PROBE, opened=opened), PROBE, "/probe")
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    token = (deck.folder / ADMIN_TOKEN).read_text().strip()
    async with Api(f"http://127.0.0.1:{runner.addresses[0][1]}/probe", token) as caller:
        yield caller
    await runner.cleanup()


def said(reply: Reply) -> object:
    return reply.status, reply.json()["oh"]


async def test_refusals_of_every_kind_are_said_in_the_dialects_way(probe: Api, opened: bool) -> None:
    assert said(await probe.call("GET", "/nowhere")) == (418, "not_found")
    assert said(await probe.call("GET", "/take/w")) == (418, "method_not_allowed")
    assert said(await probe.call("POST", "/take/w", token="td_wrong")) == (418, "unauthorized")
    assert said(await probe.raw("POST", "/take/w", b"x" * 5000)) == (418, "body_too_large")
    assert said(await probe.raw("POST", "/take/w", headers={"Host": "evil.example"})) == (418, "misdirected_host")
    probe.token = None
    expected = "internal" if opened else "unauthorized"  # the probe does not expect that nothing is there
    assert said(await probe.call("POST", "/take/w")) == (418, expected)


def test_every_dialect_is_spoken_under_its_own_name() -> None:
    assert set(ALL) <= set(DIALECTS)
    assert all(name == dialect.name for name, dialect in ALL.items())


ASKED = """
import asyncio, sys, urllib.request
from pathlib import Path
from taskdeck.app import running_deck
from taskdeck.config import Settings

def loaded():
    return [name.split(".")[2] for name in sys.modules if name.endswith(".dialect") and name.count(".") == 3]

async def main():
    async with running_deck(Settings(data=Path(sys.argv[1]), port=0)) as running:
        assert loaded() == [] and "taskdeck.http.native" not in sys.modules, loaded()
        asked = urllib.request.Request(running.url + "/stride/api/agent/onboarding")
        reply = await asyncio.to_thread(urllib.request.urlopen, asked)
        assert reply.status == 200 and loaded() == ["stride"], (reply.status, loaded())

asyncio.run(main())
"""


def test_a_dialect_is_loaded_when_it_is_first_asked_for_and_no_other_with_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", ASKED, str(tmp_path / "data")], check=True, timeout=60)


async def test_routes_that_cannot_be_put_together_are_an_error_and_tried_again(
    deck: Deck, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [ImportError("half of it is missing")]

    def fill(router: web.UrlDispatcher) -> None:
        if broken:
            raise broken.pop()
        mount_dialect(router, Door(deck, PROBE), PROBE, "/probe")

    app = web.Application()
    app.router.register_resource(Late("/probe", fill))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with Api(f"http://127.0.0.1:{runner.addresses[0][1]}", None) as caller:
        assert (await caller.call("GET", "/probe/nowhere")).status == 500
        assert "half of it is missing" in caplog.text
        assert said(await caller.call("GET", "/probe/nowhere")) == (418, "not_found")
        assert (await caller.call("GET", "/probed")).status == 404  # nothing of the dialect's
        assert (await caller.call("GET", "/probe")).status == 404
    await runner.cleanup()


def test_where_dialects_listen_is_read_from_flag_variable_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taskdeck.toml").write_text('open = ["stride"]\n[listen]\nstride = "127.0.0.1:1"\ndelega = "[::1]:2"\n')
    settings = Settings.load(data=tmp_path)
    assert settings.listen == {"stride": ("127.0.0.1", 1), "delega": ("::1", 2)}
    assert settings.open == ("stride",)
    monkeypatch.setenv("TASKDECK_LISTEN", "stride=localhost:3, delega=0.0.0.0:4")
    assert Settings.load(data=tmp_path).listen == {"stride": ("localhost", 3), "delega": ("0.0.0.0", 4)}  # noqa: S104
    assert Settings.load(data=tmp_path, listen=["conductor=h:5"]).listen == {"conductor": ("h", 5)}


@pytest.mark.parametrize(
    ("listen", "opened", "why"),
    [
        (["strid=h:1"], None, "did you mean stride"),
        (["stride=h"], None, "HOST:PORT"),
        (["stride=h:99999"], None, "HOST:PORT"),
        (None, ["strid"], "did you mean stride"),
        (["stride=0.0.0.0:1"], ["stride"], "loopback"),
    ],
)
def test_a_wrong_place_for_a_dialect_is_refused(
    tmp_path: Path, listen: list[str] | None, opened: list[str] | None, why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        Settings.load(data=tmp_path, listen=listen, open=opened)


async def test_a_claim_and_a_worker_tell_which_interface_they_came_by(tmp_path: Path, clock: FakeClock) -> None:
    async with running_deck(Settings(data=tmp_path / "data", port=0), clock=clock) as running:
        token = (running.data / ADMIN_TOKEN).read_text().strip()
        app = web.Application()
        mount_dialect(app.router, Door(running.deck, PROBE), PROBE)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with Api(running.url, token) as native, Api(url, token) as probe:
            for _ in range(2):
                await native.create("t")
            ours = await native.claim("n")
            theirs = (await probe.raw("POST", "/take/p?q=1", b"hello")).json()
            assert (ours["task"]["claim"]["via"], theirs["claim"]["via"]) == ("native", "probe")
            assert theirs["extra"] == {"probe": {"asked": "q=1", "sent": "hello"}}
            workers = {w["id"]: w["via"] for w in (await native.get("/v1/workers"))["workers"]}
            assert workers == {"n": "native", "p": "probe"}
            assert (await native.get(f"/v1/tasks/{theirs['key']}"))["extra"] == theirs["extra"]
            event = (await native.events(type="task.claimed"))[-1]
            assert event["changes"]["claim"]["via"] == "probe"
            await native.post(f"/v1/tasks/{theirs['key']}/release", {"fence": theirs["fence"]})
            assert (await native.get(f"/v1/tasks/{theirs['key']}"))["claim"] is None
        await runner.cleanup()


def test_what_a_dialect_keeps_is_its_own() -> None:
    class Kept:
        extra = '{"probe": {"a": 1}}'

    assert extra_of(Kept(), "probe") == {"a": 1}  # type: ignore[arg-type]
    assert extra_of(Kept(), "stride") == {}  # type: ignore[arg-type]
