"""Tokens, as Conductor's clients get them: a key and its secret are exchanged for one that holds for a while."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

from aiohttp import web
from pydantic import Field, TypeAdapter

from taskdeck.dialects.conductor.errors import bad_request
from taskdeck.dialects.conductor.wire import Wire, asked, parsed
from taskdeck.dialects.conductor.words import NAME
from taskdeck.domain.principal import Principal, Role
from taskdeck.http.call import Call
from taskdeck.http.routes import PUBLIC, RouteTable
from taskdeck.http.wire import Problem
from taskdeck.service.passes import DEFAULT_LIFE_S, MAX_LIFE_S, issue
from taskdeck.service.tokens import token_of
from taskdeck.store.tokens import Token

routes = RouteTable()


class Credentials(Wire):
    """A principal's name, and a token of it; for how many milliseconds, for ever if that is negative."""

    keyId: Annotated[str, Field(max_length=128)] = ""
    keySecret: Annotated[str, Field(max_length=500)] = ""
    expiration: int | None = None


_Credentials = TypeAdapter(Credentials)


@routes.add("POST", "/api/token", PUBLIC)
async def post_token(call: Call) -> web.StreamResponse:
    """Exchange a key and its secret for a token."""
    given = parsed(_Credentials, call.raw, b"{}")
    token = await _opened(call, given) if call.who.is_operator() else _owned(call, given)
    now = call.deck.clock.now_ms()
    if token is None or not token.valid(now):
        raise Problem(401, "bad_credentials", "the key is unknown, or this is not its secret")
    return call.json({"token": issue(token, NAME, now, _life_s(given.expiration))})


@routes.add("GET", "/api/token/userInfo", Role.READER)
async def get_user_info(call: Call) -> web.StreamResponse:
    """Say who calls."""
    user = _user(call.who)
    if asked(call, "claims"):
        return call.json({"user": user, "claims": {"sub": call.who.name}})
    return call.json(user)


def _owned(call: Call, given: Credentials) -> Token | None:
    """The token that is the secret, if its owner's name is the key."""
    token = call.deck.keyring.find(given.keySecret)
    return token if token is not None and token.principal.name == given.keyId else None


async def _opened(call: Call, given: Credentials) -> Token:
    """Where no token is asked for, whoever names itself is believed."""
    name = given.keyId
    if not name or not name.isprintable() or name != name.strip():
        raise bad_request("keyId is a name of 1 to 128 printable characters")
    return await call.deck.write(lambda unit: token_of(unit, call.deck.keyring, call.who, name, Role.OPERATOR))


def _life_s(expiration_ms: int | None) -> float | None:
    if expiration_ms is None or expiration_ms == 0:
        return DEFAULT_LIFE_S
    return None if expiration_ms < 0 else min(max(1.0, expiration_ms / 1000), MAX_LIFE_S)


def _user(who: Principal) -> dict[str, Any]:
    return {
        "id": who.name,
        "name": who.name,
        "roles": [{"name": "ADMIN" if who.is_operator() else "USER", "permissions": []}],
        "groups": [{"id": group} for group in sorted(who.groups)],
        "uuid": str(uuid5(NAMESPACE_URL, f"taskdeck:{who.name}")),
        "applicationUser": False,
    }
