"""How much is held now, by project, worker, label and file: counted in memory, while any project sets a limit.

Where none does, `on` is False and nothing is counted, so that a deck without limits pays one look at that attribute.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from taskdeck.domain.states import State
from taskdeck.domain.task import Bucket, Json, Task

if TYPE_CHECKING:
    from taskdeck.store.unit import Unit

Hold = tuple[Bucket, str | None, Json]
"""A bucket and a worker under a live lease, or no worker for a task in review; and the files of the task."""

_LIVE = (
    "SELECT t.bucket, t.worker, b.files FROM tasks t JOIN bodies b ON b.task = t.number "
    " WHERE t.state IN ('claimed', 'review') AND t.lapsed = 0"
)
NO_FILES = "[]"


class Held:
    """Counts of live claims. What is in review is held by nobody, yet its files are not free before it is accepted."""

    def __init__(self) -> None:
        self.on = False
        self.counts: Counter[tuple[str, ...]] = Counter()

    def load(self, read: Callable[[str], sqlite3.Cursor], buckets: Mapping[int, Bucket]) -> None:
        """Begin to count, from what the database says is held; `read` runs a query."""
        self.on = True
        self.counts.clear()
        for bucket, worker, files in read(_LIVE):
            self._add((buckets[bucket], worker, files), 1)

    def of_project(self, project: str) -> int:
        return self.counts["project", project]

    def of_worker(self, project: str, worker: str) -> int:
        """How many tasks of `project` the worker holds."""
        return self.counts["worker", project, worker]

    def of_label(self, project: str, label: str) -> int:
        return self.counts["label", project, label]

    def busy(self, project: str, files: Json) -> list[str]:
        """Those of `files` that a task of `project` names which is held or in review."""
        return [path for path in _paths(files) if self.counts["file", project, path]]

    def moved(self, unit: Unit, before: Hold | None, after: Hold | None) -> None:
        """A task was held as `before` and is held as `after`. Where a hold ended, those who wait are looked at."""
        if before == after:
            return
        self._add(before, -1)
        self._add(after, 1)

        def take_back() -> None:
            self._add(after, -1)
            self._add(before, 1)

        unit.undo.append((take_back,))
        if before is not None:
            unit.opened += 1

    def _add(self, hold: Hold | None, by: int) -> None:
        for key in _keys(hold):
            count = self.counts[key] + by
            if count:
                self.counts[key] = count
            else:
                del self.counts[key]


def hold_of(task: Task) -> Hold | None:
    """How `task` is held now."""
    if task.state is State.REVIEW:
        return task.bucket, None, task.files
    if task.worker is None or task.lapsed:
        return None
    return task.bucket, task.worker, task.files


def _keys(hold: Hold | None) -> Iterator[tuple[str, ...]]:
    if hold is None:
        return
    bucket, worker, files = hold
    if worker is not None:
        yield "project", bucket.project
        yield "worker", bucket.project, worker
        for label in bucket.labels:
            yield "label", bucket.project, label
    for path in _paths(files):
        yield "file", bucket.project, path


def _paths(files: Json) -> list[str]:
    return [] if files == NO_FILES else json.loads(files)
