"""Cursors: where a page ended, wrapped up so that callers pass them back unread."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from typing import Any

import orjson

from taskdeck.http.wire import Problem

TEXT_MOST = 200


def encode(kind: str, key: tuple[int | str, ...]) -> str:
    """A cursor behind `key` in a list of `kind`."""
    return base64.urlsafe_b64encode(orjson.dumps([kind, *key])).decode().rstrip("=")


def decode(kind: str, length: int, cursor: str | None, *, texts: Collection[int] = ()) -> tuple[Any, ...] | None:
    """The key a cursor stands for: so many numbers, but text at the places `texts`; None for no cursor.

    Raises:
        Problem: it is no cursor of a list of `kind`.
    """
    if cursor is None:
        return None
    try:
        made_for, *key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, TypeError):
        made_for, key = None, []
    if made_for != kind or len(key) != length or not all(_is_part(part, at in texts) for at, part in enumerate(key)):
        raise Problem(
            422,
            "invalid_request",
            "the cursor does not belong to this list",
            "Pass back the next_cursor of the page before, with the same sort; or leave it out to start over.",
        )
    return tuple(key)


def _is_part(part: Any, text: bool) -> bool:
    if text:
        return isinstance(part, str) and len(part) <= TEXT_MOST and "\0" not in part
    return type(part) is int and abs(part) < 2**62
