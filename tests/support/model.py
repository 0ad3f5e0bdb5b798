"""The rules of the deck a second time, as plainly as they can be said, to hold the real one against.

Nothing of `taskdeck` is used here: names are text, times are milliseconds, and every task lies in one dictionary.
Each verb returns the code of the refusal it expects, or None when it has changed the model.
"""

from __future__ import annotations

from support.model_crew import Who
from support.model_holding import Holding
from support.model_world import ENDED, UNSTARTED, WAITING, ModelTask


class Model(Holding):
    """The verbs of operators, and with them all."""

    def answer(self, key: str) -> str | None:
        task = self.tasks[key]
        if task.asks is None:
            return "no_question"
        if task.asks == "answered":
            return "already_answered"
        task.asks = "answered"
        task.version += 1
        return None

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
        elif refused := self._give_back(task, who, None):
            return refused
        task.verdict = "rejected"
        return None

    def judge(self, who: Who, key: str, verdict: str) -> str | None:
        task = self.tasks[key]
        if task.state != "review":
            return "wrong_state"
        if verdict == "approved" and task.review == "four_eyes" and who.name in (task.completed_under, task.completer):
            return "four_eyes"
        task.verdict, task.review_ends_at = verdict, None
        task.version += 1
        return None

    def heed(self, who: Who, key: str, lease_ms: int | None, *, shown: bool = False) -> str | None:
        task = self.tasks[key]
        if not who.sees(task.project):
            return "unknown_task"
        if task.state != "review":
            return "wrong_state"
        if task.completed_under != who.name and not who.operator:
            return "forbidden"
        if task.verdict is None:
            return "not_judged"
        if task.verdict == "approved":
            if "approve" in task.gates and not shown:
                return "gate_unmet"
            self._done(task)
            return None
        return self._give_back(task, who, lease_ms)

    def _give_back(self, task: ModelTask, who: Who, lease_ms: int | None) -> str | None:
        """To the worker that completed it, whose attempt goes on."""
        worker = task.completed_by or ""
        if worker not in self.workers:
            return "worker_gone"
        self._give(task, who, worker, lease_ms, attempt=0)
        task.principal = self.workers[worker].owner
        return None

    def move(self, key: str, project: str) -> str | None:
        self.tasks[key].project = project
        self.tasks[key].version += 1
        self._finish(self.tasks[key])
        return None

    def redate(self, key: str, due: int | None) -> str | None:
        task = self.tasks[key]
        task.due, task.overdue = due, False
        task.version += 1
        self._finish(task)
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

    def retry(self, key: str, delay_ms: int, *, reset: bool) -> str | None:
        task = self.tasks[key]
        if task.state not in ENDED:
            return "wrong_state"
        task.not_before = self.now + delay_ms if delay_ms else None
        task.attempt = 0 if reset else task.attempt
        task.max_attempts = max(task.max_attempts, task.attempt + 1)
        task.error = task.lapsed_under = task.verdict = None
        task.completed_by = task.completed_under = task.completer = None
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
        known = self.workers.get(worker)
        if worker == who.name and (known is None or known.owner == who.name):
            self._attend(who, worker)
        elif known is None:
            return "unknown_worker"
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

    def delete(self, key: str, *, detached: bool) -> str | None:
        if self.tasks[key].state == "claimed":
            return "wrong_state"
        if self._family(key) and not detached:
            return "has_children"
        waiting = [task for task in self.tasks.values() if key in task.parents]
        if waiting and not detached:
            return "has_dependents"
        for task in waiting:
            del task.parents[key]
            free = task.state == "blocked" and task.kind != "goal" and not task.blocked()
            self._go(task, self._resting_state(task) if free else task.state)
            self._finish(task)
        gone = self.tasks.pop(key)
        for session in self.sessions.values():
            session.task = None if session.task == key else session.task
        self._settle(gone)
        return None

    def forget(self, worker: str) -> str | None:
        if worker not in self.workers:
            return "unknown_worker"
        if any(task.worker == worker for task in self.tasks.values()):
            return "holds_claims"
        del self.workers[worker]
        self.sessions = {key: session for key, session in self.sessions.items() if key[0] != worker}
        return None
