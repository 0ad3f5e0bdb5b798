"""The first answers to writes that carried an Idempotency-Key."""

from __future__ import annotations

from dataclasses import dataclass

from taskdeck.store.unit import Unit

KEEP_MS = 24 * 3600 * 1000
"""How long an answer is kept, at least."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as it was given: its status and body. `request` is the digest of the request it answered."""

    request: bytes
    status: int
    body: bytes


def find(unit: Unit, principal: str, key: str) -> Answer | None:
    row = unit.read(
        "SELECT request, status, body FROM answers WHERE principal = ? AND key = ?", (principal, key)
    ).fetchone()
    return None if row is None else Answer(*row)


def keep(unit: Unit, principal: str, key: str, answer: Answer) -> None:
    """Remember `answer`, and drop some that are past their keep."""
    unit.write(
        "INSERT INTO answers (principal, key, request, status, body, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (principal, key, answer.request, answer.status, answer.body, unit.now),
    )
    unit.write(
        "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM answers WHERE created_at < ? LIMIT 2)",
        (unit.now - KEEP_MS,),
    )
