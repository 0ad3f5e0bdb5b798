"""Routes of tokens, and who the caller is."""

from __future__ import annotations

from aiohttp import web

from taskdeck.domain.principal import Principal, Role
from taskdeck.http.call import Call
from taskdeck.http.holding import ms
from taskdeck.http.models import CreateToken
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.tokens import create_token, revoke_token, token_view

routes = RouteTable()


@routes.add("GET", "/v1/me", Role.READER)
async def get_me(call: Call) -> web.StreamResponse:
    """Say whose token this is and what it may do."""
    who = call.who
    return call.json(
        {
            "principal": who.name,
            "role": who.role,
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
    """Make a token. Its secret is shown in this reply and never again, whatever the Idempotency-Key."""
    asked = call.body(CreateToken)
    owner = Principal(asked.principal, asked.role, asked.capabilities, asked.groups, asked.projects)
    lifetime = ms(asked.expires_in_seconds)
    token, secret = await call.deck.write(
        lambda unit: create_token(
            unit, call.deck.keyring, call.who, owner, None if lifetime is None else unit.now + lifetime
        )
    )
    return call.json({"token": token_view(token), "secret": secret}, 201)


@routes.add("DELETE", "/v1/tokens/{id}", Role.ADMIN)
async def delete_token(call: Call) -> web.StreamResponse:
    """Revoke a token, at once."""
    text = call.path("id")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1
    return await call.write(
        lambda unit: revoke_token(unit, call.deck.keyring, call.who, number),
        lambda token: (200, body({"revoked": token.id})),
    )
