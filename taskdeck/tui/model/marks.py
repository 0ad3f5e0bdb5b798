"""Marked tasks: by id, so that sorting, filtering and reloading cannot shift a mark to another task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from taskdeck.tui.model.rows import TaskRow

LIMIT = 500


class Marks:
    """The marked tasks with their newest known form, in the order of marking."""

    def __init__(self) -> None:
        self._rows: dict[str, TaskRow] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, task: object) -> bool:
        return task in self._rows

    def __iter__(self) -> Iterator[TaskRow]:
        return iter(tuple(self._rows.values()))

    def toggle(self, row: TaskRow) -> bool:
        """Mark or unmark; False if the limit refused a further mark."""
        if self._rows.pop(row.id, None) is not None:
            return True
        if len(self._rows) >= LIMIT:
            return False
        self._rows[row.id] = row
        return True

    @property
    def newest(self) -> str | None:
        """The task that was marked last."""
        return next(reversed(self._rows), None)

    def add(self, rows: Iterable[TaskRow]) -> bool:
        """Mark further tasks; False if the limit left some out."""
        for row in rows:
            if row.id not in self._rows and len(self._rows) >= LIMIT:
                return False
            self._rows[row.id] = row
        return True

    def update(self, row: TaskRow) -> None:
        """Keep the newest form of a marked task."""
        if row.id in self._rows:
            self._rows[row.id] = row

    def drop(self, task: str) -> None:
        """Unmark."""
        self._rows.pop(task, None)

    def clear(self) -> None:
        """Unmark all."""
        self._rows.clear()
