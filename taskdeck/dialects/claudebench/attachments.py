"""Methods of a task's attachments."""

from __future__ import annotations

from taskdeck.dialects.claudebench import marks
from taskdeck.dialects.claudebench.attached import (
    DETACHED,
    RESULT,
    attachment_id,
    contents_of,
    documents,
    kind_of,
    result_document,
)
from taskdeck.dialects.claudebench.breakers import Trip
from taskdeck.dialects.claudebench.errors import Reason
from taskdeck.dialects.claudebench.find import the_task
from taskdeck.dialects.claudebench.methods import Ask, Methods
from taskdeck.dialects.claudebench.params import Attach, Attachments, ManyNamed, Named
from taskdeck.dialects.claudebench.words import NAME, Document, ref_of
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import NotFound
from taskdeck.domain.principal import Role
from taskdeck.service.attachments import attach, detach
from taskdeck.service.extra import extra_of, keep
from taskdeck.store.attachments import list_attachments
from taskdeck.store.listing import find_task
from taskdeck.store.unit import Unit

methods = Methods()


async def _of(ask: Ask, id: str) -> list[Document] | None:
    """The attachments of the task of that id; None if there is no such task."""
    reader = ask.deck.reader
    task = await ask.read(find_task(reader, ref_of(id), ask.who))
    return None if task is None else documents(task, await ask.read(list_attachments(reader, task.number)))


def _refuse_empty(asked: Attach) -> None:
    given = asked.model_fields_set
    if not given & {"value", "content", "url"}:
        raise Reason("At least one of value, content, or url must be provided")
    if asked.type == "json" and "value" not in given:
        raise Reason("JSON attachments require a value field")
    if asked.type in ("markdown", "text") and not asked.content:
        raise Reason(f"{asked.type} attachments require a content field")
    if asked.type == "url" and not asked.url:
        raise Reason("URL attachments require a url field")


@methods.add(
    "task.create_attachment",
    Attach,
    about="Add data linked to a task, like a key-value store for tasks",
    limit=50,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise="Attachment service temporarily unavailable",
    label=50,
    persist=True,
)
async def create_attachment(ask: Ask, asked: Attach) -> Document:
    _refuse_empty(asked)
    contents = contents_of(asked)

    def work(unit: Unit) -> Document:
        task = the_task(unit, ask, asked.taskId, f"Task {asked.taskId} not found")
        made, _ = attach(unit, ask.who, task.key, asked.key, contents)
        if asked.key == RESULT and task.result is not None:
            keep(unit, ask.who, task, extra_of(task, NAME) | {DETACHED: True})
        return {
            "id": attachment_id(made.created_at, made.number),
            "taskId": asked.taskId,
            "key": asked.key,
            "type": kind_of(contents),
            "createdAt": rfc3339(made.created_at),
        }

    answer: Document = await ask.write(work)
    return answer


@methods.add(
    "task.list_attachments",
    Attachments,
    role=Role.READER,
    about="List and filter task attachments with pagination",
    limit=500,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise={"attachments": [], "totalCount": 0, "hasMore": False},
    label=100,
)
async def list_of_task(ask: Ask, asked: Attachments) -> Document:
    found = [one for one in await _of(ask, asked.taskId) or [] if asked.type in (None, one["type"])]
    end = asked.offset + asked.limit
    return {"attachments": found[asked.offset : end], "totalCount": len(found), "hasMore": end < len(found)}


@methods.add(
    "task.get_attachment",
    Named,
    role=Role.READER,
    about="Get a specific task attachment by key",
    limit=100,
    timeout_ms=3_000,
    trip=Trip(5, 30_000),
    otherwise="Circuit breaker open for task.get_attachment",
    label=100,
)
async def get_attachment(ask: Ask, asked: Named) -> Document:
    for one in await _of(ask, asked.taskId) or []:
        if one["key"] == asked.key:
            return one
    raise Reason(f"Attachment with key '{asked.key}' not found for task {asked.taskId}")


@methods.add(
    "task.get_attachments_batch",
    ManyNamed,
    role=Role.READER,
    about="Get multiple attachments in a single batch operation",
    limit=100,
    timeout_ms=5_000,
    trip=Trip(10, 30_000),
    otherwise={"attachments": []},
    label=100,
)
async def get_attachments(ask: Ask, asked: ManyNamed) -> Document:
    of_task = {id: await _of(ask, id) or [] for id in {one.taskId for one in asked.requests}}
    found = []
    for wanted in asked.requests:
        one = next((one for one in of_task[wanted.taskId] if one["key"] == wanted.key), None)
        if one is None:
            raise Reason(f"Attachment not found: {wanted.taskId}/{wanted.key}")
        found.append(one)
    return {"attachments": found}


@methods.add(
    "task.delete_attachment",
    Named,
    about="Delete an attachment from a task",
    limit=100,
    timeout_ms=5_000,
    trip=Trip(10, 30_000),
    otherwise="Circuit breaker open for task.delete_attachment",
    label=100,
    persist=True,
)
async def delete_attachment(ask: Ask, asked: Named) -> Document:
    missing = f"Attachment '{asked.key}' not found for task {asked.taskId}"

    def work(unit: Unit) -> Document:
        task = the_task(unit, ask, asked.taskId, missing)
        result = result_document(task) if asked.key == RESULT else None
        if result is not None:
            id, since = result["id"], len(unit.events)
            keep(unit, ask.who, task, extra_of(task, NAME) | {DETACHED: True})
            marks.tell_once(unit, since, task, detached=id)
        else:
            try:
                gone = detach(unit, ask.who, task.key, asked.key)
            except NotFound:
                raise Reason(missing) from None
            id = attachment_id(gone.created_at, gone.number)
        return {"id": id, "taskId": asked.taskId, "key": asked.key, "deleted": True, "deletedAt": rfc3339(unit.now)}

    answer: Document = await ask.write(work)
    return answer
