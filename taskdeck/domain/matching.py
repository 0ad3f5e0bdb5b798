"""Whether a filter admits a task, as far as what is known of the task can tell."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any as Anything

from taskdeck.domain.query import OPEN, All, Any, Node, Not, Term, fold


class Known(Enum):
    """What may stand in place of a value."""

    NOT = "not known here"


UNKNOWN = Known.NOT
Look = Callable[[str], Anything]
"""field → its value: text, a collection of texts, a number, milliseconds, a document; None if the task has none, or
UNKNOWN. Beyond the fields of the language it is asked for description, lapsed, work, principal and result."""


def holds(node: Node, look: Look, now_ms: int, me: str = "") -> bool | None:
    """True, False, or None where it depends on what is not known."""
    match node:
        case All(parts):
            found = [holds(part, look, now_ms, me) for part in parts]
            return False if False in found else None if None in found else True
        case Any(parts):
            found = [holds(part, look, now_ms, me) for part in parts]
            return True if True in found else None if None in found else False
        case Not(part):
            inner = holds(part, look, now_ms, me)
            return None if inner is None else not inner
        case Term():
            return _term(node, look, now_ms, me)


def _term(term: Term, look: Look, now_ms: int, me: str) -> bool | None:
    match term.field:
        case "word":
            return _either(_text_has(look(field), term.patterns[0]) for field in _WORD_FIELDS)
        case "is":
            return _either(_flag(flag, look, me) for flag in term.patterns)
        case "has":
            return _either(_given(look(flag)) for flag in term.patterns)
        case "payload" | "meta":
            return _document(term, look(term.field))
    value = look(term.field)
    if value is UNKNOWN:
        return None
    if value is None:
        return False
    if term.ranges:
        if term.field in ("age", "wait", "heartbeat"):
            value = now_ms - value
        elif term.field == "lease":
            value = value - now_ms
        return any(each.holds(value - now_ms if each.relative else value) for each in term.ranges)
    if term.field in ("title", "error"):
        return any(_like(value, pattern, inside=True) for pattern in term.patterns)
    texts = (value,) if isinstance(value, str) else value
    return any(_like(text, pattern) for text in texts for pattern in term.patterns)


_WORD_FIELDS = ("key", "title", "label", "holder", "description")


def _either(found: Anything) -> bool | None:
    known = list(found)
    return True if True in known else None if None in known else False


def _text_has(value: Anything, word: str) -> bool | None:
    if value is UNKNOWN:
        return None
    texts = (value,) if isinstance(value, str) else value or ()
    return any(word in fold(text) for text in texts)


def _flag(flag: str, look: Look, me: str) -> bool | None:
    match flag:
        case "open":
            return look("state") in OPEN
        case "mine":
            return bool(me) and me in (look("holder"), look("principal"), look("assignee"))
        case "lapsed":
            return bool(look("lapsed"))
    work = look("work")
    asks, errored = work == "waiting_input", work == "errored"
    known: dict[str, bool] = {"asks": asks, "errored": errored}
    return known[flag] if flag in known else asks or errored or bool(look("lapsed"))


def _given(value: Anything) -> bool | None:
    return None if value is UNKNOWN else value is not None and value != () and value != []


def _document(term: Term, value: Anything) -> bool | None:
    if value is UNKNOWN:
        return None
    for name in term.path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    if term.ranges:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and any(each.holds(value) for each in term.ranges)
    if isinstance(value, bool):
        value = "true" if value else "false"
    if value is None or isinstance(value, (dict, list)):
        return False
    return any(_like(str(value), pattern) for pattern in term.patterns)


def _like(text: str, pattern: str, *, inside: bool = False) -> bool:
    """Whether `text` is `pattern`, in which a star stands for any run; `inside`: without a star, contains it."""
    text = fold(text)
    if "*" not in pattern:
        return pattern in text if inside else text == pattern
    head, *middle, tail = pattern.split("*")
    if len(text) < len(head) + len(tail) or not text.startswith(head) or not text.endswith(tail):
        return False
    at, end = len(head), len(text) - len(tail)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
