"""Agents: Delega's are the deck's principals, known by their name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field, model_validator

from taskdeck.dialects.delega.replies import alter, once
from taskdeck.dialects.delega.standing import COMMENT_ALL, READ_ALL
from taskdeck.dialects.delega.wire import Flag, Wire, route, sent
from taskdeck.domain.errors import Conflict, Forbidden
from taskdeck.domain.principal import Principal, Role
from taskdeck.http.call import Call
from taskdeck.http.models import Text, WorkerId
from taskdeck.service.principals import (
    delete_principal,
    edit_principal,
    enrol,
    open_for,
    principal_view,
    renew_token,
    shut_out,
    the_principal,
)
from taskdeck.store.principals import Known, find, list_principals
from taskdeck.store.unit import Unit

PREFIX = "dlg_"
"""How the tokens begin that are made here."""
_PERMISSIONS = (READ_ALL, COMMENT_ALL)

RoleName = Literal["worker", "coordinator", "admin"]
Permission = Literal["tasks.read_all", "tasks.comment_all"]
Line = Annotated[Text, Field(max_length=128)]


class Rights(Wire):
    """What an agent may do: a role, or permissions."""

    role: RoleName | None = None
    permissions: list[Permission] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Rights:
        if self.role is not None and self.permissions is not None:
            raise ValueError("give role or permissions, not both")
        return self


class NewAgent(Rights):
    """An agent to be made."""

    name: WorkerId
    display_name: Line | None = None
    description: Annotated[Text, Field(max_length=2_000)] | None = None


class UpdateAgent(Rights):
    """What is to change."""

    name: WorkerId | None = None
    display_name: Line | None = None
    description: Annotated[Text, Field(max_length=2_000)] | None = None
    is_admin: Flag | None = None
    active: Flag | None = None


def role_said(who: Principal) -> RoleName:
    """The role of a principal in Delega's three."""
    if who.role is Role.ADMIN:
        return "admin"
    return "coordinator" if who.is_operator() or who.groups.issuperset(_PERMISSIONS) else "worker"


def _permissions(who: Principal) -> list[str]:
    return list(_PERMISSIONS) if who.is_operator() else [name for name in _PERMISSIONS if name in who.groups]


def _brief(known: Known, call: Call) -> dict[str, Any]:
    view = principal_view(known, call.deck.keyring, call.deck.clock.now_ms())
    return {
        "id": view["name"],
        "name": view["name"],
        "display_name": view["title"] or view["name"],
        "role": role_said(known.principal),
        "active": view["active"],
        "last_seen_at": view["last_used_at"],
    }


def _whole(known: Known, call: Call) -> dict[str, Any]:
    view = principal_view(known, call.deck.keyring, call.deck.clock.now_ms())
    return _brief(known, call) | {
        "description": known.description or None,
        "permissions": _permissions(known.principal),
        "is_admin": known.principal.role is Role.ADMIN,
        "created_at": view["created_at"],
    }


def _rights(role: RoleName | None, permissions: list[Permission] | None, groups: frozenset[str]) -> dict[str, Any]:
    """The deck's rights for a role or permissions; other groups are kept."""
    others = groups.difference(_PERMISSIONS)
    if role is not None:
        given = _PERMISSIONS if role == "coordinator" else ()
        return {"role": Role.ADMIN if role == "admin" else Role.AGENT, "groups": others.union(given)}
    return {} if permissions is None else {"groups": others.union(permissions)}


@route("GET", "/agents", Role.READER)
async def get_agents(call: Call) -> web.StreamResponse:
    """List the agents; others than admins see a directory."""
    known = await list_principals(call.deck.reader)
    if call.who.role is not Role.ADMIN:
        return call.json([_brief(each, call) for each in known])

    def work(unit: Unit) -> list[dict[str, Any]]:
        return [_whole(each, call) | {"open_task_count": open_for(unit, each.principal.name)} for each in known]

    return await alter(call, work)


