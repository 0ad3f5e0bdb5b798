"""What agents do, as the model has it: make tasks, claim them, and what holders do."""

from __future__ import annotations

from copy import deepcopy
from itertools import takewhile

from support.model_crew import ModelSession, Who
from support.model_world import BACKOFF, ENDED, UNSTARTED, WAITING, ModelTask, World


class Holding(World):
    """The verbs of agents."""

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

    def refuse_promised(self, key: str, awaited: str | None, depends_on: list[str]) -> str | None:
        """The refusal of a task with a key of its own, for which others may wait."""
        if key in self.tasks or any(key in (task.parent, task.root) for task in self.tasks.values()):
            return "key_taken"
        promised = [task.key for task in self.tasks.values() if task.awaits == key]
        above = [*depends_on, awaited] if awaited in self.tasks else depends_on
        if awaited == key or any(self._waits_for(above_, other) for above_ in above for other in promised):
            return "dependency_cycle"
        return None

    def promise(self, task: ModelTask, awaited: str | None) -> None:
        """`task` waits for the key `awaited`, be there a task of it or not; others may have waited for its own."""
        if awaited in self.tasks:
            task.parents[awaited] = self.tasks[awaited].state != "done"
        else:
            task.awaits = awaited
        self.create(task)
        for other in self.tasks.values():
            if other.awaits == task.key:
                other.awaits = None
                other.parents[task.key] = True
                other.version += 1

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
            if not who.sees(self.tasks[key].project):
                return "unknown_task"
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
            self._hear(task.worker)
            task.attempt -= 0 if task.lapsed else 1
            task.drop_claim()
            self._go(task, "blocked")
        elif task.state in WAITING:
            self._go(task, "blocked")
        else:
            task.version += 1

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
        session: str | None = None,
    ) -> tuple[str | None, list[str]]:
        """The refusal, or the keys of what is given."""
        if project is not None and not who.sees(project):
            return "unknown_project", []
        refused = self._refuse_worker(who, worker) or self._refuse_session(worker, session)
        if refused:
            return refused, []
        if self.is_draining(worker):
            self._hear(worker)
            return None, []
        count = min(count, self._room(who, worker))
        if not count:
            return "rate_limited", []
        ahead = [
            task
            for task in self.queue()
            if self._may_have(task, who, worker, said)
            and labels <= task.labels
            and who.sees(task.project)
            and project in (None, task.project)
        ]
        open_ = self._side_by_side([task for task in ahead if shown or "claim" not in task.gates], worker, count)
        given = open_ or self._side_by_side(ahead, worker, 1)
        held = list(takewhile(lambda task: not self._refuse_endless(task, worker, lease_ms), given))
        if given and (not held or not open_):
            return ("gate_unmet" if held else "invalid_request"), []
        self._attend(who, worker, said)
        for task in held:
            self._give(task, who, worker, lease_ms, session=session)
            self._count(who, worker)
        return None, [task.key for task in held]

    def _refuse_endless(self, task: ModelTask, worker: str, lease_ms: int | None) -> bool:
        """People may have a lease without end, and who fills in a form."""
        person = worker in self.workers and self.workers[worker].kind == "human"
        return lease_ms == 0 and not task.form and not person

    def _side_by_side(self, ahead: list[ModelTask], worker: str, count: int) -> list[ModelTask]:
        """The first of `ahead` that the limits let `worker` have together."""
        given: list[ModelTask] = []
        for task in ahead:
            if len(given) == count:
                break
            if self._over_limit(task, worker, given) is None and not self._files_in_use(task, given):
                given.append(task)
        return given

    def claim_named(
        self,
        who: Who,
        key: str,
        worker: str,
        lease_ms: int | None,
        *,
        override: bool = False,
        shown: bool = False,
        session: str | None = None,
    ) -> str | None:
        if override and not who.operator:
            return "forbidden"
        task = self.tasks[key]
        refused = self._refuse_worker(who, worker) or self._refuse_session(worker, session)
        if refused:
            return refused
        if not who.sees(task.project):
            return "unknown_task"
        if task.state == "claimed" and not task.lapsed:
            if task.worker == worker and task.principal == who.name:
                self._renew(task, lease_ms)
                return None
            if not override:
                return "claimed_by_other"
            if self._refuse_endless(task, worker, lease_ms):
                return "invalid_request"
            self._attend(who, worker)
            self._give(task, who, worker, lease_ms, attempt=0, session=session)
            return None
        if not task.claimable():
            return "wrong_state"
        if not override:
            if self.is_draining(worker):
                return "worker_draining"
            if not self._may_have(task, who, worker, None):
                return "project_paused" if task.project in self.paused else "not_eligible"
            if limit := self._over_limit(task, worker, []):
                return limit
            if not self._room(who, worker):
                return "rate_limited"
        if self._refuse_endless(task, worker, lease_ms):
            return "invalid_request"
        if "claim" in task.gates and not shown and not override:
            return "gate_unmet"
        self._attend(who, worker)
        self._give(task, who, worker, lease_ms, session=session)
        self._count(who, worker)
        return None

    def heartbeat(
        self, who: Who, key: str, fence: int, lease_ms: int | None, progress: int | None, *, renew: bool = True
    ) -> str | None:
        refused = self._refuse_holder(who, key, fence)
        if refused is None:
            task = self.tasks[key]
            if renew:
                self._renew(task, lease_ms)
            else:
                self._hear(task.worker)
                task.version += 1
            task.progress = task.progress if progress is None else progress
        return refused

    def _refuse_unheld(self, who: Who, key: str) -> str | None:
        """The refusal of a write without a fence, to what nobody has begun."""
        task = self.tasks[key]
        if not who.sees(task.project):
            return "unknown_task"
        if not who.operator:
            return "forbidden"
        return None if task.state in UNSTARTED else "wrong_state"

    def fill(self, who: Who, key: str, fence: int | None, *, fits: bool) -> str | None:
        refused = self._refuse_unheld(who, key) if fence is None else self._refuse_holder(who, key, fence)
        if refused:
            return refused
        task = self.tasks[key]
        if task.form and not fits:
            return "form_invalid"
        if fence is None:
            task.version += 1
        else:
            self._renew(task, None)
        task.draft = True
        return None

    def tell(
        self,
        who: Who,
        key: str,
        fence: int,
        entries: list[tuple[str, str, bool]],
        after: int | None,
        sequence: int | None,
    ) -> str | None:
        """Entries of the log. `after` and `sequence` are where its end is thought to be; nothing is said twice."""
        refused = self._refuse_holder(who, key, fence)
        if refused:
            return refused
        task = self.tasks[key]
        stands = [sum(not quiet for _, _, quiet in task.log[:end]) for end in range(len(task.log) + 1)]
        if after in (None, len(task.log)) and sequence in (None, stands[-1]):
            task.log += entries
            task.version += 1
        else:
            starts = [at for at, stand in enumerate(stands) if stand == sequence < stands[-1]]
            starts = [after] if after is not None else [starts[0], starts[-1]] if starts else []
            said = [entry[:2] for entry in entries]
            if not any([entry[:2] for entry in task.log[at : at + len(said)]] == said for at in starts):
                return "log_moved"
        self._hear(task.worker)
        return None

    def record(self, who: Who, name: str, key: str, status: str | None, task: str | None) -> str | None:
        """A session of a worker is opened, changed or ended."""
        refused = self._refuse_unknown(who, name)
        if refused:
            return refused
        known = self.sessions.get((name, key), ModelSession("active", None, None))
        serves = task or known.task
        if serves is not None and not who.sees(self.tasks[serves].project):
            return "unknown_task"
        self._hear(name)
        self.sessions[name, key] = ModelSession(status or known.status, self.workers[name].instance, serves)
        return None

    def talk(self, who: Who, key: str, fence: int, asks: str | None) -> str | None:
        """The holder asks (`open`), or goes on."""
        refused = self.heartbeat(who, key, fence, None, None)
        if refused is None:
            self.tasks[key].asks = asks
        return refused

    def describe(self, who: Who, key: str, fence: int) -> str | None:
        """A holder's edit."""
        return self.heartbeat(who, key, fence, None, None)

    def release(self, who: Who, key: str, fence: int, delay_ms: int) -> str | None:
        refused = self._refuse_holder(who, key, fence)
        if refused is None:
            self._hear(self.tasks[key].worker)
            self._take_back(self.tasks[key], delay_ms)
        return refused

    def call_off(self, who: Who, key: str, fence: int) -> str | None:
        """A holder cancels what it holds."""
        refused = self._refuse_holder(who, key, fence)
        if refused is None:
            self._hear(self.tasks[key].worker)
            self._call_off(self.tasks[key], children=False)
            self._settle(self.tasks[key])
        return refused

    def _call_off(self, task: ModelTask, *, children: bool) -> None:
        task.drop_claim()
        task.error = "cancelled"
        self._go(task, "cancelled")
        for child in self._family(task.key) if children else ():
            if child.state not in ENDED:
                self._call_off(child, children=True)

    def complete(
        self,
        who: Who,
        key: str,
        fence: int | None,
        *,
        ask_review: bool = False,
        leave: bool = False,
        shown: bool = False,
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
            refused = self._refuse_unheld(who, key) if fence is None else self._refuse_holder(who, key, fence)
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
        self._hear(task.worker)
        task.completed_by = task.lapsed_worker if late else task.worker
        task.completed_under = task.lapsed_under if late else task.principal
        task.completer, task.verdict, task.draft = who.name, None, False
        task.drop_claim()
        task.error = task.lapsed_under = None
        if task.review in ("required", "four_eyes") or ask_review:
            self._go(task, "review")
        else:
            self._done(task)
        return None

    def complete_and_claim(
        self, who: Who, key: str, fence: int, *, ask_review: bool, leave: bool, shown: bool
    ) -> tuple[str | None, list[str]]:
        """The refusal, or the keys of what its worker is given next; a claim that has to rest leaves the end."""
        task = self.tasks[key]
        worker, before = task.worker or task.lapsed_worker or "", deepcopy(self.__dict__)
        refused = self.complete(who, key, fence, ask_review=ask_review, leave=leave, shown=shown)
        if refused:
            return refused, []
        refused, keys = self.claim_next(who, worker, 1, None, frozenset(), None, None, shown=shown)
        if refused in ("gate_unmet", "rate_limited"):
            self._attend(who, worker, None)
        elif refused:
            self.__dict__.update(before)
            return refused, []
        return None, keys

    def fail(self, who: Who, key: str, fence: int, *, retry: bool, delay_ms: int | None) -> str | None:
        """Without a delay the caller sets `not_before` from what the deck chose, within `rest_bounds`."""
        refused = self._refuse_holder(who, key, fence)
        if refused:
            return refused
        task = self.tasks[key]
        self._hear(task.worker)
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

    def leave(self, worker: str) -> str | None:
        if worker not in self.workers:
            return "unknown_worker"
        held = [task for task in self.tasks.values() if task.worker == worker]
        if held or self.workers[worker].told != "offline":
            self._hear(worker)
            for task in held:
                self._take_back(task, 0)
            self._end_sessions(worker, "completed")
            self.workers[worker].told = "offline"
        return None
