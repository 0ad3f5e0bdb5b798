"""Cursors: where a page ended, wrapped up so that callers pass them back unread."""

from __future__ import annotations

import base64
import binascii

import orjson

from taskdeck.http.wire import Problem


def encode(kind: str, key: tuple[int, ...]) -> str:
    """A cursor behind `key` in a list of `kind`."""
    return base64.urlsafe_b64encode(orjson.dumps([kind, *key])).decode().rstrip("=")


def decode(kind: str, length: int, cursor: str | None) -> tuple[int, ...] | None:
    """The key a cursor stands for; None for no cursor.

    Raises:
        Problem: it is no cursor of a list of `kind`.
    """
    if cursor is None:
        return None
    try:
        made_for, *key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, TypeError):
        made_for, key = None, []
    if made_for != kind or len(key) != length or not all(type(n) is int and abs(n) < 2**62 for n in key):
        raise Problem(
            422,
            "invalid_request",
            "the cursor does not belong to this list",
            "Pass back the next_cursor of the page before, with the same sort; or leave it out to start over.",
        )
    return tuple(key)