@route("POST", "/agents", Role.ADMIN)
async def post_agent(call: Call) -> web.StreamResponse:
    """Make an agent; its key is shown in this reply alone."""
    said = sent(call, NewAgent)
    rights = _rights(said.role or (None if said.permissions else "worker"), said.permissions, frozenset())
    owner = Principal(said.name, rights.get("role", Role.AGENT), groups=rights["groups"])

    def work(unit: Unit) -> tuple[dict[str, Any], dict[str, Any]]:
        known, secret = enrol(
            unit, call.deck.keyring, call.who, owner, said.display_name, said.description or "", prefix=PREFIX
        )
        return _whole(known, call) | {"active": True}, {"api_key": secret}

    return await once(call, work, 201)


@route("POST", "/agents/{id}/rotate-key")
async def rotate_key(call: Call) -> web.StreamResponse:
    """Give an agent a new key in place of all it has."""
    name = call.path("id")

    def work(unit: Unit) -> tuple[dict[str, Any], dict[str, Any]]:
        _, secret = renew_token(unit, call.deck.keyring, call.who, name, prefix=PREFIX)
        return _whole(the_principal(unit, name), call) | {"active": True}, {"api_key": secret}

    return await once(call, work, 200)


@route("GET", "/agents/{id}", Role.READER)
async def get_agent(call: Call) -> web.StreamResponse:
    """Show an agent: itself, or anyone to admins."""
    name = call.path("id")
    if name != call.who.name and call.who.role is not Role.ADMIN:
        raise Forbidden("Only admins look at other agents.")
    return await alter(call, lambda unit: _whole(the_principal(unit, name), call))


@route("PUT", "/agents/{id}")
@route("PATCH", "/agents/{id}")
async def put_agent(call: Call) -> web.StreamResponse:
    """Change an agent: what it is called, itself; what it may do, admins."""
    said, name, keyring = sent(call, UpdateAgent), call.path("id"), call.deck.keyring
    if said.name is not None and said.name != name:
        raise Conflict("An agent of this server keeps its name; give it another display_name.", code="name_kept")

    def work(unit: Unit) -> dict[str, Any]:
        known = the_principal(unit, name)
        role = said.role
        if said.is_admin is not None and role is None:
            role = "admin" if said.is_admin else ("worker" if known.principal.role is Role.ADMIN else None)
        fields = _rights(role, said.permissions, known.principal.groups)
        if "display_name" in said.model_fields_set:
            fields["title"] = said.display_name
        if "description" in said.model_fields_set:
            fields["description"] = said.description or ""
        if fields:
            known = edit_principal(unit, keyring, call.who, name, fields)
        if said.active is not None:
            _switch(unit, call, known, said.active)
            return _whole(known, call) | {"active": said.active}
        return _whole(known, call)

    return await alter(call, work)


def _switch(unit: Unit, call: Call, known: Known, active: bool) -> None:
    """Shut an agent out; it comes back by a new key alone."""
    name = known.principal.name
    if not active:
        shut_out(unit, call.deck.keyring, call.who, name)
    elif not any(token.valid(unit.now) for token in call.deck.keyring.owned_by(name)):
        raise Conflict("This agent's keys were revoked; give it a new one with POST /agents/:id/rotate-key.")


@route("DELETE", "/agents/{id}", Role.ADMIN)
async def remove_agent(call: Call) -> web.StreamResponse:
    """Remove an agent that has no work."""
    name = call.path("id")

    def work(unit: Unit) -> dict[str, Any]:
        delete_principal(unit, call.deck.keyring, call.who, name)
        return {"ok": True, "deleted": name}

    return await alter(call, work)


@route("GET", "/agent/me", Role.READER)
async def get_me(call: Call) -> web.StreamResponse:
    """Say who calls."""
    who = call.who

    def work(unit: Unit) -> dict[str, Any]:
        known = find(unit, who.name)
        called = (known and known.title) or who.name
        agent = {"id": who.name, "name": who.name, "display_name": called, "role": role_said(who), "active": True}
        return agent | {"agent": agent, "account": {"email": None, "plan": "self-hosted"}}

    return await alter(call, work)
