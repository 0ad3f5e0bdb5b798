"""Which task may be worked on beside those that are: the best one that names none of their files."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

from taskdeck.domain.order import Order
from taskdeck.store.front import Place
from taskdeck.store.order import rank
from taskdeck.store.unit import Unit

LOOKED_AT = 256
"""How many tasks are passed over at most; a claim that finds all of them in conflict finds nothing for now."""


@lru_cache(maxsize=4)
def _walk(order: Order) -> str:
    place = rank(order, "t.")
    return (
        f"SELECT {place}, t.number, t.bucket, b.files FROM tasks t INDEXED BY tasks_claimable_by_bucket"  # noqa: S608
        " JOIN bodies b ON b.task = t.number WHERE (t.state = 'ready' OR t.lapsed = 1) AND t.bucket = ?"
        f" ORDER BY {place}, t.number"
    )


def first_free(unit: Unit, buckets: Iterable[int]) -> Place | None:
    """The place of the best claimable task of `buckets` whose files are free; None if there is none near the front."""
    walk = _walk(unit.mirror.order)
    cursors = [unit.read(walk, (bucket,)) for bucket in buckets]
    try:
        for place, number, bucket, files in islice(heapq.merge(*cursors), LOOKED_AT):
            if not unit.mirror.held.busy(unit.mirror.buckets[bucket].project, files):
                return place, number
        return None
    finally:
        for cursor in cursors:
            cursor.close()
