"""What routes that read share: the task as the caller sees it, numbers in paths, pages of a bearable size."""

from __future__ import annotations

from collections.abc import Iterable

from taskdeck.domain.errors import NotFound
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.service.find import unknown_task
from taskdeck.store.listing import find_task

PAGE_BYTES = 4 << 20
"""A page of whole documents ends where they reach this size."""


async def seen_task(call: Call) -> Task:
    """The task that the path names, read beside the writer.

    Raises:
        NotFound: there is none that the caller sees.
    """
    ref = call.path("ref")
    task = await find_task(call.deck.reader, ref, call.who)
    if task is None:
        raise unknown_task(ref)
    return task


def path_number(call: Call, what: str, name: str = "id") -> int:
    """A number in the path, of such a thing as `what`.

    Raises:
        NotFound: it is no number, so nothing has it.
    """
    text = call.path(name)
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise NotFound(f"there is no {what} {text[:80]!r}", hint="It is named by a number.", code=f"unknown_{what}")
    return int(text)


def fitting(sizes: Iterable[int], most: int) -> int:
    """How many of the first things, at least one if there are any, take no more than `most` together."""
    total = count = 0
    for size in sizes:
        total += size
        if total > most and count:
            break
        count += 1
    return count
