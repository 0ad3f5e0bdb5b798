"""Lists of tasks, leases and events, page by page, each page found by where the last one ended."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from taskdeck.domain.errors import Invalid
from taskdeck.domain.event_query import EventQuery
from taskdeck.domain.order import Order
from taskdeck.domain.principal import Principal
from taskdeck.domain.query import states_of
from taskdeck.domain.refs import parse_ref
from taskdeck.domain.sorts import Sort
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.store import event_query
from taskdeck.store.columns import HOT
from taskdeck.store.order import rank
from taskdeck.store.query import Query
from taskdeck.store.reader import Reader, Row
from taskdeck.store.sorts import LIFE, SORTED_MOST, Way, way_of
from taskdeck.store.tasks import SELECT, task_from

_AT_BUCKET = HOT.index("bucket")
_BUCKETS = "t.bucket IN"
"""How a clause begins that leaves some buckets alone."""
Clauses = tuple[list[str], list[Any]]


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are wanted; what is empty or None does not narrow."""

    states: tuple[State, ...] = ()
    project: str | None = None
    projects: frozenset[str] | None = None
    label: str | None = None
    assignee: str | None = None
    worker: str | None = None
    parent: str | None = None
    depends_on: int | None = None
    run: str | None = None
    overdue: bool | None = None
    due_after: int | None = None
    due_before: int | None = None
    finished_after: int | None = None
    labels: tuple[str, ...] = ()
    """The task has all of them."""
    priority: tuple[int, int] | None = None
    """The least and the greatest."""
    concerning: tuple[str, frozenset[str]] | None = None
    """A principal and its groups: tasks that it made, holds or completed, or that one of these names is to have."""
    query: Query | None = None


async def find_task(reader: Reader, ref: str, who: Principal) -> Task | None:
    """The task that `ref` names, if `who` may see it."""
    parsed = parse_ref(ref)
    found = await tasks_from(reader, await reader.rows(f"{SELECT} WHERE t.{parsed.column} = ?", (parsed.value,)))
    return found[0] if found and who.sees(found[0].bucket.project) else None


async def list_tasks(
    reader: Reader, wanted: TaskFilter, sort: Sort, order: Order, after: Sequence[Any] | None, limit: int
) -> list[Task]:
    """Up to `limit` tasks in the order `sort`, beginning behind `after`: the sort key of the last one seen.

    `priority` is the `order` of claims.

    Raises:
        Invalid: too many tasks may match to be sorted this way (`too_many_to_sort`).
    """
    way, states = way_of(sort), possible_states(wanted)
    clauses, values = conditions(wanted)
    if way.kind == "life":
        return await _in_life(reader, wanted, sort, order, after, limit)
    if way.kind == "number" and 1 < len(states) < len(State):
        return await _merged(reader, way, states, (clauses, values), after, limit)
    index = "tasks_claimable" if way.kind == "claims" and states == {State.READY} else way.index
    narrowed = way.kind == "free" or (bool(index) and any(clause.startswith(_BUCKETS) for clause in clauses))
    if narrowed and await at_most(reader, states, clauses, values) <= SORTED_MOST:
        way, index = way.unled(), ""
    elif way.kind == "free" and not index:
        raise too_many(sort)
    clauses += filter(None, [way.only])
    if after is not None:
        behind, more = way.behind(after)
        clauses.append(behind)
        values += more
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    # left to itself SQLite would sort all that matches
    select = SELECT.replace("FROM tasks t", f"FROM tasks t INDEXED BY {index}") if index else SELECT
    sql = f"{select}{where} ORDER BY {way.order_by()} LIMIT ?".replace(":rank", rank(order, "t."))
    return await tasks_from(reader, await reader.rows(sql, [*values, limit]))


async def _in_life(
    reader: Reader, wanted: TaskFilter, sort: Sort, order: Order, after: Sequence[Any] | None, limit: int
) -> list[Task]:
    """One state after the other."""
    back = sort.startswith("-")
    found: list[Task] = []
    for state in sorted(possible_states(wanted), key=LIFE.__getitem__, reverse=back):
        reached = after is None or LIFE[state] == after[0] or (LIFE[state] < after[0]) == back
        if reached and len(found) < limit:
            within = after[1:] if after is not None and LIFE[state] == after[0] else None
            of_state = replace(wanted, states=(state,))
            by: Sort = "-number" if back else "number"
            found += await list_tasks(reader, of_state, by, order, within, limit - len(found))
    return found


async def _merged(
    reader: Reader, way: Way, states: Collection[State], chosen: Clauses, after: Sequence[Any] | None, limit: int
) -> list[Task]:
    """Each state has its tasks by number; laid together, no more of any is read than is needed."""
    clauses, values = chosen
    if after is not None:
        behind, more = way.behind(after)
        clauses, values = [*clauses, behind], [*values, *more]
    bodies = " JOIN bodies b ON b.task = t.number" if any("b." in clause for clause in clauses) else ""
    rest = " AND ".join(["", *clauses])
    arms = [f"SELECT t.number FROM tasks t{bodies} WHERE t.state = '{state}'{rest}" for state in states]  # noqa: S608
    sql = f"{' UNION ALL '.join(arms)} ORDER BY {way.order_by().replace('t.number', '1')} LIMIT ?"
    return await page_of(reader, [number for (number,) in await reader.rows(sql, [*values * len(arms), limit])])


