"""Tasks in any order, by page number, with how many there are: for clients that turn pages by counting.

Few tasks are sorted. Of many an index leads to the page: by number, or group by group where a state or a priority is
what they are sorted by, with as much of the list walked as lies before the page. In no other order are many listed.
`listing` has the lists of which a page costs the same however far on it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from taskdeck.domain.errors import Invalid
from taskdeck.domain.states import OPEN, State
from taskdeck.domain.task import Task
from taskdeck.store.filters import Clauses, TaskFilter, at_most, conditions, led_by, possible_states, timed
from taskdeck.store.listing import page_of
from taskdeck.store.reader import Reader
from taskdeck.store.sorts import SORTED_MOST, Arm

Order = Literal["number", "updated", "priority", "state", "whose", "due", "ended", "first"]
"""`first`: what is to be done first, by priority, due date and age, before what has ended."""

WHOSE = (
    "nullif(coalesce(t.worker, CASE WHEN t.finished_at IS NOT NULL OR t.state = 'review'"
    " THEN coalesce(b.completed_by ->> 'worker', b.error ->> 'worker') END,"
    " (SELECT assignee FROM buckets WHERE number = t.bucket)), ?)"
)
"""Who holds a task, ended it, or alone may have it; null if that is the worker named as nobody."""
_OFFERED = (
    "SELECT number FROM tasks INDEXED BY tasks_held WHERE state = 'claimed' AND worker = ?"
    " UNION ALL SELECT number FROM tasks WHERE bucket IN (SELECT number FROM buckets WHERE assignee = ?)"
)
_LEFT = frozenset(State) - OPEN | {State.REVIEW}
"""States in which a task may be somebody's who holds it no more; only what is said of it tells whose."""
TOO_MANY = "too_many_to_sort"


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
    """The tasks of the page, and how many match.

    Raises:
        Invalid: more than 50,000 tasks match, and no index has them in this order (`too_many_to_sort`).
    """
    async with reader.at_once() as now:
        return await _page_and_total(now, wanted)


async def _page_and_total(reader: Reader, wanted: Wanted) -> tuple[list[Task], int]:
    clauses, values = conditions(wanted.filter)
    if wanted.priority is not None:
        clauses.append("t.priority = ?")
        values.append(wanted.priority)
    if wanted.whose is not None:
        left = " OR t.finished_at IS NOT NULL OR t.state = 'review'" if possible_states(wanted.filter) & _LEFT else ""
        clauses += [f"(t.number IN ({_OFFERED}){left})", f"{WHOSE} = ?"]
        values += [wanted.whose, wanted.whose, wanted.nobody, wanted.whose]
    chosen = (clauses, values)
    total = None
    if _is_counted(wanted.filter) and wanted.priority is None and wanted.whose is None:
        total = await at_most(reader, wanted.filter)
    if total is None:
        matching = await _matching(reader, wanted.filter, chosen)
        if len(matching) <= SORTED_MOST:
            total = len(matching)
            chosen = (["t.number IN (SELECT value FROM json_each(?))"], [json.dumps(matching)])
    if total is not None and total <= SORTED_MOST:
        return await page_of(reader, await _sorted(reader, wanted, chosen) if wanted.offset < total else []), total
    way = -1 if wanted.descending else 1
    if wanted.order == "number":
        numbers = await _in_groups(reader, wanted, [possible_states(wanted.filter)], chosen)
    elif wanted.order == "state":
        numbers = await _in_groups(reader, wanted, wanted.groups[::way], chosen)
    elif wanted.order == "priority":
        numbers = await _by_priority(reader, wanted, chosen)
    else:
        raise _too_many()
    return await page_of(reader, numbers), await _counted(reader, *_select(chosen)) if total is None else total


async def count(reader: Reader, wanted: TaskFilter) -> int:
    """How many tasks are `wanted`."""
    if _is_counted(wanted):
        return await at_most(reader, wanted)
    return await _counted(reader, *_select(conditions(wanted), lead=led_by(wanted) or timed(wanted)))


