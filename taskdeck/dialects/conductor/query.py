"""Conductor's query texts: conditions on members of the input or output, and words to be found anywhere.

Both have AND, OR (AND binds tighter) and round brackets; values stand bare or in double quotes, `*` is any run of
characters. None of it is a regular expression, so that no text takes long.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from taskdeck.dialects.conductor.errors import bad_request

MAX_LENGTH = 2_000
MAX_TERMS = 100
MAX_DEPTH = 20

Holds = Callable[[Any], bool]
"""Whether a condition holds of a document, or of a text."""

_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([(),=])|([^\s()=,"]+))')
_END = ("end", "")
_Token = tuple[str, str]


def conditions(text: str) -> Holds:
    """`FIELD = VALUE` and `FIELD IN (v1, v2)`, asked of an object; compared as text.

    Raises:
        Problem: it cannot be read.
    """
    return _Reader(text, "query").whole(_condition)


def words(text: str) -> Holds:
    """Words and quoted phrases, asked of a text in small letters; what stands side by side must all be there.

    Raises:
        Problem: it cannot be read.
    """
    return _Reader(text, "fullTextQuery").whole(_word)


class _Reader:
    """Reads a query from left to right."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        if len(text) > MAX_LENGTH:
            raise self.fault(f"has more than {MAX_LENGTH} characters")
        self._tokens = _tokens(text, self)
        if len(self._tokens) > MAX_TERMS * 4:
            raise self.fault(f"has more than {MAX_TERMS} terms")
        self._at = 0

    def fault(self, why: str) -> Exception:
        return bad_request(f"{self._name} {why}", "bad_query")

    def peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def take(self, wanted: _Token | None = None) -> _Token:
        token = self.peek()
        if wanted is not None and token != wanted:
            raise self.fault(f"has {token[1] or 'its end'!r} where {wanted[1]!r} was expected")
        self._at += 1
        return token

    def value(self) -> str:
        kind, text = self.take()
        if kind not in ("bare", "quoted"):
            raise self.fault(f"has {text or 'its end'!r} where a value was expected")
        return text

    def keyword(self, word: str) -> bool:
        kind, text = self.peek()
        if kind == "bare" and text.upper() == word:
            self._at += 1
            return True
        return False

    def whole(self, term: Callable[[_Reader], Holds]) -> Holds:
        holds = self._either(term, 0)
        if self.peek() != _END:
            raise self.fault(f"has {self.peek()[1]!r} where its end was expected")
        return holds

    def _either(self, term: Callable[[_Reader], Holds], depth: int) -> Holds:
        if depth > MAX_DEPTH:
            raise self.fault(f"has brackets nested more than {MAX_DEPTH} deep")
        parts = [self._all(term, depth)]
        while self.keyword("OR"):
            parts.append(self._all(term, depth))
        return parts[0] if len(parts) == 1 else lambda document: any(part(document) for part in parts)

    def _all(self, term: Callable[[_Reader], Holds], depth: int) -> Holds:
        parts = [self._one(term, depth)]
        while self.keyword("AND") or (term is _word and self._goes_on()):
            parts.append(self._one(term, depth))
        return parts[0] if len(parts) == 1 else lambda document: all(part(document) for part in parts)

    def _goes_on(self) -> bool:
        kind, text = self.peek()
        return kind == "quoted" or (kind == "bare" and text.upper() != "OR") or (kind, text) == ("sign", "(")

    def _one(self, term: Callable[[_Reader], Holds], depth: int) -> Holds:
        if self.peek() != ("sign", "("):
            return term(self)
        self.take()
        inner = self._either(term, depth + 1)
        self.take(("sign", ")"))
        return inner


def _tokens(text: str, reader: _Reader) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise reader.fault("has a quote that is not closed")
        quoted, sign, bare = match.groups()
        if quoted is not None:
            found.append(("quoted", re.sub(r"\\(.)", r"\1", quoted)))
        else:
            found.append(("sign", sign) if sign is not None else ("bare", bare))
        at = match.end()
    return found


def _condition(reader: _Reader) -> Holds:
    path = reader.value().split(".")
    if reader.keyword("IN"):
        reader.take(("sign", "("))
        patterns = [reader.value()]
        while reader.peek() == ("sign", ","):
            reader.take()
            patterns.append(reader.value())
        reader.take(("sign", ")"))
    else:
        reader.take(("sign", "="))
        patterns = [reader.value()]

    def holds(document: Any) -> bool:
        text = _text(_member(document, path))
        return text is not None and any(like(pattern, text) for pattern in patterns)

    return holds


def _member(document: Any, path: list[str]) -> Any:
    whole = ".".join(path)
    if isinstance(document, dict) and whole in document:
        return document[whole]
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _text(value: Any) -> str | None:
    """A value as text: numbers and truth as JSON writes them; None for what is no single value."""
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _word(reader: _Reader) -> Holds:
    word = reader.value().lower()
    return lambda text: contains(word, text)


def like(pattern: str, text: str) -> bool:
    """Whether the whole of `text` is as `pattern` says."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    return _in_turn(middle, text, len(first), len(text) - len(last)) is not None


def contains(pattern: str, text: str) -> bool:
    """Whether `text` has the words of `pattern` in it: whole ones, but where it begins or ends with `*`."""
    pieces = [piece for piece in pattern.split("*") if piece]
    if len(pieces) != 1:
        return bool(pieces) and any(_in_turn(pieces, line, 0, len(line)) is not None for line in text.split("\n"))
    (piece,) = pieces
    at = text.find(piece)
    while at >= 0:
        end = at + len(piece)
        before, after = text[at - 1 : at] if at else "", text[end : end + 1]
        begins = pattern.startswith("*") or not (before.isalnum() and piece[0].isalnum())
        if begins and (pattern.endswith("*") or not (after.isalnum() and piece[-1].isalnum())):
            return True
        at = text.find(piece, at + 1)
    return False


def _in_turn(pieces: list[str], text: str, begin: int, end: int) -> int | None:
    """Where the last of `pieces`, found one behind the other, ends; None if one is missing."""
    for piece in pieces:
        at = text.find(piece, begin, end)
        if at < 0:
            return None
        begin = at + len(piece)
    return begin
