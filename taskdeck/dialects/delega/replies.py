"""Answering with tasks: inside of a unit of work, and beside the writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from taskdeck.dialects.delega.task import ALONE, NOTHING, Ids, relatives, task_document
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.wire import body
from taskdeck.store import contexts, tasks
from taskdeck.store.family import ids_of
from taskdeck.store.projects import descriptions
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

Work = Callable[[Unit], Task]
View = dict[str, Any]


def view(unit: Unit, task: Task) -> View:
    """The public shape of `task` as the unit leaves it."""
    context, project = contexts.find(unit, task.number), unit.mirror.projects[task.bucket.project]
    return task_document(task, _ids(unit, task), (context.document, context.version), project.description)


def _ids(unit: Unit, task: Task) -> Ids:
    if task.parent is None:
        return ALONE
    return {key: above.id for key in relatives(task) if (above := tasks.by_key(unit, key)) is not None}


async def views(reader: Reader, found: Sequence[Task]) -> list[View]:
    """The public shapes of tasks that were read."""
    keys = {key for task in found for key in relatives(task)}
    ids = await ids_of(reader, keys) if keys else {}
    known = await contexts.documents(reader, (task.number for task in found))
    called = await descriptions(reader, {task.bucket.project for task in found})
    return [
        task_document(
            task,
            ids,
            (at.document, at.version) if (at := known.get(task.number)) else NOTHING,
            called.get(task.bucket.project, ""),
        )
        for task in found
    ]


async def change(call: Call, work: Work, status: int = 200) -> web.Response:
    """Do `work` and answer with the task it returns."""
    return await call.write(lambda unit: view(unit, work(unit)), lambda shown: (status, body(shown)))


async def alter(call: Call, work: Callable[[Unit], Any], status: int = 200) -> web.Response:
    """Do `work` and answer with the document it returns."""
    return await call.write(work, lambda document: (status, body(document)))


async def once(call: Call, work: Callable[[Unit], tuple[View, View]], status: int) -> web.Response:
    """Do `work` and answer with both documents it returns as one; a repetition is shown the first alone.

    So what is kept for repetitions holds no secret.
    """
    made: list[View] = []

    def noting(unit: Unit) -> View:
        document, secret = work(unit)
        made.append(document | secret)
        return document

    repeated = await call.write(noting, lambda document: (status, body(document)))
    return call.json(made[0], status) if made else repeated
