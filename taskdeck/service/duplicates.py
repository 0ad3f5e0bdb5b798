"""Likely duplicates: tasks that have not ended and whose title is like another. They are suggested, never refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from taskdeck.domain.states import OPEN, State
from taskdeck.store.reader import Reader, Row

NEWEST = 2_000
"""How many tasks of each state are compared, the newest; those in other projects count against it."""


async def duplicates(
    reader: Reader, title: str, projects: frozenset[str] | None, *, threshold: float, limit: int
) -> list[dict[str, Any]]:
    """Up to `limit` tasks of `projects` (None for all) that are at least `threshold` like `title`, likest first.

    Likeness is from 0 to 1 and does not heed the order of words, capitals or punctuation.
    """
    allowed = None if projects is None else json.dumps(sorted(projects))
    rows: list[Row] = []
    for state in State:
        if state in OPEN:
            rows += await reader.rows(_CANDIDATES, (state, NEWEST, allowed))
    # some milliseconds of reckoning: not on the event loop, on which everything else is waiting
    return await asyncio.to_thread(_likest, title, rows, threshold, limit)


_CANDIDATES = (
    "SELECT t.number, t.key, k.project, t.state, b.title FROM (SELECT number, key, state, bucket FROM tasks"
    " INDEXED BY tasks_by_state WHERE state = ? ORDER BY number DESC LIMIT ?) t JOIN buckets k ON k.number = t.bucket"
    " JOIN bodies b ON b.task = t.number WHERE ?3 IS NULL OR k.project IN (SELECT value FROM json_each(?3))"
)


def _likest(title: str, rows: list[Row], threshold: float, limit: int) -> list[dict[str, Any]]:
    from rapidfuzz import fuzz, process
    from rapidfuzz.utils import default_process

    found = process.extract(
        title,
        [row[4] for row in rows],
        scorer=fuzz.token_sort_ratio,
        processor=default_process,
        score_cutoff=threshold * 100,
        limit=limit,
    )
    names = ("number", "key", "project", "state", "title")
    return [dict(zip(names, rows[at], strict=True)) | {"score": round(score / 100, 3)} for _, score, at in found]
