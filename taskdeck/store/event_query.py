"""The filter of events as SQL, over the log."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.event_query import EventQuery, Term

_BODY = "CAST(body AS TEXT)"
_COLUMNS = {
    "type": "lower(type)", "actor": f"lower(json_extract({_BODY}, '$.actor'))",
    "worker": f"lower(json_extract({_BODY}, '$.worker'))", "project": "lower(project)",
    "key": f"lower(json_extract({_BODY}, '$.task.key'))",
}  # fmt: skip


def where(query: EventQuery) -> tuple[list[str], list[Any]]:
    """Clauses that all must hold of an event, and their values in order."""
    clauses, values = [], list[Any]()
    for term in query.terms:
        clause, more = _clause(term)
        clauses.append(f"NOT ({clause} IS TRUE)" if term.negated else clause)
        values += more
    return clauses, values


def _clause(term: Term) -> tuple[str, list[Any]]:
    if term.field == "word":
        return f"instr(lower({_BODY}), ?)", [term.patterns[0]]
    columns = [_COLUMNS[term.field]]
    if term.field == "type":
        columns.append("substr(lower(type), instr(type, '.') + 1)")
    found: list[str] = []
    values: list[Any] = []
    for pattern in term.patterns:
        for column in columns:
            found.append(f"{column} GLOB ?" if "*" in pattern else f"{column} = ?")
            values.append(pattern.replace("[", "[[]").replace("?", "[?]") if "*" in pattern else pattern)
    return f"({' OR '.join(found)})", values
