"""The form that leads to another deck, and the way there: a client that was let in, or the reason why not."""

from __future__ import annotations

import asyncio
from pathlib import Path

from taskdeck.client import ApiError, Client, Unreachable, local
from taskdeck.tui.dialogs.base import Form, Text, Values
from taskdeck.tui.format import clip
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.operate import told
from taskdeck.tui.paint import Spans

PATIENCE_S = 10.0
"""How long another deck may take to say who is asking."""
HOME = "home"
"""Means the deck on which the dashboard was opened."""


class NotThere(Exception):
    """No deck is to be had there; the text says why."""


def connecting(model: DeckModel, place: str, token: str, *, home: str, serving: bool, wrong: str = "") -> Form:
    """Where to, and who one is there. `home`: the address to come back to, empty on that deck itself."""
    who = f"as {clip(model.me, 24)} ({model.role})" if model.me else "not let in yet"
    lines: list[Spans] = [
        (("now at    ", "muted"), (clip(model.address, 56), "strong")),
        (("          ", "muted"), (who, "muted")),
        (),
        (("This dashboard leaves it once the other deck has let it in.", "text"),),
        (("Marks and what can be taken back stay behind; nothing is changed.", "muted"),),
    ]
    if serving:
        lines.append((("The deck of this process is served on; :connect home comes back.", "muted"),))
    elif home:
        lines.append(((":connect home comes back to ", "muted"), (clip(home, 40), "text")))
    return Form(
        title="Look at another deck",
        prose=lambda: lines,
        fields=(
            Text("place", "where", place, "http://host:7337, or the data folder of a deck on this machine"),
            Text("token", "token", token, "for an address; it is not shown and not kept", secret=True),
        ),
        act="connect", leave="stay here", check=_missing, focus="token" if place else "place", wrong=wrong,
    )  # fmt: skip


def _missing(values: Values) -> str | None:
    return None if values["place"] else "say where: an address, or a folder"


async def reach(place: str, token: str) -> Client:
    """A client of the deck at an address, or of that which serves a folder; its deck has let it in.

    Raises:
        NotThere: there is none, it takes too long, or it does not let this token in.
    """
    try:
        client = _client(place, token or None)
    except (ValueError, RuntimeError) as error:
        raise NotThere(f"{place}: {error}") from None
    except Unreachable as error:
        raise NotThere(told(error)) from None
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.me()
    except BaseException as error:
        await client.close()
        if isinstance(error, TimeoutError):
            raise NotThere(f"{client.address} did not answer within {PATIENCE_S:g} seconds") from None
        if isinstance(error, (ApiError, Unreachable)):
            raise NotThere(told(error)) from None
        raise
    return client


def _client(place: str, token: str | None) -> Client:
    if place.startswith(("/", "~", ".")):
        return local(Path(place).expanduser(), token=token)
    return Client(place if "://" in place else f"http://{place}", token=token)
