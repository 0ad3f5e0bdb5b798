"""The deck as its log had it: events laid over each other one by one, and taken off again."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.states import State
from taskdeck.tui.model.rows import ENDED, TaskRow, Wire, WorkerRow

OPEN_MOST = 50_000
"""Most open tasks whose rows are kept; later ones are counted, and known by what happens to them."""
ENDED_MOST = 2_000
"""Most ended tasks whose rows are kept: those that ended last."""
WAY_BACK = 2_000
"""How many events can be taken off again."""
UNTOLD = "(created before what was read of the log)"
"""Stands for the title of a task whose creation was not read."""

SIGNS_OF_LIFE = frozenset({"task.heartbeat", "task.claimed", "task.completed", "worker.heartbeat"})
_STATES = ("", *(state.value for state in State))
_CODES = {name: code for code, name in enumerate(_STATES)}


@dataclass(frozen=True)
class Mark:
    """A moment to return to. Rows are shared with the replay that made it, for no row ever changes."""

    seq: int
    at_ms: int
    rows: dict[str, TaskRow]
    workers: dict[str, WorkerRow]
    projects: dict[str, Wire]
    ended: dict[str, None]
    states: bytes


class Replay:
    """What a log, read so far, leaves behind. Bounded in rows, exact in counts.

    `seq` and `at_ms` are those of the last event laid; `rows` has the open tasks and those that ended last.
    """

    def __init__(self, mark: Mark | None = None) -> None:
        self.seq = mark.seq if mark else 0
        self.at_ms = mark.at_ms if mark else 0
        self.rows: dict[str, TaskRow] = dict(mark.rows) if mark else {}
        self.workers: dict[str, WorkerRow] = dict(mark.workers) if mark else {}
        self.projects: dict[str, Wire] = dict(mark.projects) if mark else {}
        self.kept: Counter[str] = Counter(row.state for row in self.rows.values())
        """How many rows of each state there are."""
        self._ended: dict[str, None] = dict(mark.ended) if mark else {}
        self._states = bytearray(mark.states if mark else b"")
        self._counts = Counter({code: self._states.count(code) for code in _CODES.values()})
        self._way_back: deque[tuple[int, int, list[Callable[[], None]]]] = deque(maxlen=WAY_BACK)
        self._undo: list[Callable[[], None]] = []
        self._changed: set[str] = set()

    def mark(self) -> Mark:
        """This moment, to begin another replay at."""
        return Mark(
            self.seq, self.at_ms, dict(self.rows), dict(self.workers), dict(self.projects), dict(self._ended),
            bytes(self._states),
        )  # fmt: skip

    @property
    def counts(self) -> dict[str, int]:
        """Tasks by state, all of them, whether their rows are kept or not."""
        return {name: self._counts[code] for name, code in _CODES.items() if name}

    def apply(self, event: Wire, *, back: bool = True) -> set[str]:
        """Lay the next event; returns the ids of the tasks whose rows it changed or took away.

        Without `back`, neither it nor those before it can be taken off again.
        """
        self._undo, self._changed = [], set()
        before = (self.seq, self.at_ms, self._undo)
        self.seq, self.at_ms = event["seq"], from_rfc3339(event["at"])
        kind: str = event["type"]
        if kind == "clock.jumped":
            self._shift(round(event["facts"]["by_seconds"] * 1000))
        if event.get("worker"):
            self._lay_worker(event["worker"], kind, event)
        if kind.startswith("project."):
            self._lay_project(kind, event)
        if event.get("task") is not None:
            self._lay_task(event["task"], kind, event.get("changes") or {}, event["at"])
        if back:
            self._way_back.append(before)
        else:
            self._way_back.clear()
        return self._changed

    def back(self) -> set[str] | None:
        """Take the last event off again; returns the ids of the tasks changed, None if the way back is not known."""
        if not self._way_back:
            return None
        self.seq, self.at_ms, undo = self._way_back.pop()
        self._changed = set()
        for step in reversed(undo):
            step()
        return self._changed

    # -- tasks -----------------------------------------------------------------------------------------------

    def _lay_task(self, subject: Mapping[str, Any], kind: str, changes: Wire, at: str) -> None:
        task: str = subject["id"]
        if kind == "task.deleted":
            self._count(subject["number"], "")
            self._put(task, None)
            return
        known = self.rows.get(task)
        if known is None and "state" not in changes and not changes.get("claim"):
            return  # how it stands is not known until something tells
        row = known.updated(changes) if known else self._first_told(subject, changes, at)
        self._count(row.number, row.state)
        if row.state in ENDED or known is not None or len(self.rows) - len(self._ended) < OPEN_MOST:
            self._put(task, row)

    def _first_told(self, subject: Mapping[str, Any], changes: Wire, at: str) -> TaskRow:
        """The row of a task that is not known: whole by its creation, else as far as this event goes."""
        bare = {"title": UNTOLD, "state": "claimed", "priority": 0, "created_at": at}
        return TaskRow.of({**bare, **subject, **changes})

    def _put(self, task: str, row: TaskRow | None) -> None:
        """Keep `row`, or none, for a task; of those that have ended only the last."""
        self._changed.add(task)
        before = self.rows.get(task)
        self._undo.append(partial(self._restore, task, before))
        self._set(task, row)
        if len(self._ended) > ENDED_MOST:
            oldest = next(iter(self._ended))
            self._undo.append(partial(self._restore, oldest, self.rows[oldest]))
            self._set(oldest, None)

    def _set(self, task: str, row: TaskRow | None) -> None:
        self._ended.pop(task, None)
        before = self.rows.pop(task, None)
        if before is not None:
            self.kept[before.state] -= 1
        if row is None:
            return
        self.rows[task] = row
        self.kept[row.state] += 1
        if row.state in ENDED:
            self._ended[task] = None

    def _restore(self, task: str, row: TaskRow | None) -> None:
        self._changed.add(task)
        self._set(task, row)

    def _count(self, number: int, state: str) -> None:
        states = self._states
        if number >= len(states):
            states.extend(bytes(number + 1 - len(states)))
        before = states[number]
        if before != _CODES[state]:
            self._undo.append(partial(self._recount, number, before))
            self._recount(number, _CODES[state])

    def _recount(self, number: int, code: int) -> None:
        self._counts[self._states[number]] -= 1
        self._counts[code] += 1
        self._states[number] = code

    def _shift(self, by_ms: int) -> None:
        for row in list(self.rows.values()):
            shifted = row.shifted(by_ms)
            if shifted is not row:
                self._put(row.id, shifted)

    # -- workers and projects --------------------------------------------------------------------------------

    def _lay_worker(self, name: str, kind: str, event: Wire) -> None:
        known = self.workers.get(name)
        if kind.startswith("worker."):
            told = dict(event.get("changes") or {})
            row = WorkerRow.of({"id": name, "last_seen_at": event["at"], **told})
            if kind == "worker.drained" and known is not None:  # somebody else's act is no sign of life
                row = row._replace(last_seen_ms=known.last_seen_ms)
            self._keep(self.workers, name, None if kind == "worker.deleted" else row)
        elif known is not None and kind in SIGNS_OF_LIFE:
            self._keep(self.workers, name, known.seen(self.at_ms))

    def _lay_project(self, kind: str, event: Wire) -> None:
        name = event.get("project")
        if name:
            told = {**self.projects.get(name, {}), **(event.get("changes") or {}), "name": name}
            self._keep(self.projects, name, None if kind == "project.deleted" else told)

    def _keep(self, table: dict[str, Any], name: str, value: Any) -> None:
        self._undo.append(partial(_assign, table, name, table.get(name)))
        _assign(table, name, value)


def _assign(table: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        table.pop(name, None)
    else:
        table[name] = value
