"""The filter of the queue: the deck's filter language, asked of rows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from taskdeck.domain.matching import UNKNOWN, holds
from taskdeck.domain.query import STATES, All, Node, Not, QueryError, Term, names_states, states_of
from taskdeck.domain.query import parse as parse_query
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.sort import USUAL, Sort

__all__ = ["OPEN", "ORDER", "STATES", "Filter", "QueryError", "parse"]

OPEN = ("claimed", "review", "failed", "ready", "scheduled", "blocked", "backlog")
"""The states shown without a filter, in the order of the queue."""
ORDER = (*OPEN, "done", "cancelled")


@dataclass(frozen=True)
class Filter:
    """What of the queue is looked at: a filter as typed and as understood, and in which order.

    The empty one shows everything that is open, as it usually stands.
    """

    text: str = ""
    terms: tuple[Node, ...] = field(default=())
    sort: Sort = USUAL

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The states it can match, in the order of the queue; of the open ones if it names none."""
        wanted = states_of(All(self.terms))
        return tuple(state for state in (ORDER if self.names_states else OPEN) if state in wanted)

    @cached_property
    def names_states(self) -> bool:
        """Whether it says itself in which states."""
        return names_states(All(self.terms))

    @cached_property
    def by_state(self) -> bool:
        """Whether it asks for states and nothing else, so that the counts tell how many match."""
        bare = (term.part if isinstance(term, Not) else term for term in self.terms)
        return all(isinstance(term, Term) and term.field == "state" for term in bare)

    def admits(self, row: TaskRow, now_ms: int = 0, me: str = "", *, searched: bool = False) -> bool:
        """Whether `row` belongs into the view. `searched`: the server, which knows more of a task, has said so."""
        if row.state not in self.states:
            return False
        if not self.terms:
            return True
        found = holds(All(self.terms), lambda name: _of(row, name, now_ms), now_ms, me)
        return searched if found is None else found

    def params(self) -> dict[str, Any]:
        """How the API is asked for it."""
        return {"q": self.text} if self.terms else {}


def _of(row: TaskRow, name: str, now_ms: int) -> Any:
    """What a row knows of a field of the language."""
    lease = row.lease
    match name:
        case "state" | "project" | "key" | "title" | "assignee" | "error" | "attempt" | "number":
            return getattr(row, name)
        case "prio":
            return row.priority
        case "label":
            return row.labels
        case "cap":
            return row.needs
        case "age" | "created":
            return row.created_ms
        case "due":
            return row.due_ms
        case "wait":
            return row.since_ms if row.state == "ready" else None
        case "lapsed":
            return row.lapsed(now_ms)
        case "holder":
            return lease.worker if lease else None
        case "principal" | "work" | "lease" | "heartbeat":
            names = {"work": "state", "lease": "expires_ms", "heartbeat": "heartbeat_ms"}
            return getattr(lease, names.get(name, name)) if lease else None
    return UNKNOWN


def parse(text: str, sort: Sort = USUAL) -> Filter:
    """Read a filter, to be looked at in an order.

    Raises:
        QueryError: it cannot be read; the error names the column.
    """
    text = text.strip()
    return Filter(text, parse_query(text).parts, sort)
