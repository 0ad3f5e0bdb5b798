"""Lists of tasks and leases, page by page, each page found by where the last one ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from taskdeck.domain.order import Order
from taskdeck.domain.principal import Principal
from taskdeck.domain.refs import parse_ref
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.store.columns import HOT
from taskdeck.store.filters import TaskFilter, conditions, most_by_state, possible_states
from taskdeck.store.order import rank
from taskdeck.store.paging import Page, numbers
from taskdeck.store.reader import Reader, Row
from taskdeck.store.sorts import way_of
from taskdeck.store.tasks import SELECT, task_from

_AT_BUCKET = HOT.index("bucket")


async def find_task(reader: Reader, ref: str, who: Principal) -> Task | None:
    """The task that `ref` names, if `who` may see it."""
    parsed = parse_ref(ref)
    found = await tasks_from(reader, await reader.rows(f"{SELECT} WHERE t.{parsed.column} = ?", (parsed.value,)))
    return found[0] if found and who.sees(found[0].bucket.project) else None


async def list_tasks(
    reader: Reader, wanted: TaskFilter, sort: str, order: Order, after: Sequence[Any] | None, limit: int
) -> list[Task]:
    """Up to `limit` tasks in the order `sort`, beginning behind `after`: the sort key of the last one seen.

    `priority` is the `order` of claims, behind which come the tasks that have ended.

    Raises:
        Invalid: too many tasks may match to be sorted this way (`too_many_to_sort`).
    """
    page = Page(wanted, sort, way_of(sort).ranked(rank(order, "t.")), after, limit)
    async with reader.at_once() as now:
        return await page_of(now, await (_in_parts if page.way.parts else numbers)(now, page))


async def _in_parts(reader: Reader, page: Page) -> list[int]:
    """The numbers of the page, one part after the other."""
    back = page.sort.startswith("-")
    reached = page.after[0] if page.after is not None else None
    found: list[int] = []
    there = possible_states(page.wanted)
    if not all(way.by_state for _, way in page.way.parts):
        there &= (await most_by_state(reader, page.wanted)).keys()  # else a state without any is looked through in vain
    for place, (states, way) in sorted(enumerate(page.way.parts), reverse=back):
        of_part = there & states
        begun = reached is None or place == reached or (place < reached) == back
        if of_part and begun and len(found) < page.limit:
            after = page.after[-len(way.columns) :] if page.after is not None and place == reached else None
            wanted = replace(page.wanted, states=tuple(sorted(of_part)))
            found += await numbers(reader, Page(wanted, page.sort, way, after, page.limit - len(found)))
    return found


async def count_tasks(reader: Reader, wanted: TaskFilter) -> dict[str, dict[State, int]]:
    """How many tasks there are, by project and state."""
    clauses, values = conditions(wanted)
    where = " AND ".join(["t.bucket = k.number", *clauses])
    bodies = " JOIN bodies b ON b.task = t.number" if "b." in where else ""
    counts: dict[str, dict[State, int]] = {}
    for project, state, n in await reader.rows(
        f"SELECT k.project, t.state, count(*) FROM tasks t{bodies} JOIN buckets k WHERE {where} GROUP BY 1, 2",  # noqa: S608
        values,
    ):
        counts.setdefault(project, {})[State(state)] = n
    return counts


async def made_since(reader: Reader, moment: int) -> int:
    """How many of the tasks that are kept were made since `moment`: those behind the newest one made before it."""
    sql = (
        "SELECT count(*) FROM tasks WHERE number >"
        " coalesce((SELECT number FROM tasks WHERE created_at < ? ORDER BY number DESC LIMIT 1), 0)"
    )
    ((count,),) = await reader.rows(sql, (moment,))
    return int(count)


async def page_of(reader: Reader, numbers: Sequence[int]) -> list[Task]:
    """The tasks of these numbers, in their order; those that are gone are left out."""
    if not numbers:
        return []
    sql = f"{SELECT} WHERE t.number IN (SELECT value FROM json_each(?))"  # noqa: S608  (our own words)
    rows = await reader.rows(sql, (json.dumps(numbers),))
    found = {task.number: task for task in await tasks_from(reader, rows)}
    return [found[number] for number in numbers if number in found]


async def tasks_from(reader: Reader, rows: list[Row]) -> list[Task]:
    """The tasks of rows of `SELECT`, in their order."""
    buckets = await reader.buckets({row[_AT_BUCKET] for row in rows})
    return [task_from(row, buckets[row[_AT_BUCKET]]) for row in rows]


async def list_leases(
    reader: Reader, projects: frozenset[str] | None, after: tuple[int, int, int] | None, limit: int
) -> list[Task]:
    """Up to `limit` claimed tasks, lapsed ones first, then by the end of their lease, behind `after`."""
    clauses, values = ["t.state = 'claimed'"], []
    if after is not None:
        lapsed, expires_at, number = after
        behind = "(t.expires_at, t.number) > (?, ?)"
        if not expires_at:  # leases without end stand before the others
            behind = "(t.expires_at IS NOT NULL OR (? = 0 AND t.number > ?))"
        clauses.append(f"(t.lapsed < ? OR (t.lapsed = ? AND {behind}))")
        values += [lapsed, lapsed, expires_at, number]
    more, held = conditions(TaskFilter(projects=projects))
    where = " AND ".join(clauses + more)
    sql = f"{SELECT} WHERE {where} ORDER BY t.lapsed DESC, t.expires_at, t.number LIMIT ?"
    return await tasks_from(reader, await reader.rows(sql, [*values, *held, limit]))


def page(items: list[Any], limit: int) -> tuple[list[Any], bool]:
    """Cut what was read with one to spare down to `limit`; tell whether there is more."""
    return items[:limit], len(items) > limit
