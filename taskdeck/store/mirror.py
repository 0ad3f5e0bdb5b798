"""What the writer keeps in memory beside the database, so that a claim need not search for where to look.

The mirror holds nothing the database does not: `load` rebuilds it from there, at start and when a whole batch was
undone. Only units of work touch it, on the writer's thread; one that fails takes back what it did.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heappush
from typing import Any

from taskdeck.domain.eligibility import Claimer, admits
from taskdeck.domain.order import Order
from taskdeck.domain.project import OfflineClaims, Project
from taskdeck.domain.rule import Rule, Telling
from taskdeck.domain.task import Bucket, Json
from taskdeck.domain.worker import Kind, Liveness, Worker, WorkerState
from taskdeck.store.front import ANYWHERE, Front, Place
from taskdeck.store.held import Held
from taskdeck.store.pace import Pace
from taskdeck.store.watch import Watch

LAPSED = "lapsed"
"""Counted beside the states: claimed tasks whose lease has lapsed."""
CLAIMABLE = frozenset({"ready", LAPSED})

NOBODY: frozenset[str] = frozenset()
_CLAIMERS_KEPT = 256

BucketKey = tuple[str, frozenset[str], frozenset[str], str | None, Json | None]


Heap = list[tuple[Place, int]]
Kinds = tuple[tuple[int, str], ...]
"""What a task is counted as: its bucket with each of its kinds."""


class Choice:
    """The buckets that hold something claimable for one kind of claimer, and which of them has the best of it.

    They are sorted by lanes, which are served in turn. `heaps` holds, by lane, for each bucket a place that none of its
    claimable tasks stands before.
    """

    __slots__ = ("_lane_of", "buckets", "heaps")

    def __init__(self, buckets: set[int], lane_of: Callable[[int], str]) -> None:
        self.buckets = buckets
        self._lane_of = lane_of
        self.heaps: dict[str, Heap] = {}
        self._begin()

    def _begin(self) -> None:
        self.heaps.clear()
        for number in sorted(self.buckets):
            self.heaps.setdefault(self._lane_of(number), []).append((ANYWHERE, number))

    def may_begin_at(self, place: Place, bucket: int) -> None:
        """A task of `bucket` may have come to stand at `place`, before all others of it."""
        heap = self.heaps.setdefault(self._lane_of(bucket), [])
        heappush(heap, (place, bucket))
        if len(heap) > 2 * len(self.buckets) + 64:  # most of it holds no more
            self._begin()


_LAST_TASK = "SELECT seq FROM sqlite_sequence WHERE name = 'tasks'"
"""It may have been removed since: no number is given twice."""


@dataclass(slots=True)
class Mirror:
    """Buckets, counts, projects, workers, the last event's and task's numbers and when time is next due.

    `counted` are the counts that changed and are to be written.
    `gated` is how many buckets have gates before a claim; `turns` counts on with each claim, and says of each project
    where it was when that was last served.
    `abilities` counts how often a worker came to be able to do other things than before. `rules` are those in force by
    the event they wait for, or None where they are to be read anew. `missing` are the keys of tasks that are waited for
    and not there yet, with the numbers of those that wait. `needs` reads from a new task's payload which capabilities
    it asks for beside those that are named. `tellings` say, by interface, what texts of rules made by it are filled in
    from, if not as the deck's own are. `attached` are the numbers of tasks to which something is attached, or was:
    whoever gives out a task need not look for attachments of the others.
    """

    buckets: dict[int, Bucket] = field(default_factory=dict)
    interned: dict[BucketKey, Bucket] = field(default_factory=dict)
    counts: dict[tuple[int, str], int] = field(default_factory=dict)
    counted: set[tuple[int, str]] = field(default_factory=set)
    claimable: dict[int, int] = field(default_factory=dict)
    fronts: dict[int, Front] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    paused: dict[str, Project] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    last_seq: int = 0
    last_task: int = 0
    next_due: int = 0
    assignees: set[str] = field(default_factory=set)
    order: Order = field(default_factory=Order)
    gated: int = 0
    turns: dict[str, int] = field(default_factory=dict)
    abilities: int = 0
    _choices: OrderedDict[Claimer, Choice] = field(default_factory=OrderedDict)
    rules: dict[str, list[Rule]] | None = None
    needs: Callable[[Json], frozenset[str]] = field(default=lambda _payload: NOBODY)
    tellings: Mapping[str, Telling] = field(default_factory=dict)
    missing: dict[str, set[int]] = field(default_factory=dict)
    attached: set[int] = field(default_factory=set)
    watch: Watch = field(default_factory=Watch)
    held: Held = field(default_factory=Held)
    pace: Pace = field(default_factory=Pace)

    def load(self, connection: sqlite3.Connection) -> None:
        """Rebuild everything from the database."""
        self.buckets.clear()
        self.interned.clear()
        self.gated = 0
        self.counts.clear()
        self.counted.clear()
        self.claimable.clear()
        self.fronts.clear()
        self.assignees.clear()
        for row in connection.execute(SELECT_BUCKETS):
            self.add_bucket(bucket_from(row))
        for bucket, kind, n in connection.execute("SELECT bucket, kind, n FROM counts WHERE n > 0"):
            self.counts[bucket, kind] = n
            if kind in CLAIMABLE:
                self.claimable[bucket] = self.claimable.get(bucket, 0) + n
        self.projects = {row[0]: project_from(row) for row in connection.execute(SELECT_PROJECTS)}
        self.workers = {row[0]: worker_from(row) for row in connection.execute(SELECT_WORKERS)}
        self.watch.load(self.workers.values())
        self.last_seq = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
        self.last_task = (connection.execute(_LAST_TASK).fetchone() or (0,))[0]
        self.next_due = 0
        self.missing.clear()
        for number, awaits in connection.execute("SELECT task, awaits FROM bodies WHERE awaits IS NOT NULL"):
            for key in json.loads(awaits):
                self.missing.setdefault(key, set()).add(number)
        self.attached = {row[0] for row in connection.execute("SELECT DISTINCT task FROM attachments")}
        self.rules = None
        self.repause()
        self.held.on = False
        self.heed_limits(connection.execute)

    def heed_limits(self, read: Callable[[str], sqlite3.Cursor]) -> None:
        """Count what is held from now on if a project has come to set a limit; `read` runs a query."""
        if not self.held.on and any(one.limited or one.exclusive_files for one in self.projects.values()):
            self.held.load(read, self.buckets)

    def repause(self) -> None:
        """Work out anew which projects are paused, and forget who may have what."""
        self.paused = {name: project for name, project in self.projects.items() if project.paused_at is not None}
        self._choices.clear()

    def add_bucket(self, bucket: Bucket) -> None:
        self.buckets[bucket.number] = bucket
        self.interned[_key(bucket)] = bucket
        if bucket.gates is not None:
            self.gated += 1
        if bucket.assignee is not None:
            self.assignees.add(bucket.assignee)

    def drop_bucket(self, bucket: Bucket) -> None:
        """Forget a bucket that came to nothing, and that it was counted."""
        for key in [key for key in self.counts if key[0] == bucket.number]:
            del self.counts[key]
            self.counted.discard(key)
        del self.buckets[bucket.number]
        del self.interned[_key(bucket)]
        if bucket.gates is not None:
            self.gated -= 1

    def recount(self, before: Kinds, after: Kinds) -> None:
        """A task that was counted as each of `before` is counted as each of `after`."""
        for key in before:
            self._count(key, -1)
        for key in after:
            self._count(key, 1)

    def _count(self, key: tuple[int, str], by: int) -> None:
        self.counts[key] = self.counts.get(key, 0) + by
        self.counted.add(key)
        bucket, kind = key
        if kind not in CLAIMABLE:
            return
        before = self.claimable.get(bucket, 0)
        after = before + by
        if after:
            self.claimable[bucket] = after
        else:
            self.claimable.pop(bucket, None)
        if not before or not after:
            self._tell_claimers(bucket, opened=after > 0)

    def entered(self, bucket: int, place: Place) -> None:
        """A task of `bucket` has become claimable and is about to be counted."""
        front = self.fronts.get(bucket)
        if bucket not in self.claimable:
            front = self.fronts[bucket] = Front() if front is None else front
            front.known([place], 2)  # the only one
        elif front is None or front.entered(place):
            self._may_begin_at(place, bucket)

    def left(self, bucket: int, place: Place) -> None:
        """A task of `bucket` is claimable no more."""
        front = self.fronts.get(bucket)
        if front is not None:
            front.left(place)

    def forget_front(self, bucket: int) -> None:
        """What was known of the first tasks of `bucket` may be wrong."""
        self.fronts.pop(bucket, None)
        self._may_begin_at(ANYWHERE, bucket)

    def _may_begin_at(self, place: Place, bucket: int) -> None:
        for choice in self._choices.values():
            if bucket in choice.buckets:
                choice.may_begin_at(place, bucket)

    def _tell_claimers(self, number: int, *, opened: bool) -> None:
        bucket = self.buckets[number]
        for claimer, choice in self._choices.items():
            if not opened:
                choice.buckets.discard(number)
            elif admits(bucket, claimer, self.paused):
                choice.buckets.add(number)
                choice.may_begin_at(ANYWHERE, number)

    def open_to(self, claimer: Claimer) -> Choice:
        """What there is for `claimer` to choose from. Not to be changed."""
        # claimers that no assignment tells apart share an entry, so that a fleet of workers needs only one
        claimer = self.kind_of(claimer)
        choice = self._choices.get(claimer)
        if choice is None:
            open_ = {n for n in self.claimable if admits(self.buckets[n], claimer, self.paused)}
            choice = Choice(open_, self.lane)
            self._choices[claimer] = choice
            if len(self._choices) > _CLAIMERS_KEPT:
                self._choices.popitem(last=False)
        else:
            self._choices.move_to_end(claimer)
        return choice

    def lane(self, bucket: int) -> str:
        """What `bucket` is served in turn with: its project; all are one lane where nothing is."""
        return self.buckets[bucket].project if self.order.in_turn else ""

    def kind_of(self, claimer: Claimer) -> Claimer:
        """What of `claimer` can matter as long as no task is assigned to somebody new; the same for many claimers."""
        return Claimer(
            "",
            claimer.identities & self.assignees if self.assignees else NOBODY,
            claimer.capabilities,
            claimer.projects,
            claimer.project,
            claimer.labels,
        )

    def due_by(self, moment: int) -> None:
        """Let time be looked at no later than `moment` (milliseconds since the epoch)."""
        self.next_due = min(self.next_due, moment)


def _key(bucket: Bucket) -> BucketKey:
    return bucket.project, bucket.labels, bucket.capabilities, bucket.assignee, bucket.gates


SELECT_BUCKETS = "SELECT number, project, labels, capabilities, assignee, gates FROM buckets"
SELECT_PROJECTS = (
    "SELECT name, prefix, last_key, description, lease_ms, max_attempts, backoff_ms, backoff_cap_ms,"
    " paused_at, paused_by, pause_reason, created_at, version, keep_done_ms, keep_failed_ms, keep_cancelled_ms,"
    " review, gates, number, offline_claims, max_claims, max_claims_per_worker, max_claims_per_label, exclusive_files"
    " FROM projects"
)
SELECT_WORKERS = (
    "SELECT id, kind, capabilities, principal, state, detail, draining, heartbeat_ms, registered_at, last_seen_at,"
    " via, label, extra, roles, instance, client, told FROM workers"
)


def bucket_from(row: tuple[Any, ...]) -> Bucket:
    """A bucket from a row of `SELECT_BUCKETS`."""
    number, project, labels, capabilities, assignee, gates = row
    return Bucket(number, project, frozenset(json.loads(labels)), frozenset(json.loads(capabilities)), assignee, gates)


def project_from(row: tuple[Any, ...]) -> Project:
    """A project from a row of `SELECT_PROJECTS`."""
    values = list(row)
    values[19] = OfflineClaims(values[19])
    values[22] = json.loads(values[22])
    values[23] = bool(values[23])
    return Project(*values)


def worker_from(row: tuple[Any, ...]) -> Worker:
    """A worker from a row of `SELECT_WORKERS`."""
    values = list(row)
    values[1] = Kind(values[1])
    values[2] = frozenset(json.loads(values[2]))
    values[4] = WorkerState(values[4])
    values[6] = bool(values[6])
    values[13] = frozenset(json.loads(values[13]))
    values[16] = Liveness(values[16])
    return Worker(*values)
