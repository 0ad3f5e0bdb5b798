"""How an event is told to a webhook that was made by another interface than the deck's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from taskdeck.domain.webhook import Webhook
from taskdeck.service.bus import Published
from taskdeck.service.deck import Deck
from taskdeck.store.deliveries import Due

Message = tuple[dict[str, str], bytes]
"""Headers and body."""


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of one interface: `tells` whether it has a word for an event, `write` says it, signed.

    `write` may read beside the writer, and raises a DeckError where that fails; it is tried again then.
    """

    tells: Callable[[Published], bool]
    write: Callable[[Deck, Webhook, Due], Awaitable[Message]]
