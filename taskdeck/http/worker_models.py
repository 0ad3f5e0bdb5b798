"""What requests about workers, their sessions and leases may say."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from taskdeck.domain.session import SessionStatus
from taskdeck.domain.task import MAX_LEASE_S
from taskdeck.domain.worker import Kind, WorkerState
from taskdeck.http.models import EMPTY, Body, Document, Limit, Line, Name, Names, Note, Query, Ref, SessionKey, WorkerId


class RegisterWorker(Body):
    """A worker, or what has changed about it. Silent for two `heartbeat_seconds`, it counts as offline.

    `roles` are free words for what it offers; `capabilities` decide what it is given. `instance` names the process: a
    new one each time the worker's program starts, so that a restart is told apart. `client` is what the program is.
    `label` is what people call it.
    """

    id: WorkerId
    label: Annotated[Line, Field(min_length=1, max_length=128)] | None = None
    kind: Kind | None = None
    capabilities: Names | None = None
    heartbeat_seconds: Annotated[float, Field(ge=1, le=MAX_LEASE_S)] | None = None
    roles: Names | None = None
    instance: Name | None = None
    client: Name | None = None


class WorkerHeartbeat(Body):
    """A worker's sign of life. It renews no lease."""

    state: WorkerState | None = None
    detail: Note | None = None


class RecordSession(Body):
    """What a worker is at, under a name of its own. `status` active opens it; any other ends it."""

    session: SessionKey
    status: SessionStatus | None = None
    client: Name | None = None
    task: Ref | None = None
    metadata: Document = EMPTY


class Drain(Body):
    """Give the worker no more work; with false, give it work again."""

    draining: bool = True


class LeaseQuery(Query):
    cursor: str | None = None
    limit: Limit = 100


class SessionQuery(Query):
    """With `open` true, those that have not ended."""

    open: bool = False
    cursor: str | None = None
    limit: Limit = 50
