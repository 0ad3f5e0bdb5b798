"""Sessions: what a worker calls its work on a run, and how far it says that is."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from taskdeck.dialects.veryfront import errors, words
from taskdeck.dialects.veryfront.attempts import ended_claim, is_live, the_run
from taskdeck.dialects.veryfront.models import RecordSession, read, text_of
from taskdeck.dialects.veryfront.words import NAME
from taskdeck.dialects.veryfront.workers import the_agent, worker_named
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.principal import Role
from taskdeck.domain.session import Session, SessionStatus
from taskdeck.domain.task import Json, Task
from taskdeck.domain.worker import Worker
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.extra import extra_of
from taskdeck.service.sessions import record_session
from taskdeck.store import sessions
from taskdeck.store.unit import Unit

routes = RouteTable()

Document = dict[str, Any]
_BY_THE_WORKER = frozenset({"completed", "failed", "cancelled"})
"""Ends of a claim after which its worker still tells how its session ended."""


@routes.add("PUT", "/agent-workers/workers/{worker_id}/runs/{run_id}/session", Role.AGENT)
async def put_session(call: Call) -> web.StreamResponse:
    """Open a session of a run, change it or end it; the run itself goes on as it is."""
    identity, asked, run = worker_named(call), read(RecordSession, call.raw), call.path("run_id")
    text_of(asked.metadata, "metadata")

    def work(unit: Unit) -> Document:
        worker = the_agent(unit, call.who, identity)
        task, fence = the_run(unit, call.who, run)
        if fence is None or not _may_tell(unit, task, fence, identity):
            raise errors.lease_lost()
        key = words.session_id(task, asked.session_key)
        known = sessions.newest_for(unit, task.number, key)
        status = known.status if known is not None and asked.status is None else SessionStatus(asked.status or "active")
        told = _metadata(worker, asked, known)
        session, _ = record_session(unit, call.who, identity, key, status=status, task=task.key, metadata=told)
        return {"session": session_document(session, run)}

    return await call.write(work, lambda document: (200, body(document)))


def _may_tell(unit: Unit, task: Task, fence: int, worker: str) -> bool:
    """Whether `worker` holds that attempt, or has ended it itself."""
    if is_live(task, fence, unit.now):
        return task.worker == worker
    claim = ended_claim(unit, task, fence)
    return claim.worker == worker and claim.end in _BY_THE_WORKER


def _metadata(worker: Worker, asked: RecordSession, known: Session | None) -> Json:
    before = {} if known is None else orjson.loads(known.metadata)
    told = asked.metadata if "metadata" in asked.model_fields_set else before.get("metadata")
    kind = extra_of(worker, NAME)["implementation_kind"]
    return orjson.dumps({"session_key": asked.session_key, "implementation_kind": kind, "metadata": told}).decode()


def session_of(unit: Unit, task: Task, worker: Worker) -> Document | None:
    """The latest session of the task, whoever's, if it is of the kind of `worker`, which is to go on with it."""
    session = sessions.newest_for(unit, task.number)
    if session is None:
        return None
    told = orjson.loads(session.metadata)
    if told.get("implementation_kind") != extra_of(worker, NAME)["implementation_kind"]:
        return None
    return session_document(session, words.run_id(task, task.fence))


def session_document(session: Session, run: str) -> Document:
    told = orjson.loads(session.metadata)
    return {
        "id": session.key,
        "run_id": run,
        "implementation_kind": told["implementation_kind"],
        "worker_id": session.worker,
        "session_key": told["session_key"],
        "status": session.status,
        "metadata": told["metadata"],
        "created_at": rfc3339(session.opened_at),
        "updated_at": rfc3339(session.updated_at),
        "ended_at": None if session.ended_at is None else rfc3339(session.ended_at),
    }
