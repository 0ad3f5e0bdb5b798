"""The filter language: `state:ready prio>=70 -label:nightly | is:stuck`, read into a tree. One for API, CLI and deck.

    query = alternative *( "|" alternative )
    alternative = term *( " " term )          all of them
    term = [ "-" ] ( "(" query ")" | word | field OP value *( "," value ) )      any of the values

Case of A to Z does not matter. `FIELDS` says what may be asked; docs/api.md has it as a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from taskdeck.domain.query_values import Range, number_range, parse_moment, parse_number, parse_span
from taskdeck.domain.states import State

MAX_LENGTH = 500
MAX_TERMS = 32
MAX_DEPTH = 8
MAX_VALUES = 50
MAX_STARS = 4

Kind = Literal["name", "text", "state", "number", "span", "moment", "flag", "document", "word"]

STATES = tuple(state.value for state in State)
OPEN = tuple(state for state in STATES if state not in ("done", "cancelled"))
"""What `state:open` means: all that may still need somebody, a task that failed for good among it."""
FLAGS = {
    "is": ("open", "lapsed", "asks", "errored", "stuck", "mine"),
    "has": ("assignee", "cap", "due", "error", "label", "result"),
}
FIELDS: dict[str, Kind] = {
    "state": "state", "project": "name", "key": "name", "label": "name", "cap": "name", "holder": "name",
    "assignee": "name", "by": "name", "title": "text", "error": "text", "prio": "number", "attempt": "number",
    "number": "number", "age": "span", "wait": "span", "lease": "span", "heartbeat": "span", "created": "moment",
    "due": "moment", "is": "flag", "has": "flag", "payload": "document", "meta": "document",
}  # fmt: skip
_OTHER_NAMES = {
    "priority": "prio", "worker": "holder", "labels": "label", "capability": "cap", "metadata": "meta",
    "created_by": "by",
}  # fmt: skip
_CLAIMED = frozenset({"claimed"})
_FIELD = re.compile(r"([A-Za-z][A-Za-z_]*)((?:\.[A-Za-z0-9_-]+)*)(>=|<=|[:=<>])")
_COMPARED = re.compile(r"[<>]=?")
_UPPER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class QueryError(ValueError):
    """A filter that cannot be read. `column` counts from 1; `message` names the fault and what is known."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.message, self.column = message, column


@dataclass(frozen=True, slots=True)
class Term:
    """One question: whether a field has one of `patterns` or lies in one of `ranges`."""

    field: str
    patterns: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of `part`."""

    part: Node


@dataclass(frozen=True, slots=True)
class All:
    """All of `parts`; without any, everything."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of `parts`."""

    parts: tuple[Node, ...]


Node = Term | Not | All | Any


def fold(text: str) -> str:
    """`text` with A to Z made small, as the database does it."""
    return text.lower() if text.isascii() else text.translate(_UPPER)


def states_of(node: Node) -> frozenset[str]:
    """The states that a task admitted by `node` can be in."""
    everything = frozenset(STATES)
    match node:
        case All(parts):
            return everything.intersection(*map(states_of, parts))
        case Any(parts):
            return frozenset().union(*map(states_of, parts))
        case Not(Term(field="state", patterns=named)):
            return everything - set(named)
        case Term(field="state", patterns=named):
            return frozenset(named)
        case Term(field="is", patterns=flags):
            known = {"open": frozenset(OPEN), "mine": everything}
            return frozenset().union(*(known.get(flag, _CLAIMED) for flag in flags))
        case Term(field="holder" | "lease" | "heartbeat"):
            return _CLAIMED
        case Term(field="wait"):
            return frozenset({"ready"})
    return everything


def names_states(node: Node) -> bool:
    """Whether `node` itself says in which states, so that no other choice of them should be made."""
    match node:
        case All(parts) | Any(parts):
            return any(map(names_states, parts))
        case Term(field=field):
            return field == "state"
    return False


def terms_of(node: Node) -> Iterator[Term]:
    """Every term of the tree."""
    match node:
        case All(parts) | Any(parts):
            for part in parts:
                yield from terms_of(part)
        case Not(part):
            yield from terms_of(part)
        case Term():
            yield node


