"""A store and its model side by side: what is done to both, and what must hold of them after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from hypothesis.stateful import invariant

from support.model import Model
from support.model_world import ModelTask
from support.people import ROOT
from support.trial import Trial
from taskdeck.domain.errors import DeckError, Invalid
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.store.order import rank
from taskdeck.store.unit import Unit

CHECKED_EACH = 20
"""In how many steps it is looked once at whether memory agrees with the database; it is in the end, too."""
BROKEN_EACH = 10
"""In how many steps something breaks down beside the act."""


@dataclass
class Tally:
    """What machines have done: how many ended well after how many steps, and what events they left."""

    machines: int = 0
    steps: int = 0
    events: Counter[str] = field(default_factory=Counter)


TALLY = Tally()
"""Of this process."""


class Twice(Trial):
    """Does to the store and to the model the same, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(self.clock.now_ms())
        self._steps, self._written = 0, -1

    # the two sides of a step

    def real(self, work: Callable[[Unit], Any]) -> tuple[str | None, Any]:
        """The code of the refusal, or None with the result."""
        beside = (_breaks_down,) if self._steps % BROKEN_EACH == 0 else ()
        first = self._steps % (2 * BROKEN_EACH) == 0
        try:
            return None, self.store(work, beside if first else (), () if first else beside)
        except DeckError as error:
            return error.stable_code, None

    def both(self, work: Callable[[Unit], Any], expected: str | None) -> Any:
        code, result = self.real(work)
        assert code == expected
        return result

    def come_due(self) -> None:
        """Let time do to the model what it does to the store before the next act."""
        self.model.upkeep()
        if self.store.runner.mirror.next_due <= self.clock.now_ms():
            self.store.batch()

    def pick(self, index: int, sooner: Sequence[ModelTask] = ()) -> ModelTask:
        """Some task, mostly one of `sooner`."""
        chosen = sooner if sooner and index % 8 < 7 else list(self.model.tasks.values())
        return chosen[index // 8 % len(chosen)]

    # what must hold

    @invariant()
    def store_and_model_are_equal(self) -> None:
        """Looked at when something was written; what lies in memory once in some steps, and in the end."""
        self._steps += 1
        written = self.store.runner.connection.total_changes
        if written != self._written:
            self._written = written
            self._compare_tasks()
            self._compare_dependencies()
            self._compare_queue()
            self._compare_crew()
        if self._steps % CHECKED_EACH == 0:
            self.store.check()

    def in_the_end(self) -> None:
        super().in_the_end()
        self.store.check()
        entries = self.store.rows(
            "SELECT t.key, l.number, l.sequence, l.type, l.body FROM log_entries l JOIN tasks t ON t.number = l.task"
        )
        said = [
            (task.key, at + 1, sum(not quiet for _, _, quiet in task.log[: at + 1]), kind, body)
            for task in self.model.tasks.values()
            for at, (kind, body, _) in enumerate(task.log)
        ]
        assert sorted(entries) == sorted(said)
        TALLY.machines += 1
        TALLY.steps += self._steps
        TALLY.events.update(event["type"] for event in self.whole_log())

    def _compare_tasks(self) -> None:
        found = {
            row[0]: row[1:]
            for row in self.store.rows(
                "SELECT t.key, t.number, k.project, t.state, t.priority, t.attempt, t.max_attempts, t.fence,"
                " t.version, t.worker, t.principal, t.expires_at, t.lease_ms, t.lapsed, t.progress, t.not_before,"
                " t.ready_at, t.queued_at, k.assignee, k.labels, k.capabilities, json_extract(b.error, '$.reason'),"
                " json_extract(b.verdict, '$.verdict'), json_extract(b.completed_by, '$.worker'),"
                " b.kind, t.parent, t.root, t.depth, t.children, b.accountable,"
                " b.turn, t.turn_ends_at, b.at_end, b.draft IS NOT NULL,"
                " CASE WHEN t.work_state = 'waiting_input' THEN"
                "  iif(json_extract(t.question, '$.answered_at') IS NULL, 'open', 'answered') END,"
                " t.review_ends_at, t.due, t.overdue_at IS NOT NULL, t.entries, t.session, b.awaits"
                " FROM tasks t JOIN buckets k ON k.number = t.bucket JOIN bodies b ON b.task = t.number"
            )
        }
        expected = {
            t.key: (
                t.number, t.project, t.state, t.priority, t.attempt, t.max_attempts, t.fence, t.version, t.worker,
                t.principal, t.expires_at, t.lease_ms, int(t.lapsed), t.progress, t.not_before, t.ready_at,
                t.queued_at, t.assignee, array(t.labels), array(t.capabilities), t.error, t.verdict,
                t.completed_by, t.kind, t.parent, t.root, t.depth, t.children, t.accountable, t.turn,
                t.turn_ends_at, t.at_end, int(t.draft), t.asks,
                t.review_ends_at, t.due, int(t.overdue), len(t.log), t.session,
                t.awaits and array(frozenset({t.awaits})),
            )
            for t in self.model.tasks.values()
        }  # fmt: skip
        assert found == expected

    def _compare_dependencies(self) -> None:
        found = set(
            self.store.rows(
                "SELECT t.key, p.key, d.open FROM dependencies d JOIN tasks t ON t.number = d.task"
                " JOIN tasks p ON p.number = d.parent"
            )
        )
        expected = {(t.key, parent, int(o)) for t in self.model.tasks.values() for parent, o in t.parents.items()}
        assert found == expected

    def _compare_queue(self) -> None:
        found = self.store.rows(
            f"SELECT key FROM tasks WHERE state = 'ready' OR lapsed = 1 ORDER BY {rank(self.store.order)}, number"  # noqa: S608
        )
        assert [row[0] for row in found] == [task.key for task in self.model.queue()]

    def _compare_crew(self) -> None:
        workers = self.store.rows(
            "SELECT id, principal, capabilities, last_seen_at, draining, kind, heartbeat_ms, instance, told"
            " FROM workers"
        )
        assert {row[0]: row[1:] for row in workers} == {
            name: (w.owner, array(w.capabilities), w.seen, w.draining, w.kind, w.beat_ms, w.instance, w.told)
            for name, w in self.model.workers.items()
        }
        sessions = self.store.rows(
            "SELECT s.worker, s.key, s.status, s.instance, t.key FROM sessions s LEFT JOIN tasks t ON t.number = s.task"
        )
        assert {row[:2]: row[2:] for row in sessions} == {
            name: (one.status, one.instance, one.task) for name, one in self.model.sessions.items()
        }


def _breaks_down(unit: Unit) -> None:
    """Something that is refused when half of it was done, in the same batch as an act."""
    create(unit, ROOT, [NewTask("half", "default", labels=frozenset({"half"}), assignee="w9")])
    claim(unit, ROOT, ClaimRequest("w9", max_tasks=2))
    raise Invalid("in the middle")


def array(names: frozenset[str]) -> str:
    return orjson.dumps(sorted(names)).decode().replace('","', '", "')
