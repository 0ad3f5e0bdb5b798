"""The filter of the queue: words and `field:value` terms, read once, asked of every task. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from taskdeck.tui.model.rows import TaskRow

STATES = ("backlog", "blocked", "scheduled", "ready", "claimed", "review", "done", "failed", "cancelled")
OPEN = ("claimed", "review", "failed", "ready", "scheduled", "blocked", "backlog")
"""The states shown without a filter, in the order of the queue."""
ORDER = (*OPEN, "done", "cancelled")
FIELDS = ("state", "project", "label", "holder", "assignee", "key")


class FilterError(ValueError):
    """A filter that cannot be read. `column` counts from 1; the text names the fault and what is known."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


@dataclass(frozen=True)
class Term:
    """One condition: a word (`field` is `word`) or a field with any of some values, possibly negated."""

    field: str
    values: tuple[str, ...]
    negated: bool = False

    def admits(self, row: TaskRow) -> bool:
        """Whether `row` meets this condition. Case does not matter."""
        return self._holds(row) is not self.negated

    @property
    def server_side(self) -> bool:
        """Whether the API searches for this itself, and in more than a row holds (descriptions)."""
        return self.field == "word" and not self.negated and " " not in self.values[0]

    def _holds(self, row: TaskRow) -> bool:
        wanted = tuple(value.casefold() for value in self.values)
        match self.field:
            case "state":
                return row.state in self.values
            case "project":
                return row.project.casefold() in wanted
            case "label":
                return any(label.casefold() in wanted for label in row.labels)
            case "holder":
                return (row.holder or "").casefold() in wanted
            case "assignee":
                return (row.assignee or "").casefold() in wanted
            case "key":
                return row.key.casefold().startswith(wanted)
            case _:
                text = f"{row.key} {row.title} {row.project} {' '.join(row.labels)} {row.holder or ''}".casefold()
                return wanted[0] in text


@dataclass(frozen=True)
class Filter:
    """A filter as typed and as understood. The empty one shows everything that is open."""

    text: str = ""
    terms: tuple[Term, ...] = field(default=())

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The states it can match, in the order of the queue; the open ones if it names none."""
        named = [term for term in self.terms if term.field == "state"]
        wanted = set(OPEN if not any(not term.negated for term in named) else ORDER)
        for term in named:
            wanted = wanted - set(term.values) if term.negated else wanted & set(term.values)
        return tuple(state for state in ORDER if state in wanted)

    def admits(self, row: TaskRow, *, searched: bool = False) -> bool:
        """Whether `row` belongs into the view. `searched`: the server has already looked for the words."""
        if row.state not in self.states:
            return False
        return all(term.admits(row) for term in self.terms if not (searched and term.server_side))

    def params(self) -> dict[str, Any]:
        """The part of it the API can take over, so that less has to be loaded; the rest is asked here."""
        names = {"project": "project", "label": "label", "holder": "worker", "assignee": "assignee"}
        params: dict[str, Any] = {}
        words: list[str] = []
        for term in self.terms:
            if term.negated or len(term.values) > 1:
                continue
            if term.field in names:
                params.setdefault(names[term.field], term.values[0])
            elif term.field in ("key", "word"):
                words += term.values[0].split()
        if words:
            params["q"] = " ".join(words)
        return params


def parse(text: str) -> Filter:
    """Read a filter.

    Raises:
        FilterError: an unknown field or state, an empty value, an open quote.
    """
    terms: list[Term] = []
    for word, column in _words(text):
        negated = word.startswith("-") and len(word) > 1
        bare = word[1:] if negated else word
        name, colon, value = bare.partition(":")
        if not colon or not name.isalpha() or bare.startswith('"'):
            terms.append(Term("word", (bare.strip('"'),), negated))
            continue
        name = name.lower()
        if name not in FIELDS:
            raise FilterError(f"no field “{name}”; there are {' '.join(FIELDS)}", column)
        values = tuple(part.strip('"') for part in value.split(",") if part.strip('"'))
        if not values:
            raise FilterError(f"“{name}:” needs a value", column)
        if name == "state":
            values = _states(values, column)
        terms.append(Term(name, values, negated))
    return Filter(text.strip(), tuple(terms))


def _states(values: tuple[str, ...], column: int) -> tuple[str, ...]:
    states: list[str] = []
    for value in values:
        value = value.casefold()
        found = OPEN if value == "open" else tuple(state for state in STATES if state.startswith(value))
        if not found:
            raise FilterError(f"no state “{value}”; there are {' '.join(STATES)} open", column)
        states.extend(found)
    return tuple(states)


def _words(text: str) -> list[tuple[str, int]]:
    words: list[tuple[str, int]] = []
    start, quote = None, None
    for at, char in enumerate(text):
        if char == '"':
            quote = at if quote is None else None
            start = at if start is None else start
        elif char.isspace() and quote is None:
            if start is not None:
                words.append((text[start:at], start + 1))
            start = None
        elif start is None:
            start = at
    if quote is not None:
        raise FilterError("the quote is not closed", quote + 1)
    if start is not None:
        words.append((text[start:], start + 1))
    return words
