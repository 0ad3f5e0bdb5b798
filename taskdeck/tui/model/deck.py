"""The one model behind the dashboard: what the server told, kept current by events, and what the operator chose."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from typing import Any

from taskdeck.domain.clock import Clock, from_rfc3339
from taskdeck.domain.order import USUAL, Order
from taskdeck.tui.model import attention
from taskdeck.tui.model.attention import Problem
from taskdeck.tui.model.events import EventRing, line_of
from taskdeck.tui.model.known import Known
from taskdeck.tui.model.link import Link
from taskdeck.tui.model.rows import TaskRow, Wire, WorkerRow
from taskdeck.tui.model.sort import Sort
from taskdeck.tui.model.timeline import Past
from taskdeck.tui.model.undo import UndoStack

PENDING_LIMIT = 20_000
"""Most changes kept while the view is frozen; beyond it the view is loaded anew on thaw."""
BESIDE = frozenset({
    "task.commented", "task.comment_edited", "task.comment_deleted", "task.linked", "task.unlinked", "task.attached",
    "task.detached", "task.context_changed", "task.context_retracted",
})  # fmt: skip
"""Events that leave the task itself as it is."""
_BESIDE_MOST = 1_000
_TITLES_MOST = 5_000
NEXT_FIRST = Sort("claim")


class DeckModel(Known):
    """Everything the screen shows."""

    def __init__(self, clock: Clock, *, address: str = "") -> None:
        super().__init__(clock)
        self.address = address
        self.throwaway = False
        """Whether the deck is there to be tried, and ends with being left."""
        self.link = Link()
        self.past: Past | None = None
        """Where in the past the view stands; None: it shows the present."""
        self.role = ""
        self.stats: dict[str, Any] = {}
        self._trips: deque[int] = deque(maxlen=60)
        self.api_p95_ms = 0
        """How long the deck took to answer, as seen from here: 95 in 100 of the last answers were quicker."""
        self.counts: dict[str, int] = {}
        self.hour: dict[str, Wire] = {}
        """The last hour of each project, as it was last asked for."""
        self.last_seq = 0
        self.fault = ""
        """What the operator is to be told once: why what was chosen cannot be shown."""
        self.workers: dict[str, WorkerRow] = {}
        self.projects: dict[str, Wire] = {}
        self.events = EventRing()
        self.undo = UndoStack()
        self.problems: list[Problem] = []
        self.calls: list[Wire] | None = None
        """What the server last said that needs a human; None before it was asked."""
        self.snoozed: dict[str, int] = {}
        """Until when a problem is to rest, by its task."""
        self.stale_stats = True
        self.stale_workers = True
        self.stale_projects = True
        self.beside: OrderedDict[str, int] = OrderedDict()
        """The last event beside each of the newest tasks that had one: a comment, a link, what is known of it."""
        self.frozen_ms: int | None = None
        self.pending: deque[Wire] = deque()
        self.stirred: set[str] = set()
        """Tasks that changed while the view was frozen."""
        self.overflowed = False
        self._leases: tuple[int, list[TaskRow]] = (-1, [])
        self._titles: OrderedDict[str, str] = OrderedDict()
        """Of tasks out of view, as events told them."""

    # -- what the server tells -------------------------------------------------------------------------------

    def set_stats(self, stats: dict[str, Any], round_trip_ms: int = 0) -> None:
        """Counts and rates; also sets the clock by the server's, give or take half the round trip."""
        skew = from_rfc3339(stats["now"]) + round_trip_ms // 2 - self.clock.now_ms()
        # below two seconds it is the network, not the clock: a countdown must not jitter with each reply
        if abs(skew - self.skew_ms) > max(250, round_trip_ms):
            self.skew_ms = skew if abs(skew) > 250 else 0
        self._trips.append(round_trip_ms)
        self.api_p95_ms = sorted(self._trips)[int(len(self._trips) * 0.95)]
        self.stats = stats
        self.counts = dict(stats.get("counts") or {})
        self.claims = Order.of_days(stats.get("ageing_days", USUAL.days))
        self.stale_stats = False
        self.changed()

    def set_workers(self, workers: Iterable[Wire]) -> None:
        """All workers."""
        now = self.now_ms()
        fresh = {wire["id"]: WorkerRow.of(wire, now) for wire in workers}
        for name, row in self.workers.items():
            if name in fresh:
                fresh[name] = fresh[name].seen(row.last_seen_ms)
        self.workers = fresh
        self.stale_workers = False
        self.changed()

    def set_projects(self, projects: Iterable[Wire]) -> None:
        """All projects."""
        self.projects = {wire["name"]: wire for wire in projects}
        self.stale_projects = False
        self.changed()

    def apply(self, event: Wire) -> None:
        """An event of the stream. While frozen it waits."""
        self.last_seq = max(self.last_seq, event["seq"])
        if self.frozen_ms is not None:
            if len(self.pending) >= PENDING_LIMIT:
                self.overflowed = True
            else:
                self.pending.append(event)
                if event.get("task"):
                    self.stirred.add(event["task"]["id"])
            self.changed()
            return
        self._apply(event)

    def _apply(self, event: Wire) -> None:
        try:
            self._lay(event)
        finally:
            self.changed()

    def _lay(self, event: Wire) -> None:
        self.stale_stats = True
        line = line_of(event, self._title_of(event))
        self.events.add(line)
        kind = event["type"]
        worker = event.get("worker")
        if kind == "clock.jumped":  # one event tells of all leases
            for running in list(self.rows.values()):
                self._keep(running.shifted(round(event["facts"]["by_seconds"] * 1000)))
        if kind.startswith("worker."):
            self.stale_workers = self.stale_workers or kind != "worker.heartbeat" or worker not in self.workers
        if kind.startswith("project."):
            self.stale_projects = True
        if worker is not None and kind in ("task.heartbeat", "task.claimed", "task.completed", "worker.heartbeat"):
            self._seen(worker, line.at_ms, completed=kind == "task.completed")
        if kind == "tasks.pruned":
            for pruned in (event.get("facts") or {}).get("ids") or ():
                self._forget(pruned)
        task = event.get("task")
        if task is None:
            return
        if kind == "task.deleted":
            self._forget(task["id"])
            return
        if kind in BESIDE:
            self._note_beside(task["id"], event["seq"])
            return
        row = self._after(task["id"], event)
        if row is None:
            return
        if self._loads:
            self._touched[row.id] = row
        self._keep(row)

    def _note_beside(self, task: str, seq: int) -> None:
        self.beside[task] = seq
        self.beside.move_to_end(task)
        while len(self.beside) > _BESIDE_MOST:
            self.beside.popitem(last=False)

    def called(self, worker: str) -> str:
        """What people call the worker of that id."""
        known = self.workers.get(worker)
        return worker if known is None else known.name

    def _seen(self, name: str, at_ms: int, *, completed: bool) -> None:
        worker = self.workers.get(name)
        if worker is None:
            self.stale_workers = True
            return
        self.workers[name] = (worker.completed(at_ms) if completed else worker).seen(at_ms)

    def remember(self, events: Iterable[Wire], *, found: bool = False) -> int:
        """Older events, in front of those that are known; returns how many there was room for.

        `found`: the events between are missing, since only those were asked for that are looked at.
        """
        lines = [line_of(event, self._title_of(event)) for event in events]
        if found and self.events.found is not None:
            added = self.events.found.prepend(line for line in lines if line.admitted(self.events.query))
            self.changed()
            return added
        added = self.events.prepend(lines) if self.events.end > self.events.first else sum(map(self.events.add, lines))
        self.changed()
        return added

    def _title_of(self, event: Wire) -> str:
        subject = event.get("task")
        if not subject:
            return ""
        task, told = subject["id"], (event.get("changes") or {}).get("title")
        if told:
            self._titles[task] = told
            while len(self._titles) > _TITLES_MOST:
                self._titles.popitem(last=False)
        known = self.rows.get(task)
        return known.title if known else self._titles.get(task, "")

    # -- what the operator chooses ---------------------------------------------------------------------------

    def hold(self) -> None:
        """Let the order of the queue rest, for as long as a dialog is open."""
        self.window.hold()
        self.changed()

    def release(self) -> None:
        """Let the order follow again, and forget what is no longer in view."""
        if self.frozen_ms is None:
            self.window.release()
            self._prune()
        self.changed()

    def freeze(self) -> None:
        """Let the whole view rest: changes wait, and are counted."""
        self.frozen_ms = self.clock.monotonic_ms()
        self.window.hold()
        self.changed()

    def thaw(self) -> bool:
        """Show what has changed meanwhile. False: too much did, the view has to be loaded anew."""
        self.frozen_ms = None
        waiting, self.pending = self.pending, deque()
        self.stirred.clear()
        for event in waiting:
            self._apply(event)
        complete, self.overflowed = not self.overflowed, False
        self.release()
        return complete

    @property
    def frozen(self) -> bool:
        """Whether the view rests."""
        return self.frozen_ms is not None

    def listed(self) -> tuple[int, bool]:
        """How many tasks the view has, and whether that is all: the server counts by state alone."""
        known, complete = self.window.known()
        if self.window.filter.by_state:
            return max(known, sum(self.counts.get(state, 0) for state in self.window.filter.states)), True
        return known, complete

    def leases(self) -> list[TaskRow]:
        """Claimed tasks, soonest to end first, lapsed ones before all, those without an end last."""
        if self._leases[0] != self.revision:
            found = (self.rows.get(task) for _, task in self.watch.segments["claimed"].items)
            self._leases = (self.revision, [row for row in found if row is not None and row.lease is not None])
        return self._leases[1]

    def loads(self) -> dict[str, int]:
        """How many tasks each worker holds."""
        return Counter(row.lease.worker for row in self.leases() if row.lease)

    def doubtful(self, ago_ms: int) -> bool:
        """Whether a worker seems to miss a beat that it did not miss when it was last read, so long ago.

        A sign of life that changes nothing leaves no event, so it has to be asked for.
        """
        now = self.now_ms()
        return any(
            worker.liveness(now) != "active" and worker.liveness(now) != worker.liveness(now - ago_ms)
            for worker in self.workers.values()
        )

    def next_up(self) -> str | None:
        """The task that a claim without conditions would most likely get; known only without a filter."""
        chosen = self.window.filter
        segment = self.window.segments.get("claim" if chosen.sort == NEXT_FIRST else "ready")
        if segment is None or chosen.terms or chosen.sort.field in ("due", "attempt"):
            return None
        for _, task in segment.items[:50]:
            row = self.rows.get(task)
            if row and not row.assignee and not row.needs and not self.paused(row.project):
                return task
        return None

    def paused(self, project: str) -> bool:
        """Whether a project hands out nothing at present."""
        wire = self.projects.get(project)
        return bool(wire and wire.get("paused"))

    def refresh_problems(self) -> None:
        """Reckon the attention list anew; meant once a second."""
        watched = [self.rows[task] for task in self.watch.tasks() if task in self.rows]
        now = self.now_ms()
        found = attention.problems(watched, self.workers, now)
        seen = {problem.task for problem in found}
        found += [problem for problem in attention.told(self.calls or (), self.rows) if problem.task not in seen]
        found = [problem for problem in found if self.snoozed.get(problem.task, 0) <= now]
        found.sort(key=lambda problem: problem.rank)
        if found != self.problems:
            self.problems = found
            self.changed()
