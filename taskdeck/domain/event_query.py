"""What is asked of events: `type:lapsed actor:render-* W47 -project:docs`. One for the API and the deck. Pure.

All terms must hold; a comma between values means any of them, `-` before a term means not, `*` in a value stands for
any run, and of a `type` the beginning is enough. A word without a field is looked for in whatever an event names. Case
of A to Z does not matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from taskdeck.domain.query import MAX_LENGTH, MAX_STARS, MAX_TERMS, MAX_VALUES, QueryError, fold

FIELDS: Final = ("type", "actor", "worker", "project", "key")
_OTHER_NAMES = {"by": "actor", "holder": "worker", "task": "key", "kind": "type"}
_TERM = re.compile(r'(-?)(?:([A-Za-z]+):)?("[^"]*"|[^\s"]+)(?=\s|$)')


@dataclass(frozen=True, slots=True)
class Term:
    """One question: whether a field (`word`: any of them) has one of `patterns`, in small letters."""

    field: str
    patterns: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class EventQuery:
    """A filter of events, as typed and as understood; without terms it lets everything through."""

    text: str = ""
    terms: tuple[Term, ...] = ()

    def admits(self, type: str, actor: str, worker: str, project: str, key: str, *more: str) -> bool:
        """Whether an event that names these is let through; words are looked for in `more` texts too."""
        named = dict(zip(FIELDS, (fold(type), fold(actor), fold(worker), fold(project), fold(key)), strict=True))
        return all(_holds(term, named, more) is not term.negated for term in self.terms)


EVERYTHING = EventQuery()


def _holds(term: Term, named: dict[str, str], more: tuple[str, ...]) -> bool:
    if term.field == "word":
        return any(term.patterns[0] in text for text in named.values()) or any(
            term.patterns[0] in fold(text) for text in more
        )
    value = named[term.field]
    return any(like(pattern, each) for pattern in term.patterns for each in forms(term.field, value))


def forms(field: str, value: str) -> tuple[str, ...]:
    """What a pattern of `field` is held against: a type also without its family, `lapsed` for `task.lapsed`."""
    return (value, value.partition(".")[2]) if field == "type" else (value,)


def like(pattern: str, value: str) -> bool:
    """Whether `value` is `pattern`, in which stars stand for any run."""
    if "*" not in pattern:
        return pattern == value
    return fnmatchcase(value, pattern.replace("[", "[[]").replace("?", "[?]"))


def parse(text: str) -> EventQuery:
    """Read a filter of events.

    Raises:
        QueryError: it cannot be read; the error names the column.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise QueryError(f"a filter has {MAX_LENGTH} characters at most", MAX_LENGTH + 1)
    terms: list[Term] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TERM.match(text, at)
        if found is None:
            raise QueryError("a quotation mark stands where none belongs", at + 1)
        terms.append(_term(found, at))
        if len(terms) > MAX_TERMS:
            raise QueryError(f"a filter has {MAX_TERMS} terms at most", at + 1)
        at = found.end()
    return EventQuery(text, tuple(terms))


def _term(found: re.Match[str], at: int) -> Term:
    negated, name, value = found[1] == "-", found[2], found[3]
    if name is None and value.endswith(":"):
        name, value = value[:-1], ","
    if name is None:
        word = fold(value.strip('"'))
        if not word:
            raise QueryError("nothing stands between the quotation marks", at + 1)
        return Term("word", (word,), negated)
    field = _OTHER_NAMES.get(name.casefold(), name.casefold())
    if field not in FIELDS:
        near = get_close_matches(field, [*FIELDS, *_OTHER_NAMES], n=1)
        hint = f"did you mean {near[0]}:?" if near else f"there are {', '.join(f'{each}:' for each in FIELDS)}"
        raise QueryError(f"no field “{name[:24]}”; {hint}", at + 1)
    values = (value.strip('"'),) if value.startswith('"') else tuple(filter(None, value.split(",")))
    if not values or not all(values):
        raise QueryError(f"{field}: what?", at + 1)
    if len(values) > MAX_VALUES or any(each.count("*") > MAX_STARS for each in values):
        raise QueryError(f"{field}: {MAX_VALUES} values and {MAX_STARS} stars a value at most", at + 1)
    # the beginning of a type is enough, as it is of a state; in quotation marks it is meant as it stands
    begun = "*" if field == "type" and not value.startswith('"') else ""
    return Term(field, tuple(fold(each) + begun * (not each.endswith("*")) for each in values), negated)
