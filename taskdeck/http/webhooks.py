"""Routes of webhooks. They carry what happens in the deck to the outside, so they are the admins' alone."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.webhook import Webhook
from taskdeck.http import cursor
from taskdeck.http.call import Call
from taskdeck.http.models import Nothing, ms
from taskdeck.http.routes import RouteTable
from taskdeck.http.secret import shown_once
from taskdeck.http.webhook_models import CreateWebhook, DeliveryQuery, EditWebhook, RotateSecret
from taskdeck.http.wire import body
from taskdeck.service.webhooks import (
    create_webhook,
    delete_webhook,
    delivery_view,
    edit_webhook,
    redeliver,
    rotate_secret,
    sees,
    unknown_webhook,
    webhook_view,
)
from taskdeck.store.deliveries import list_deliveries
from taskdeck.store.listing import page
from taskdeck.store.unit import Unit

routes = RouteTable()


def number(text: str) -> int:
    """The number that a part of a path stands for; one that nothing has if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1


def _shown(webhook: Webhook, unit: Unit) -> dict[str, Any]:
    return webhook_view(webhook, unit.now)


def _the(call: Call) -> Webhook:
    """The webhook of the path, if the caller may see it."""
    wanted = number(call.path("id"))
    found = call.deck.webhooks.get(wanted)
    if found is None or not sees(call.who, found):
        raise unknown_webhook(wanted)
    return found


@routes.add("GET", "/v1/webhooks", Role.ADMIN)
async def get_webhooks(call: Call) -> web.StreamResponse:
    """List the webhooks with how they fare; their secrets are shown when they are made, and never again."""
    now, last = call.deck.clock.now_ms(), call.deck.bus.last_seq
    found = [webhook for webhook in call.deck.webhooks.all() if sees(call.who, webhook)]
    return call.json({"webhooks": [webhook_view(webhook, now) for webhook in found], "last_seq": last})


@routes.add("POST", "/v1/webhooks", Role.ADMIN, body=CreateWebhook, success=201)
async def post_webhook(call: Call) -> web.StreamResponse:
    """Let an address be told of events. The secret is shown in the first reply alone."""
    wish = call.body(CreateWebhook).fields()
    known, reach = call.deck.webhooks, call.deck.reach
    return await shown_once(
        call, "webhook", lambda unit: create_webhook(unit, known, call.who, reach, wish), _shown, 201
    )


@routes.add("GET", "/v1/webhooks/{id}", Role.ADMIN)
async def get_webhook(call: Call) -> web.StreamResponse:
    """Show one webhook."""
    return call.json(webhook_view(_the(call), call.deck.clock.now_ms()))


@routes.add("PATCH", "/v1/webhooks/{id}", Role.ADMIN, body=EditWebhook)
async def patch_webhook(call: Call) -> web.StreamResponse:
    """Change a webhook, let it rest, or let it work again."""
    asked, wanted = call.body(EditWebhook), number(call.path("id"))
    known, reach, fields = call.deck.webhooks, call.deck.reach, asked.fields()
    return await call.write(
        lambda unit: edit_webhook(unit, known, call.who, reach, wanted, fields, asked.version),
        lambda webhook: (200, body(webhook_view(webhook, call.deck.clock.now_ms()))),
    )


@routes.add("POST", "/v1/webhooks/{id}/rotate", Role.ADMIN, body=RotateSecret)
async def rotate_webhook(call: Call) -> web.StreamResponse:
    """Give a webhook a new secret, shown in the first reply alone; the old one signs beside it for a time."""
    asked, wanted = call.body(RotateSecret), number(call.path("id"))
    overlap, known = ms(asked.overlap_seconds) or 0, call.deck.webhooks
    return await shown_once(
        call,
        "webhook",
        lambda unit: rotate_secret(unit, known, call.who, wanted, overlap, asked.secret),
        _shown,
        200,
    )


@routes.add("DELETE", "/v1/webhooks/{id}", Role.ADMIN)
async def remove_webhook(call: Call) -> web.StreamResponse:
    """Remove a webhook with what waits to be sent to it."""
    wanted = number(call.path("id"))
    return await call.write(
        lambda unit: delete_webhook(unit, call.deck.webhooks, call.who, wanted),
        lambda webhook: (200, body({"deleted": webhook.id})),
    )


@routes.add("GET", "/v1/webhooks/{id}/deliveries", Role.ADMIN, query=DeliveryQuery)
async def get_deliveries(call: Call) -> web.StreamResponse:
    """List what was sent to a webhook and what waits, newest first."""
    asked, webhook = call.params(DeliveryQuery), _the(call)
    (before,) = cursor.decode("deliveries", 1, asked.cursor) or (None,)
    rows = await list_deliveries(call.deck.reader, webhook.id, asked.state, before, asked.limit + 1)
    rows, more = page(rows, asked.limit)
    return call.json(
        {
            "deliveries": [delivery_view(row) for row in rows],
            "next_cursor": cursor.encode("deliveries", (rows[-1].number,)) if more else None,
        }
    )


@routes.add("POST", "/v1/webhooks/{id}/deliveries/{delivery}/redeliver", Role.ADMIN, body=Nothing)
async def redeliver_event(call: Call) -> web.StreamResponse:
    """Send a delivery again, under the same id."""
    wanted, identity = number(call.path("id")), call.path("delivery")
    return await call.write(
        lambda unit: redeliver(unit, call.deck.webhooks, call.who, wanted, identity),
        lambda delivery: (200, body(delivery_view(delivery))),
    )
