"""What messages on a WebSocket say: which events are wanted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from taskdeck.http.event_models import Patterns, Projects
from taskdeck.http.models import Body


class Subscribe(Body):
    """Send these events too: of certain projects, or of all and of none."""

    action: Literal["subscribe"]
    events: Patterns
    projects: Projects | None = None


class Unsubscribe(Body):
    """Send these no more; it names what a subscription named."""

    action: Literal["unsubscribe"]
    events: Patterns
    projects: Projects | None = None


class Ping(Body):
    """Answer."""

    action: Literal["ping"]


Message = Annotated[Subscribe | Unsubscribe | Ping, Field(discriminator="action")]
MESSAGE: TypeAdapter[Subscribe | Unsubscribe | Ping] = TypeAdapter(Message)
"""Reads what arrives on a WebSocket."""
