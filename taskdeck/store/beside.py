"""Which task may be worked on beside those that are: the best one that names none of their files."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import islice

from taskdeck.store.front import Place
from taskdeck.store.unit import Unit

LOOKED_AT = 256
"""How many tasks are passed over at most; a claim that finds all of them in conflict finds nothing for now."""

_WALK = (
    "SELECT -t.priority, t.number, t.bucket, b.files FROM tasks t INDEXED BY tasks_claimable_by_bucket"
    " JOIN bodies b ON b.task = t.number WHERE (t.state = 'ready' OR t.lapsed = 1) AND t.bucket = ?"
    " ORDER BY t.priority DESC, t.number"
)


def first_free(unit: Unit, buckets: Iterable[int]) -> Place | None:
    """The place of the best claimable task of `buckets` whose files are free; None if there is none near the front."""
    cursors = [unit.read(_WALK, (bucket,)) for bucket in buckets]
    try:
        for minus_priority, number, bucket, files in islice(heapq.merge(*cursors), LOOKED_AT):
            if not unit.mirror.held.busy(unit.mirror.buckets[bucket].project, files):
                return minus_priority, number
        return None
    finally:
        for cursor in cursors:
            cursor.close()
