"""Webhooks: made here, they are told in Delega's words."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, Field

from taskdeck.dialects.delega.letters import EVENTS, events_of, patterns_of
from taskdeck.dialects.delega.replies import alter, once
from taskdeck.dialects.delega.wire import Flag, Wire, a_word_of, asked, route, sent
from taskdeck.dialects.delega.words import NAME, id_of, moment
from taskdeck.domain.principal import Role
from taskdeck.domain.webhook import Webhook
from taskdeck.http.call import Call
from taskdeck.http.models import Text
from taskdeck.http.reading import path_number
from taskdeck.service.webhooks import create_webhook, delete_webhook, edit_webhook, the_webhook, unknown_webhook
from taskdeck.store.deliveries import Delivery, list_deliveries
from taskdeck.store.unit import Unit

Event = Annotated[str, AfterValidator(a_word_of(EVENTS))]
Events = Annotated[list[Event], Field(min_length=1, max_length=len(EVENTS))]
Address = Annotated[Text, Field(min_length=1, max_length=2_000)]


class NewWebhook(Wire):
    """Where events go, and which."""

    url: Address
    events: Events
    secret: Annotated[Text, Field(min_length=1, max_length=256)] | None = None


class UpdateWebhook(Wire):
    """What is to change."""

    url: Address | None = None
    events: Events | None = None
    active: Flag | None = None


class DeliveryQuery(Wire):
    """How many of the newest."""

    limit: Annotated[int, Field(ge=1, le=200)] = 20


def _document(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": id_of(webhook.id),
        "agent_id": webhook.created_by,
        "url": webhook.url,
        "events": events_of(webhook.patterns),
        "active": webhook.active,
        "failure_count": webhook.failures,
        "created_at": moment(webhook.created_at),
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event": next((word for word, kinds in EVENTS.items() if delivery.type in kinds), delivery.type),
        "status": delivery.state,
        "attempts": delivery.attempts,
        "response_status": delivery.status,
        "error": delivery.error,
        "created_at": moment(delivery.created_at),
        "last_attempt_at": moment(delivery.tried_at),
    }


@route("GET", "/webhooks", Role.ADMIN)
async def get_webhooks(call: Call) -> web.StreamResponse:
    """List the webhooks that were made here."""
    return call.json([_document(webhook) for webhook in call.deck.webhooks.all() if webhook.via == NAME])


@route("POST", "/webhooks", Role.ADMIN)
async def post_webhook(call: Call) -> web.StreamResponse:
    """Make a webhook; its secret is shown in this reply alone."""
    said, known, reach = sent(call, NewWebhook), call.deck.webhooks, call.deck.reach
    wish = {"url": said.url, "patterns": patterns_of(said.events), "secret": said.secret}

    def work(unit: Unit) -> tuple[dict[str, Any], dict[str, Any]]:
        made = create_webhook(unit, known, call.who, reach, wish)
        return _document(made), {"secret": made.secret}

    return await once(call, work, 201)


@route("PUT", "/webhooks/{id}", Role.ADMIN)
async def put_webhook(call: Call) -> web.StreamResponse:
    """Change a webhook; active again, it begins with a clean record."""
    said, known, reach = sent(call, UpdateWebhook), call.deck.webhooks, call.deck.reach
    number = path_number(call, "webhook")
    fields: dict[str, Any] = {
        name: value for name, value in (("url", said.url), ("active", said.active)) if value is not None
    }
    if said.events is not None:
        fields["patterns"] = patterns_of(said.events)

    def work(unit: Unit) -> dict[str, Any]:
        _ours(unit, call, number)
        return _document(edit_webhook(unit, known, call.who, reach, number, fields, None))

    return await alter(call, work)


@route("DELETE", "/webhooks/{id}", Role.ADMIN)
async def remove_webhook(call: Call) -> web.StreamResponse:
    """Remove a webhook with what waits to be sent to it."""
    number = path_number(call, "webhook")

    def work(unit: Unit) -> dict[str, Any]:
        _ours(unit, call, number)
        return {"ok": True, "deleted": id_of(delete_webhook(unit, call.deck.webhooks, call.who, number).id)}

    return await alter(call, work)


def _ours(unit: Unit, call: Call, number: int) -> None:
    """Refuse a webhook that was made elsewhere: it is not known here."""
    if the_webhook(unit, call.who, number).via != NAME:
        raise unknown_webhook(number)


@route("GET", "/webhooks/{id}/deliveries", Role.ADMIN)
async def get_deliveries(call: Call) -> web.StreamResponse:
    """List what was sent to a webhook and what waits, newest first."""
    wanted, webhook = asked(call, DeliveryQuery), call.deck.webhooks.get(path_number(call, "webhook"))
    if webhook is None or webhook.via != NAME:
        raise unknown_webhook(path_number(call, "webhook"))
    rows = await list_deliveries(call.deck.reader, webhook.id, None, None, wanted.limit)
    return call.json([_delivery(row) for row in rows])
