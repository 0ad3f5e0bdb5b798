"""Principals and tokens in the database."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace

from taskdeck.domain.principal import Principal, Role
from taskdeck.store.unit import Unit


@dataclass(slots=True)
class Token:
    """A token without its secret. Times are milliseconds since the epoch; `prefix` is its public beginning.

    One that is for a `worker` alone acts as an agent, whatever else its principal may be.
    """

    id: int
    prefix: str
    hash: bytes
    principal: Principal
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    revoked_at: int | None

    def valid(self, now: int) -> bool:
        return self.revoked_at is None and not self.expired(now)

    def expired(self, now: int) -> bool:
        return self.expires_at is not None and now >= self.expires_at


_SELECT = (
    "SELECT t.id, t.prefix, t.hash, t.created_at, t.expires_at, t.last_used_at, t.revoked_at,"
    " t.worker, p.name, p.role, p.projects, p.capabilities, p.groups"
    " FROM tokens t JOIN principals p ON p.name = t.principal ORDER BY t.id"
)


def load(connection: sqlite3.Connection) -> list[Token]:
    """Every token there is."""
    return [
        Token(number, prefix, digest, bound(principal_from(*owner), worker, number), created, expires, used, revoked)
        for number, prefix, digest, created, expires, used, revoked, worker, *owner in connection.execute(_SELECT)
    ]


def principal_from(name: str, role: str, projects: str | None, capabilities: str, groups: str) -> Principal:
    return Principal(
        name,
        Role(role),
        frozenset(json.loads(capabilities)),
        frozenset(json.loads(groups)),
        None if projects is None else frozenset(json.loads(projects)),
    )


def bound(principal: Principal, worker: str | None, token: int) -> Principal:
    """`principal` as the token of that number shows it: for `worker` alone, as an agent, if it is for one."""
    if worker is None:
        return replace(principal, token=token)
    return replace(principal, role=Role.AGENT, worker=worker, token=token)


def find_principal(unit: Unit, name: str) -> Principal | None:
    row = unit.read(
        "SELECT name, role, projects, capabilities, groups FROM principals WHERE name = ?", (name,)
    ).fetchone()
    return None if row is None else principal_from(*row)


def insert_principal(unit: Unit, principal: Principal) -> None:
    projects = None if principal.projects is None else json.dumps(sorted(principal.projects))
    unit.write(
        "INSERT INTO principals (name, role, projects, capabilities, groups, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (
            principal.name,
            principal.role,
            projects,
            json.dumps(sorted(principal.capabilities)),
            json.dumps(sorted(principal.groups)),
            unit.now,
        ),
    )


def insert(
    unit: Unit, prefix: str, digest: bytes, principal: Principal, expires_at: int | None, worker: str | None = None
) -> Token:
    number = unit.write(
        "INSERT INTO tokens (prefix, hash, principal, created_at, expires_at, worker) VALUES (?, ?, ?, ?, ?, ?)",
        (prefix, digest, principal.name, unit.now, expires_at, worker),
    ).lastrowid
    if number is None:
        raise RuntimeError("the database gave no number to a new token")
    return Token(number, prefix, digest, bound(principal, worker, number), unit.now, expires_at, None, None)


def of_worker(unit: Unit, worker: str) -> list[int]:
    """Tokens for `worker` alone that are not revoked, oldest first."""
    rows = unit.read("SELECT id FROM tokens WHERE worker = ? AND revoked_at IS NULL ORDER BY id", (worker,))
    return [row[0] for row in rows]


def delete(unit: Unit, token: int) -> None:
    unit.write("DELETE FROM tokens WHERE id = ?", (token,))


def revoke(unit: Unit, token: int) -> bool:
    """Revoke a token; False if there is none of that number that still holds."""
    cursor = unit.write("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (unit.now, token))
    return cursor.rowcount == 1


def used(unit: Unit, token: int, at: int) -> None:
    """Note when a token was last used."""
    unit.write("UPDATE tokens SET last_used_at = ? WHERE id = ?", (at, token))
