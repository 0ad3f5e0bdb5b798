"""The shapes of tasks in replies, and of what is held, said and known of them, by name."""

from __future__ import annotations

from taskdeck.domain.states import State
from taskdeck.domain.view import HEAVY
from taskdeck.http.schema import (
    ANY,
    BOOLEAN,
    COUNT,
    DOCUMENT,
    INTEGER,
    NUMBER,
    SECONDS,
    TEXT,
    TIME,
    Schema,
    by_name,
    many,
    maybe,
    named,
    one_of,
    record,
    said,
)

_STATE = one_of(*State)
_COUNTS = record({state.value: COUNT for state in State})
_WORK_STATE = one_of("working", "waiting_input", "errored")
_NAMES = {"id": TEXT, "number": INTEGER, "key": TEXT, "project": TEXT}
_SEEN = {"id": TEXT, "number": INTEGER, "key": TEXT, "title": TEXT, "state": _STATE}
_QUESTION = maybe(
    record(
        {
            "text": TEXT,
            "options": many(TEXT),
            "asked_at": TIME,
            "answer": maybe(TEXT),
            "answered_by": maybe(TEXT),
            "answered_at": maybe(TIME),
        }
    )
)
_CLAIM = {
    "worker": TEXT,
    "principal": TEXT,
    "via": TEXT,
    "fence": said(COUNT, "goes with every write of the holder"),
    "claimed_at": TIME,
    "expires_at": maybe(TIME),
    "lease_seconds": maybe(SECONDS),
    "heartbeat_at": TIME,
    "lapsed": BOOLEAN,
    "state": _WORK_STATE,
    "detail": maybe(TEXT),
    "progress": maybe(said(COUNT, "percent")),
    "session": maybe(TEXT),
    "question": _QUESTION,
}
_TASK = {
    **_NAMES,
    "title": TEXT,
    "description": TEXT,
    "state": _STATE,
    "priority": said(COUNT, "0 to 100; 100 is claimed first"),
    "labels": many(TEXT),
    "capabilities": many(TEXT),
    "payload": ANY,
    "metadata": ANY,
    "files": many(TEXT),
    "assignee": maybe(TEXT),
    "unique_key": maybe(TEXT),
    "kind": one_of("task", "goal"),
    "parent": maybe(TEXT),
    "root": maybe(TEXT),
    "depth": COUNT,
    "children": COUNT,
    "accountable": maybe(TEXT),
    "assignees": maybe(many(DOCUMENT)),
    "turn": maybe(COUNT),
    "turn_ends_at": maybe(TIME),
    "at_end": maybe(TEXT),
    "depends_on": many(TEXT),
    "awaits": many(TEXT),
    "not_before": maybe(TIME),
    "due": maybe(TIME),
    "overdue_at": maybe(TIME),
    "attempt": COUNT,
    "max_attempts": COUNT,
    "backoff_seconds": maybe(SECONDS),
    "backoff_cap_seconds": maybe(SECONDS),
    "result": ANY,
    "error": maybe(DOCUMENT),
    "review": one_of("none", "optional", "required", "four_eyes"),
    "form": maybe(DOCUMENT),
    "draft": maybe(DOCUMENT),
    "gates": maybe(many(DOCUMENT)),
    "proof": maybe(DOCUMENT),
    "handoff": maybe(DOCUMENT),
    "changes": COUNT,
    "completed_by": maybe(DOCUMENT),
    "verdict": maybe(DOCUMENT),
    "extra": maybe(DOCUMENT),
    "run": maybe(TEXT),
    "approve_after_seconds": maybe(SECONDS),
    "review_ends_at": maybe(TIME),
    "claim": maybe(named("TaskClaim")),
    "fence": COUNT,
    "entries": said(COUNT, "of its log"),
    "created_by": TEXT,
    "created_at": TIME,
    "ready_at": maybe(TIME),
    "queued_at": TIME,
    "updated_at": TIME,
    "finished_at": maybe(TIME),
    "version": INTEGER,
}
_SUPERSEDED = maybe(record({"entry": INTEGER, "act": TEXT, "by": TEXT, "at": TIME}))

