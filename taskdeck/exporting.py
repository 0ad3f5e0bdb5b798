"""Tasks as text for files: JSON lines, which hold all of each, or CSV for programs that show tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from taskdeck.domain.text import visible

if TYPE_CHECKING:
    from taskdeck.client import Client, Json

PAGE = 200
EXPORT_MOST = 1_000_000
"""Most tasks in one file."""
FORMULA = ("=", "+", "-", "@")
"""What makes a table's program take a text for a formula, and a stranger's title for a command."""

Form = Literal["jsonl", "csv"]
_COLUMNS = (
    "key", "number", "project", "state", "priority", "title", "labels", "assignee", "holder", "attempt",
    "max_attempts", "created_by", "created_at", "ready_at", "not_before", "due", "finished_at", "error", "id",
)  # fmt: skip


def form_of(path: Path) -> Form:
    """The form that a file's name asks for."""
    return "csv" if path.suffix.lower() == ".csv" else "jsonl"


def head(form: Form) -> str:
    """What stands before the first task."""
    return f"{','.join(_COLUMNS)}\n" if form == "csv" else ""


def text_of(tasks: Iterable[Mapping[str, Any]], form: Form) -> str:
    """Tasks of the API, one a line. JSON lines hold all of a task, in ASCII; CSV what fits into a table."""
    if form == "jsonl":
        return "".join(f"{json.dumps(task)}\n".replace("\x7f", "\\u007f") for task in tasks)
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([_cell(value) for value in _row(task)] for task in tasks)
    return table.getvalue()


def _row(task: Mapping[str, Any]) -> list[Any]:
    given = {
        **task,
        "labels": " ".join(task.get("labels") or ()),
        "holder": (task.get("claim") or {}).get("worker"),
        "error": (task.get("error") or {}).get("message"),
    }
    return [given.get(name) for name in _COLUMNS]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    text = visible(value, keep_newlines=True)
    return f"'{text}" if text.startswith(FORMULA) else text


async def pages(
    client: Client, most: int = EXPORT_MOST, *, sort: str = "number", **filters: Any
) -> AsyncIterator[list[Json]]:
    """All tasks that the filters of `Client.tasks` admit, oldest first or as `sort` says, a page at a time.

    At most `most`.
    """
    cursor: str | None = None
    left = most
    while left > 0:
        page = await client.tasks(sort=sort, cursor=cursor, limit=min(PAGE, left), **filters)
        left -= len(page["tasks"])
        yield page["tasks"]
        cursor = page["next_cursor"]
        if cursor is None:
            return
