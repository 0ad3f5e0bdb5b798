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


def once(
    key: OnceKey, attempt: Callable[[Unit], Any], render: Callable[[Any], tuple[int, bytes]]
) -> Callable[[Unit], Any]:
    """`attempt` so that it happens once under `key`, answering with an `Answer` of what `render` makes of it.

    Only what succeeded is remembered, in the same commit; a refusal changed nothing and may be tried again. An
    attempt that answers None (nothing to claim yet) is passed on and not remembered.

    Raises:
        Conflict: the key was used for another request (`idempotency_mismatch`).
    """

    def work(unit: Unit) -> Any:
        first = answers.find(unit, key.principal, key.key)
        if first is not None:
            if first.request != key.request:
                raise Conflict(
                    "this Idempotency-Key was used for another request",
                    hint="Use a fresh key for each write that is not a repetition.",
                    code="idempotency_mismatch",
                )
            return first
        result = attempt(unit)
        if result is None:
            return None
        status, body = render(result)
        answer = Answer(key.request, status, body)
        answers.keep(unit, key.principal, key.key, answer)
        return answer

    return work
