"""What the model of the deck knows: tasks, who works on them, the time, and what follows from all that by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from support.model_crew import Crew, Who

LEASES = {"default": 300_000, "side": 60_000}
BACKOFF = {"default": (10_000, 600_000), "side": (0, 0)}
ENDED = ("done", "failed", "cancelled")
WAITING = ("blocked", "scheduled", "ready")
UNSTARTED = (*WAITING, "backlog")


@dataclass
class ModelTask:
    """A task as the model knows it."""

    number: int
    key: str
    project: str
    priority: int
    labels: frozenset[str]
    capabilities: frozenset[str]
    assignee: str | None
    max_attempts: int
    not_before: int | None
    parents: dict[str, bool]
    state: str = "ready"
    attempt: int = 0
    fence: int = 0
    version: int = 1
    worker: str | None = None
    principal: str | None = None
    expires_at: int | None = None
    lease_ms: int | None = None
    lapsed: bool = False
    progress: int | None = None
    error: str | None = None
    lapsed_under: str | None = None
    lapsed_worker: str | None = None
    ready_at: int | None = None
    queued_at: int = 0
    review: str = "none"
    completed_by: str | None = None
    completed_under: str | None = None
    completer: str | None = None
    verdict: str | None = None
    kind: str = "task"
    gates: frozenset[str] = frozenset()
    form: bool = False
    draft: bool = False
    turns: tuple[tuple[str, int | None], ...] = ()
    turn: int | None = None
    at_end: str | None = None
    turn_ends_at: int | None = None
    parent: str | None = None
    root: str | None = None
    depth: int = 0
    children: int = 0
    creator: str = "root"
    accountable: str | None = None
    asks: str | None = None
    session: str | None = None
    files: frozenset[str] = frozenset()
    approve_after: int | None = None
    review_ends_at: int | None = None
    due: int | None = None
    overdue: bool = False
    log: list[tuple[str, str, bool]] = field(default_factory=list)
    awaits: str | None = None

    def claimable(self) -> bool:
        return self.state == "ready" or self.lapsed

    def blocked(self) -> bool:
        return any(self.parents.values()) or self.awaits is not None

    def drop_claim(self) -> None:
        self.worker = self.principal = self.expires_at = self.lease_ms = self.progress = None
        self.lapsed = False
        self.asks = self.session = None


@dataclass(frozen=True)
class Limits:
    """What a project allows to be held at once: 0 and no label for any number; `apart` keeps files apart."""

    most: int = 0
    each: int = 0
    labels: tuple[tuple[str, int], ...] = ()
    apart: bool = False


@dataclass
class World(Crew):
    """All tasks and pauses, who works on them, the time, and what follows from them by itself."""

    step_ms: int = 0
    tasks: dict[str, ModelTask] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    limits: dict[str, Limits] = field(default_factory=dict)
    lapsing: set[str] = field(default_factory=set)
    anew: bool = False

    def restart(self) -> None:
        """Who is late has its time once more; who is offline is looked at anew; nobody has claimed anything."""
        self.since, self.anew = self.now, True
        self.given.clear()

    def jump(self, by: int) -> None:
        """The wall clock is set: what runs keeps the time it had left, unless it moved hardly at all."""
        self.now += by
        if abs(by) >= 2_000:
            for task in self.tasks.values():
                if task.state == "claimed" and not task.lapsed and task.expires_at is not None:
                    task.expires_at += by
                if task.turn_ends_at is not None:
                    task.turn_ends_at += by
                if task.review_ends_at is not None:
                    task.review_ends_at += by
            self._shift_crew(by)
            self.anew = True

    def upkeep(self) -> None:
        """Whatever time has made due comes true, before anything else is done."""
        self._move_due()
        for task in self.tasks.values():
            if task.due is not None and task.due <= self.now and not task.overdue and task.state not in ENDED:
                task.overdue = True
                task.version += 1
        gone, self.anew = self._fall_silent(anew=self.anew), False
        for task in self.tasks.values():
            live = task.state == "claimed" and not task.lapsed
            if live and task.worker in gone and task.project in self.lapsing:
                task.expires_at = None if task.expires_at is None else self.now
                self._lapse(task)

    def _lapse(self, task: ModelTask) -> None:
        if task.attempt < task.max_attempts:
            task.lapsed = True
        else:
            task.lapsed_under, task.lapsed_worker, task.error = task.principal, task.worker, "lapsed"
            task.drop_claim()
            task.state = "failed"
        task.version += 1

    def _move_due(self) -> None:
        for task in self.tasks.values():
            if (
                task.state == "claimed"
                and not task.lapsed
                and task.expires_at is not None
                and task.expires_at <= self.now
            ):
                self._lapse(task)
            elif task.state == "scheduled" and (task.not_before or 0) <= self.now:
                self._go(task, "ready")
        for task in self.tasks.values():
            while task.turn_ends_at is not None and task.turn_ends_at <= self.now:
                self._next_turn(task, task.turn_ends_at)
                task.version += 1
        for task in self.tasks.values():
            if task.review_ends_at is not None and task.review_ends_at <= self.now:
                task.verdict = "approved"
                self._done(task)

    def _next_turn(self, task: ModelTask, begun: int) -> None:
        """Whoever's turn it was is passed over; the version is the caller's."""
        following = (task.turn or 0) + 1
        if following < len(task.turns):
            task.turn = following
            task.assignee, length = task.turns[following]
            runs = task.state == "ready" and length is not None
            task.turn_ends_at = begun + (length or 0) if runs else None
            return
        task.turn = task.turn_ends_at = None
        if task.at_end == "give_up":
            task.drop_claim()
            task.state, task.error = "failed", "given_up"
        elif task.at_end == "open":
            task.assignee = None

    def _go(self, task: ModelTask, state: str) -> None:
        if state == "ready" and task.state != "ready":
            task.ready_at = self.now
            if task.state not in ("claimed", "review"):
                task.queued_at = self.now
            if task.turn is not None:
                length = task.turns[task.turn][1]
                task.turn_ends_at = None if length is None else self.now + length
        elif state != "ready":
            task.turn_ends_at = None
        if state != task.state:
            waits = state == "review" and task.approve_after is not None
            waits = waits and task.review != "four_eyes" and not task.gates
            task.review_ends_at = self.now + (task.approve_after or 0) if waits else None
        task.state = state
        task.version += 1

    def _resting_state(self, task: ModelTask) -> str:
        if task.blocked() or task.kind == "goal":
            return "blocked"
        return "scheduled" if task.not_before is not None and task.not_before > self.now else "ready"

    def _family(self, key: str) -> list[ModelTask]:
        return [task for task in self.tasks.values() if task.parent == key]

    def _finish(self, goal: ModelTask) -> None:
        below = [task.state for task in self._family(goal.key)]
        if (
            goal.kind == "goal"
            and goal.state == "blocked"
            and not goal.blocked()
            and goal.children
            and "done" in below
            and {*below} <= {"done", "cancelled"}
        ):
            goal.verdict = None
            if goal.review in ("required", "four_eyes"):
                self._go(goal, "review")
            else:
                self._done(goal)

    def _settle(self, task: ModelTask) -> None:
        if task.parent in self.tasks:
            self._finish(self.tasks[task.parent])

    def queue(self) -> list[ModelTask]:
        """What may be claimed, best first: a task goes before another that became ready so much later for each point
        of priority that it lacks."""

        def place(task: ModelTask) -> tuple[int, int]:
            step = self.step_ms
            return (task.queued_at - task.priority * step if step else -task.priority, task.number)

        return sorted((t for t in self.tasks.values() if t.claimable()), key=place)

    def _may_have(self, task: ModelTask, who: Who, worker: str, said: frozenset[str] | None) -> bool:
        known = self.workers.get(worker)
        able = said if said is not None else who.capabilities | (known.capabilities if known else frozenset())
        return (
            task.capabilities <= able
            and task.assignee in {None, worker, who.name, *who.groups}
            and task.project not in self.paused
        )

    def _over_limit(self, task: ModelTask, worker: str, given: list[ModelTask]) -> str | None:
        """Which limit keeps `task` from `worker`, who is about to have what is `given`."""
        limits = self.limits.get(task.project, Limits())
        held = [
            (other, worker if other in given else other.worker)
            for other in self.tasks.values()
            if other.project == task.project and (other in given or (other.state == "claimed" and not other.lapsed))
        ]
        if limits.most and len(held) >= limits.most:
            return "project_limit"
        if limits.each and sum(holder == worker for _, holder in held) >= limits.each:
            return "worker_limit"
        for label, most in limits.labels:
            if label in task.labels and sum(label in other.labels for other, _ in held) >= most:
                return "label_limit"
        return None

    def _files_in_use(self, task: ModelTask, given: list[ModelTask]) -> bool:
        return self.limits.get(task.project, Limits()).apart and any(
            other.project == task.project
            and other.files & task.files
            and (other in given or other.state == "review" or (other.state == "claimed" and not other.lapsed))
            for other in self.tasks.values()
        )

    def _give(
        self,
        task: ModelTask,
        who: Who,
        worker: str,
        lease_ms: int | None,
        *,
        attempt: int = 1,
        session: str | None = None,
    ) -> None:
        length = None if lease_ms == 0 else lease_ms or LEASES[task.project]
        task.drop_claim()
        task.attempt += attempt
        task.fence += 1
        task.worker, task.principal, task.session = worker, who.name, session
        task.lease_ms, task.expires_at = length, None if length is None else self.now + length
        self._go(task, "claimed")

    def _renew(self, task: ModelTask, lease_ms: int | None) -> None:
        length = lease_ms or task.lease_ms
        if length is not None:
            task.expires_at, task.lease_ms = max(task.expires_at or 0, self.now + length), length
        task.lapsed = False
        self._hear(task.worker)
        task.version += 1

    def _refuse_holder(self, who: Who, key: str, fence: int) -> str | None:
        task = self.tasks[key]
        if not who.sees(task.project):
            return "unknown_task"
        if task.state == "cancelled" and task.fence == fence:
            return "task_cancelled"
        if task.state != "claimed" or task.fence != fence:
            return "stale_fence"
        return None if task.principal == who.name or who.operator else "forbidden"

    def _take_back(self, task: ModelTask, delay_ms: int) -> None:
        if not task.lapsed:
            task.attempt -= 1
        self._to_queue(task, delay_ms)

    def _to_queue(self, task: ModelTask, delay_ms: int) -> None:
        task.drop_claim()
        if delay_ms:
            task.not_before = self.now + delay_ms
        if task.blocked():
            self._go(task, "blocked")
        else:
            self._go(task, "scheduled" if delay_ms else "ready")

    def _done(self, task: ModelTask) -> None:
        self._go(task, "done")
        self._settle(task)
        key = task.key
        for child in self.tasks.values():
            if child.parents.get(key):
                child.parents[key] = False
                if child.state == "blocked" and not child.blocked() and child.kind == "goal":
                    self._finish(child)
                elif child.state == "blocked" and not child.blocked():
                    self._go(child, self._resting_state(child))
