"""Deliveries to webhooks in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from taskdeck.domain.webhook import KEPT, DeliveryState
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a webhook. `type` is None when the event is no longer kept; times are milliseconds."""

    number: int
    id: str
    webhook: int
    seq: int
    state: DeliveryState
    attempts: int
    created_at: int
    next_at: int | None
    tried_at: int | None
    status: int | None
    error: str | None
    type: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery to be tried now, with the event it carries; `body` is None when the event is no longer kept."""

    number: int
    id: str
    webhook: int
    type: str | None
    at: int | None
    body: bytes | None


_SELECT = (
    "SELECT d.number, d.id, d.webhook, d.seq, d.state, d.attempts, d.created_at, d.next_at, d.tried_at, d.status,"
    " d.error, e.type FROM deliveries d LEFT JOIN events e ON e.seq = d.seq"
)


def insert(unit: Unit, webhook: int, seqs: Iterable[int]) -> None:
    """Let these events be sent to the webhook, at once."""
    for seq in seqs:
        unit.write(
            "INSERT INTO deliveries (id, webhook, seq, created_at, next_at) VALUES (?, ?, ?, ?, ?)",
            (unit.ids.task_id(unit.now), webhook, seq, unit.now, unit.now),
        )


def get(unit: Unit, number: int) -> Delivery | None:
    row = unit.read(f"{_SELECT} WHERE d.number = ?", (number,)).fetchone()
    return None if row is None else _delivery(row)


def find(unit: Unit, webhook: int, identity: str) -> Delivery | None:
    """The delivery of that id, if it is one of this webhook."""
    row = unit.read(f"{_SELECT} WHERE d.id = ? AND d.webhook = ?", (identity, webhook)).fetchone()
    return None if row is None else _delivery(row)


def update(unit: Unit, delivery: Delivery) -> None:
    """Write what `delivery` has become."""
    unit.write(
        "UPDATE deliveries SET state = ?, attempts = ?, next_at = ?, tried_at = ?, status = ?, error = ?"
        " WHERE number = ?",
        (
            delivery.state,
            delivery.attempts,
            delivery.next_at,
            delivery.tried_at,
            delivery.status,
            delivery.error,
            delivery.number,
        ),
    )


def forget_old(unit: Unit, webhook: int) -> None:
    """Drop what ended before the newest `KEPT` that have."""
    unit.write(
        "DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries WHERE webhook = ? AND"
        " state <> 'pending' ORDER BY number DESC LIMIT 500 OFFSET ?)",
        (webhook, KEPT),
    )


async def pending(reader: Reader) -> dict[int, tuple[int, int]]:
    """webhook → how many deliveries wait, and when the next is to be tried."""
    rows = await reader.rows(
        "SELECT webhook, count(*), min(next_at) FROM deliveries WHERE state = 'pending' GROUP BY webhook"
    )
    return {webhook: (n, next_at) for webhook, n, next_at in rows}


async def due(reader: Reader, webhook: int, now: int, limit: int) -> list[Due]:
    """Up to `limit` deliveries of the webhook to be tried now, those that wait longest first."""
    rows = await reader.rows(
        "SELECT d.number, d.id, d.webhook, e.type, e.at, e.body FROM deliveries d LEFT JOIN events e ON e.seq = d.seq"
        " WHERE d.state = 'pending' AND d.webhook = ? AND d.next_at <= ? ORDER BY d.next_at, d.number LIMIT ?",
        (webhook, now, limit),
    )
    return [Due(*row) for row in rows]


async def list_deliveries(
    reader: Reader, webhook: int, state: DeliveryState | None, before: int | None, limit: int
) -> list[Delivery]:
    """Up to `limit` deliveries of the webhook, newest first, older than number `before`."""
    rows = await reader.rows(
        f"{_SELECT} WHERE d.webhook = ?1 AND (?2 IS NULL OR d.state = ?2) AND (?3 IS NULL OR d.number < ?3)"
        " ORDER BY d.number DESC LIMIT ?4",
        (webhook, state, before, limit),
    )
    return [_delivery(row) for row in rows]


def _delivery(row: tuple[object, ...]) -> Delivery:
    number, identity, webhook, seq, state, *rest = row
    return Delivery(number, identity, webhook, seq, DeliveryState(str(state)), *rest)  # type: ignore[arg-type]
