"""SIGTERM and second servers: a real process stops soon, whoever listens, and loses nothing it has acknowledged."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.api import Api
from support.server import environment, server

STOP_S = 3.0
CLIENTS = 16

pytestmark = pytest.mark.timeout(120)


async def test_under_load_everything_acknowledged_is_there(tmp_path: Path) -> None:
    created: set[str] = set()
    claimed: dict[str, int] = {}
    heard = asyncio.Event()

    async def work(api: Api, name: str) -> None:
        try:
            while True:
                reply = await api.call("POST", "/v1/tasks", {"title": "t"})
                assert reply.status in (201, 503), reply
                if reply.status == 201:
                    created.add(reply.json()["id"])
                reply = await api.call("POST", "/v1/claims", {"worker": name})
                assert reply.status in (200, 503), reply
                if reply.status == 200:
                    claimed.update((claim["task"]["id"], claim["fence"]) for claim in reply.json()["claims"])
                heard.set()
        except (aiohttp.ClientError, ConnectionError):
            return

    async with server(tmp_path / "data") as deck, deck.api(connections=CLIENTS) as api:
        working = [asyncio.create_task(work(api, f"w{n}")) for n in range(CLIENTS)]
        while len(created) < 300:
            heard.clear()
            async with asyncio.timeout(20):
                await heard.wait()
        code, took = await deck.terminate()
        await asyncio.gather(*working)
        assert code == 0, deck.output.read_text()
        assert took < STOP_S
    async with server(tmp_path / "data") as deck, deck.api() as api:
        events = await api.events()
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert created <= {event["task"]["id"] for event in events if event["type"] == "task.created"}
        held = {e["task"]["id"]: e["changes"]["fence"] for e in events if e["type"] == "task.claimed"}
        assert claimed.items() <= held.items()
        assert (await api.get("/readyz"))["status"] == "ready"


async def test_streams_and_waiting_claims_do_not_hold_it_up(tmp_path: Path) -> None:
    async with server(tmp_path / "data") as deck, deck.api() as api:
        waiting = [
            asyncio.create_task(api.call("POST", "/v1/claims", {"worker": f"w{n}", "wait_seconds": 60}))
            for n in range(8)
        ]
        await api.until_waiting(8)

        async def follow(ready: asyncio.Event) -> bytes:
            async with api.session.get(f"{api.url}/v1/events/stream", headers=api.headers()) as stream:
                first = await stream.content.readline()
                ready.set()
                return first + await stream.content.read()

        readies = [asyncio.Event() for _ in range(4)]
        streams = [asyncio.create_task(follow(ready)) for ready in readies]
        await asyncio.gather(*(ready.wait() for ready in readies))
        code, took = await deck.terminate()
        assert (code, took < STOP_S) == (0, True), took
        for reply in await asyncio.gather(*waiting):
            answer: Any = reply.json()
            assert reply.status == 200
            assert [reason["code"] for reason in answer["reasons"]] == ["draining"]
        for content in await asyncio.gather(*streams):
            assert content.startswith(b": taskdeck\n")
        assert "Traceback" not in deck.output.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_server_stops_at_once_and_tidies_up(tmp_path: Path, number: signal.Signals) -> None:
    async with server(tmp_path / "data") as deck:
        deck.process.send_signal(number)
        assert await asyncio.to_thread(deck.process.wait, 10) == 0
    assert not (tmp_path / "data" / "deck.sock").exists()
    wal = tmp_path / "data" / "deck.db-wal"
    assert not wal.exists() or wal.stat().st_size == 0
    assert "Traceback" not in deck.output.read_text()


def _serve(data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taskdeck", "serve", "--data", str(data), "--port", "0"],
        capture_output=True, text=True, timeout=30, env=environment(), check=False,
    )  # fmt: skip


async def test_a_second_server_on_the_folder_is_refused_and_names_the_first(tmp_path: Path) -> None:
    async with server(tmp_path / "data") as deck:
        second = await asyncio.to_thread(_serve, deck.data)
        assert second.returncode == 1
        assert f"process {deck.process.pid}" in second.stderr
        assert deck.url in second.stderr
        assert "Traceback" not in second.stderr
        async with deck.api() as api:
            assert (await api.get("/readyz"))["status"] == "ready"


async def test_a_damaged_folder_is_refused_without_a_traceback(tmp_path: Path) -> None:
    async with server(tmp_path / "data") as deck, deck.api() as api:
        await api.post("/v1/tasks", {"tasks": [{"title": "t" * 400}] * 300})
    database = tmp_path / "data" / "deck.db"
    with database.open("r+b") as file:
        for page in range(1, database.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    refused = await asyncio.to_thread(_serve, tmp_path / "data")
    assert refused.returncode == 1
    assert str(database) in refused.stderr
    assert "Traceback" not in refused.stderr
