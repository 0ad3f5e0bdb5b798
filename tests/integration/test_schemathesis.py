"""Requests made up from the API's description find no fault of the server's and no reply that it does not tell of.

A long run with other requests each time: `python tests/fuzz.py MINUTES`.
"""

from __future__ import annotations

import asyncio

import pytest
from support.api import Api
from support.fuzz import Found, furnish, fuzz

from taskdeck.app import RunningDeck
from taskdeck.http.native import all_routes
from taskdeck.store.folder import ADMIN_TOKEN


@pytest.mark.timeout(240)
async def test_made_up_requests_find_no_fault(api: Api, served: RunningDeck) -> None:
    token = (served.data / ADMIN_TOKEN).read_text().strip()

    def run() -> Found:
        furnish(served.url, token)
        *_, (_, found) = fuzz(served.url, token, examples=2)
        return found

    found = await asyncio.to_thread(run)
    assert not found.faults, "\n\n".join(found.faults)
    tried = {label for label, statuses in found.statuses.items() if statuses}
    assert tried == {f"{route.method} {route.path}" for route in all_routes()} - {
        "GET /openapi.json", "GET /v1/events/stream", "GET /v1/events/ws", "GET /v1/claims/ws",
    }  # fmt: skip
    every = {status for statuses in found.statuses.values() for status in statuses}
    assert every >= {200, 201, 404, 409, 422}, "good requests and bad ones, of what there is and of what there is not"
    assert (await api.call("GET", "/readyz")).status == 200
