"""log: what the holder tells of its work as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taskdeck.domain.errors import Conflict, Invalid, TooMany
from taskdeck.domain.log import MAX_ENTRIES, MAX_ENTRY, MAX_LOG, NewEntry, Tail, canonical
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import Verb
from taskdeck.domain.task import Task
from taskdeck.service.change import change
from taskdeck.service.fence import held_task
from taskdeck.store import log
from taskdeck.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Logged:
    """A task whose log stands at `tail` after `added` entries; none, where all of them had been told before."""

    task: Task
    tail: Tail
    added: int


def append_log(
    unit: Unit,
    who: Principal,
    ref: str,
    fence: int,
    entries: Sequence[NewEntry],
    *,
    after: int | None = None,
    after_sequence: int | None = None,
) -> Logged:
    """Put `entries` at the end of the task's log, all or none. The lease is not renewed by it.

    With `after` (the number of the last entry) or `after_sequence` they are added only if the log stands there. If it
    has gone on since with just these entries, they are not added again: whoever lost the answer may ask once more.

    Raises:
        StaleFence, TaskCancelled, NotFound, Forbidden: see `held_task`.
        Conflict: the log does not stand there (`log_moved`); `more` says where it does, as `entries` and `sequence`.
        Invalid: an entry is too large.
        TooMany: the log would be.
    """
    task = held_task(unit, who, ref, fence)
    _refuse_large(entries)
    tail = log.tail_of(unit, task.number)
    if (after is not None and after != tail.number) or (after_sequence is not None and after_sequence != tail.sequence):
        if _told_before(unit, task, tail, entries, after, after_sequence):
            return Logged(task, tail, 0)
        raise Conflict(
            f"the log of {task.key} stands at entry {tail.number}, sequence {tail.sequence}",
            hint="Read what was added, and go on from there.",
            code="log_moved",
            more={"entries": tail.number, "sequence": tail.sequence},
        )
    size = tail.bytes + sum(len(entry.body.encode()) for entry in entries)
    if tail.number + len(entries) > MAX_ENTRIES or size > MAX_LOG:
        raise TooMany(
            f"the log of {task.key} would have {tail.number + len(entries)} entries of {size} bytes;"
            f" {MAX_ENTRIES} of {MAX_LOG} are the most",
            hint="Tell less, or put long texts elsewhere and refer to them.",
            code="log_full",
        )
    new = log.append(unit, task.number, fence, tail, entries)
    change(unit, task, Verb.LOG, who.name, {"entries": new.number}, facts={"added": len(entries)})
    return Logged(task, new, len(entries))


def _refuse_large(entries: Sequence[NewEntry]) -> None:
    if any(len(entry.body.encode()) >= MAX_ENTRY for entry in entries):
        raise Invalid(
            f"an entry takes {MAX_ENTRY} bytes or more",
            hint="Attach large documents, or put them elsewhere and refer to them.",
            code="entry_too_large",
            field="entries",
        )


def _told_before(
    unit: Unit, task: Task, tail: Tail, entries: Sequence[NewEntry], after: int | None, after_sequence: int | None
) -> bool:
    """Whether the log went on with just `entries` from where the caller knew it."""
    if after is not None:
        starts = {after}
    elif after_sequence is not None and after_sequence < tail.sequence:
        starts = set(log.at_sequence(unit, task.number, after_sequence))
    else:
        return False
    wanted = [(entry.type, canonical(entry.body)) for entry in entries]
    for start in starts:
        found = log.after(unit, task.number, start, len(entries))
        if [(entry.type, canonical(entry.body)) for entry in found] == wanted:
            return True
    return False
