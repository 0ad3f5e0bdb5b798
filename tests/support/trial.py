"""What machines that try a store have in common: acts drawn by weight, and a store of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from taskdeck.domain.replay import replay
from taskdeck.domain.view import task_view
from taskdeck.store import tasks

Method = TypeVar("Method", bound=Callable[..., None])


class Acts:
    """The acts of one machine, declared as decorators of its methods."""

    def __init__(self) -> None:
        self._values: dict[str, st.SearchStrategy[dict[str, Any]]] = {}
        self._weighted: list[str] = []

    def __call__(self, weight: int, **values: st.SearchStrategy[Any]) -> Callable[[Method], Method]:
        """Make the method an act, drawn `weight` times as often as one of weight 1."""

        def declare(method: Method) -> Method:
            self._values[method.__name__] = st.fixed_dictionaries(values)
            self._weighted.extend([method.__name__] * weight)
            return method

        return declare

    def drawn(self) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        """One of those declared so far, by its name, with its values."""
        return st.sampled_from(self._weighted).flatmap(lambda name: st.tuples(st.just(name), self._values[name]))


@cache
def _template() -> Template:
    return Template(Path(tempfile.mkdtemp(prefix="taskdeck-template-")))


class Trial(RuleBasedStateMachine):
    """A machine with a store, whose log must give its state in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="taskdeck-machine-"))
        self.clock = FakeClock()
        self.store: BareStore = _template().copy(self.folder / "deck.db", self.clock, CountingIds())

    def teardown(self) -> None:
        try:
            self.in_the_end()
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

    def whole_log(self) -> list[dict[str, Any]]:
        """Every event there ever was; that they are numbered without holes."""
        log = self.store.events()
        assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
        return log

    def in_the_end(self) -> None:
        """What must hold when nothing more is done."""
        log = self.whole_log()
        numbers = [row[0] for row in self.store.rows("SELECT number FROM tasks")]
        shown = self.store(lambda unit: [task_view(task) for n in numbers if (task := tasks.by_number(unit, n))])
        assert replay(log) == {view["id"]: view for view in orjson.loads(orjson.dumps(shown))}
