"""The rules of the deck a second time, as plainly as they can be said, to hold the real one against.

Nothing of `taskdeck` is used here: names are text, times are milliseconds, and every task lies in one dictionary.
Each verb returns the code of the refusal it expects, or None when it has changed the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LEASES = {"default": 300_000, "side": 60_000}
BACKOFF = {"default": (10_000, 600_000), "side": (0, 0)}
ENDED = ("done", "failed", "cancelled")
WAITING = ("blocked", "scheduled", "ready")


@dataclass(frozen=True)
class Who:
    """A principal."""

    name: str
    operator: bool = False
    capabilities: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    projects: frozenset[str] | None = None

    def sees(self, project: str) -> bool:
        return self.projects is None or project in self.projects


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
    ready_at: int | None = None
    asks: str | None = None

    def claimable(self) -> bool:
        return self.state == "ready" or self.lapsed

    def blocked(self) -> bool:
        return any(self.parents.values())

    def drop_claim(self) -> None:
        self.worker = self.principal = self.expires_at = self.lease_ms = self.progress = None
        self.lapsed = False
        self.asks = None


@dataclass
class ModelWorker:
    owner: str
    capabilities: frozenset[str]
    draining: bool = False


@dataclass
class Model:
    """All tasks, workers and pauses, and the time."""

    now: int
    tasks: dict[str, ModelTask] = field(default_factory=dict)
    workers: dict[str, ModelWorker] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)

    # time

    def pass_time(self, by: int) -> None:
        self.now += by
        self._move_due()

    def jump(self, by: int) -> None:
        """The wall clock is set: running leases keep the time they had left, unless it moved hardly at all."""
        self.now += by
        if abs(by) >= 2_000:
            for task in self.tasks.values():
                if task.state == "claimed" and not task.lapsed and task.expires_at is not None:
                    task.expires_at += by
        self._move_due()

    def _move_due(self) -> None:
        for task in self.tasks.values():
            if task.state == "claimed" and not task.lapsed and (task.expires_at or 0) <= self.now:
                if task.attempt < task.max_attempts:
                    task.lapsed = True
                else:
                    task.lapsed_under, task.error = task.principal, "lapsed"
                    task.drop_claim()
                    task.state = "failed"
                task.version += 1
            elif task.state == "scheduled" and (task.not_before or 0) <= self.now:
                self._go(task, "ready")

    def _go(self, task: ModelTask, state: str) -> None:
        if state == "ready" and task.state != "ready":
            task.ready_at = self.now
        task.state = state
        task.version += 1

    def _resting_state(self, task: ModelTask) -> str:
        if task.blocked():
            return "blocked"
        return "scheduled" if task.not_before is not None and task.not_before > self.now else "ready"

    # agents

    def create(self, task: ModelTask) -> None:
        task.state = self._resting_state(task)
        task.ready_at = self.now if task.state == "ready" else None
        self.tasks[task.key] = task

    def queue(self) -> list[ModelTask]:
        """What may be claimed, best first."""
        return sorted((t for t in self.tasks.values() if t.claimable()), key=lambda t: (-t.priority, t.number))

    def _attend(self, who: Who, worker: str, said: frozenset[str] | None = None) -> str | None:
        known = self.workers.get(worker)
        if known is None:
            self.workers[worker] = ModelWorker(who.name, said or who.capabilities)
            return None
        return None if known.owner == who.name or who.operator else "forbidden"

    def _may_have(self, task: ModelTask, who: Who, worker: str, said: frozenset[str] | None) -> bool:
        known = self.workers.get(worker)
        able = said if said is not None else who.capabilities | (known.capabilities if known else frozenset())
        return (
            task.capabilities <= able
            and task.assignee in {None, worker, who.name, *who.groups}
            and task.project not in self.paused
        )

    def claim_next(
        self,
        who: Who,
        worker: str,
        count: int,
        project: str | None,
        labels: frozenset[str],
        said: frozenset[str] | None,
        lease_ms: int | None,
    ) -> tuple[str | None, list[str]]:
        """The refusal, or the keys of what is given."""
        if project is not None and not who.sees(project):
            return "unknown_project", []
        refused = self._attend(who, worker, said)
        if refused or self.workers[worker].draining:
            return refused, []
        given = [
            task
            for task in self.queue()
            if self._may_have(task, who, worker, said)
            and labels <= task.labels
            and who.sees(task.project)
            and project in (None, task.project)
        ][:count]
        for task in given:
            self._give(task, who, worker, lease_ms)
        return None, [task.key for task in given]

    def _give(self, task: ModelTask, who: Who, worker: str, lease_ms: int | None, *, attempt: int = 1) -> None:
        length = lease_ms or LEASES[task.project]
        task.drop_claim()
        task.attempt += attempt
        task.fence += 1
        task.worker, task.principal = worker, who.name
        task.lease_ms, task.expires_at = length, self.now + length
        self._go(task, "claimed")

    def claim_named(
        self, who: Who, key: str, worker: str, lease_ms: int | None, *, override: bool = False
    ) -> str | None:
        if override and not who.operator:
            return "forbidden"
        task, known = self.tasks[key], self.workers.get(worker)
        if known is not None and known.owner != who.name and not who.operator:
            return "forbidden"
        if not who.sees(task.project):
            return "unknown_task"
        if task.state == "claimed" and not task.lapsed:
            if task.worker == worker and task.principal == who.name:
                self._renew(task, lease_ms)
                return None
            if not override:
                return "claimed_by_other"
            self._attend(who, worker)
            self._give(task, who, worker, lease_ms, attempt=0)
            return None
        if not task.claimable():
            return "wrong_state"
        if not override:
            if known is not None and known.draining:
                return "worker_draining"
            if not self._may_have(task, who, worker, None):
                return "project_paused" if task.project in self.paused else "not_eligible"
        self._attend(who, worker)
        self._give(task, who, worker, lease_ms)
        return None

    def _renew(self, task: ModelTask, lease_ms: int | None) -> None:
        length = lease_ms or task.lease_ms or 0
        task.expires_at, task.lease_ms = max(task.expires_at or 0, self.now + length), length
        task.lapsed = False
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

    def heartbeat(self, who: Who, key: str, fence: int, lease_ms: int | None, progress: int | None) -> str | None:
        refused = self._refuse_holder(who, key, fence)
        if refused is None:
            task = self.tasks[key]
            self._renew(task, lease_ms)
            task.progress = task.progress if progress is None else progress
        return refused

    def talk(self, who: Who, key: str, fence: int, asks: str | None) -> str | None:
        """The holder asks (`open`), or goes on."""
        refused = self.heartbeat(who, key, fence, None, None)
        if refused is None:
            self.tasks[key].asks = asks
        return refused

    def answer(self, key: str) -> str | None:
        task = self.tasks[key]
        if task.asks is None:
            return "no_question"
        if task.asks == "answered":
            return "already_answered"
        task.asks = "answered"
        task.version += 1
        return None

    def describe(self, who: Who, key: str, fence: int) -> str | None:
        """A holder's edit."""
        return self.heartbeat(who, key, fence, None, None)

    def release(self, who: Who, key: str, fence: int, delay_ms: int) -> str | None:
        refused = self._refuse_holder(who, key, fence)
        if refused is None:
            self._take_back(self.tasks[key], delay_ms)
        return refused

    def _take_back(self, task: ModelTask, delay_ms: int) -> None:
        if not task.lapsed:
            task.attempt -= 1
        self._to_queue(task, delay_ms)

    def _to_queue(self, task: ModelTask, delay_ms: int) -> None:
        task.drop_claim()
        if delay_ms:
            task.not_before = self.now + delay_ms
            self._go(task, "scheduled")
        else:
            self._go(task, "ready")

    def complete(self, who: Who, key: str, fence: int) -> str | None:
        task = self.tasks[key]
        late = (
            who.sees(task.project)
            and task.state == "failed"
            and task.fence == fence
            and task.error == "lapsed"
            and (task.lapsed_under == who.name or who.operator)
        )
        if not late:
            refused = self._refuse_holder(who, key, fence)
            if refused:
                return refused
        task.drop_claim()
        task.error = task.lapsed_under = None
        self._go(task, "done")
        for child in self.tasks.values():
            if child.parents.get(key):
                child.parents[key] = False
                if child.state == "blocked" and not child.blocked():
                    self._go(child, self._resting_state(child))
        return None

    def fail(self, who: Who, key: str, fence: int, *, retry: bool, delay_ms: int | None) -> str | None:
        """Without a delay the caller sets `not_before` from what the deck chose, within `rest_bounds`."""
        refused = self._refuse_holder(who, key, fence)
        if refused:
            return refused
        task = self.tasks[key]
        task.error = "failed"
        if retry and task.attempt < task.max_attempts:
            rest = self.rest_bounds(task)[0] if delay_ms is None else delay_ms
            self._to_queue(task, rest)
        else:
            task.drop_claim()
            self._go(task, "failed")
        return None

    def rest_bounds(self, task: ModelTask) -> tuple[int, int]:
        base, cap = BACKOFF[task.project]
        full = min(cap, base * 2 ** (task.attempt - 1))
        return full // 2, full

    # operators

    def retry(self, key: str, delay_ms: int, *, reset: bool) -> str | None:
        task = self.tasks[key]
        if task.state not in ENDED:
            return "wrong_state"
        task.not_before = self.now + delay_ms if delay_ms else None
        task.attempt = 0 if reset else task.attempt
        task.max_attempts = max(task.max_attempts, task.attempt + 1)
        task.error = task.lapsed_under = None
        self._go(task, self._resting_state(task))
        return None

    def cancel(self, key: str) -> str | None:
        task = self.tasks[key]
        if task.state in ENDED:
            return "wrong_state"
        task.drop_claim()
        task.error = "cancelled"
        self._go(task, "cancelled")
        return None

    def assign(self, key: str, assignee: str | None) -> str | None:
        task = self.tasks[key]
        if task.state in ENDED:
            return "wrong_state"
        task.assignee = assignee
        task.version += 1
        return None

    def reprioritize(self, key: str, priority: int) -> str | None:
        task = self.tasks[key]
        if task.state in ENDED:
            return "wrong_state"
        task.priority = priority
        task.version += 1
        return None

    def override_to_worker(self, who: Who, key: str, worker: str) -> str | None:
        task = self.tasks[key]
        if task.state != "claimed":
            return "wrong_state"
        self._attend(who, worker)
        progress = task.progress
        self._give(task, who, worker, task.lease_ms, attempt=0)
        task.principal, task.progress = self.workers[worker].owner, progress
        return None

    def override_to_assignee(self, key: str, assignee: str) -> str | None:
        task = self.tasks[key]
        if task.state in ENDED:
            return "wrong_state"
        task.assignee = assignee
        if task.state == "claimed":
            self._take_back(task, 0)
        else:
            task.version += 1
        return None

    def override_to_queue(self, key: str) -> str | None:
        task = self.tasks[key]
        if task.state != "claimed":
            return "wrong_state"
        self._take_back(task, 0)
        return None

    def relabel(
        self,
        key: str,
        labels: frozenset[str],
        capabilities: frozenset[str],
        max_attempts: int,
        version: int | None,
    ) -> str | None:
        task = self.tasks[key]
        if version not in (None, task.version):
            return "version_conflict"
        least = task.attempt + 1 if task.state in WAITING or task.lapsed else max(task.attempt, 1)
        if max_attempts < least:
            return "invalid_request"
        task.labels, task.capabilities, task.max_attempts = labels, capabilities, max_attempts
        task.version += 1
        return None

    def depend(self, key: str, parents: list[str]) -> str | None:
        task = self.tasks[key]
        if task.state not in WAITING:
            return "wrong_state"
        if any(self._waits_for(parent, key) for parent in parents):
            return "dependency_cycle"
        task.parents = {parent: self.tasks[parent].state != "done" for parent in parents}
        self._go(task, self._resting_state(task))
        return None

    def _waits_for(self, key: str, other: str) -> bool:
        return key == other or any(self._waits_for(parent, other) for parent in self.tasks[key].parents)

    def postpone(self, key: str, not_before: int | None) -> str | None:
        task = self.tasks[key]
        if task.state not in WAITING:
            return "wrong_state"
        task.not_before = not_before
        self._go(task, self._resting_state(task))
        return None

    def delete(self, key: str) -> str | None:
        if self.tasks[key].state == "claimed":
            return "wrong_state"
        if any(key in task.parents for task in self.tasks.values()):
            return "has_dependents"
        del self.tasks[key]
        return None

    def drain(self, worker: str, *, draining: bool) -> str | None:
        if worker not in self.workers:
            return "unknown_worker"
        self.workers[worker].draining = draining
        return None

    def leave(self, worker: str) -> str | None:
        if worker not in self.workers:
            return "unknown_worker"
        for task in self.tasks.values():
            if task.worker == worker:
                self._take_back(task, 0)
        return None

    def forget(self, worker: str) -> str | None:
        if worker not in self.workers:
            return "unknown_worker"
        if any(task.worker == worker for task in self.tasks.values()):
            return "holds_claims"
        del self.workers[worker]
        return None
