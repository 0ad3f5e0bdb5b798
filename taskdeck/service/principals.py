"""Principals: who there is, what each may do, and letting one go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import OPEN
from taskdeck.service.find import missing
from taskdeck.service.tokens import SECRET_PREFIX, Keyring, create_token, withdraw
from taskdeck.store import principals
from taskdeck.store.principals import Known
from taskdeck.store.tokens import Token, bound, find_principal
from taskdeck.store.unit import Unit

RIGHTS = frozenset({"role", "capabilities", "groups", "projects"})
"""Fields that say what a principal may do; the others are for people."""


def principal_view(known: Known, keyring: Keyring, now: int) -> dict[str, Any]:
    """The public shape of a principal; it is `active` while a token of it is valid."""
    owner = known.principal
    valid = [token for token in keyring.owned_by(owner.name) if token.valid(now)]
    used = [token.last_used_at for token in valid if token.last_used_at is not None]
    return {
        "name": owner.name,
        "title": known.title,
        "description": known.description,
        "role": owner.role,
        "projects": None if owner.projects is None else sorted(owner.projects),
        "capabilities": sorted(owner.capabilities),
        "groups": sorted(owner.groups),
        "active": bool(valid),
        "tokens": len(valid),
        "last_used_at": rfc3339(max(used)) if used else None,
        "created_at": rfc3339(known.created_at),
    }


def the_principal(unit: Unit, name: str) -> Known:
    """The principal `name`.

    Raises:
        NotFound: there is none (`unknown_principal`).
    """
    found = principals.find(unit, name)
    if found is None:
        raise missing("principal", name, "GET /v1/principals lists them; a token makes its own.")
    return found


def enrol(
    unit: Unit,
    keyring: Keyring,
    who: Principal,
    owner: Principal,
    title: str | None,
    description: str,
    *,
    prefix: str = SECRET_PREFIX,
) -> tuple[Known, str]:
    """Make a principal that must be new, and its first token; return it with the token's secret.

    Raises:
        Conflict: there is one of that name (`principal_exists`).
    """
    if find_principal(unit, owner.name) is not None:
        raise Conflict(
            f"there is a principal {owner.name} already", hint="Choose another name.", code="principal_exists"
        )
    _, secret = create_token(unit, keyring, who, owner, None, secret=prefix + unit.ids.secret())
    known = edit_principal(unit, keyring, who, owner.name, {"title": title, "description": description})
    return known, secret


def edit_principal(unit: Unit, keyring: Keyring, who: Principal, name: str, fields: dict[str, Any]) -> Known:
    """Change `title`, `description` or rights (`role`, `capabilities`, `groups`, `projects`); all its tokens follow.

    A principal may change its own title and description, an admin everything of all.

    Raises:
        NotFound: there is no such principal.
        Forbidden: `who` may not do that.
        Conflict: it is the last admin and would be none (`last_admin`).
    """
    if who.name != name or RIGHTS & fields.keys():
        who.require(Role.ADMIN, "changing a principal")
    before = the_principal(unit, name)
    owner = replace(before.principal, **{key: value for key, value in fields.items() if key in RIGHTS})
    if before.principal.role is Role.ADMIN and owner.role is not Role.ADMIN:
        _refuse_last_admin(unit, keyring, name)
    after = replace(before, principal=owner, **{key: value for key, value in fields.items() if key not in RIGHTS})
    if after != before:
        principals.update(unit, after)
        unit.after_commit.append(lambda: _follow(keyring, owner))
        unit.append(Event(unit.now, "principal.edited", who.name, facts={"principal": name} | _plain(fields)))
    return after


def renew_token(
    unit: Unit, keyring: Keyring, who: Principal, name: str, *, prefix: str = SECRET_PREFIX
) -> tuple[Token, str]:
    """A new token of the principal `name` in place of all it has, which open nothing any more.

    Raises:
        NotFound: there is no such principal.
        Forbidden: it is another's, and `who` is no admin.
    """
    if who.name != name:
        who.require(Role.ADMIN, "making another's token")
    owner = the_principal(unit, name).principal
    old = keyring.owned_by(name)
    made = create_token(unit, keyring, who, owner, None, secret=prefix + unit.ids.secret())
    _revoke(unit, who, old)
    return made


def shut_out(unit: Unit, keyring: Keyring, who: Principal, name: str) -> Known:
    """Let no token of the principal `name` open anything any more.

    Raises:
        NotFound: there is no such principal.
        Conflict: it is the last admin (`last_admin`).
    """
    who.require(Role.ADMIN, "shutting a principal out")
    known = the_principal(unit, name)
    if known.principal.role is Role.ADMIN:
        _refuse_last_admin(unit, keyring, name)
    _revoke(unit, who, keyring.owned_by(name))
    return known


def delete_principal(unit: Unit, keyring: Keyring, who: Principal, name: str) -> Known:
    """Remove the principal `name` with its tokens. What it did stays.

    Raises:
        NotFound: there is no such principal.
        Conflict: it is the caller or the last admin (`last_admin`), or holds tasks or is to have some (`holds_claims`).
    """
    who.require(Role.ADMIN, "removing a principal")
    known = the_principal(unit, name)
    if name == who.name:
        raise Conflict(f"{name} is who asks for it", hint="Let another admin do it.", code="last_admin")
    if known.principal.role is Role.ADMIN:
        _refuse_last_admin(unit, keyring, name)
    held = unit.read("SELECT count(*) FROM tasks WHERE state = 'claimed' AND principal = ?", (name,)).fetchone()[0]
    offered = open_for(unit, name)
    if held or offered:
        raise Conflict(
            f"{name} holds {held} tasks, and {offered} that have not ended are assigned to it",
            hint="Let them be released, and assign them to others, before.",
            code="holds_claims",
        )
    principals.delete(unit, name)
    unit.after_commit.append(lambda: keyring.forget(name))
    unit.append(Event(unit.now, "principal.deleted", who.name, facts={"principal": name}))
    return known


def open_for(unit: Unit, name: str) -> int:
    """How many tasks that have not ended are assigned to `name`."""
    mirror = unit.mirror
    return sum(n for (at, kind), n in mirror.counts.items() if kind in OPEN and mirror.buckets[at].assignee == name)


def _revoke(unit: Unit, who: Principal, old: Iterable[Token]) -> None:
    for token in old:
        if token.revoked_at is None:
            withdraw(unit, who, token)


def _refuse_last_admin(unit: Unit, keyring: Keyring, name: str) -> None:
    others = (t for t in keyring.all() if t.principal.name != name and t.valid(unit.now))
    if not any(token.principal.role is Role.ADMIN for token in others):
        raise Conflict(
            f"{name} is the last that can administer this deck",
            hint="Make another admin before.",
            code="last_admin",
        )


def _follow(keyring: Keyring, owner: Principal) -> None:
    for token in keyring.owned_by(owner.name):
        token.principal = bound(owner, token.principal.worker, token.id)


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: sorted(value) if isinstance(value, frozenset) else value for key, value in fields.items()}
