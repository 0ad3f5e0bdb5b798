"""Comments in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable

from taskdeck.domain.comment import Comment
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

_SELECT = "SELECT number, task, author, byline, text, created_at, edited_at FROM comments"


def insert(unit: Unit, task: int, author: str, byline: str | None, text: str) -> Comment:
    number = unit.write(
        "INSERT INTO comments (task, author, byline, text, created_at) VALUES (?, ?, ?, ?, ?)",
        (task, author, byline, text, unit.now),
    ).lastrowid
    if number is None:
        raise RuntimeError("the database gave no number to a new comment")
    return Comment(number, task, author, byline, text, unit.now, None)


def find(unit: Unit, task: int, number: int) -> Comment | None:
    """The comment of that number, if it is one of `task`."""
    row = unit.read(f"{_SELECT} WHERE number = ? AND task = ?", (number, task)).fetchone()
    return None if row is None else Comment(*row)


def count(unit: Unit, task: int) -> int:
    """How many comments `task` has."""
    return int(unit.read("SELECT count(*) FROM comments WHERE task = ?", (task,)).fetchone()[0])


def rewrite(unit: Unit, comment: Comment, text: str) -> None:
    """Give `comment` another text, in the object and in the database."""
    comment.text, comment.edited_at = text, unit.now
    unit.write("UPDATE comments SET text = ?, edited_at = ? WHERE number = ?", (text, unit.now, comment.number))


def delete(unit: Unit, number: int) -> None:
    unit.write("DELETE FROM comments WHERE number = ?", (number,))


async def list_comments(reader: Reader, task: int, after: int, limit: int) -> list[Comment]:
    """Up to `limit` comments of `task` behind the one numbered `after`, oldest first."""
    rows = await reader.rows(f"{_SELECT} WHERE task = ? AND number > ? ORDER BY number LIMIT ?", (task, after, limit))
    return [Comment(*row) for row in rows]


async def numbered(reader: Reader, numbers: Iterable[int]) -> dict[int, Comment]:
    """Those of these comments that there are, by number."""
    rows = await reader.rows(
        f"{_SELECT} WHERE number IN (SELECT value FROM json_each(?))",  # noqa: S608
        (json.dumps(sorted(numbers)),),
    )
    return {row[0]: Comment(*row) for row in rows}
