"""Where webhooks may lead, and whom they take for the receiver: addresses, names, what is no HTTP, certificates."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import trustme
from support.api import Api
from support.clock import FakeClock
from support.fresh import fresh
from support.hooks import HOOKS, admin, ended, follow_clock, hook, settings, until
from support.ids import CountingIds
from support.receiver import Receiver, receiver

from taskdeck.app import RunningDeck, running_deck
from taskdeck.config import Settings


@pytest.fixture
async def served(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> AsyncIterator[RunningDeck]:
    async with running_deck(settings(fresh(tmp_path / "data")), clock=clock, ids=ids) as running:
        yield running


@pytest.fixture(autouse=True)
def _reference_clock(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    follow_clock(monkeypatch, clock)


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/", "https://10.0.0.8/", "http://1.1.1.1/"],
)
async def test_by_default_no_inner_address_is_taken(tmp_path: Path, url: str) -> None:
    async with running_deck(Settings(data=tmp_path / "data", port=0)) as running, admin(running) as api:
        reply = await api.call("POST", HOOKS, {"url": url, "events": ["*"]})
        assert (reply.status, reply.code) == (422, "invalid_request")
        assert reply.json()["errors"][0]["field"] == "url"


async def test_a_name_that_leads_inwards_is_not_called(tmp_path: Path, there: Receiver) -> None:
    port = there.url.rsplit(":", 1)[1].removesuffix("/hook")
    async with running_deck(Settings(data=tmp_path / "data", port=0)) as running, admin(running) as api:
        for host in ("localhost", "2130706433", "0x7f.1"):
            made = (await api.post(HOOKS, {"url": f"https://{host}:{port}/", "events": ["task.created"]}))["webhook"]
            await api.create()
            found = await until(api, made, lambda found: bool(found and found[0]["attempts"]))
            assert "127.0.0.1 is not an address of the open internet" in found[0]["error"], host
            await api.delete(f"{HOOKS}/{made['id']}")
    assert there.got == []


async def test_what_is_amiss_is_said_in_our_own_words(api: Api, there: Receiver) -> None:
    plain = there.url.removeprefix("http")
    for url, words in (
        (f"https{plain}", "no TLS connection came about"),
        ("http://127.0.0.1:1/", "no connection"),
        ("http://no-such-name.invalid/", "the name is not known"),
    ):
        made = (await api.post(HOOKS, {"url": url, "events": ["task.created"]}))["webhook"]
        await api.create()
        found = await until(api, made, lambda found: bool(found and found[0]["attempts"]))
        assert words in found[0]["error"], url
        assert found[0]["status"] is None
        await api.delete(f"{HOOKS}/{made['id']}")


async def test_a_receiver_that_speaks_no_http_or_hangs_up_is_a_failed_try(api: Api) -> None:
    answers = [b"SECRET nonsense\r\n\r\n", b""]

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop(0))
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        made = (await api.post(HOOKS, {"url": f"http://127.0.0.1:{port}/", "events": ["task.created"]}))["webhook"]
        await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 2})
        found = await until(api, made, lambda found: sum(one["attempts"] for one in found) == 2)
    assert {one["error"] for one in found} == {
        "no valid HTTP answer came",
        "the connection was cut before an answer came",
    }


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that clients in this process trust."""
    made, context = trustme.CA(), ssl.create_default_context()
    made.configure_trust(context)
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", context)
    return made


def _tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_tls_is_spoken_under_the_name_though_the_address_is_called(api: Api, authority: trustme.CA) -> None:
    async with receiver(_tls(authority, "localhost")) as there:
        made = await hook(api, there, "task.created")
        await api.create()
        (got,) = await there.until(1)
        assert got.verified(made["secret"])
        assert got.headers["Host"] == there.url.removeprefix("https://").removesuffix("/hook")
        (one,) = await until(api, made, ended(1))
        assert one["status"] == 200


async def test_a_certificate_for_another_name_is_not_taken(api: Api, authority: trustme.CA) -> None:
    async with receiver(_tls(authority, "elsewhere.example")) as there:
        made = await hook(api, there, "task.created")
        await api.create()
        (one,) = await until(api, made, lambda found: bool(found and found[0]["attempts"]))
        assert one["error"] == "the receiver's certificate is not valid for its name"
        assert there.got == []
