"""From the event log to webhooks: which events wait to be sent, and what became of those that were.

The log is the outbox. A webhook's cursor moves past an event in the same transaction that writes the delivery of it,
so that a process killed at any moment goes on with neither hole nor doubt; a claim pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from taskdeck.domain.backoff import backoff_seconds
from taskdeck.domain.webhook import BASE_S, CAP_S, MAX_TRIES, DeliveryState, Webhook
from taskdeck.service.unblock import BY_TIME
from taskdeck.service.webhooks import Webhooks, announce
from taskdeck.store import deliveries, webhooks
from taskdeck.store.deliveries import Delivery
from taskdeck.store.unit import Unit

MISSED = "webhook.missed"
"""Tells of events that were removed before a webhook was told of them; always sent to that webhook."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The log was looked through up to `cursor` for `webhook`, as it was at its version; `seqs` are what it wants.

    `missed` are the first and last event that were removed from the log before they could be looked at.
    """

    webhook: Webhook
    cursor: int
    seqs: tuple[int, ...]
    missed: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try: the receiver's status, or the error that kept it from answering.

    `gone`: it asked never to be called again. `lost`: there was nothing to send, since the event is no longer kept.
    """

    delivery: int
    webhook: int
    status: int | None
    error: str | None
    gone: bool = False
    lost: bool = False

    @property
    def succeeded(self) -> bool:
        return self.error is None


def take_in(unit: Unit, known: Webhooks, looked: Sequence[Looked]) -> None:
    """Write the deliveries of what was found and move the cursors, unless a webhook has changed meanwhile."""
    for found in looked:
        webhook = webhooks.get(unit, found.webhook.id)
        if webhook is None or not webhook.active or webhook.version != found.webhook.version:
            continue
        if found.missed is not None:
            first, last = found.missed
            deliveries.insert(unit, webhook.id, [unit.next_seq])
            announce(unit, BY_TIME, MISSED, webhook, first=first, last=last)
        deliveries.insert(unit, webhook.id, found.seqs)
        known.save(unit, replace(webhook, cursor=found.cursor))


def record(unit: Unit, known: Webhooks, outcomes: Sequence[Outcome]) -> None:
    """Note what became of tries: delivered, to be tried again later, or given up; disable a webhook that only fails."""
    for outcome in outcomes:
        webhook, delivery = webhooks.get(unit, outcome.webhook), deliveries.get(unit, outcome.delivery)
        if webhook is None or delivery is None:
            continue  # deleted meanwhile
        deliveries.update(unit, _tried(unit, delivery, outcome))
        known.save(unit, _judged(unit, webhook, outcome))
        deliveries.forget_old(unit, webhook.id)


def _tried(unit: Unit, delivery: Delivery, outcome: Outcome) -> Delivery:
    attempts = delivery.attempts + 1
    state, next_at = DeliveryState.DELIVERED, None
    if not outcome.succeeded:
        state = DeliveryState.FAILED
        if attempts < MAX_TRIES and not outcome.lost:
            rest = backoff_seconds(attempts, base=BASE_S, cap=CAP_S, random=unit.ids.chance)
            state, next_at = DeliveryState.PENDING, unit.now + round(rest * 1000)
    return replace(
        delivery,
        state=state,
        attempts=attempts,
        next_at=next_at,
        tried_at=unit.now,
        status=outcome.status,
        error=outcome.error,
    )


def _judged(unit: Unit, webhook: Webhook, outcome: Outcome) -> Webhook:
    if outcome.lost:
        return webhook  # no fault of the receiver's
    if outcome.succeeded:
        return replace(webhook, failures=0, failing_since=None) if webhook.failures else webhook
    failing = replace(webhook, failures=webhook.failures + 1, failing_since=webhook.failing_since or unit.now)
    if not webhook.active or not (outcome.gone or failing.is_spent(unit.now)):
        return failing
    reason = "the receiver answered 410 Gone" if outcome.gone else f"{failing.failures} tries in a row failed"
    disabled = replace(failing, active=False, disabled_reason=reason, version=webhook.version + 1)
    announce(unit, BY_TIME, "webhook.disabled", disabled, reason=reason, error=outcome.error)
    return disabled