def _is_counted(wanted: TaskFilter) -> bool:
    """Whether what is wanted is what the kept counts tell apart: states and buckets."""
    rest = replace(wanted, states=(), project=None, projects=None, label=None, labels=(), assignee=None)
    return rest == TaskFilter()


def _too_many() -> Invalid:
    return Invalid(
        f"more than {SORTED_MOST:,} tasks may match, too many to sort in this order",
        hint="Narrow it by state; or sort by when they were made, by state or by priority.",
        code=TOO_MANY,
    )


async def _matching(reader: Reader, wanted: TaskFilter, chosen: Clauses) -> list[int]:
    """The numbers of all that match, up to one more than is sorted."""
    select, values = _select(chosen, lead=led_by(wanted) or timed(wanted))
    return [row[0] for row in await reader.rows(f"{select} LIMIT ?", [*values, SORTED_MOST + 1])]


async def _sorted(reader: Reader, wanted: Wanted, chosen: Clauses) -> list[int]:
    by, more = _order_by(wanted)
    select, values = _select(chosen, bodies="b." in by)
    sql = f"{select} ORDER BY {by} LIMIT ? OFFSET ?"
    return [row[0] for row in await reader.rows(sql, [*values, *more, wanted.limit, wanted.offset])]


async def _in_groups(reader: Reader, wanted: Wanted, groups: Iterable[Iterable[State]], chosen: Clauses) -> list[int]:
    """Group by group; the states of one laid together by number, of which no more is read than is needed."""
    clauses, values = chosen
    found, skip = list[int](), wanted.offset
    for group in groups:
        arms = [_select(([f"t.state = '{state}'", *clauses], values)) for state in State if state in group]
        asked = [value for _, given in arms for value in given]
        together = " UNION ALL ".join(arm for arm, _ in arms)
        found += await _page(reader, together, asked, wanted, len(found), skip)
        if not found and skip:
            skip -= await _counted(reader, together, asked)
    return found


async def _by_priority(reader: Reader, wanted: Wanted, chosen: Clauses) -> list[int]:
    """One priority after the other."""
    clauses, values = chosen
    found, skip = list[int](), wanted.offset
    best, sign, at = ("max", "<", 101) if wanted.descending else ("min", ">", -1)
    while len(found) < wanted.limit:
        row = await reader.row(f"SELECT {best}(priority) FROM tasks WHERE priority {sign} ?", (at,))  # noqa: S608
        if row is None or row[0] is None:
            break
        at = row[0]
        one, asked = _select((["t.priority = ?", *clauses], [at, *values]), lead=Arm(index="tasks_by_priority"))
        found += await _page(reader, one, asked, wanted, len(found), skip)
        if not found and skip:
            skip -= await _counted(reader, one, asked)
    return found


async def _page(reader: Reader, select: str, values: list[Any], wanted: Wanted, found: int, skip: int) -> list[int]:
    """What a group adds to the page, by number; of the first group of the page `skip` tasks are passed over."""
    sql = f"{select} ORDER BY 1{' DESC' if wanted.descending else ''} LIMIT ? OFFSET ?"
    rows = await reader.rows(sql, [*values, wanted.limit - found, 0 if found else skip])
    return [row[0] for row in rows]


async def _counted(reader: Reader, select: str, values: list[Any]) -> int:
    row = await reader.row(f"SELECT count(*) FROM ({select})", values)  # noqa: S608  (our own words)
    return int(row[0]) if row else 0


def _select(chosen: Clauses, *, bodies: bool = False, lead: Arm | None = None) -> tuple[str, list[Any]]:
    clauses, values = chosen
    by = f" INDEXED BY {lead.index}" if lead is not None and lead.index else ""
    where = " AND ".join([*clauses, lead.only] if lead is not None and lead.only else clauses)
    join = " JOIN bodies b ON b.task = t.number" if bodies or "b." in where else ""
    return f"SELECT t.number FROM tasks t{by}{join}{f' WHERE {where}' if where else ''}", list(values)  # noqa: S608


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
