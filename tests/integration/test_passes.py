"""Passes: tokens for a while that stand for one of the deck's own."""

from __future__ import annotations

import jwt
import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.domain.via import NATIVE
from taskdeck.service.passes import issue


async def _pass(api: Api, token: str, **fields: int) -> str:
    return str((await api.post("/v1/passes", fields, token=token))["pass"])


async def _code(api: Api, token: str) -> tuple[int, str]:
    reply = await api.call("GET", "/v1/me", token=token)
    return reply.status, reply.code


async def test_a_pass_stands_for_its_token_for_a_while(api: Api, clock: FakeClock) -> None:
    token = await api.token_for("agent", "ann", groups=["desk"])
    short = await _pass(api, token, life_seconds=60)
    told = jwt.decode(short, options={"verify_signature": False})
    assert (told["sub"], told["aud"], told["exp"] - told["iat"]) == ("ann", NATIVE, 60)
    me = await api.get("/v1/me", token=short)
    assert (me["principal"], me["role"], me["groups"]) == ("ann", "agent", ["desk"])
    assert (await api.call("POST", "/v1/passes", {}, token=short)).status == 422
    clock.advance(61)
    assert await _code(api, short) == (401, "token_expired")


async def test_a_pass_falls_with_its_token(api: Api) -> None:
    token = await api.token_for("agent", "ann")
    text = await _pass(api, token)
    await api.get("/v1/me", token=text)
    number = next(t["id"] for t in (await api.get("/v1/tokens"))["tokens"] if t["principal"] == "ann")
    await api.delete(f"/v1/tokens/{number}")
    assert await _code(api, text) == (401, "unauthorized")


@pytest.mark.parametrize("spoiled", ["signature", "algorithm", "kid", "other token", "other interface", "not one"])
async def test_a_pass_that_is_not_the_decks_opens_nothing(api: Api, deck_of: object, spoiled: str) -> None:
    token = await api.token_for("agent", "ann")
    text = await _pass(api, token)
    head, claims, signature = text.split(".")
    ann = next(t for t in deck_of.keyring.all() if t.principal.name == "ann")  # type: ignore[attr-defined]
    admin = next(t for t in deck_of.keyring.all() if t.principal.name == "admin")  # type: ignore[attr-defined]
    forged = {
        "signature": f"{head}.{claims}.{signature[:-4]}AAAA",
        "algorithm": jwt.encode({"sub": "ann", "aud": NATIVE}, None, "none", {"kid": str(ann.id)}),
        "kid": jwt.encode({"sub": "ann", "aud": NATIVE}, ann.hash, "HS256", {"kid": "x"}),
        "other token": jwt.encode({"sub": "admin", "aud": NATIVE}, ann.hash, "HS256", {"kid": str(admin.id)}),
        "other interface": issue(ann, "conductor", 1_800_000_000_000, None),
        "not one": "a.b.c",
    }[spoiled]
    assert await _code(api, forged) == (401, "unauthorized")


@pytest.fixture
def deck_of(served: object) -> object:
    return served.deck  # type: ignore[attr-defined]


async def test_a_pass_outlasts_a_restart_of_what_checks_it(api: Api, deck_of: object) -> None:
    from taskdeck.service.passes import Passes

    token = await api.token_for("agent", "ann")
    text = await _pass(api, token)
    found = Passes(deck_of.keyring).find(text)  # type: ignore[attr-defined]
    assert found is not None
    assert found.token.principal.name == "ann"
