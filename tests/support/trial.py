"""What machines that try a store have in common: a store of their own, whose log gives its state in the end."""

from __future__ import annotations

import atexit
import logging
import shutil
import sys
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from hypothesis.stateful import RuleBasedStateMachine

from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from taskdeck.domain.order import USUAL, Order
from taskdeck.domain.replay import replay
from taskdeck.domain.view import task_view
from taskdeck.store import tasks


@cache
def _template(order: Order) -> Template:
    folder = Path(tempfile.mkdtemp(prefix="taskdeck-template-"))
    atexit.register(shutil.rmtree, folder)
    return Template(folder, order)


class Faults(logging.Handler):
    """Keeps what the deck says went wrong that no caller did wrong."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []
        logging.getLogger("taskdeck").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(self.format(record))

    def close(self) -> None:
        logging.getLogger("taskdeck").removeHandler(self)
        super().close()


class Trial(RuleBasedStateMachine):
    """A machine with a store, opened by `launch`, whose log must give its state in the end."""

    store: BareStore

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="taskdeck-machine-"))
        self.clock = FakeClock()
        self.faults = Faults()

    def launch(self, order: Order = USUAL) -> None:
        """Open a new store whose queue is in this order."""
        self.store = _template(order).copy(self.folder / "deck.db", self.clock, CountingIds(), order)

    def teardown(self) -> None:
        with ExitStack() as last:
            last.callback(shutil.rmtree, self.folder)
            last.callback(self.faults.close)
            if hasattr(self, "store"):
                last.callback(lambda: self.store.close())
                if sys.exc_info()[0] is None:  # else something has failed before
                    self.in_the_end()

    def settle(self) -> None:
        """Let all that is due be done, some in each batch."""
        for _ in range(100):
            if self.store.runner.mirror.next_due > self.clock.now_ms():
                return
            self.store.batch()
        raise AssertionError("something stays due whatever is done")

    def whole_log(self) -> list[dict[str, Any]]:
        """Every event there ever was; that they are numbered without holes."""
        log = self.store.events()
        assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
        return log

    def in_the_end(self) -> None:
        """What must hold when nothing more is done."""
        assert self.faults.told == []
        self.settle()
        numbers = [row[0] for row in self.store.rows("SELECT number FROM tasks")]
        shown = self.store(lambda unit: [task_view(task) for n in numbers if (task := tasks.by_number(unit, n))])
        assert replay(self.whole_log()) == {view["id"]: view for view in orjson.loads(orjson.dumps(shown))}
