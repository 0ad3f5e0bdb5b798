"""Which task a claim gets: the best of those its claimer may have, found without walking the queue."""

from __future__ import annotations

from taskdeck.domain.eligibility import Claimer
from taskdeck.store.unit import Unit

_HEAD = "SELECT number FROM tasks WHERE state = 'ready' OR lapsed = 1 ORDER BY priority DESC, number LIMIT 1"
_WALK = "SELECT number, bucket FROM tasks WHERE state = 'ready' OR lapsed = 1 ORDER BY priority DESC, number LIMIT 64"
_BUCKET_HEAD = (
    "SELECT priority, number FROM tasks INDEXED BY tasks_claimable_by_bucket"
    " WHERE (state = 'ready' OR lapsed = 1) AND bucket = ? ORDER BY priority DESC, number LIMIT 1"
)
_PROBES_BEFORE_WALK = 8


def best(unit: Unit, claimer: Claimer) -> int | None:
    """The number of the task to give to `claimer`: highest priority first, then lowest number; None if none is.

    Costs a look-up per bucket that is open to the claimer, however many tasks stand ahead that are not; when
    many buckets are open, the head of the queue is looked at first, where one of theirs nearly always stands.
    """
    mirror = unit.mirror
    open_to = mirror.open_to(claimer)
    if not open_to:
        return None
    if len(open_to) == len(mirror.claimable):
        head = unit.read(_HEAD).fetchone()
        return None if head is None else int(head[0])
    if len(open_to) > _PROBES_BEFORE_WALK:
        for number, bucket in unit.read(_WALK):
            if bucket in open_to:
                return int(number)
    heads = (unit.read(_BUCKET_HEAD, (bucket,)).fetchone() for bucket in open_to)
    found = [(-priority, number) for priority, number in (head for head in heads if head is not None)]
    return min(found)[1] if found else None
