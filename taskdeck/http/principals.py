"""Routes of principals: who there is, and what each may do."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, model_validator

from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.models import Body, Line, Names, ProjectName, Text
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.principals import delete_principal, edit_principal, principal_view
from taskdeck.store.principals import list_principals

routes = RouteTable()

Title = Annotated[Line, Field(min_length=1, max_length=128)]


class EditPrincipal(Body):
    """Fields to change. All but `title` and `description` are for admins; `projects` null lets it into all."""

    title: Title | None = None
    description: Annotated[Text, Field(max_length=2_000)] | None = None
    role: Role | None = None
    capabilities: Names | None = None
    groups: Names | None = None
    projects: Annotated[frozenset[ProjectName], Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> EditPrincipal:
        if not self.model_fields_set:
            raise ValueError("names no field to change")
        for name in ("description", "role", "capabilities", "groups"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self

    def fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


@routes.add("GET", "/v1/principals", Role.ADMIN)
async def get_principals(call: Call) -> web.StreamResponse:
    """List who there is, by name, with what each may do."""
    keyring, now = call.deck.keyring, call.deck.clock.now_ms()
    known = await list_principals(call.deck.reader)
    return call.json({"principals": [principal_view(each, keyring, now) for each in known]})


@routes.add("PATCH", "/v1/principals/{name}", Role.READER, body=EditPrincipal)
async def patch_principal(call: Call) -> web.StreamResponse:
    """Change what a principal may do; all its tokens follow at once."""
    name, asked, keyring = call.path("name"), call.body(EditPrincipal), call.deck.keyring
    now = call.deck.clock.now_ms()
    return await call.write(
        lambda unit: edit_principal(unit, keyring, call.who, name, asked.fields()),
        lambda known: (200, body(principal_view(known, keyring, now))),
    )


@routes.add("DELETE", "/v1/principals/{name}", Role.ADMIN)
async def remove_principal(call: Call) -> web.StreamResponse:
    """Remove a principal with its tokens; what it did stays."""
    name, keyring = call.path("name"), call.deck.keyring
    return await call.write(
        lambda unit: delete_principal(unit, keyring, call.who, name),
        lambda known: (200, body({"deleted": known.principal.name})),
    )
