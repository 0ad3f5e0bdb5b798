"""Idempotency: a write that is sent again under the same key gets the first answer and changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from taskdeck.domain.errors import Conflict
from taskdeck.store import answers
from taskdeck.store.answers import Answer
from taskdeck.store.unit import Unit


@dataclass(frozen=True, slots=True)
class OnceKey:
    """Which request this is: whose, under what key, and a digest of what it asks."""

    principal: str
    key: str
    request: bytes


def request_digest(method: str, path: str, body: bytes) -> bytes:
    """What makes two requests the same request."""
    return hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).digest()


Reply = tuple[int, bytes]
"""A status and a body."""
Render = Callable[[Any], Reply]


def answered(attempt: Callable[[Unit], Any], render: Render, key: OnceKey | None = None) -> Callable[[Unit], Any]:
    """`attempt` as a unit of work that answers with the reply that `render` makes of it, while the unit lasts.

    With `key` it happens once: only what succeeded is remembered, in the same commit; a refusal changed nothing and
    may be tried again. An attempt that answers None (nothing to claim yet) is passed on and not remembered.

    Raises:
        Conflict: the key was used for another request (`idempotency_mismatch`).
    """

    def work(unit: Unit) -> Reply | None:
        result = attempt(unit)
        return None if result is None else render(result)

    return work if key is None else _once(key, work)


def _once(key: OnceKey, work: Callable[[Unit], Reply | None]) -> Callable[[Unit], Reply | None]:
    def once(unit: Unit) -> Reply | None:
        first = answers.find(unit, key.principal, key.key)
        if first is not None:
            if first.request != key.request:
                raise Conflict(
                    "this Idempotency-Key was used for another request",
                    hint="Use a fresh key for each write that is not a repetition.",
                    code="idempotency_mismatch",
                )
            return first.status, first.body
        reply = work(unit)
        if reply is not None:
            answers.keep(unit, key.principal, key.key, Answer(key.request, *reply))
        return reply

    return once
