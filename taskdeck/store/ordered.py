"""Tasks in any order, by page number, with how many there are: for clients that turn pages by counting.

An index leads to what the filter asks for and, by number, to the page; in any other order all that match are sorted,
under the reader's deadline. `listing` has the lists of which a page costs the same however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.store.listing import TaskFilter, conditions, page_of
from taskdeck.store.reader import Reader

Order = Literal["number", "updated", "priority", "state", "whose", "due", "ended", "first"]
"""`first`: what is to be done first, by priority, due date and age, before what has ended."""

WHOSE = (
    "nullif(coalesce(t.worker, CASE WHEN t.finished_at IS NOT NULL OR t.state = 'review'"
    " THEN coalesce(b.completed_by ->> 'worker', b.error ->> 'worker') END,"
    " (SELECT assignee FROM buckets WHERE number = t.bucket)), ?)"
)
"""Who holds a task, ended it, or alone may have it; null if that is the worker named as nobody."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page of which tasks. `whose` narrows to what that name holds, ended or alone may have; see `WHOSE`.

    `groups` are the states in the order in which `state` sorts them, those of one group alike. Of tasks that are alike
    the older one comes first, or the newer one if `descending`.
    """

    filter: TaskFilter
    order: Order
    descending: bool
    offset: int
    limit: int
    groups: tuple[tuple[State, ...], ...] = ()
    priority: int | None = None
    whose: str | None = None
    nobody: str = ""


async def list_page(reader: Reader, wanted: Wanted) -> tuple[list[Task], int]:
    """The tasks of the page, and how many match."""
    clauses, values = conditions(wanted.filter)
    if wanted.priority is not None:
        clauses.append("t.priority = ?")
        values.append(wanted.priority)
    if wanted.whose is not None:
        clauses.append(f"{WHOSE} = ?")
        values += [wanted.nobody, wanted.whose]
    chosen = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    bodies = " JOIN bodies b ON b.task = t.number" if "b." in chosen else ""
    row = await reader.row(f"SELECT count(*) FROM tasks t{bodies}{chosen}", values)  # noqa: S608  (our own words)
    by, more = _order_by(wanted)
    if wanted.order == "whose":
        bodies = " JOIN bodies b ON b.task = t.number"
    numbers = f"SELECT t.number FROM tasks t{bodies}{chosen} ORDER BY {by} LIMIT ? OFFSET ?"  # noqa: S608
    found = await reader.rows(numbers, [*values, *more, wanted.limit, wanted.offset])
    return await page_of(reader, [number for (number,) in found]), int(row[0]) if row else 0


def _order_by(wanted: Wanted) -> tuple[str, list[Any]]:
    way = " DESC" if wanted.descending else ""
    match wanted.order:
        case "number":
            return f"t.number{way}", []
        case "updated":
            return f"t.updated_at{way}, t.number{way}", []
        case "priority":
            return f"t.priority{way}, t.number{way}", []
        case "due":
            return f"t.due{way} NULLS LAST, t.number{way}", []
        case "ended":
            return f"t.finished_at{way} NULLS LAST, t.number{way}", []
        case "first":
            return "t.finished_at IS NOT NULL, t.priority DESC, t.due NULLS LAST, t.created_at, t.number", []
        case "state":
            ranks = [f"WHEN '{state}' THEN {rank}" for rank, group in enumerate(wanted.groups) for state in group]
            return f"CASE t.state {' '.join(ranks)} END{way}, t.number{way}", []
    nulls = "FIRST" if wanted.descending else "LAST"
    return f"{WHOSE}{way} NULLS {nulls}, t.number{way}", [wanted.nobody]
