"""Limits on claims: how many may run at once, how fast they are given, and which tasks do not go side by side.

The one place that decides. Everything is looked up in memory (`store/held.py`, `store/pace.py`); a deck that sets no
limit never comes here. A lapsed claim does not count, and an operator's override is not held up by a limit.
"""

from __future__ import annotations

import math
from collections import Counter

from taskdeck.domain.eligibility import Check, Claimer
from taskdeck.domain.errors import NotEligible, RateLimited
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Bucket, Task
from taskdeck.store import selection
from taskdeck.store.apart import first_free
from taskdeck.store.mirror import Mirror
from taskdeck.store.unit import Unit


def limit_checks(mirror: Mirror, bucket: Bucket, worker: str) -> list[Check]:
    """The limits on tasks of `bucket`, each with whether `worker` may have one more."""
    project, held = mirror.projects[bucket.project], mirror.held
    found = []
    if project.max_claims:
        found.append(_check("project_limit", held.of_project(project.name), project.max_claims, project.name))
    if project.max_claims_per_worker:
        count = held.of_worker(project.name, worker)
        found.append(_check("worker_limit", count, project.max_claims_per_worker, f"{project.name} by {worker}"))
    for label, limit in sorted(project.max_claims_per_label.items()):
        if label in bucket.labels:
            count = held.of_label(project.name, label)
            found.append(_check("label_limit", count, limit, f"{project.name} with the label {label}"))
    return found


def _check(rule: str, count: int, limit: int, whose: str) -> Check:
    return Check(rule, count < limit, f"{count} of at most {limit} tasks of {whose} are held")


def files_check(mirror: Mirror, task: Task) -> list[Check]:
    """Whether the files of `task`, which nobody holds, are free; nothing where its project does not ask."""
    project = mirror.projects[task.bucket.project]
    if not project.exclusive_files:
        return []
    busy = mirror.held.busy(project.name, task.files)
    detail = f"another task that is worked on names {', '.join(busy[:3])}" if busy else "its files are free"
    return [Check("files_in_use", not busy, detail)]


def within_limits(mirror: Mirror, bucket: Bucket, worker: str) -> bool:
    """Whether `worker` may have one more task of `bucket`, as far as limits go."""
    return not mirror.projects[bucket.project].limited or all(
        check.passed for check in limit_checks(mirror, bucket, worker)
    )


def best(unit: Unit, claimer: Claimer, shut: selection.Barred | None = None) -> int | None:
    """Like `selection.best`, of what the limits leave; of buckets that are `shut` nothing is had."""
    mirror = unit.mirror
    if not mirror.held.on:
        return selection.best(unit, claimer, shut)
    guarded: dict[str, set[int]] = {}

    def barred(number: int) -> bool:
        bucket = mirror.buckets[number]
        if (shut is not None and shut(number)) or not within_limits(mirror, bucket, claimer.worker):
            return True
        if mirror.projects[bucket.project].exclusive_files:
            guarded.setdefault(mirror.lane(number), set()).add(number)
            return True
        return False

    found = selection.heads(unit, claimer, barred)
    free = (first_free(unit, some) for some in guarded.values())
    return selection.chosen(unit, found + [place for place in free if place is not None])


def limit_reasons(unit: Unit, claimer: Claimer) -> list[tuple[str, str]]:
    """Which limits keep ready tasks from `claimer`, the one that keeps most first: rule and facts."""
    mirror = unit.mirror
    kept: Counter[str] = Counter()
    example: dict[str, str] = {}
    for number in mirror.open_to(claimer).buckets:
        bucket = mirror.buckets[number]
        failed = [check for check in limit_checks(mirror, bucket, claimer.worker) if not check.passed]
        rule, detail = (failed[0].rule, failed[0].detail) if failed else ("files_in_use", "others work on its files")
        kept[rule] += mirror.claimable[number]
        example.setdefault(rule, detail)
    return [
        (rule, f"{count} ready {'task is' if count == 1 else 'tasks are'} held up: {example[rule]}")
        for rule, count in kept.most_common()
    ]


def refuse_over_limit(unit: Unit, task: Task, worker: str) -> None:
    """Refuse a claim of `task` by name that a limit does not leave. Whoever names it has chosen its files.

    Raises:
        NotEligible: a limit is reached (`project_limit`, `worker_limit`, `label_limit`).
    """
    for check in limit_checks(unit.mirror, task.bucket, worker):
        if not check.passed:
            raise NotEligible(
                f"{task.key} is held up by a limit: {check.detail}",
                hint="Claim again when one of them has ended; with wait_seconds and without `task`, the deck waits.",
                code=check.rule,
            )


def room_for(unit: Unit, who: Principal, worker: str) -> int:
    """How many claims `worker` of `who` may be given now, one at least.

    Raises:
        RateLimited: as many as may be given in a minute were given in the last one.
    """
    room, wait = unit.mirror.pace.room(unit.now, **_paced(who, worker))
    if room:
        return room
    seconds = math.ceil(wait / 1000)
    raise RateLimited(
        f"{worker} of {who.name} was given as many claims in the last minute as may be",
        hint=f"Claim again in {seconds} seconds.",
        retry_after_s=seconds,
    )


def pace_check(unit: Unit, who: Principal, worker: str) -> list[Check]:
    """Whether `worker`, `who` asks of, may be given one more claim now; nothing where no limit is set."""
    if not unit.mirror.pace.on:
        return []
    known = unit.mirror.workers.get(worker)
    names = _paced(who, worker)
    if known is not None and known.principal != who.name:
        names = {"worker": worker, "principal": known.principal}
    room, wait = unit.mirror.pace.room(unit.now, **names)
    detail = "there is room in this minute" if room else f"there is room for one more in {math.ceil(wait / 1000)} s"
    return [Check("rate_limited", room > 0, detail)]


def count_claim(unit: Unit, who: Principal, worker: str) -> None:
    """A claim is given to `worker` of `who`."""
    unit.mirror.pace.note(unit, **_paced(who, worker))


def _paced(who: Principal, worker: str) -> dict[str, str]:
    """Under which names a claim counts."""
    names = {"worker": worker, "principal": who.name}
    return names if who.token is None else names | {"token": str(who.token)}
