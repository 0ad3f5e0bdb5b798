"""Signatures of messages that cross a network, as in Standard Webhooks (symmetric, `v1`)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

PREFIX = "whsec_"
MIN_KEY, MAX_KEY = 16, 256
"""Bytes of a key."""
TOLERANCE_MS = 5 * 60 * 1000
"""By how much a message's time may differ from the receiver's clock."""


def secret_from(material: str) -> str:
    """A secret in its written form, made of random text."""
    return PREFIX + base64.b64encode(material.encode()).decode()


def key_of(secret: str) -> bytes:
    """The key that a written secret stands for.

    Raises:
        ValueError: it is none, or too short or too long.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a secret is whsec_ and base64") from None
    if not secret.startswith(PREFIX) or not MIN_KEY <= len(key) <= MAX_KEY:
        raise ValueError(f"a secret is whsec_ and the base64 of {MIN_KEY} to {MAX_KEY} bytes")
    return key


def sign(secret: str, message: str, seconds: int, body: bytes) -> str:
    """The signature `v1,…` of a message of this id, sent at `seconds` since the epoch."""
    signed = b"%s.%d.%s" % (message.encode(), seconds, body)
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def is_signed(header: str, secrets: Iterable[str], message: str, seconds: int, body: bytes) -> bool:
    """Whether one of the signatures in `header` (parted by spaces) was made with one of `secrets`."""
    given = header.split(" ")[:8]
    wanted = [sign(secret, message, seconds, body) for secret in secrets]
    return any(hmac.compare_digest(one.encode(errors="replace"), other.encode()) for one in given for other in wanted)
