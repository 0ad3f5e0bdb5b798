"""Routes of tokens, and who the caller is."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Invalid
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.via import NATIVE
from taskdeck.http.call import Call
from taskdeck.http.gate import bearer
from taskdeck.http.models import ms
from taskdeck.http.reading import path_number
from taskdeck.http.routes import RouteTable
from taskdeck.http.token_models import CreatePass, CreateToken
from taskdeck.http.wire import body
from taskdeck.service.passes import issue
from taskdeck.service.tokens import create_token, revoke_token, token_view
from taskdeck.store.tokens import Token
from taskdeck.store.unit import Unit

routes = RouteTable()


@routes.add("GET", "/v1/me", Role.READER)
async def get_me(call: Call) -> web.StreamResponse:
    """Say whose token this is and what it may do."""
    who = call.who
    return call.json(
        {
            "principal": who.name,
            "role": who.role,
            "worker": who.worker,
            "capabilities": sorted(who.capabilities),
            "groups": sorted(who.groups),
            "projects": None if who.projects is None else sorted(who.projects),
        }
    )


@routes.add("GET", "/v1/tokens", Role.ADMIN)
async def get_tokens(call: Call) -> web.StreamResponse:
    """List the tokens, revoked ones too; their secrets are kept nowhere."""
    return call.json({"tokens": [token_view(token) for token in call.deck.keyring.all()]})


@routes.add("POST", "/v1/tokens", Role.ADMIN, body=CreateToken, success=201)
async def post_token(call: Call) -> web.StreamResponse:
    """Make a token. Its secret is shown in the first reply alone; under an Idempotency-Key later ones have null."""
    asked = call.body(CreateToken)
    owner = Principal(asked.principal, asked.role, asked.capabilities, asked.groups, asked.projects)
    lifetime = ms(asked.expires_in_seconds)

    def work(unit: Unit) -> tuple[Token, str]:
        expires_at = None if lifetime is None else unit.now + lifetime
        return create_token(unit, call.deck.keyring, call.who, owner, expires_at, secret=asked.secret)

    return await with_secret(call, work)


async def with_secret(call: Call, make: Callable[[Unit], tuple[Token, str]]) -> web.Response:
    """Answer with the token that `make` makes, and its secret. What is kept for a repetition must not hold it."""
    made: dict[str, object] = {}

    def work(unit: Unit) -> Token:
        token, secret = make(unit)
        made.update(token=token_view(token), secret=secret)
        return token

    repeated = await call.write(work, lambda token: (201, body({"token": token_view(token), "secret": None})))
    return call.json(made, 201) if made else repeated


@routes.add("POST", "/v1/passes", Role.READER, body=CreatePass, success=201)
async def post_pass(call: Call) -> web.StreamResponse:
    """Make a short-lived token that stands for the one this call carries."""
    asked = call.body(CreatePass)
    token = call.deck.keyring.find(bearer(call.request))
    if token is None:
        raise Invalid(
            "this call carries no token to make a pass for", hint="Send a token of your own; a pass makes none."
        )
    now = call.deck.clock.now_ms()
    expires_at = rfc3339(now // 1000 * 1000 + asked.life_seconds * 1000)
    return call.json({"pass": issue(token, NATIVE, now, asked.life_seconds), "expires_at": expires_at}, 201)


@routes.add("DELETE", "/v1/tokens/{id}", Role.ADMIN)
async def delete_token(call: Call) -> web.StreamResponse:
    """Revoke a token, at once."""
    number = path_number(call, "token")
    return await call.write(
        lambda unit: revoke_token(unit, call.deck.keyring, call.who, number),
        lambda token: (200, body({"revoked": token.id})),
    )
