"""Which task a claim gets: the best of those its claimer may have, found without walking the queue."""

from __future__ import annotations

from collections.abc import Set

from taskdeck.domain.eligibility import Claimer
from taskdeck.store.mirror import Place
from taskdeck.store.unit import Unit

_WALK = "SELECT number, bucket FROM tasks WHERE state = 'ready' OR lapsed = 1 ORDER BY priority DESC, number LIMIT 64"
_HEAD = (
    "SELECT -priority, number FROM tasks INDEXED BY tasks_claimable_by_bucket"
    " WHERE (state = 'ready' OR lapsed = 1) AND bucket = ? ORDER BY priority DESC, number LIMIT 1"
)
_MANY = 64


def best(unit: Unit, claimer: Claimer, barred: Set[int] = frozenset()) -> int | None:
    """The number of the task to give to `claimer`: highest priority first, then lowest number; None if none is.
    Buckets that are `barred` are left out.

    Costs a look into memory for each bucket that is open to the claimer and a query for the one head that is not
    known, however many tasks stand ahead that are not for it. When very many buckets are open, the front of the queue
    is looked at first, where one of theirs nearly always stands.
    """
    open_to: Set[int] = unit.mirror.open_to(claimer)
    if barred:
        open_to = open_to - barred
    if not open_to:
        return None
    if len(open_to) > _MANY:
        for number, bucket in unit.read(_WALK):
            if bucket in open_to:
                return int(number)
    return min(_head(unit, bucket) for bucket in open_to)[1]


def _head(unit: Unit, bucket: int) -> Place:
    """The first claimable task of a bucket that has one."""
    head = unit.mirror.heads.get(bucket)
    if head is None:
        head = unit.read(_HEAD, (bucket,)).fetchone()
        unit.mirror.heads[bucket] = head
    return head
