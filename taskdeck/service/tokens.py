"""Tokens: who may call, checked without a query."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, Forbidden
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal, Role
from taskdeck.service.find import missing, the_worker
from taskdeck.store import tokens
from taskdeck.store.tokens import Token
from taskdeck.store.unit import Unit

SECRET_PREFIX = "td_"  # noqa: S105  (by which leaked secrets are found)
_SHOWN = 6
"""Characters of a secret, behind its prefix, by which people tell tokens apart."""
MAX_WORKER_TOKENS = 32
"""Tokens for one worker; a further one takes the place of the oldest."""
USED_GRAIN_MS = 60_000
"""How exactly a token's last use is remembered."""


def digest(secret: str) -> bytes:
    """What is kept of a secret. A slow hash protects guessable secrets; these are 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def token_view(token: Token) -> dict[str, Any]:
    """The public shape of a token."""
    owner = token.principal

    def time(ms: int | None) -> str | None:
        return None if ms is None else rfc3339(ms)

    return {
        "id": token.id,
        "prefix": token.prefix,
        "principal": owner.name,
        "role": owner.role,
        "worker": owner.worker,
        "projects": None if owner.projects is None else sorted(owner.projects),
        "capabilities": sorted(owner.capabilities),
        "groups": sorted(owner.groups),
        "created_at": time(token.created_at),
        "expires_at": time(token.expires_at),
        "last_used_at": time(token.last_used_at),
        "revoked_at": time(token.revoked_at),
    }


class Keyring:
    """Every token by its hash, in memory. Read on the event loop, changed there after each commit.

    `groups` are those that a principal is or was in.
    """

    def __init__(self, known: Iterable[Token]) -> None:
        self._by_hash: dict[bytes, Token] = {}
        self.groups: frozenset[str] = frozenset()
        for token in known:
            self.add(token)

    def find(self, secret: str) -> Token | None:
        """The token of that secret; whether it is still valid is the caller's to ask."""
        # looked up by hash: how long it takes tells nothing of the secret
        return self._by_hash.get(digest(secret))

    def add(self, token: Token) -> None:
        self._by_hash[token.hash] = token
        self.groups |= token.principal.groups

    def drop(self, number: int) -> None:
        token = self.get(number)
        if token is not None:
            del self._by_hash[token.hash]

    def all(self) -> list[Token]:
        return sorted(self._by_hash.values(), key=lambda token: token.id)

    def owned_by(self, name: str) -> list[Token]:
        """Every token of the principal `name`, revoked ones too."""
        return [token for token in self.all() if token.principal.name == name]

    def forget(self, name: str) -> None:
        """Drop every token of the principal `name`."""
        self._by_hash = {key: token for key, token in self._by_hash.items() if token.principal.name != name}

    def get(self, number: int) -> Token | None:
        return next((token for token in self._by_hash.values() if token.id == number), None)


def create_token(
    unit: Unit,
    keyring: Keyring,
    who: Principal,
    owner: Principal,
    expires_at: int | None,
    *,
    secret: str | None = None,
) -> tuple[Token, str]:
    """Make a token for `owner`, who is made with it if new; return it with its secret, which is kept nowhere.

    A `secret` that clients have from elsewhere is taken over as it is.

    Raises:
        Conflict: there is a principal of that name with other rights, or a token of that secret (`token_exists`).
    """
    if secret is not None and keyring.find(secret) is not None:
        raise Conflict("there is a token of that secret already", hint="Revoke that one.", code="token_exists")
    known = tokens.find_principal(unit, owner.name)
    if known is None:
        tokens.insert_principal(unit, owner)
    elif known != owner:
        raise Conflict(
            f"the principal {owner.name} has other rights than these",
            hint="Choose another name, ask for exactly its rights, or change them: PATCH /v1/principals/{name}.",
            code="principal_exists",
        )
    return _hand_out(unit, keyring, who, owner, expires_at, secret=secret)


