"""Credentials of one run: with its claim a worker is given tokens that tell events of it, and end it, and nothing else.

A credential is a JSON Web Token (RFC 7519) that names the attempt, signed with what the deck keeps of the token that
claimed it: nothing more is kept, and it falls with that token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import orjson
from aiohttp import web

from taskdeck.dialects.veryfront import words
from taskdeck.dialects.veryfront.words import NAME
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.task import Task
from taskdeck.http.gate import bearer
from taskdeck.http.wire import Problem
from taskdeck.service.tokens import SECRET_PREFIX, Keyring, token_of
from taskdeck.store.tokens import Token
from taskdeck.store.unit import Unit

WORKER_PREFIX = "vfw_"
"""Begins the token of a worker; by it leaked ones are found."""
_ALGORITHM: Final = "HS256"
_USE, _PURPOSE = "run_event_writer", "current_run_terminal"
NO_TOKEN = "open"  # noqa: S105  (what a client that needs none is told to send: it opens nothing)
_LONGEST = 16_384


def secret_of(request: web.Request) -> str:
    """The deck's own token, in either header. What is none counts as no token: clients cannot but send something."""
    told = bearer(request) or request.headers.get("X-API-Key", "").strip()
    return told if told.startswith((SECRET_PREFIX, WORKER_PREFIX)) else ""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a credential says: whose it is, and of which run, by its id and by the UUID that stands for it in paths."""

    owner: Principal
    run: str
    canonical: str


def credentials(unit: Unit, keyring: Keyring, who: Principal, secret: str, task: Task) -> dict[str, str]:
    """The tokens of the run that `who` has just claimed with `secret` (empty where it needed none)."""
    run = words.run_id(task, task.fence)
    token = keyring.find(secret) or token_of(unit, keyring, who, NAME, Role.AGENT)
    claims = {
        "tokenUse": _USE,
        "writerPurpose": _PURPOSE,
        "runId": run,
        "canonicalRunId": words.made_of("run", run),
        "dispatchNonce": str(task.fence),
    }
    signed = _signed(claims, token)
    return {"auth_token": secret or NO_TOKEN, "run_event_token": signed, "run_terminal_token": signed}


def _signed(claims: dict[str, str], token: Token) -> str:
    """Put together by hand, for every claim needs one and the library takes as long as all the rest of it."""
    said = _heading(token.id) + _coded(orjson.dumps(claims))
    return (said + b"." + _coded(hmac.digest(token.hash, said, hashlib.sha256))).decode()


@lru_cache(maxsize=1024)
def _heading(kid: int) -> bytes:
    return _coded(orjson.dumps({"alg": _ALGORITHM, "typ": "JWT", "kid": str(kid)})) + b"."


def _coded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def read_credential(keyring: Keyring, text: str, run: str, now: int) -> Credential:
    """The credential `text` for the run that the path calls `run`.

    Raises:
        Problem: it is none of ours, its token does not hold any more, or it is another run's.
    """
    found = _read(keyring, text, now)
    if found is None:
        raise Problem(
            401,
            "unauthorized",
            "the run's token is unknown or does not hold any more",
            "Send the one that the claim of this run gave.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if run.lower() not in (found.canonical, found.run):
        raise Problem(403, "forbidden", "this token is for another run", "Send the one that its claim gave.")
    return found


def _read(keyring: Keyring, text: str, now: int) -> Credential | None:
    if len(text) > _LONGEST or text.count(".") != 2:
        return None
    import jwt  # it brings much, and few decks need it

    try:
        kid = str(jwt.get_unverified_header(text).get("kid", ""))
        token = keyring.get(int(kid)) if kid.isascii() and kid.isdigit() and len(kid) < 19 else None
        if token is None or not token.valid(now):
            return None
        claims: dict[str, Any] = jwt.decode(text, token.hash, [_ALGORITHM])
    except (jwt.PyJWTError, ValueError):
        return None
    if claims.get("tokenUse") != _USE or claims.get("writerPurpose") != _PURPOSE:
        return None
    return Credential(_owner(token), str(claims["runId"]), str(claims["canonicalRunId"]))


def _owner(token: Token) -> Principal:
    return replace(token.principal, via=NAME)
