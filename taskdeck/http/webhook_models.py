"""What requests about webhooks may say."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from taskdeck.domain.signature import key_of
from taskdeck.domain.webhook import DeliveryState
from taskdeck.http.event_models import Patterns, Projects, Seq
from taskdeck.http.models import Body, Limit, Query, Text

WEEK_S = 7 * 24 * 3600


def _url(text: str) -> str:
    try:
        place = urlsplit(text)
        port = place.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if place.scheme not in ("https", "http") or not place.hostname or port == 0:
        raise ValueError("is not the address of a web server, such as https://example.org/hook")
    if place.username is not None or place.password is not None:
        raise ValueError("holds a user name or password; the receiver knows the deck by its signature")
    if place.fragment or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("has printable ASCII characters alone, no space and no #")
    return text


def _secret(text: str) -> str:
    key_of(text)
    return text


Url = Annotated[str, Field(max_length=2_000), AfterValidator(_url)]
Secret = Annotated[str, Field(max_length=400), AfterValidator(_secret)]
Description = Annotated[Text, Field(max_length=1_000)]


class WebhookFields(Body):
    """What can be said of a webhook; `fields` gives it by the names of `domain.webhook.Webhook`."""

    projects: Projects | None = None
    description: Description = ""
    after: Seq | None = None

    def fields(self) -> dict[str, Any]:
        """What was said."""
        names = {"events": "patterns", "after": "cursor"}
        said = {names.get(name, name): getattr(self, name) for name in self.model_fields_set - {"version"}}
        if "patterns" in said:
            said["patterns"] = tuple(dict.fromkeys(said["patterns"]))
        return said


class CreateWebhook(WebhookFields):
    """An address to be told of events. `projects` null for all; `after` an event's number begins behind it."""

    url: Url
    events: Patterns
    secret: Secret | None = None


class EditWebhook(WebhookFields):
    """Fields to change. `active` true begins again after the last event it was told of, or after `after`."""

    url: Url | None = None
    events: Patterns | None = None
    active: bool | None = None
    version: int | None = None

    @model_validator(mode="after")
    def _says_something(self) -> EditWebhook:
        if not self.model_fields_set - {"version"}:
            raise ValueError("names no field to change")
        for name in ("url", "events", "active", "after"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


class RotateSecret(Body):
    """A new secret, made here unless given; the old one signs beside it for `overlap_seconds`."""

    overlap_seconds: Annotated[float, Field(ge=0, le=WEEK_S)] = 24 * 3600
    secret: Secret | None = None


class DeliveryQuery(Query):
    """Which deliveries, newest first."""

    state: DeliveryState | None = None
    cursor: str | None = None
    limit: Limit = 50
