"""The shapes in replies of what is around tasks, by name: workers, projects, schedules, principals and the rest."""

from __future__ import annotations

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
)

_ROLE = one_of("reader", "agent", "operator", "admin")
_BY = {"created_by": TEXT, "created_at": TIME, "version": INTEGER}
_PAUSED = maybe(record({"at": TIME, "by": TEXT, "reason": maybe(TEXT)}))
_WORKER = {
    "id": TEXT,
    "kind": one_of("agent", "human", "service"),
    "roles": many(TEXT),
    "capabilities": many(TEXT),
    "instance": maybe(TEXT),
    "client": maybe(TEXT),
    "principal": TEXT,
    "label": maybe(TEXT),
    "extra": maybe(DOCUMENT),
    "via": TEXT,
    "state": TEXT,
    "detail": maybe(TEXT),
    "draining": BOOLEAN,
    "heartbeat_seconds": SECONDS,
    "liveness": one_of("active", "idle", "late", "offline", "draining"),
    "held": COUNT,
    "registered_at": TIME,
    "last_seen_at": TIME,
}
_BY_MINUTE = {"completions_by_minute": many(COUNT)}
_PROJECT = {
    "name": TEXT,
    "number": INTEGER,
    "prefix": TEXT,
    "description": TEXT,
    "paused": _PAUSED,
    "lease_seconds": SECONDS,
    "max_attempts": COUNT,
    "backoff_seconds": SECONDS,
    "backoff_cap_seconds": SECONDS,
    "keep_done_days": NUMBER,
    "keep_failed_days": NUMBER,
    "keep_cancelled_days": NUMBER,
    "review": TEXT,
    "gates": many(DOCUMENT),
    "offline_claims": one_of("keep", "lapse"),
    "max_claims": COUNT,
    "max_claims_per_worker": COUNT,
    "max_claims_per_label": by_name(COUNT),
    "exclusive_files": BOOLEAN,
    "created_at": TIME,
    "version": INTEGER,
}
_SCHEDULE = {
    "name": TEXT,
    "project": TEXT,
    "when": TEXT,
    "zone": TEXT,
    "task": DOCUMENT,
    "catch_up": one_of("skip", "one", "all"),
    "overlap": one_of("allow", "skip"),
    "starts_at": TIME,
    "next_at": maybe(TIME),
    "last_task": maybe(INTEGER),
    "paused": _PAUSED,
    **_BY,
}

OF_OTHERS: dict[str, Schema] = {
    "Worker": record(_WORKER, _BY_MINUTE),
    "WorkerInFull": record(
        _WORKER
        | _BY_MINUTE
        | {
            "metrics": record(
                {
                    "since": TIME,
                    "claims": COUNT,
                    "completions": COUNT,
                    "failures": COUNT,
                    "releases": COUNT,
                    "lapses": COUNT,
                    "completions_per_hour": COUNT,
                    "median_hold_seconds": maybe(SECONDS),
                }
            )
        }
    ),
    "WorkerBeat": record(_WORKER | {"signal": one_of("continue", "drain")}),
    "WorkerThatLeft": record(_WORKER | {"released": many(TEXT)}),
    "Session": record(
        {
            "number": INTEGER,
            "worker": TEXT,
            "session": TEXT,
            "status": one_of("active", "completed", "failed", "cancelled"),
            "instance": maybe(TEXT),
            "client": maybe(TEXT),
            "task": maybe(TEXT),
            "metadata": ANY,
            "opened_at": TIME,
            "updated_at": TIME,
            "ended_at": maybe(TIME),
        }
    ),
    "Project": record(_PROJECT, {"counts": named("Counts")}),
    "Form": record(
        {
            "name": TEXT,
            "version": INTEGER,
            "schema": ANY,
            "layout": maybe(DOCUMENT),
            "created_by": TEXT,
            "created_at": TIME,
            "updated_by": TEXT,
            "updated_at": TIME,
        }
    ),
    "FormTagged": record({"form": TEXT, "tags": by_name(TEXT)}),
    "Schedule": record(
        _SCHEDULE,
        {
            "next_ticks": many(TIME),
            "recent": many(record({"tick": TIME, "outcome": TEXT, "task": maybe(TEXT)})),
        },
    ),
    "Rule": record(
        {
            "name": TEXT,
            "description": TEXT,
            "project": maybe(TEXT),
            "via": TEXT,
            "events": many(TEXT),
            "conditions": many(DOCUMENT),
            "acts": many(DOCUMENT),
            "paused": _PAUSED,
            "runs": COUNT,
            "failures": COUNT,
            "last_run_at": maybe(TIME),
            **_BY,
        }
    ),
    "Principal": record(
        {
            "name": TEXT,
            "title": maybe(TEXT),
            "description": TEXT,
            "role": _ROLE,
            "projects": maybe(many(TEXT)),
            "capabilities": many(TEXT),
            "groups": many(TEXT),
            "active": BOOLEAN,
            "tokens": COUNT,
            "last_used_at": maybe(TIME),
            "created_at": TIME,
        }
    ),
    "Caller": record(
        {
            "principal": TEXT,
            "role": _ROLE,
            "worker": maybe(TEXT),
            "capabilities": many(TEXT),
            "groups": many(TEXT),
            "projects": maybe(many(TEXT)),
        }
    ),
    "Token": record(
        {
            "id": INTEGER,
            "prefix": TEXT,
            "principal": TEXT,
            "role": _ROLE,
            "worker": maybe(TEXT),
            "projects": maybe(many(TEXT)),
            "capabilities": many(TEXT),
            "groups": many(TEXT),
            "created_at": TIME,
            "expires_at": maybe(TIME),
            "last_used_at": maybe(TIME),
            "revoked_at": maybe(TIME),
        }
    ),
    "Webhook": record(
        {
            "id": INTEGER,
            "url": TEXT,
            "events": many(TEXT),
            "projects": maybe(many(TEXT)),
            "description": TEXT,
            "active": BOOLEAN,
            "disabled_reason": maybe(TEXT),
            "failures": COUNT,
            "failing_since": maybe(TIME),
            "after": COUNT,
            "rotates_until": maybe(TIME),
            "via": TEXT,
            **_BY,
        }
    ),
    "Delivery": record(
        {
            "id": TEXT,
            "seq": INTEGER,
            "type": maybe(TEXT),
            "state": one_of("pending", "delivered", "failed"),
            "attempts": COUNT,
            "status": maybe(INTEGER),
            "error": maybe(TEXT),
            "created_at": TIME,
            "tried_at": maybe(TIME),
            "next_at": maybe(TIME),
        }
    ),
    "InboundSource": record(
        {
            "name": TEXT,
            "project": TEXT,
            "description": TEXT,
            "scheme": TEXT,
            "active": BOOLEAN,
            "task": DOCUMENT,
            "filters": many(DOCUMENT),
            "unique": maybe(TEXT),
            "per_minute": COUNT,
            "deliveries": COUNT,
            "delivered_at": maybe(TIME),
            "rotates_until": maybe(TIME),
            **_BY,
        }
    ),
}
