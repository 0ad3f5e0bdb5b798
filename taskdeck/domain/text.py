"""The one function between text from outside and a terminal."""

from __future__ import annotations

import unicodedata

MAX_MARKS = 4
"""How many combining marks in a row are let through; more would smear over neighbouring lines."""

_INVISIBLE_RANGES = (
    (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F),
)  # fmt: skip
_INVISIBLE = frozenset(
    {0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0}
    | {code for first, last in _INVISIBLE_RANGES for code in range(first, last + 1)}
)
"""Bidirectional controls, zero-width characters, fillers and tags."""


def _stand_in(code: int) -> str | None:
    """What is shown for a character that must not reach a terminal, or None for one that may."""
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code <= 0x9F or code in _INVISIBLE or 0xD800 <= code <= 0xDFFF:
        return "\N{REPLACEMENT CHARACTER}"
    return None


def visible(text: str, *, keep_newlines: bool = False) -> str:
    """`text` with nothing in it that a terminal would obey.

    Control characters (C0, DEL, C1), bidirectional overrides, zero-width and other invisible characters and
    lone surrogates are replaced by visible stand-ins; runs of combining marks are cut to `MAX_MARKS`. Newlines
    are kept on request. The result is plain text: whoever draws it must not read markup in it.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for char in text:
        if char == "\n" and keep_newlines:
            shown.append(char)
            marks = 0
            continue
        marks = marks + 1 if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me") else 0
        if marks > MAX_MARKS:
            continue
        shown.append(_stand_in(ord(char)) or char)
    return "".join(shown)
