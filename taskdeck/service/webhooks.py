"""Webhooks: making, changing, renewing the secret of and removing them. All of it is the admins' alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, Forbidden, Invalid, NotFound
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal
from taskdeck.domain.reach import Reach, is_address
from taskdeck.domain.signature import secret_from
from taskdeck.domain.webhook import MAX_WEBHOOKS, DeliveryState, Webhook
from taskdeck.service.find import full, missing, require_version, unknown_project
from taskdeck.service.registry import Registry
from taskdeck.store import deliveries, webhooks
from taskdeck.store.deliveries import Delivery
from taskdeck.store.unit import Unit


class Webhooks(Registry[int, Webhook]):
    """Every webhook, in memory."""

    def __init__(self, known: Iterable[Webhook]) -> None:
        super().__init__(lambda webhook: webhook.id, known)

    def active(self) -> list[Webhook]:
        return [webhook for webhook in self.all() if webhook.active]

    def save(self, unit: Unit, webhook: Webhook) -> Webhook:
        """Write what `webhook` has become, here once it is committed."""
        webhooks.update(unit, webhook)
        unit.after_commit.append(lambda: self.put(webhook))
        return webhook


def sees(who: Principal, webhook: Webhook) -> bool:
    """Whether `who` is let into all that the webhook may tell of."""
    return who.projects is None or (webhook.projects is not None and webhook.projects <= who.projects)


def the_webhook(unit: Unit, who: Principal, number: int) -> Webhook:
    """The webhook of that number.

    Raises:
        NotFound: there is none, or it tells of projects that `who` is not let into.
    """
    webhook = webhooks.get(unit, number)
    if webhook is None or not sees(who, webhook):
        raise unknown_webhook(number)
    return webhook


def unknown_webhook(number: int) -> NotFound:
    return missing("webhook", number, "GET /v1/webhooks lists them.")


def create_webhook(unit: Unit, known: Webhooks, who: Principal, reach: Reach, wish: dict[str, Any]) -> Webhook:
    """Make a webhook of the fields in `wish`: `url`, `patterns`, and if wanted `projects`, `description`, `secret`
    and `cursor`, the number of the event after which it begins (by default the newest).

    Raises:
        Invalid: the URL cannot be called.
        Forbidden: it would tell of projects that `who` is not let into.
        NotFound: a project is unknown.
        Conflict: there are as many webhooks as there may be (`too_many_webhooks`).
    """
    if webhooks.count(unit) >= MAX_WEBHOOKS:
        raise full("webhook", MAX_WEBHOOKS)
    webhook = Webhook(
        id=0,
        url=wish["url"],
        patterns=wish["patterns"],
        projects=wish.get("projects"),
        description=wish.get("description", ""),
        secret=wish.get("secret") or secret_from(unit.ids.secret()),
        old_secret=None,
        old_until=None,
        active=True,
        disabled_reason=None,
        cursor=_cursor(unit, wish.get("cursor")),
        failures=0,
        failing_since=None,
        created_by=who.name,
        created_at=unit.now,
        version=1,
        via=who.via,
    )
    _refuse_what_cannot_be(unit, who, reach, webhook)
    webhook = webhooks.insert(unit, webhook)
    unit.after_commit.append(lambda: known.put(webhook))
    announce(unit, who.name, "webhook.created", webhook)
    return webhook


def edit_webhook(
    unit: Unit, known: Webhooks, who: Principal, reach: Reach, number: int, fields: dict[str, Any], version: int | None
) -> Webhook:
    """Change `fields` of a webhook (names as in `create_webhook`, and `active`).

    Made active again, it begins with a clean record and goes on after the last event it was told of, or after
    `cursor`.

    Raises:
        VersionConflict: it is not at `version`.
        NotFound, Invalid, Forbidden: as in `create_webhook`.
    """
    webhook = the_webhook(unit, who, number)
    require_version(f"webhook {number}", webhook.version, version)
    if "cursor" in fields:
        fields = fields | {"cursor": _cursor(unit, fields["cursor"])}
    if fields.get("active"):
        fields = fields | {"disabled_reason": None, "failures": 0, "failing_since": None}
    changed = replace(webhook, **fields, version=webhook.version + 1)
    _refuse_what_cannot_be(unit, who, reach, changed)
    announce(unit, who.name, "webhook.edited", changed)
    return known.save(unit, changed)


def rotate_secret(
    unit: Unit, known: Webhooks, who: Principal, number: int, overlap_ms: int, secret: str | None
) -> Webhook:
    """Give the webhook a new secret; for `overlap_ms` its messages are signed with the old one too."""
    webhook = the_webhook(unit, who, number)
    changed = replace(
        webhook,
        secret=secret or secret_from(unit.ids.secret()),
        old_secret=webhook.secret if overlap_ms else None,
        old_until=unit.now + overlap_ms if overlap_ms else None,
        version=webhook.version + 1,
    )
    announce(unit, who.name, "webhook.rotated", changed)
    return known.save(unit, changed)


def delete_webhook(unit: Unit, known: Webhooks, who: Principal, number: int) -> Webhook:
    """Remove a webhook with what waits to be sent to it."""
    webhook = the_webhook(unit, who, number)
    webhooks.delete(unit, number)
    unit.after_commit.append(lambda: known.drop(number))
    announce(unit, who.name, "webhook.deleted", webhook)
    return webhook


def redeliver(unit: Unit, known: Webhooks, who: Principal, number: int, identity: str) -> Delivery:
    """Send a delivery again, at once and under the same id, with all its tries before it.

    Raises:
        NotFound: the webhook has no such delivery (`unknown_delivery`), or its event is no longer kept.
        Conflict: the webhook is not active (`webhook_disabled`).
    """
    webhook = the_webhook(unit, who, number)
    delivery = deliveries.find(unit, number, identity)
    if delivery is None or delivery.type is None:
        raise NotFound(
            f"webhook {number} has no delivery {identity[:80]!r} that can be sent again",
            hint=f"GET /v1/webhooks/{number}/deliveries lists them.",
            code="unknown_delivery",
        )
    if not webhook.active:
        raise Conflict(
            f"webhook {number} is not active", hint='PATCH it with {"active": true} before.', code="webhook_disabled"
        )
    again = replace(delivery, state=DeliveryState.PENDING, attempts=0, next_at=unit.now)
    deliveries.update(unit, again)
    unit.after_commit.append(lambda: known.tell())
    announce(unit, who.name, "webhook.redelivered", webhook, seq=delivery.seq)
    return again


def announce(unit: Unit, actor: str, event: str, webhook: Webhook, **facts: Any) -> None:
    """Leave an event about `webhook`. Its path and query stay out of it: they may hold secrets."""
    place = urlsplit(webhook.url)
    said = {"webhook": webhook.id, "origin": f"{place.scheme}://{place.hostname}", "active": webhook.active}
    unit.append(Event(unit.now, event, actor, facts=said | facts))


def webhook_view(webhook: Webhook, now: int) -> dict[str, Any]:
    """The public shape of a webhook, without its secret."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.patterns),
        "projects": None if webhook.projects is None else sorted(webhook.projects),
        "description": webhook.description,
        "active": webhook.active,
        "disabled_reason": webhook.disabled_reason,
        "failures": webhook.failures,
        "failing_since": _time(webhook.failing_since),
        "after": webhook.cursor,
        "rotates_until": _time(webhook.old_until) if len(webhook.secrets(now)) > 1 else None,
        "via": webhook.via,
        "created_by": webhook.created_by,
        "created_at": rfc3339(webhook.created_at),
        "version": webhook.version,
    }


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """The public shape of a delivery. What the receiver answered is not kept, its status alone."""
    return {
        "id": delivery.id,
        "seq": delivery.seq,
        "type": delivery.type,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "status": delivery.status,
        "error": delivery.error,
        "created_at": rfc3339(delivery.created_at),
        "tried_at": _time(delivery.tried_at),
        "next_at": _time(delivery.next_at),
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


def _cursor(unit: Unit, wanted: int | None) -> int:
    newest = unit.mirror.last_seq
    return newest if wanted is None else min(wanted, newest)


def _refuse_what_cannot_be(unit: Unit, who: Principal, reach: Reach, webhook: Webhook) -> None:
    for name in webhook.projects or ():
        if name not in unit.mirror.projects or not who.sees(name):
            raise unknown_project(name)
    if not sees(who, webhook):
        raise Forbidden(
            f"{who.name} is let into certain projects only", hint="Name them in `projects`, or ask another admin."
        )
    place = urlsplit(webhook.url)
    host, plain = place.hostname or "", place.scheme == "http"
    if plain and not reach.networks:
        raise Invalid("http is not taken", hint="Use https, or let the operator set webhook_networks.", field="url")
    why = reach.refusal(host, plain=plain) if is_address(host) else None
    if why is not None:
        raise Invalid(why, hint="The operator may name networks of its own in webhook_networks.", field="url")
