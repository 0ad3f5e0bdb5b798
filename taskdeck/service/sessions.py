"""Sessions of workers: opened, changed and ended by what the worker tells of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, NotFound
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal
from taskdeck.domain.session import MAX_OPEN, Session, SessionStatus
from taskdeck.domain.task import Json
from taskdeck.service.attend import seen
from taskdeck.service.find import the_task, the_worker
from taskdeck.store import sessions
from taskdeck.store.unit import Unit


def session_view(session: Session, who: Principal) -> dict[str, Any]:
    """The public shape of a session; its task is shown to those who may see that."""
    shown = session.project is not None and who.sees(session.project)
    return {
        "number": session.number,
        "worker": session.worker,
        "session": session.key,
        "status": session.status,
        "instance": session.instance,
        "client": session.client,
        "task": session.task if shown else None,
        "metadata": orjson.Fragment(session.metadata),
        "opened_at": rfc3339(session.opened_at),
        "updated_at": rfc3339(session.updated_at),
        "ended_at": None if session.ended_at is None else rfc3339(session.ended_at),
    }


def record_session(
    unit: Unit,
    who: Principal,
    worker: str,
    key: str,
    *,
    status: SessionStatus | None = None,
    client: str | None = None,
    task: str | None = None,
    metadata: Json | None = None,
) -> tuple[Session, bool]:
    """Open the session `key` of `worker`, change it, or end it by a `status` other than active; tell if it is new.

    What is None stays as it is. Told to be active, a session that had ended is open again. It belongs to the process
    (`instance`) that the worker registered last.

    Raises:
        NotFound: the worker has not registered, or there is no such task.
        Forbidden: the worker is another principal's.
        Conflict: too many of its sessions are open (`too_many_sessions`).
    """
    owner = seen(unit, the_worker(unit, who, worker))
    known = sessions.find(unit, worker, key)
    active, now = SessionStatus.ACTIVE, unit.now
    before = known or Session(0, worker, key, active, None, owner.client, None, None, "{}", now, now, None)
    named = before.task if task is None else task
    serving = None if named is None else the_task(unit, who, named)
    wanted = replace(
        before,
        status=status or before.status,
        instance=owner.instance,
        client=client or before.client,
        task=None if serving is None else serving.key,
        project=None if serving is None else serving.bucket.project,
        metadata=before.metadata if metadata is None else metadata,
    )
    if known is not None and wanted == known:
        return known, False
    opens = wanted.status is active and (known is None or known.status is not active)
    if opens and _all_in_use(unit, worker):
        raise Conflict(
            f"{worker} has {MAX_OPEN} open sessions",
            hint="End those that are over: POST them with status completed, failed or cancelled.",
            code="too_many_sessions",
        )
    wanted.updated_at = unit.now
    if wanted.status is active:
        wanted.ended_at = None
    elif wanted.ended_at is None:
        wanted.ended_at = unit.now
    wanted.number = sessions.save(unit, wanted, None if serving is None else serving.number)
    kind = "opened" if opens else "changed" if wanted.status is before.status else "ended"
    changes = session_view(wanted, who)
    unit.append(Event(now, f"session.{kind}", who.name, None, wanted.project, worker, changes))
    return wanted, known is None


def _all_in_use(unit: Unit, worker: str) -> bool:
    """Whether no session more can be open. Those it left open for tasks that it holds no more make room."""
    if sessions.open_count(unit, worker, MAX_OPEN) < MAX_OPEN:
        return False
    return not sessions.end_idle(unit, worker)


def require_session(unit: Unit, worker: str, key: str) -> None:
    """Refuse a session of `worker` that is not open.

    Raises:
        NotFound: it has no open session of that name (`unknown_session`).
    """
    found = sessions.find(unit, worker, key)
    if found is None or found.status is not SessionStatus.ACTIVE:
        raise NotFound(
            f"{worker} has no open session {key[:80]!r}",
            hint="Open it with POST /v1/workers/{id}/sessions, or claim without a session.",
            code="unknown_session",
        )
