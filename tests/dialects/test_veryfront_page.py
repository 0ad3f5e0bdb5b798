"""The published page of Veryfront's claim, its example taken as data: same status, every field with its type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from support.api import Api
from veryfront_client import register

if TYPE_CHECKING:
    from conftest import Speaking  # type: ignore[import-not-found]

PAGE = json.loads((Path(__file__).parent / "veryfront" / "claim_page.json").read_text())


def compare(shown: Any, ours: Any, at: str) -> None:
    """Whether `ours` has all that `shown` has, of the same types; a UUID where one is shown."""
    if isinstance(shown, dict):
        assert isinstance(ours, dict), at
        for name, value in shown.items():
            assert name in ours, f"{at}.{name}"
            compare(value, ours[name], f"{at}.{name}")
    elif isinstance(shown, list):
        assert isinstance(ours, list), at
        if shown:
            assert ours, at
            compare(shown[0], ours[0], f"{at}[0]")
    else:
        assert type(ours) is type(shown), (at, ours)
        if isinstance(shown, str) and shown.count("-") == 4:
            assert str(UUID(ours)) == ours, at


async def test_the_example_of_the_page(speaking: Speaking) -> None:
    asked, own = PAGE["request"], PAGE["response"]["run"]
    async with speaking("veryfront") as spoken, Api(spoken.url, spoken.native.token) as api:
        message = {"id": "m", "role": "user", "metadata": {}, "createdAt": "2026-01-01T00:00:00Z"}
        sources = {name: value for name, value in own.items() if name.startswith("source_")}
        request = {"messages": [message], "traceContext": own["request_snapshot"]["traceContext"]}
        task = await spoken.native.create("T", payload={"veryfront": request | sources})
        worker = await register(api)

        async def claim(body: Any) -> Any:
            path = asked["path"].format(worker_id=worker.id)
            headers = asked["headers"] | {
                "Authorization": asked["headers"]["Authorization"].replace("<token>", worker.token)
            }
            return await api.raw(asked["method"], path, orjson.dumps(body), headers)

        first = (await claim(asked["body"])).json()["run"]
        await worker.append(first, {"type": "CUSTOM"})
        await worker.session(first["run_id"], "s", status="completed")
        await spoken.native.post(f"/v1/tasks/{task['key']}/release", {"fence": 1})
        reply = await claim(asked["body"])
        assert reply.status == PAGE["status"]
        # the page shows a session that has ended without metadata, and a run as it was before the claim
        compare(PAGE["response"], reply.json(), "reply")
        run = reply.json()["run"]
        assert {name: run[name] for name in sources} == sources
        assert run["request_snapshot"]["traceContext"] == request["traceContext"]
        assert run["lease_owner"] == worker.id
        held = (await spoken.native.get("/v1/leases"))["leases"][0]
        assert (held["expires_at"], held["lease_seconds"]) == (
            run["lease_expires_at"],
            asked["body"]["lease_duration_seconds"],
        )
        least, most = PAGE["range"]["lease_duration_seconds"]
        for seconds, status in ((least - 1, 400), (least, 200), (most, 200), (most + 1, 400)):
            assert (await claim({"lease_duration_seconds": seconds})).status == status
        bare = asked["headers"] | {"Authorization": ""}
        assert (await api.raw(asked["method"], asked["path"].format(worker_id=worker.id), b"{}", bare)).status == 401
