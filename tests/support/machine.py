"""A store and its model side by side: what is done to both, and what must hold of them after every step."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.model import Model
from support.model_world import ModelTask
from taskdeck.domain.errors import DeckError
from taskdeck.domain.replay import replay
from taskdeck.domain.view import task_view
from taskdeck.store import tasks
from taskdeck.store.order import rank
from taskdeck.store.unit import Unit

ACTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {}
WEIGHTED: list[str] = []
Method = TypeVar("Method", bound=Callable[..., None])


def act(weight: int, **values: st.SearchStrategy[Any]) -> Callable[[Method], Method]:
    """Make the method one of the machine's acts, drawn `weight` times as often as one of weight 1."""

    def declare(method: Method) -> Method:
        ACTS[method.__name__] = st.fixed_dictionaries(values)
        WEIGHTED.extend([method.__name__] * weight)
        return method

    return declare


@cache
def template() -> Template:
    return Template(Path(tempfile.mkdtemp(prefix="taskdeck-template-")))


class Twice(RuleBasedStateMachine):
    """Does to the store and to the model the same, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="taskdeck-machine-"))
        self.clock = FakeClock()
        self.store: BareStore = template().copy(self.folder / "deck.db", self.clock, CountingIds())
        self.model = Model(self.clock.now_ms())

    def teardown(self) -> None:
        try:
            self._log_gives_the_state()
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

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

    def _log_gives_the_state(self) -> None:
        log = self.store.events()
        assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
        numbers = [row[0] for row in self.store.rows("SELECT number FROM tasks")]
        shown = self.store(lambda unit: [task_view(task) for n in numbers if (task := tasks.by_number(unit, n))])
        state = {view["id"]: view for view in orjson.loads(orjson.dumps(shown))}
        assert replay(log) == state


def array(names: frozenset[str]) -> str:
    return orjson.dumps(sorted(names)).decode().replace('","', '", "')
