"""All tasks that the queue would show, read from the server in the queue's order: for marks and for files."""

from __future__ import annotations

from collections.abc import AsyncIterator

from taskdeck.client import Client, Json
from taskdeck.domain.order import Order
from taskdeck.exporting import EXPORT_MOST, pages
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.window import home_of, segments_of


async def matching(client: Client, chosen: Filter, claims: Order, *, view: str = "full") -> AsyncIterator[list[Json]]:
    """What a filter lets through, one list of the queue after the other, a page at a time, at most `EXPORT_MOST`.

    A task that moves from one list to another meanwhile is given once.

    Raises:
        ApiError, Unreachable: the server did not tell.
    """
    segments, given = list(segments_of(chosen, claims)), set[int]()
    for segment in segments:
        tasks = pages(client, EXPORT_MOST, sort=segment.listed, state=segment.states, view=view, **chosen.params())
        async for page in tasks:
            ours = [
                wire for wire in page
                if wire["number"] not in given and home_of(segments, TaskRow.of(wire)) is segment
            ][: EXPORT_MOST - len(given)]  # fmt: skip
            given.update(wire["number"] for wire in ours)
            yield ours
            if len(given) >= EXPORT_MOST:
                return
