"""Lists of events, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskdeck.domain.event_query import EventQuery
from taskdeck.store import event_query
from taskdeck.store.reader import Reader, Row

EVENTS_LOOKED = 50_000
"""Events that one page of a query looks at."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; None does not narrow. `projects` also lets through what belongs to no project."""

    task: int | None = None
    type: str | None = None
    project: str | None = None
    projects: frozenset[str] | None = None
    query: EventQuery | None = None

    @property
    def rare(self) -> bool:
        """Whether what is wanted may be far apart in the log, with nothing that leads to it."""
        return self.task is None and (self.type, self.project, self.query) != (None, None, None)


async def list_events(
    reader: Reader, wanted: EventFilter, *, after: int | None = None, before: int | None = None, limit: int
) -> list[Row]:
    """Rows (seq, type, project, body), oldest first: the first `limit` after `after`, or the last before `before`.

    Of what is `rare` no more than `EVENTS_LOOKED` events are looked at, from there on.
    """
    clauses: list[str] = []
    values: list[Any] = []
    for clause, value in (
        ("seq > ?", after),
        ("seq < ?", before),
        ("task = ?", wanted.task),
        ("type = ?", wanted.type),
        ("project = ?", wanted.project),
    ):
        if value is not None:
            clauses.append(clause)
            values.append(value)
    if wanted.projects is not None:
        clauses.append(f"(project IN ({', '.join('?' * len(wanted.projects))}))")
        values += sorted(wanted.projects)
    backwards = before is not None and after is None
    if wanted.rare:
        clauses.append("seq >= ?" if backwards else "seq <= ?")
        values.append((before or 0) - EVENTS_LOOKED if backwards else (after or 0) + EVENTS_LOOKED)
    if wanted.query is not None:
        more, asked = event_query.where(wanted.query)
        clauses += more
        values += asked
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    order = "seq DESC" if backwards else "seq"
    sql = f"SELECT seq, type, project, body FROM events{where} ORDER BY {order} LIMIT ?"  # noqa: S608
    rows = await reader.rows(sql, [*values, limit])
    return rows[::-1] if backwards else rows