def create_worker_token(
    unit: Unit, keyring: Keyring, who: Principal, worker: str, *, prefix: str = SECRET_PREFIX
) -> tuple[Token, str]:
    """Make a token that acts for its worker alone, as an agent of the worker's principal; return it with its secret.

    It does not expire. A worker has `MAX_WORKER_TOKENS` at most: the oldest ones make room.

    Raises:
        NotFound: no worker of that id has registered.
        Forbidden: it belongs to another principal, or `who` is itself known by a token for one worker.
    """
    owner = the_worker(unit, who, worker)
    if who.worker is not None:
        raise Forbidden(
            "a token for one worker makes no further ones", hint="Make it with a token of the worker's principal."
        )
    for number in tokens.of_worker(unit, worker)[: 1 - MAX_WORKER_TOKENS]:
        tokens.delete(unit, number)
        unit.after_commit.append(lambda number=number: keyring.drop(number))  # type: ignore[misc]
    principal = tokens.find_principal(unit, owner.principal)
    if principal is None:  # one that calls without a token of its own
        principal = Principal(owner.principal, Role.AGENT)
        tokens.insert_principal(unit, principal)
    return _hand_out(unit, keyring, who, principal, None, prefix=prefix, worker=worker)


def revoke_worker_tokens(unit: Unit, keyring: Keyring, who: Principal, worker: str) -> None:
    """Revoke every token that is for that worker alone."""
    for number in tokens.of_worker(unit, worker):
        revoke_token(unit, keyring, who, number)


def _hand_out(
    unit: Unit,
    keyring: Keyring,
    who: Principal,
    owner: Principal,
    expires_at: int | None,
    *,
    prefix: str = SECRET_PREFIX,
    worker: str | None = None,
    secret: str | None = None,
) -> tuple[Token, str]:
    if secret is None:
        secret = prefix + unit.ids.secret()
        shown = secret[: len(prefix) + _SHOWN]
    else:  # others may begin alike
        shown = f"{secret[:12]}~{digest(secret).hex()[:_SHOWN]}"
    token = tokens.insert(unit, shown, digest(secret), owner, expires_at, worker)
    unit.after_commit.append(lambda: keyring.add(token))
    made = token.principal
    facts = {"token": token.id, "prefix": token.prefix, "principal": made.name, "role": made.role, "worker": worker}
    unit.append(Event(unit.now, "token.created", who.name, worker=worker, facts=facts))
    return token, secret


def token_of(unit: Unit, keyring: Keyring, who: Principal, name: str, role: Role) -> Token:
    """A token that holds and is the principal `name`'s, for any worker; if there is none, a new one.

    Nobody learns the secret of a new one.
    A principal that is not known yet gets `role`; one that is keeps its rights.
    """
    known = next(
        (t for t in keyring.all() if t.principal.name == name and t.principal.worker is None and t.valid(unit.now)),
        None,
    )
    if known is not None:
        return known
    owner = tokens.find_principal(unit, name) or Principal(name, role)
    return create_token(unit, keyring, who, owner, None)[0]


def revoke_token(unit: Unit, keyring: Keyring, who: Principal, number: int) -> Token:
    """Let the token open nothing any more, at once.

    Raises:
        NotFound: there is no token of that number.
        Conflict: it is the last that can administer the deck.
    """
    token = keyring.get(number)
    if token is None:
        raise missing("token", number, "GET /v1/tokens lists them.")
    if token.revoked_at is not None:
        return token
    others = (other for other in keyring.all() if other.id != number and other.valid(unit.now))
    if token.principal.role is Role.ADMIN and not any(other.principal.role is Role.ADMIN for other in others):
        raise Conflict(
            f"token {number} is the last that can administer this deck",
            hint="Make another admin token before.",
            code="last_admin",
        )
    return withdraw(unit, who, token)


def withdraw(unit: Unit, who: Principal, token: Token) -> Token:
    """Revoke `token`, whoever can administer the deck then."""
    tokens.revoke(unit, token.id)

    def forget() -> None:
        token.revoked_at = unit.now

    unit.after_commit.append(forget)
    facts = {"token": token.id, "prefix": token.prefix, "principal": token.principal.name}
    unit.append(Event(unit.now, "token.revoked", who.name, facts=facts))
    return token
