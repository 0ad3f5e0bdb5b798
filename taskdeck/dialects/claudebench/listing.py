"""The method that lists tasks."""

from __future__ import annotations

from taskdeck.dialects.claudebench.attached import RESULT, kind_of, result_document
from taskdeck.dialects.claudebench.breakers import Trip
from taskdeck.dialects.claudebench.methods import Ask, Methods
from taskdeck.dialects.claudebench.params import List
from taskdeck.dialects.claudebench.words import NOBODY, STATES, Document, task_document
from taskdeck.domain.attachment import Attachment, attachment_view
from taskdeck.domain.principal import Role
from taskdeck.domain.task import Task
from taskdeck.store.attachments import attached_to
from taskdeck.store.filters import TaskFilter
from taskdeck.store.ordered import Order, Wanted, list_page

methods = Methods()

_MOST_KEYS = 20
_ORDERS: dict[str, Order] = {
    "createdAt": "number",
    "updatedAt": "updated",
    "priority": "priority",
    "status": "state",
    "assignedTo": "whose",
}


@methods.add(
    "task.list",
    List,
    role=Role.READER,
    about="List and filter tasks with pagination and sorting",
    limit=100,
    timeout_ms=10_000,
    trip=Trip(5, 30_000),
    otherwise={"tasks": [], "totalCount": 0, "hasMore": False},
    label=100,
)
async def list_tasks(ask: Ask, asked: List) -> Document:
    reader = ask.deck.reader
    wanted = Wanted(
        TaskFilter(states=STATES[asked.status] if asked.status else (), projects=ask.who.projects),
        _ORDERS[asked.orderBy],
        descending=asked.order == "desc",
        offset=min(asked.offset, 2**62),
        limit=asked.limit,
        groups=tuple(STATES.values()),
        priority=asked.priority,
        whose=asked.assignedTo or None,
        nobody=NOBODY,
    )
    tasks, total = await ask.read(list_page(reader, wanted))
    attached = await ask.read(attached_to(reader, [task.number for task in tasks], RESULT))
    shown = [_listed(task, *attached.get(task.number, ([], None))) for task in tasks]
    return {"tasks": shown, "totalCount": total, "hasMore": asked.offset + asked.limit < total}


def _listed(task: Task, keys: list[str], named: Attachment | None) -> Document:
    result = result_document(task)
    if result is not None:
        keys = [key for key in keys if key != RESULT] + [RESULT]
        shown: Document | None = {name: result[name] for name in ("type", "value", "createdAt")}
    else:
        shown = None if named is None else _result(named)
    return task_document(task) | {
        "attachmentCount": len(keys),
        "attachmentKeys": keys[:_MOST_KEYS],
        "resultAttachment": shown,
    }


def _result(one: Attachment) -> Document:
    view = attachment_view(one)
    shown = {"type": kind_of(one.contents), "value": view["value"], "content": view["text"]}
    return {name: value for name, value in shown.items() if value is not None} | {"createdAt": view["created_at"]}
