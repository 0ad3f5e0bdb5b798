"""Which task a claim gets: the best of those its claimer may have, found without walking the queue."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from heapq import heappop, heappush, heapreplace

import orjson

from taskdeck.domain.eligibility import Claimer
from taskdeck.domain.order import Order
from taskdeck.domain.task import Task
from taskdeck.store.columns import HOT, LONG_COLUMNS
from taskdeck.store.front import MOST_AHEAD, Front, Place
from taskdeck.store.mirror import Choice, Heap
from taskdeck.store.order import rank
from taskdeck.store.rows import LONG
from taskdeck.store.tasks import COLUMNS, by_number, task_from
from taskdeck.store.unit import Unit

_LENGTH = " + ".join(f"ifnull(length(b.{name}), 0)" for name in LONG_COLUMNS)
_MUCH = 1 << 18
"""Characters read at once past which less is read the next time."""
_AT_BUCKET = HOT.index("bucket")
_AT_PRIORITY, _AT_QUEUED = HOT.index("priority"), HOT.index("queued_at")


@lru_cache(maxsize=4)
def _ahead(order: Order) -> str:
    # One row holds them all: reading many would be as many steps. A task that is too long to be kept is only named.
    return (
        f"SELECT json_group_array(CASE WHEN {_LENGTH} <= ?3"  # noqa: S608
        f" THEN json_array({COLUMNS}) ELSE json_array(t.number, {rank(order, 't.')}) END)"
        " FROM (SELECT number FROM tasks INDEXED BY tasks_claimable_by_bucket"
        f"  WHERE (state = 'ready' OR lapsed = 1) AND bucket = ?1 ORDER BY {rank(order)}, number LIMIT ?2) front"
        " CROSS JOIN tasks t ON t.number = front.number CROSS JOIN bodies b ON b.task = t.number"
    )


Barred = Callable[[int], bool]
"""Whether nothing may be had of a bucket."""


def best(unit: Unit, claimer: Claimer, barred: Barred | None = None) -> int | None:
    """The number of the task to give to `claimer`: first in the order of claims; None if none is.

    Buckets that are `barred` are left out; only those that may have a better one are asked about.

    Costs a look into memory, and now and then a query for what comes next in a bucket, however many tasks stand ahead
    that are not for the claimer and however many kinds are.
    """
    return chosen(unit, heads(unit, claimer, barred))


def heads(unit: Unit, claimer: Claimer, barred: Barred | None = None) -> list[Place]:
    """The first task for `claimer` of each lane that has one; see `best`."""
    choice = unit.mirror.open_to(claimer)
    lanes = choice.heaps.values()
    return [head for heap in lanes if (head := _head(unit, choice, heap, barred)) is not None]


def chosen(unit: Unit, found: list[Place]) -> int | None:
    """Which of the tasks at these places is next: the first, or one of a project whose turn it is."""
    if not found:
        return None
    first = min(found)[1]
    if len(found) == 1 or not unit.mirror.order.in_turn:
        return first
    known = {place[1]: _known(unit, place[1]) for place in found}
    able = [place for place in found if known[place[1]].priority >= known[first].priority]
    turns = unit.mirror.turns
    return min(able, key=lambda place: (turns.get(known[place[1]].bucket.project, 0), place))[1]


def served(unit: Unit, project: str) -> None:
    """A claim took a task of `project`: it is the others' turn."""
    if not unit.mirror.order.in_turn:
        return
    turns = unit.mirror.turns
    before = turns.get(project, 0)
    turns[project] = max(turns.values(), default=0) + 1
    unit.undo.append((turns.update, {project: before}))


def _known(unit: Unit, number: int) -> Task:
    task = by_number(unit, number)
    if task is None:
        raise RuntimeError(f"task {number} is said to be claimable, and is not there")
    return task


def _head(unit: Unit, choice: Choice, heap: Heap, barred: Barred | None) -> Place | None:
    fronts, aside = unit.mirror.fronts, []
    try:
        while heap:
            bound, bucket = heap[0]
            if bucket not in choice.buckets:
                heappop(heap)
                continue
            if barred is not None and barred(bucket):
                aside.append(heappop(heap))
                continue
            front = fronts.get(bucket)
            if front is None or not front.places:
                front = _look_ahead(unit, bucket)
            head = front.places[0]
            if head == bound:
                return head
            heapreplace(heap, (head, bucket))
        return None
    finally:
        for entry in aside:
            heappush(heap, entry)


def _look_ahead(unit: Unit, bucket: int) -> Front:
    """Read the next tasks of `bucket`: at first one, and more each time as long as they are used up."""
    front = unit.mirror.fronts.setdefault(bucket, Front())
    (text,) = unit.read(_ahead(unit.mirror.order), (bucket, front.ahead, LONG)).fetchone()
    places = []
    for row in orjson.loads(text):
        if len(row) == 2:
            places.append((row[1], row[0]))
            continue
        places.append((unit.mirror.order.rank(row[_AT_PRIORITY], row[_AT_QUEUED]), row[0]))
        if row[0] not in unit.rows:
            unit.remember(task_from(row, unit.mirror.buckets[row[_AT_BUCKET]]))
    if not places:
        raise RuntimeError(f"bucket {bucket} is said to hold something claimable, and holds nothing")
    front.known(places, front.ahead)
    front.ahead = min(2 * front.ahead, MOST_AHEAD) if len(text) < _MUCH else max(1, front.ahead // 4)
    return front
