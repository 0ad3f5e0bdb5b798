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
UNSTARTED = (*WAITING, "backlog")


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
    step_ms: int = 0
    tasks: dict[str, ModelTask] = field(default_factory=dict)
    workers: dict[str, ModelWorker] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)

    # time

    def pass_time(self, by: int) -> None:
        self.now += by
        self._move_due()

    def jump(self, by: int) -> None:
        """The wall clock is set: leases and turns keep the time they had left, unless it moved hardly at all."""
        self.now += by
        if abs(by) >= 2_000:
            for task in self.tasks.values():
                if task.state == "claimed" and not task.lapsed and task.expires_at is not None:
                    task.expires_at += by
                if task.turn_ends_at is not None:
                    task.turn_ends_at += by
        self._move_due()

    def _move_due(self) -> None:
        for task in self.tasks.values():
            if (
                task.state == "claimed"
                and not task.lapsed
                and task.expires_at is not None
                and task.expires_at <= self.now
            ):
                if task.attempt < task.max_attempts:
                    task.lapsed = True
                else:
                    task.lapsed_under, task.lapsed_worker, task.error = task.principal, task.worker, "lapsed"
                    task.drop_claim()
                    task.state = "failed"
                task.version += 1
            elif task.state == "scheduled" and (task.not_before or 0) <= self.now:
                self._go(task, "ready")
        for task in self.tasks.values():
            while task.turn_ends_at is not None and task.turn_ends_at <= self.now:
                self._next_turn(task, task.turn_ends_at)
                task.version += 1

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
        task.state = state
        task.version += 1

    def _resting_state(self, task: ModelTask) -> str:
        if task.blocked() or task.kind == "goal":
            return "blocked"
        return "scheduled" if task.not_before is not None and task.not_before > self.now else "ready"

    # agents

    def create(self, task: ModelTask, *, backlog: bool = False) -> None:
        task.state = "backlog" if backlog else self._resting_state(task)
        task.ready_at = self.now if task.state == "ready" else None
        task.queued_at = self.now
        if task.turns:
            task.turn, (task.assignee, length) = 0, task.turns[0]
            task.turn_ends_at = self.now + length if length is not None and task.state == "ready" else None
        self.tasks[task.key] = task
        if task.parent is not None:
            above = self.tasks[task.parent]
            task.root, task.depth = above.root or above.key, above.depth + 1
            task.accountable = above.accountable or above.creator

    def refuse_child(self, who: Who, parent: str, depends_on: list[str]) -> str | None:
        above = self.tasks[parent]
        if not who.sees(above.project):
            return "unknown_task"
        if who.name not in (above.principal, above.creator) and not who.operator:
            return "forbidden"
        if above.state in ENDED:
            return "wrong_state"
        if above.depth >= 10:
            return "too_deep"
        if any(self._waits_for(key, parent) for key in depends_on):
            return "dependency_cycle"
        return None

    def adopt(self, parent: str) -> None:
        self.tasks[parent].children += 1
        self.tasks[parent].version += 1

    def refuse_delegating(self, who: Who, key: str, fence: int | None, *, wait: bool) -> str | None:
        if fence is None:
            if not who.operator:
                return "forbidden"
            if wait and self.tasks[key].state not in WAITING:
                return "wrong_state"
        else:
            refused = self._refuse_holder(who, key, fence)
            if refused:
                return refused
        return self.refuse_child(who, key, [])

    def delegate(self, key: str, child: ModelTask, fence: int | None, *, wait: bool) -> None:
        """The child is made and its parent waits for it."""
        task = self.tasks[key]
        child.parent = key
        self.create(child)
        task.children += 1
        task.parents[child.key] = True
        if fence is not None and not wait:
            self._renew(task, None)
        elif fence is not None:
            task.attempt -= 0 if task.lapsed else 1
            task.drop_claim()
            self._go(task, "blocked")
        elif task.state in WAITING:
            self._go(task, "blocked")
        else:
            task.version += 1

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
            if goal.review in ("required", "four_eyes"):
                self._go(goal, "review")
            else:
                self._done(goal)

    def _settle(self, task: ModelTask) -> None:
        if task.parent is not None:
            self._finish(self.tasks[task.parent])

    def queue(self) -> list[ModelTask]:
        """What may be claimed, best first: a task goes before another that became ready so much later for each point
        of priority that it lacks."""

        def place(task: ModelTask) -> tuple[int, int]:
            step = self.step_ms
            return (task.queued_at - task.priority * step if step else -task.priority, task.number)

        return sorted((t for t in self.tasks.values() if t.claimable()), key=place)

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
        *,
        shown: bool = False,
    ) -> tuple[str | None, list[str]]:
        """The refusal, or the keys of what is given."""
        if project is not None and not who.sees(project):
            return "unknown_project", []
        before = dict(self.workers)
        refused = self._attend(who, worker, said)
        if refused or self.workers[worker].draining:
            return refused, []
        ahead = [
            task
            for task in self.queue()
            if self._may_have(task, who, worker, said)
            and labels <= task.labels
            and who.sees(task.project)
            and project in (None, task.project)
        ]
        open_ = [task for task in ahead if shown or "claim" not in task.gates]
        given = (open_ or ahead)[:count]
        endless = any(lease_ms == 0 and not task.form for task in given)
        if given and (endless or not open_):
            self.workers = before
            return ("invalid_request" if endless and (open_ or not given[0].form) else "gate_unmet"), []
        for task in given:
            self._give(task, who, worker, lease_ms)
        return None, [task.key for task in given]

    def _give(self, task: ModelTask, who: Who, worker: str, lease_ms: int | None, *, attempt: int = 1) -> None:
        length = None if lease_ms == 0 else lease_ms or LEASES[task.project]
        task.drop_claim()
        task.attempt += attempt
        task.fence += 1
        task.worker, task.principal = worker, who.name
        task.lease_ms, task.expires_at = length, None if length is None else self.now + length
        self._go(task, "claimed")

    def claim_named(
        self, who: Who, key: str, worker: str, lease_ms: int | None, *, override: bool = False, shown: bool = False
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
            if lease_ms == 0 and not task.form:
                return "invalid_request"
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
        if lease_ms == 0 and not task.form:
            return "invalid_request"
        if "claim" in task.gates and not shown and not override:
            return "gate_unmet"
        self._attend(who, worker)
        self._give(task, who, worker, lease_ms)
        return None

    def _renew(self, task: ModelTask, lease_ms: int | None) -> None:
        length = lease_ms or task.lease_ms
        if length is not None:
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

    def fill(self, who: Who, key: str, fence: int, *, fits: bool) -> str | None:
        refused = self._refuse_holder(who, key, fence)
        if refused:
            return refused
        task = self.tasks[key]
        if task.form and not fits:
            return "form_invalid"
        self._renew(task, None)
        task.draft = True
        return None

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
        if task.blocked():
            self._go(task, "blocked")
        else:
            self._go(task, "scheduled" if delay_ms else "ready")

    def complete(
        self, who: Who, key: str, fence: int, *, ask_review: bool = False, leave: bool = False, shown: bool = False
    ) -> str | None:
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
        if not leave and any(child.state not in ENDED for child in self._family(key)):
            return "open_children"
        if ask_review and task.review == "none":
            return "invalid_request"
        if (
            task.form != task.draft
        ):  # nothing filled in that would fit the form, or a result that is not put over a draft
            return "form_invalid"
        if "complete" in task.gates and not shown:
            return "gate_unmet"
        task.completed_by, task.completed_under = task.worker or task.lapsed_worker, task.principal or task.lapsed_under
        task.completer, task.verdict, task.draft = who.name, None, False
        task.drop_claim()
        task.error = task.lapsed_under = None
        if task.review in ("required", "four_eyes") or ask_review:
            self._go(task, "review")
        else:
            self._done(task)
        return None

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

    def approve(self, who: Who, key: str, *, shown: bool = False) -> str | None:
        task = self.tasks[key]
        if task.state != "review":
            return "wrong_state"
        if task.review == "four_eyes" and who.name in (task.completed_under, task.completer):
            return "four_eyes"
        if "approve" in task.gates and not shown:
            return "gate_unmet"
        task.verdict = "approved"
        self._done(task)
        return None

    def reject(self, who: Who, key: str, to: str) -> str | None:
        task = self.tasks[key]
        if task.state != "review":
            return "wrong_state"
        if to == "queue":
            task.max_attempts = max(task.max_attempts, task.attempt + 1)
            self._go(task, "blocked" if task.blocked() or task.kind == "goal" else "ready")
        else:
            worker = task.completed_by or ""
            if worker not in self.workers:
                return "worker_gone"
            self._give(task, who, worker, None, attempt=0)
            task.principal = self.workers[worker].owner
        task.verdict = "rejected"
        return None

    def promote(self, key: str) -> str | None:
        task = self.tasks[key]
        if task.state != "backlog":
            return "wrong_state"
        self._go(task, self._resting_state(task))
        self._finish(task)
        return None

    def shelve(self, key: str) -> str | None:
        task = self.tasks[key]
        if task.state not in WAITING:
            return "wrong_state"
        self._go(task, "backlog")
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
        task.error = task.lapsed_under = task.completed_by = task.verdict = None
        task.draft = False
        if task.turns:
            task.turn, task.assignee = 0, task.turns[0][0]
        self._go(task, self._resting_state(task))
        return None

    def cancel(self, key: str, *, children: bool = False) -> str | None:
        task = self.tasks[key]
        if task.state in ENDED:
            return "wrong_state"
        self._call_off(task, children=children)
        self._settle(task)
        return None

    def _call_off(self, task: ModelTask, *, children: bool) -> None:
        task.drop_claim()
        task.error = "cancelled"
        self._go(task, "cancelled")
        for child in self._family(task.key) if children else ():
            if child.state not in ENDED:
                self._call_off(child, children=True)

    def assign(self, key: str, assignee: str | None) -> str | None:
        task = self.tasks[key]
        if task.state in ENDED:
            return "wrong_state"
        self._take_off_turns(task, assignee)
        task.version += 1
        return None

    def _take_off_turns(self, task: ModelTask, assignee: str | None) -> None:
        task.assignee = assignee
        task.turns, task.turn, task.turn_ends_at, task.at_end = (), None, None, None

    def assign_in_turn(self, key: str, turns: tuple[tuple[str, int | None], ...], at_end: str) -> str | None:
        task = self.tasks[key]
        if task.state in ENDED:
            return "wrong_state"
        task.turns, task.turn, task.at_end = turns, 0, at_end
        task.assignee, length = turns[0]
        task.turn_ends_at = self.now + length if length is not None and task.state == "ready" else None
        task.version += 1
        return None

    def skip(self, who: Who, key: str) -> str | None:
        task = self.tasks[key]
        if not who.sees(task.project):
            return "unknown_task"
        if task.state in ENDED:
            return "wrong_state"
        owner = self.workers[task.assignee].owner if task.assignee in self.workers else None
        mine = {task.assignee, owner, task.principal, task.creator}
        if not mine & {who.name, *who.groups} and not who.operator:
            return "forbidden"
        if task.turn is None or task.state == "review":
            return "wrong_state"
        ready_at = task.ready_at
        if task.state == "claimed":
            self._take_back(task, 0)
        else:
            task.version += 1
        self._next_turn(task, self.now)
        if task.state == "failed":  # given up at once, without having been ready
            task.ready_at = ready_at
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
        self._take_off_turns(task, assignee)
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
        least = task.attempt + 1 if task.state in UNSTARTED or task.lapsed else max(task.attempt, 1)
        if max_attempts < least:
            return "invalid_request"
        task.labels, task.capabilities, task.max_attempts = labels, capabilities, max_attempts
        task.version += 1
        self._finish(task)
        return None

    def depend(self, key: str, parents: list[str]) -> str | None:
        task = self.tasks[key]
        if task.state not in UNSTARTED:
            return "wrong_state"
        if any(self._waits_for(parent, key) for parent in parents):
            return "dependency_cycle"
        task.parents = {parent: self.tasks[parent].state != "done" for parent in parents}
        self._go(task, self._resting_state(task) if task.state != "backlog" else "backlog")
        self._finish(task)
        return None

    def _waits_for(self, key: str, other: str) -> bool:
        reached, new = {key}, [key]
        while new:
            task = self.tasks[new.pop()]
            for further in [*task.parents, *(child.key for child in self._family(task.key))]:
                if further not in reached:
                    reached.add(further)
                    new.append(further)
        return other in reached

    def postpone(self, key: str, not_before: int | None) -> str | None:
        task = self.tasks[key]
        if task.state not in UNSTARTED:
            return "wrong_state"
        task.not_before = not_before
        self._go(task, self._resting_state(task) if task.state != "backlog" else "backlog")
        self._finish(task)
        return None

    def delete(self, key: str) -> str | None:
        if self.tasks[key].state == "claimed":
            return "wrong_state"
        if self._family(key):
            return "has_children"
        if any(key in task.parents for task in self.tasks.values()):
            return "has_dependents"
        gone = self.tasks.pop(key)
        self._settle(gone)
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