def parse(text: str) -> All:
    """Read a filter; an empty one admits everything.

    Raises:
        QueryError: an unknown field, state or flag, a value that its field cannot have, an open quote or bracket, or
            more than the limits allow.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"a filter has up to {MAX_LENGTH} characters", MAX_LENGTH + 1)
    reader = _Reader(text)
    node = reader.alternatives(0)
    if reader.at < len(text):
        raise QueryError("this bracket closes nothing", reader.at + 1)
    return node if isinstance(node, All) else All((node,))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._terms = 0

    def alternatives(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise QueryError(f"brackets nest up to {MAX_DEPTH} deep", self.at + 1)
        found = [self._all(depth)]
        while self._peek() == "|":
            column = self.at + 1
            self.at += 1
            if not found[-1].parts:
                raise QueryError("nothing stands before this |", column)
            found.append(self._all(depth))
            if not found[-1].parts:
                raise QueryError("nothing stands after this |", column)
        return found[0] if len(found) == 1 else Any(tuple(_single(each) for each in found))

    def _all(self, depth: int) -> All:
        parts: list[Node] = []
        while True:
            self._skip_spaces()
            if self._peek() in ("", "|", ")"):
                return All(tuple(parts))
            parts.append(self._term(depth))

    def _term(self, depth: int) -> Node:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise QueryError(f"a filter has up to {MAX_TERMS} terms", self.at + 1)
        if self._peek() == "-" and self.text[self.at + 1 : self.at + 2].strip() not in ("", "|"):
            self.at += 1
            return Not(self._term(depth))
        if self._peek() == "(":
            opened = self.at
            self.at += 1
            inner = self.alternatives(depth + 1)
            if self._peek() != ")":
                raise QueryError("the bracket is not closed", opened + 1)
            self.at += 1
            if inner == All(()):
                raise QueryError("nothing stands between the brackets", opened + 1)
            return _single(inner) if isinstance(inner, All) else inner
        found = _FIELD.match(self.text, self.at)
        return self._asked(found) if found else Term("word", (fold(self._value(stops="")),))

    def _asked(self, found: re.Match[str]) -> Term:
        column, name, path, op = self.at + 1, found[1].lower(), found[2], found[3]
        name = _OTHER_NAMES.get(name, name)
        kind = FIELDS.get(name)
        if kind is None:
            near = get_close_matches(name, FIELDS, n=1)
            hint = f"did you mean {near[0]}:?" if near else f"there are {' '.join(FIELDS)}"
            raise QueryError(f"no field “{name}”; {hint}", column)
        if (kind == "document") != bool(path):
            told = "has no members" if path else f"needs the name of a member, as in {name}.tenant:acme"
            raise QueryError(f"“{name}” {told}", column)
        self.at = found.end()
        if op == ":" and kind in ("number", "span", "moment") and (more := _COMPARED.match(self.text, self.at)):
            op, self.at = more[0], more.end()  # `prio:>=70`, as others write it
        if op in ("<", ">", "<=", ">=") and kind not in ("number", "span", "moment", "document"):
            raise QueryError(f"“{name}” is asked with “:”", column)
        values = self._values(name, column)
        members = tuple(path.split(".")[1:])
        if kind in ("number", "span", "moment") or (kind == "document" and op not in (":", "=")):
            ranges = tuple(self._range(name, kind, op, value, at) for value, at in values)
            return Term(name, (), ranges, members)
        return Term(name, tuple(dict.fromkeys(self._patterns(name, kind, values))), (), members)

    def _patterns(self, name: str, kind: Kind, values: list[tuple[str, int]]) -> Iterator[str]:
        for value, at in values:
            text = fold(value)
            if kind == "state":
                known = OPEN if text == "open" else tuple(state for state in STATES if state.startswith(text))
                if not known:
                    raise QueryError(f"no state “{value}”; there are {' '.join(STATES)} open", at)
                yield from known
            elif kind == "flag" and text not in FLAGS[name]:
                raise QueryError(f"no “{name}:{value}”; there are {' '.join(FLAGS[name])}", at)
            elif text.count("*") > MAX_STARS:
                raise QueryError(f"a value has up to {MAX_STARS} stars", at)
            else:
                yield text

    def _range(self, name: str, kind: Kind, op: str, value: str, column: int) -> Range:
        read = {"span": parse_span, "moment": parse_moment}.get(kind, parse_number)
        try:
            return number_range(op, value, read, future=name == "due", exact=kind not in ("span",))
        except ValueError as error:
            raise QueryError(f"“{name}”: {error}", column) from None

    def _values(self, name: str, column: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        while True:
            at = self.at + 1
            value = self._value()
            if value:
                found.append((value, at))
            if self._peek() != ",":
                break
            self.at += 1
        if not found:
            raise QueryError(f"“{name}:” needs a value", column)
        if len(found) > MAX_VALUES:
            raise QueryError(f"“{name}” takes up to {MAX_VALUES} values", column)
        return found

    def _value(self, stops: str = ",") -> str:
        """What stands up to a space, `|`, a bracket that closes nothing inside, or one of `stops`; quotes protect."""
        begin, out, depth = self.at, [], 0
        while (char := self._peek()) and not char.isspace():
            if char == '"':
                end = self.text.find('"', self.at + 1)
                if end < 0:
                    raise QueryError("the quote is not closed", self.at + 1)
                out.append(self.text[self.at + 1 : end])
                self.at = end + 1
                continue
            if char == "|" or char in stops or (char == ")" and depth == 0):
                break
            depth += (char == "(") - (char == ")")
            out.append(char)
            self.at += 1
        text = "".join(out)
        if not text and not stops:
            raise QueryError("a word is expected here", begin + 1)
        return text

    def _skip_spaces(self) -> None:
        while self._peek().isspace():
            self.at += 1

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]


def _single(node: Node) -> Node:
    return node.parts[0] if isinstance(node, All) and len(node.parts) == 1 else node
