"""Who sent an event from outside: its signature, its time and its id, by the scheme of its source."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from taskdeck.domain.signature import TOLERANCE_MS, is_signed
from taskdeck.domain.source import Scheme, Source
from taskdeck.http.wire import Problem

MAX_ID = 255


def delivery_id(source: Source | None, headers: Mapping[str, str], raw: bytes, now: int) -> str:
    """The id of an event that `source` has signed.

    Raises:
        Problem: nobody known has signed it (401; an unknown source, one that rests and a wrong signature look alike),
            it was signed too long ago, or it has no id.
    """
    if source is None or not source.active:
        raise _unsigned()
    if source.scheme is Scheme.GITHUB:
        return _github(source, headers, raw, now)
    return _standard(source, headers, raw, now)


def _standard(source: Source, headers: Mapping[str, str], raw: bytes, now: int) -> str:
    identity, time = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (time.isascii() and time.isdigit() and len(time) < 15):
        raise _unsigned()
    if not is_signed(headers.get("webhook-signature", ""), source.secrets(now), identity, int(time), raw):
        raise _unsigned()
    if abs(now - int(time) * 1000) > TOLERANCE_MS:
        raise Problem(
            401,
            "stale_event",
            f"the event was signed more than {TOLERANCE_MS // 60_000} minutes from now",
            "Set the sender's clock; a new try needs a new time and signature.",
        )
    return _named(identity)


def _github(source: Source, headers: Mapping[str, str], raw: bytes, now: int) -> str:
    given = headers.get("X-Hub-Signature-256", "").encode(errors="replace")
    wanted = [
        b"sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest().encode()
        for secret in source.secrets(now)
    ]
    if not any(hmac.compare_digest(given, one) for one in wanted):
        raise _unsigned()
    return _named(headers.get("X-GitHub-Delivery", ""))


def _named(identity: str) -> str:
    if not 1 <= len(identity) <= MAX_ID or not identity.isprintable():
        raise Problem(
            422,
            "invalid_request",
            f"the event's id has 1 to {MAX_ID} printable characters",
            "Send one that is the same for each try of an event.",
        )
    return identity


def _unsigned() -> Problem:
    return Problem(
        401,
        "bad_signature",
        "the event is not signed by a source of this deck",
        "Sign it with the source's secret; webhooks.md shows how.",
    )
