"""Webhooks in Delega's words: its events, what is sent of them, how it is signed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

import orjson

from taskdeck.dialects.delega.replies import views
from taskdeck.dialects.delega.words import NAME, agent_said, moment, task_id
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import State
from taskdeck.domain.webhook import Webhook
from taskdeck.push.letter import Letter, Message
from taskdeck.service.bus import Published
from taskdeck.service.deck import Deck
from taskdeck.store.deliveries import Due
from taskdeck.store.listing import find_task

EVENTS: dict[str, tuple[str, ...]] = {
    "task.created": ("task.created",),
    "task.completed": ("task.completed", "task.approved", "task.finished"),
    "task.deleted": ("task.deleted",),
    "task.assigned": ("task.assigned", "task.overridden"),
    "task.delegated": ("task.delegated",),
    "task.commented": ("task.commented",),
    "task.claimed": ("task.claimed",),
    "task.released": ("task.released",),
    "task.state_changed": ("task.heartbeat",),
    "task.linked": ("task.linked",),
    "task.updated": ("task.edited", "task.reprioritized", "task.assigned", "task.retried"),
}
"""Delega's events and the deck's that are told as such; where two fit, the first that is asked for."""

_EYES = Principal(NAME, Role.ADMIN)


def patterns_of(events: Iterable[str]) -> tuple[str, ...]:
    """The deck's events that a webhook for these of Delega's is to be told of."""
    return tuple(sorted({kind for event in events for kind in EVENTS[event]}))


def events_of(patterns: Iterable[str]) -> list[str]:
    """Delega's events that a webhook was made for."""
    told = set(patterns)
    return [event for event, kinds in EVENTS.items() if told.issuperset(kinds)]


def _tells(event: Published) -> bool:
    """Whether Delega has a word for an event: not for a plain sign of life, nor for what awaits its review."""
    if event.type == "task.heartbeat":
        return "from_state" in orjson.loads(event.body)["facts"]
    if event.type == "task.completed":
        return bool(orjson.loads(event.body)["changes"].get("state") == State.DONE)
    return True


async def _write(deck: Deck, webhook: Webhook, due: Due) -> Message:
    """What is sent of an event: the task as it is now, for the deck's log keeps what changed alone."""
    event = orjson.loads(due.body or b"{}")
    said = events_of(webhook.patterns)
    kind = next(word for word, kinds in EVENTS.items() if due.type in kinds and word in said)
    body = orjson.dumps(
        {
            "event": kind,
            "timestamp": moment(due.at),
            "task": await _task(deck, event),
            "agent": agent_said(event["actor"]),
        }
    )
    sent_at = moment(deck.clock.now_ms()) or ""
    signature = hmac.new(webhook.secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "X-Delega-Event": kind,
        "X-Delega-Timestamp": sent_at,
        "X-Delega-Signature": f"sha256={signature}",
    }
    return headers, body


async def _task(deck: Deck, event: dict[str, Any]) -> dict[str, Any]:
    """The task that an event is about: of a delegation the child, of one that is gone its id."""
    children = event["facts"].get("children") if event["type"] == "task.delegated" else None
    task = await find_task(deck.reader, children[0] if children else event["task"]["id"], _EYES)
    return {"id": task_id(event["task"]["id"])} if task is None else (await views(deck.reader, [task]))[0]


LETTER = Letter(_tells, _write)