async def at_most(reader: Reader, states: Collection[State], clauses: Sequence[str], values: Sequence[Any]) -> int:
    """How many tasks match at most: those of the states and buckets that are asked for."""
    told, given = [f"t.kind IN ({', '.join(repr(state.value) for state in states)})"], []
    left = iter(values)
    for clause in clauses:
        belonging = list(islice(left, clause.count("?")))
        if clause.startswith(_BUCKETS):
            told.append(clause)
            given += belonging
    row = await reader.row(f"SELECT coalesce(sum(t.n), 0) FROM counts t WHERE {' AND '.join(told)}", given)  # noqa: S608
    return int(row[0]) if row else 0


def too_many(sort: Sort) -> Invalid:
    """That more match than are sorted in an order that no index has."""
    return Invalid(
        f"more than {SORTED_MOST:,} tasks may match, too many to sort by {sort.removeprefix('-')}",
        hint="Narrow it by state, project or label; or sort by number, priority, prio, state, due, lease or holder.",
        code="too_many_to_sort",
        field="sort",
    )


_LABELLED = "EXISTS (SELECT 1 FROM json_each(labels) WHERE value = ?)"
# each part by an index of its own, so that it costs what is found and not what is there
_CONCERNING = (
    "t.number IN (SELECT task FROM bodies WHERE created_by = ?"
    " UNION SELECT task FROM bodies WHERE completed_by IS NOT NULL AND json_extract(completed_by, '$.by') = ?"
    " UNION SELECT number FROM tasks WHERE state = 'claimed' AND principal = ?"
    " UNION SELECT number FROM tasks WHERE bucket IN (SELECT number FROM buckets WHERE assignee IN ({names})))"
)


def conditions(wanted: TaskFilter) -> tuple[list[str], list[Any]]:
    """What `wanted` asks of a task `t` with its body `b`, to be joined by AND, and the values that belong to it."""
    clauses: list[str] = []
    values: list[Any] = []
    if wanted.states:
        # literals of our own, so that SQLite can tell that a partial index serves
        named = [f"t.state = '{state.value}'" for state in wanted.states]
        clauses.append(f"({' OR '.join(named)})" if len(named) > 1 else named[0])
    if wanted.worker is not None:
        clauses.append("t.state = 'claimed' AND t.worker = ?")
        values.append(wanted.worker)
    if wanted.parent is not None:
        clauses.append("t.parent = ?")
        values.append(wanted.parent)
    if wanted.run is not None:
        clauses.append("b.run = ?")
        values.append(wanted.run)
    if wanted.depends_on is not None:
        clauses.append("t.number IN (SELECT task FROM dependencies WHERE parent = ?)")
        values.append(wanted.depends_on)
    if wanted.overdue is not None:
        late = "t.overdue_at IS NOT NULL AND t.finished_at IS NULL"
        clauses.append(late if wanted.overdue else f"NOT ({late})")
    if wanted.priority is not None:
        clauses.append("t.priority BETWEEN ? AND ?")
        values += wanted.priority
    if wanted.concerning is not None:
        principal, groups = wanted.concerning
        names = sorted(groups | {principal})
        clauses.append(_CONCERNING.format(names=", ".join("?" * len(names))))
        values += [principal, principal, principal, *names]
    for clause, value in (
        ("t.due >= ?", wanted.due_after),
        ("t.due < ?", wanted.due_before),
        ("t.finished_at >= ?", wanted.finished_after),
    ):
        if value is not None:
            clauses.append(clause)
            values.append(value)
    in_bucket: list[str] = []
    for clause, name in (
        ("project = ?", wanted.project),
        ("assignee = ?", wanted.assignee),
        (_LABELLED, wanted.label),
        *((_LABELLED, label) for label in wanted.labels),
    ):
        if name is not None:
            in_bucket.append(clause)
            values.append(name)
    if wanted.projects is not None:
        in_bucket.append(f"project IN ({', '.join('?' * len(wanted.projects))})")
        values += sorted(wanted.projects)
    if in_bucket:
        clauses.append(f"{_BUCKETS} (SELECT number FROM buckets WHERE {' AND '.join(in_bucket)})")  # noqa: S608
    if wanted.query is not None:
        more, asked = wanted.query.where()
        clauses += more
        values += asked
    return clauses, values


def possible_states(wanted: TaskFilter) -> frozenset[State]:
    """The states that what is wanted can be in."""
    states = frozenset(wanted.states or State)
    if wanted.worker is not None:
        states &= {State.CLAIMED}
    return states if wanted.query is None else states & {State(name) for name in states_of(wanted.query.node)}


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


async def list_events(
    reader: Reader, wanted: EventFilter, *, after: int | None = None, before: int | None = None, limit: int
) -> list[Row]:
    """Rows (seq, type, project, body), oldest first: the first `limit` after `after`, or the last before `before`.

    For a query no more than `EVENTS_LOOKED` events are looked at, from there on.
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
    if wanted.query is not None:
        clauses.append("seq >= ?" if backwards else "seq <= ?")
        values.append((before or 0) - EVENTS_LOOKED if backwards else (after or 0) + EVENTS_LOOKED)
        more, asked = event_query.where(wanted.query)
        clauses += more
        values += asked
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    order = "seq DESC" if backwards else "seq"
    sql = f"SELECT seq, type, project, body FROM events{where} ORDER BY {order} LIMIT ?"  # noqa: S608
    rows = await reader.rows(sql, [*values, limit])
    return rows[::-1] if backwards else rows


def page(items: list[Any], limit: int) -> tuple[list[Any], bool]:
    """Cut what was read with one to spare down to `limit`; tell whether there is more."""
    return items[:limit], len(items) > limit
