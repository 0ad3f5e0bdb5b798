"""A store and its model side by side: what is done to both, and what must hold of them after every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from hypothesis.stateful import invariant

from support.model import Model
from support.model_world import ModelTask
from support.trial import Trial
from taskdeck.domain.errors import DeckError
from taskdeck.store.order import rank
from taskdeck.store.unit import Unit


class Twice(Trial):
    """Does to the store and to the model the same, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(self.clock.now_ms())

    # the two sides of a step

    def real(self, work: Callable[[Unit], Any]) -> tuple[str | None, Any]:
        """The code of the refusal, or None with the result."""
        try:
            return None, self.store(work)
        except DeckError as error:
            return error.stable_code, None

    def both(self, work: Callable[[Unit], Any], expected: str | None) -> Any:
        code, result = self.real(work)
        assert code == expected
        return result

    def pick(self, index: int, sooner: Sequence[ModelTask] = ()) -> ModelTask:
        """Some task, mostly one of `sooner`."""
        chosen = sooner if sooner and index % 8 else list(self.model.tasks.values())
        return chosen[index // 8 % len(chosen)]

    # what must hold

    @invariant()
    def store_and_model_are_equal(self) -> None:
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
                "  iif(json_extract(t.question, '$.answered_at') IS NULL, 'open', 'answered') END"
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
            )
            for t in self.model.tasks.values()
        }  # fmt: skip
        assert found == expected

    @invariant()
    def what_waits_for_what_is_equal(self) -> None:
        found = set(
            self.store.rows(
                "SELECT t.key, p.key, d.open FROM dependencies d JOIN tasks t ON t.number = d.task"
                " JOIN tasks p ON p.number = d.parent"
            )
        )
        expected = {(t.key, parent, int(o)) for t in self.model.tasks.values() for parent, o in t.parents.items()}
        assert found == expected

    @invariant()
    def queue_is_equal(self) -> None:
        found = self.store.rows(
            f"SELECT key FROM tasks WHERE state = 'ready' OR lapsed = 1 ORDER BY {rank(self.store.order)}, number"  # noqa: S608
        )
        assert [row[0] for row in found] == [task.key for task in self.model.queue()]

    @invariant()
    def store_agrees_with_itself(self) -> None:
        self.store.check()


def array(names: frozenset[str]) -> str:
    return orjson.dumps(sorted(names)).decode().replace('","', '", "')
