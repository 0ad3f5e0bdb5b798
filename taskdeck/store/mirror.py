"""What the writer keeps in memory beside the database, so that a claim need not search for where to look.

The mirror holds nothing the database does not: `load` rebuilds it from there, at start and when a whole batch was
undone. Only units of work touch it, on the writer's thread; one that fails takes back what it did.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from taskdeck.domain.eligibility import Claimer, admits
from taskdeck.domain.project import OfflineClaims, Project
from taskdeck.domain.task import Bucket
from taskdeck.domain.worker import Kind, Liveness, Worker, WorkerState
from taskdeck.store.held import Held
from taskdeck.store.pace import Pace
from taskdeck.store.watch import Watch

LAPSED = "lapsed"
"""Counted beside the states: claimed tasks whose lease has lapsed."""
CLAIMABLE = ("ready", LAPSED)

_CLAIMERS_KEPT = 256

Place = tuple[int, int]
"""Where a claimable task stands: minus its priority, and its number; the least is claimed first."""
BucketKey = tuple[str, frozenset[str], frozenset[str], str | None]


@dataclass(slots=True)
class Mirror:
    """Buckets, counts, projects, workers, the last event's number and when time is next due.

    `abilities` counts how often a worker came to be able to do other things than before.
    """

    buckets: dict[int, Bucket] = field(default_factory=dict)
    interned: dict[BucketKey, Bucket] = field(default_factory=dict)
    counts: dict[tuple[int, str], int] = field(default_factory=dict)
    claimable: dict[int, int] = field(default_factory=dict)
    heads: dict[int, Place] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    paused: dict[str, Project] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    last_seq: int = 0
    next_due: int = 0
    assignees: set[str] = field(default_factory=set)
    abilities: int = 0
    watch: Watch = field(default_factory=Watch)
    held: Held = field(default_factory=Held)
    pace: Pace = field(default_factory=Pace)
    _open_to: OrderedDict[Claimer, set[int]] = field(default_factory=OrderedDict)

    def load(self, connection: sqlite3.Connection) -> None:
        """Rebuild everything from the database."""
        self.buckets.clear()
        self.interned.clear()
        self.counts.clear()
        self.claimable.clear()
        self.heads.clear()
        self.assignees.clear()
        for number, project, labels, capabilities, assignee in connection.execute(
            "SELECT number, project, labels, capabilities, assignee FROM buckets"
        ):
            labels, capabilities = frozenset(json.loads(labels)), frozenset(json.loads(capabilities))
            self.add_bucket(Bucket(number, project, labels, capabilities, assignee))
        for bucket, kind, n in connection.execute("SELECT bucket, kind, n FROM counts WHERE n > 0"):
            self.counts[bucket, kind] = n
            if kind in CLAIMABLE:
                self.claimable[bucket] = self.claimable.get(bucket, 0) + n
        self.projects = {row[0]: project_from(row) for row in connection.execute(SELECT_PROJECTS)}
        self.workers = {row[0]: worker_from(row) for row in connection.execute(SELECT_WORKERS)}
        self.watch.load(self.workers.values())
        self.last_seq = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
        self.next_due = 0
        self.repause()
        self.held.on = False
        self.heed_limits(connection)

    def heed_limits(self, connection: sqlite3.Connection) -> None:
        """Count what is held from now on if a project has come to set a limit."""
        if not self.held.on and any(one.limited or one.exclusive_files for one in self.projects.values()):
            self.held.load(connection, self.buckets)

    def repause(self) -> None:
        """Work out anew which projects are paused, and forget who may have what."""
        self.paused = {name: project for name, project in self.projects.items() if project.paused_at is not None}
        self._open_to.clear()

    def add_bucket(self, bucket: Bucket) -> None:
        self.buckets[bucket.number] = bucket
        self.interned[_key(bucket)] = bucket
        if bucket.assignee is not None:
            self.assignees.add(bucket.assignee)

    def drop_bucket(self, bucket: Bucket) -> None:
        del self.buckets[bucket.number]
        del self.interned[_key(bucket)]

    def count(self, bucket: int, kind: str, by: int) -> None:
        """Add `by` to the number of tasks of `bucket` that are in `kind`."""
        self.counts[bucket, kind] = self.counts.get((bucket, kind), 0) + by
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
        """A task of `bucket` has become claimable and is about to be counted. A head is kept only where it is known."""
        head = self.heads.get(bucket)
        if place < head if head is not None else bucket not in self.claimable:
            self.heads[bucket] = place

    def left(self, bucket: int, place: Place) -> None:
        """A task of `bucket` is claimable no more; if it was the head, the next one is to be looked for."""
        if self.heads.get(bucket) == place:
            del self.heads[bucket]

    def _tell_claimers(self, number: int, *, opened: bool) -> None:
        bucket = self.buckets[number]
        for claimer, numbers in self._open_to.items():
            if not opened:
                numbers.discard(number)
            elif admits(bucket, claimer, self.paused):
                numbers.add(number)

    def open_to(self, claimer: Claimer) -> set[int]:
        """The buckets that hold something claimable and that `claimer` may have tasks of. Not to be changed."""
        # claimers that no assignment tells apart share an entry, so that a fleet of workers needs only one
        claimer = self.kind_of(claimer)
        numbers = self._open_to.get(claimer)
        if numbers is None:
            numbers = {n for n in self.claimable if admits(self.buckets[n], claimer, self.paused)}
            self._open_to[claimer] = numbers
            if len(self._open_to) > _CLAIMERS_KEPT:
                self._open_to.popitem(last=False)
        else:
            self._open_to.move_to_end(claimer)
        return numbers

    def kind_of(self, claimer: Claimer) -> Claimer:
        """What of `claimer` can matter as long as no task is assigned to somebody new; the same for many claimers."""
        return Claimer(
            "",
            claimer.identities & self.assignees,
            claimer.capabilities,
            claimer.projects,
            claimer.project,
            claimer.labels,
        )

    def due_by(self, moment: int) -> None:
        """Let time be looked at no later than `moment` (milliseconds since the epoch)."""
        self.next_due = min(self.next_due, moment)


def _key(bucket: Bucket) -> BucketKey:
    return bucket.project, bucket.labels, bucket.capabilities, bucket.assignee


SELECT_PROJECTS = (
    "SELECT name, prefix, last_key, description, lease_ms, max_attempts, backoff_ms, backoff_cap_ms,"
    " paused_at, paused_by, pause_reason, created_at, version, offline_claims, max_claims, max_claims_per_worker,"
    " max_claims_per_label, exclusive_files FROM projects"
)
SELECT_WORKERS = (
    "SELECT id, kind, capabilities, principal, state, detail, draining, heartbeat_ms, registered_at, last_seen_at,"
    " roles, instance, client, told FROM workers"
)


def project_from(row: tuple[Any, ...]) -> Project:
    """A project from a row of `SELECT_PROJECTS`."""
    values = list(row)
    values[13] = OfflineClaims(values[13])
    values[16] = json.loads(values[16])
    values[17] = bool(values[17])
    return Project(*values)


def worker_from(row: tuple[Any, ...]) -> Worker:
    """A worker from a row of `SELECT_WORKERS`."""
    values = list(row)
    values[1] = Kind(values[1])
    values[2] = frozenset(json.loads(values[2]))
    values[4] = WorkerState(values[4])
    values[6] = bool(values[6])
    values[10] = frozenset(json.loads(values[10]))
    values[13] = Liveness(values[13])
    return Worker(*values)
