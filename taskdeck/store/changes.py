"""The files that the work on a task changed, in the database."""

from __future__ import annotations

from collections.abc import Sequence

from taskdeck.domain.changes import FileChange
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

_LIST = "SELECT path, diff FROM changes WHERE task = ? ORDER BY place"


def replace(unit: Unit, task: int, files: Sequence[FileChange]) -> None:
    """Let `files` be all that the work on `task` changed."""
    unit.write("DELETE FROM changes WHERE task = ?", (task,))
    for place, one in enumerate(files):
        unit.write(
            "INSERT INTO changes (task, place, path, diff) VALUES (?, ?, ?, ?)", (task, place, one.path, one.diff)
        )


def find(unit: Unit, task: int) -> list[FileChange]:
    """What the work on `task` changed, in the order in which it was told."""
    return [FileChange(*row) for row in unit.read(_LIST, (task,))]


async def list_changes(reader: Reader, task: int) -> list[FileChange]:
    """What the work on `task` changed, in the order in which it was told."""
    return [FileChange(*row) for row in await reader.rows(_LIST, (task,))]
