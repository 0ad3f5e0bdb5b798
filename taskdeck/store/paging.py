"""Which tasks stand on a page: found along an index as far as is likely to fill it, else by sorting all that match.

What is filtered is looked at along the index first. Where so much of the list holds too little of it, it is rare, or
stands far behind other tasks: then all that match are sorted, which costs the same however far behind they stand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from taskdeck.domain.errors import Invalid
from taskdeck.domain.states import State
from taskdeck.store.filters import Clauses, TaskFilter, at_most, conditions, led_by, of_buckets, possible_states, timed
from taskdeck.store.reader import Reader, Row
from taskdeck.store.sorts import SORTED_MOST, Arm, Way

LOOKED = 10_000
"""Tasks that are looked at along an index for one page of what is filtered."""
FEW = 5_000
"""Tasks that are sorted rather than looked for."""
_PRIORITIES = (
    "WITH RECURSIVE known(priority) AS (SELECT max(priority) FROM tasks UNION ALL"
    " SELECT (SELECT max(t.priority) FROM tasks t WHERE t.priority < known.priority) FROM known"
    " WHERE priority IS NOT NULL)"
    " SELECT priority FROM known WHERE priority IS NOT NULL"
)
"""The priorities that there are, each by a look into the index."""


@dataclass(frozen=True, slots=True)
class Page:
    """Up to `limit` tasks of those `wanted`, in the order `sort`, to which `way` leads, behind the key `after`."""

    wanted: TaskFilter
    sort: str
    way: Way
    after: Sequence[Any] | None
    limit: int


async def numbers(reader: Reader, page: Page) -> list[int]:
    """The numbers of the tasks of the page, in its order.

    Raises:
        Invalid: too many may match to be sorted this way (`too_many_to_sort`).
    """
    wanted, way = page.wanted, page.way
    states = possible_states(wanted) & way.states
    if not states:
        return []
    arms = way.arms(states)
    # where each state is an arm of its own, the arms have chosen already
    rest = conditions(replace(wanted, states=()) if way.by_state else wanted, each=True)
    most = await at_most(reader, wanted) if not arms or of_buckets(rest[0]) else None
    if not arms and (most is None or most > SORTED_MOST):
        raise too_many(page.sort)
    by_bucket = most is not None and most <= SORTED_MOST and of_buckets(rest[0])
    if arms and led_by(wanted) is None and (most is None or most > FEW):
        # by number tasks lie side by side, and so does what is read of them; lists of an own kind are short
        if not rest[0] or (way.kind in ("number", "own") and not by_bucket and wanted.concerning is None):
            return [key[-1] for key in await _walked(reader, page, arms, rest)]
        found, whole = await _looked_for(reader, page, arms, rest)
        if whole:
            return found
    return await _sorted(reader, page, by_bucket=by_bucket)


async def _walked(reader: Reader, page: Page, arms: Sequence[Arm], rest: Clauses) -> list[Row]:
    """The keys of the page: laid together, no more of any arm is read than is needed."""
    way, (clauses, values) = page.way, rest
    if way.within is not None:
        return await _by_priority(reader, page, rest)
    bodies = " CROSS JOIN bodies b ON b.task = t.number" if any("b." in clause for clause in clauses) else ""
    edges = [("", list[Any]())] if page.after is None else way.edges(page.after)
    selects, given = [], list[Any]()
    for arm in arms:
        # left to itself SQLite would sort all that matches
        by = f"INDEXED BY {arm.index}" if arm.index else "NOT INDEXED"
        for edge, place in edges:
            where = " AND ".join(filter(None, [arm.only, edge, *clauses]))
            selects.append(f"SELECT {way.key_of()} FROM tasks t {by}{bodies}{f' WHERE {where}' if where else ''}")  # noqa: S608
            given += [*place, *values]
    sql = f"{' UNION ALL '.join(selects)} ORDER BY {way.places()} LIMIT ?"
    return await reader.rows(sql, [*given, page.limit])


async def _by_priority(reader: Reader, page: Page, rest: Clauses) -> list[Row]:
    """The keys of the page, of one priority that there is after the other."""
    falls = page.way.columns[0][1]
    found = list[Row]()
    for (priority,) in sorted(await reader.rows(_PRIORITIES), reverse=falls):
        after = None
        if page.after is not None and priority == page.after[0]:
            after = page.after[1:]
        elif page.after is not None and (priority < page.after[0]) is not falls:
            continue
        if len(found) < page.limit:
            way = page.way.of_priority(priority)
            of_one = replace(page, way=way, after=after, limit=page.limit - len(found))
            found += [(priority, *key) for key in await _walked(reader, of_one, way.arms(frozenset(State)), rest)]
    return found


async def _looked_for(reader: Reader, page: Page, arms: Sequence[Arm], rest: Clauses) -> tuple[list[int], bool]:
    """What of the page is among the next `LOOKED` tasks, and whether that is all of it."""
    found, looked, place, at_once = list[int](), 0, page.after, 4 * page.limit
    # what concerns somebody has indexes of its own, which are quick unless it is so much that it is met at once
    most = LOOKED if page.wanted.concerning is None else LOOKED // 10
    while looked < most:
        keys = await _walked(reader, replace(page, after=place, limit=at_once), arms, ([], []))
        ahead = [key[-1] for key in keys]
        passing = await _passing(reader, ahead, rest)
        found += [number for number in ahead if number in passing]
        if len(found) >= page.limit or len(keys) < at_once:
            return found[: page.limit], True
        looked, place = looked + at_once, keys[-1]
        at_once = min(4 * at_once, most - looked)
    return found, False


async def _passing(reader: Reader, ahead: Sequence[int], rest: Clauses) -> set[int]:
    """Those of the tasks `ahead` of which `rest` is true."""
    clauses, values = rest
    bodies = " CROSS JOIN bodies b ON b.task = t.number" if any("b." in clause for clause in clauses) else ""
    # each is looked at by itself, whatever index might lead to the others of its kind
    sql = f"SELECT t.number FROM json_each(?) j CROSS JOIN tasks t ON t.number = j.value{bodies}"  # noqa: S608
    rows = await reader.rows(f"{sql} WHERE {' AND '.join(clauses)}", [json.dumps(ahead), *values])
    return {number for (number,) in rows}


async def _sorted(reader: Reader, page: Page, *, by_bucket: bool) -> list[int]:
    """The page, by sorting all that matches: what is in the buckets, if that is little, else what is in the states."""
    wanted, way = page.wanted, page.way.unled()
    clauses, values = conditions(replace(wanted, states=()))
    states = f"t.state IN ({', '.join(repr(state.value) for state in possible_states(wanted))})"
    lead = led_by(wanted) or timed(wanted)
    if lead is None and wanted.concerning is None:
        lead = Arm(index="tasks_by_bucket" if by_bucket else "tasks_by_state")
    else:
        states = f"+{states}"
    by = f"INDEXED BY {lead.index}" if lead is not None and lead.index else ""
    clauses += filter(None, [states, way.only, lead.only if lead is not None else ""])
    if way.reads_later:
        return await _sorted_then_read(reader, replace(page, way=way), by, (clauses, values))
    if page.after is not None:
        behind, more = way.behind(page.after)
        clauses.append(behind)
        values += more
    key = way.key_of()
    bodies = " JOIN bodies b ON b.task = t.number" if any("b." in part for part in (key, *clauses)) else ""
    sql = f"SELECT {key} FROM tasks t {by}{bodies} WHERE {' AND '.join(clauses)} ORDER BY {way.places()} LIMIT ?"  # noqa: S608
    return [key[-1] for key in await reader.rows(sql, [*values, page.limit])]


async def _sorted_then_read(reader: Reader, page: Page, by: str, rest: Clauses) -> list[int]:
    """The page, by sorting what matches by the first column alone; texts are read only of what the page may hold."""
    way, (clauses, values) = page.way, list(rest)
    (first, falls), key = way.columns[0], way.key_of()
    beyond, place, behind, edge = "", list[Any](), "", list[Any]()
    if page.after is not None:
        beyond, place = f" WHERE first {'<' if falls else '>'} ?", [page.after[0]]
        behind, edge = way.behind(page.after)
        clauses, values = [*clauses, f"{first} {'<=' if falls else '>='} ?"], [*values, page.after[0]]
    bodies = " JOIN bodies b ON b.task = t.number" if any("b." in part for part in clauses) else ""
    last = f"SELECT first FROM hits{beyond} ORDER BY 1{' DESC' if falls else ''} LIMIT 1 OFFSET ?"  # noqa: S608
    sql = (
        f"WITH hits(number, first) AS MATERIALIZED"  # noqa: S608
        f" (SELECT t.number, {first} FROM tasks t {by}{bodies} WHERE {' AND '.join(clauses)})"
        f" SELECT {key} FROM hits CROSS JOIN tasks t ON t.number = hits.number CROSS JOIN bodies b ON b.task = t.number"
        f" WHERE first {'>=' if falls else '<='} coalesce(({last}), first){f' AND {behind}' if behind else ''}"
        f" ORDER BY {way.places()} LIMIT ?"
    )
    rows = await reader.rows(sql, [*values, *place, page.limit - 1, *edge, page.limit])
    return [key[-1] for key in rows]


def too_many(sort: str) -> Invalid:
    """That more match than are sorted in an order that no index has."""
    by = sort.replace("-", "").replace(",", ", then ")
    return Invalid(
        f"more than {SORTED_MOST:,} tasks may match, too many to sort by {by}",
        hint="Narrow it by state, project or label; or sort by number, priority, prio, state, due, lease or holder.",
        code="too_many_to_sort",
        field="sort",
    )