OF_TASKS: dict[str, Schema] = {
    "Task": record(
        _TASK,
        {
            "existed": said(BOOLEAN, "true where a wish met a task that was there"),
            "next": said(named("Claimed"), "where its end was to claim the next as well"),
        },
    ),
    "TaskSummary": record({name: schema for name, schema in _TASK.items() if name not in HEAVY}),
    "TaskClaim": record(_CLAIM),
    "GivenTask": record({"task": named("Task"), "fence": COUNT, "expires_at": maybe(TIME)}),
    "Claimed": record({"claims": many(named("GivenTask")), "reasons": many(named("Reason"))}),
    "Beat": record(
        {
            "task": named("Task"),
            "fence": COUNT,
            "expires_at": maybe(TIME),
            "signal": one_of("continue", "drain", "stop"),
            "answer": maybe(TEXT),
        }
    ),
    "Reason": record({"code": TEXT, "detail": TEXT}),
    "HeldLease": record(
        {
            "task": record(_NAMES | {"title": TEXT, "priority": COUNT, "attempt": COUNT, "max_attempts": COUNT}),
            **_CLAIM,
        }
    ),
    "PastClaim": record(
        {
            "fence": COUNT,
            "worker": TEXT,
            "principal": TEXT,
            "via": TEXT,
            "began_at": TIME,
            "ended_at": maybe(TIME),
            "end": maybe(one_of("completed", "failed", "released", "lapsed", "cancelled", "overridden")),
            "message": maybe(TEXT),
            "code": maybe(TEXT),
        }
    ),
    "Event": record(
        {
            "seq": INTEGER,
            "at": TIME,
            "type": TEXT,
            "actor": TEXT,
            "task": maybe(record(_NAMES)),
            "project": maybe(TEXT),
            "worker": maybe(TEXT),
            "changes": DOCUMENT,
            "facts": DOCUMENT,
        },
        {"act": TEXT},
    ),
    "Comment": record(
        {
            "id": INTEGER,
            "author": TEXT,
            "byline": maybe(TEXT),
            "text": TEXT,
            "created_at": TIME,
            "edited_at": maybe(TIME),
        }
    ),
    "Link": record(
        {
            "id": INTEGER,
            "kind": TEXT,
            "repository": maybe(TEXT),
            "target": TEXT,
            "url": maybe(TEXT),
            "added_by": TEXT,
            "added_at": TIME,
        }
    ),
    "Attachment": record(
        {
            "id": INTEGER,
            "name": TEXT,
            "content_type": maybe(TEXT),
            "size": maybe(COUNT),
            "reference": maybe(TEXT),
            "created_by": TEXT,
            "created_at": TIME,
            "updated_by": TEXT,
            "updated_at": TIME,
            "text": maybe(TEXT),
            "value": ANY,
        }
    ),
    "Context": record({"context": DOCUMENT, "version": COUNT, "provenance": by_name(DOCUMENT)}),
    "ContextEntry": record(
        {
            "id": INTEGER,
            "key": TEXT,
            "act": one_of("set", "removed", "retracted"),
            "value": ANY,
            "source": TEXT,
            "author": TEXT,
            "at": TIME,
            "version": COUNT,
            "superseded": _SUPERSEDED,
        }
    ),
    "LoggedEntry": record(
        {"number": INTEGER, "sequence": COUNT, "fence": COUNT, "at": TIME, "type": TEXT, "body": ANY}
    ),
    "Assignment": record(
        {"seq": INTEGER, "at": TIME, "act": TEXT, "by": TEXT, "worker": maybe(TEXT), "reason": maybe(TEXT)},
        {"assignee": maybe(TEXT), "turn": maybe(COUNT), "turn_ends_at": maybe(TIME)},
    ),
    "ShownGate": record(
        {"before": one_of("claim", "complete", "approve"), "blocking": BOOLEAN, "example": DOCUMENT},
        {
            "hook": TEXT,
            "timeout_seconds": SECONDS,
            "environment": by_name(TEXT),
            "evidence": many(TEXT),
            "least": COUNT,
            "strong": BOOLEAN,
        },
    ),
    "Check": record({"rule": TEXT, "passed": BOOLEAN, "detail": TEXT}),
    "Find": record(
        {
            "part": one_of("task", "comment", "context"),
            "score": NUMBER,
            "excerpt": TEXT,
            "task": record(_NAMES | {"title": TEXT, "state": _STATE}),
            "comment": maybe(named("Comment")),
            "entry": maybe(named("ContextEntry")),
        }
    ),
    "Concern": record(
        {
            "reason": TEXT,
            "detail": TEXT,
            "since": TIME,
            "project": maybe(TEXT),
            "task": maybe(record(_SEEN | {"priority": COUNT, "fence": COUNT})),
            "worker": maybe(TEXT),
            "question": _QUESTION,
            "also": many(TEXT),
            "next": maybe(record({"verb": TEXT, "method": TEXT, "path": TEXT})),
        }
    ),
    "Counts": _COUNTS,
}
