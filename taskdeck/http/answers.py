"""What each route answers when it has done what it says: the shape of the body, by method and path."""

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

_TASK = named("Task")
_SECRET = maybe(TEXT)
_PERCENTILES = record({"p50": maybe(SECONDS), "p95": maybe(SECONDS), "count": COUNT})
_DELETED_TEXT, _DELETED_NUMBER = record({"deleted": TEXT}), record({"deleted": INTEGER})
_SHORT_TASK = record({"id": TEXT, "number": INTEGER, "key": TEXT, "state": TEXT})
_DUPLICATE = record({"number": INTEGER, "key": TEXT, "project": TEXT, "state": TEXT, "title": TEXT, "score": NUMBER})
_EVENTS = record({"events": many(named("Event")), "next_after": maybe(COUNT)}, {"next_before": maybe(COUNT)})


def _page(name: str, shape: str, cursor: Schema = TEXT, by: str = "next_cursor") -> Schema:
    return record({name: many(named(shape)), by: maybe(cursor)})


def _list(name: str, shape: str) -> Schema:
    return record({name: many(named(shape))})


_STATS = record(
    {
        "version": TEXT,
        "now": TIME,
        "started_at": TIME,
        "uptime_seconds": SECONDS,
        "counts": named("Counts"),
        "lapsed": COUNT,
        "projects": by_name(record({"counts": named("Counts"), "paused": BOOLEAN})),
        "oldest_ready_seconds": maybe(SECONDS),
        "workers": by_name(COUNT),
        "rates": record(
            {
                "window_seconds": COUNT,
                "claims_per_second": NUMBER,
                "completions_per_second": NUMBER,
                "failures_per_second": NUMBER,
                "series": by_name(many(COUNT)),
            }
        ),
        "wait_seconds": _PERCENTILES,
        "run_seconds": _PERCENTILES,
        "waiting_claims": COUNT,
        "database": record({"bytes": COUNT, "wal_bytes": COUNT}),
        "first_seq": COUNT,
        "last_seq": COUNT,
        "draining": BOOLEAN,
        "ageing_days": NUMBER,
        "projects_in_turn": BOOLEAN,
        "breaker": record(
            {
                "state": one_of("closed", "open", "half_open"),
                "faults": COUNT,
                "opened_at": maybe(TIME),
                "retry_after_seconds": maybe(SECONDS),
                "reason": maybe(TEXT),
            }
        ),
    },
    {"hour": by_name(DOCUMENT)},
)

_VERBS = (
    "skip", "release", "complete", "fail", "retry", "cancel", "promote", "shelve", "approve", "reject", "judge",
    "heed", "assign", "reprioritize", "answer", "override",
)  # fmt: skip

_PAUSABLE = (
    "POST /v1/{}",
    "GET /v1/{}/{{name}}",
    "PATCH /v1/{}/{{name}}",
    "POST /v1/{}/{{name}}/pause",
    "POST /v1/{}/{{name}}/resume",
)

ANSWERS: dict[str, Schema] = {
    **{f"POST /v1/tasks/{{ref}}/{verb}": _TASK for verb in _VERBS},
    "POST /v1/tasks": {"anyOf": [_TASK, record({"tasks": many(_TASK)})]},
    "GET /v1/tasks": record({"tasks": many({"anyOf": [_TASK, named("TaskSummary")]}), "next_cursor": maybe(TEXT)}),
    "GET /v1/tasks/duplicates": record({"duplicates": many(_DUPLICATE)}),
    "GET /v1/tasks/{ref}": _TASK,
    "PATCH /v1/tasks/{ref}": _TASK,
    "DELETE /v1/tasks/{ref}": _DELETED_TEXT,
    "GET /v1/tasks/{ref}/explain": record(
        {"task": TEXT, "worker": TEXT, "claimable": BOOLEAN, "checks": many(named("Check"))}
    ),
    "GET /v1/tasks/{ref}/gates": record({"task": TEXT, "gates": many(named("ShownGate"))}),
    "GET /v1/tasks/{ref}/assignments": record(
        {"task": TEXT, "assignments": many(named("Assignment")), "next_after": maybe(COUNT)}
    ),
    "GET /v1/tasks/{ref}/events": _EVENTS,
    "GET /v1/tasks/{ref}/claims": record({"task": TEXT, "claims": many(named("PastClaim"))}),
    "GET /v1/tasks/{ref}/chain": record(
        {
            "root": TEXT,
            "done": COUNT,
            "total": COUNT,
            "counts": named("Counts"),
            "tasks": many(named("TaskSummary")),
            "next_after": maybe(COUNT),
        }
    ),
    "GET /v1/tasks/{ref}/changes": record({"task": TEXT, "files": many(record({"path": TEXT, "diff": maybe(TEXT)}))}),
    "PUT /v1/tasks/{ref}/changes": _TASK,
    "PATCH /v1/tasks/{ref}/draft": _TASK,
    "POST /v1/claims": named("Claimed"),
    "GET /v1/claims/next": record({"task": maybe(_TASK)}),
    "POST /v1/tasks/{ref}/heartbeat": named("Beat"),
    "POST /v1/tasks/{ref}/delegate": record({"task": _TASK, "child": _TASK}),
    "POST /v1/tasks/{ref}/log": record({"entries": COUNT, "sequence": COUNT, "added": COUNT}),
    "GET /v1/tasks/{ref}/log": _page("entries", "LoggedEntry", COUNT, "next_after"),
    "GET /v1/tasks/{ref}/comments": _page("comments", "Comment"),
    "POST /v1/tasks/{ref}/comments": named("Comment"),
    "PATCH /v1/tasks/{ref}/comments/{id}": named("Comment"),
    "DELETE /v1/tasks/{ref}/comments/{id}": _DELETED_NUMBER,
    "GET /v1/tasks/{ref}/links": _list("links", "Link"),
    "POST /v1/tasks/{ref}/links": named("Link"),
    "DELETE /v1/tasks/{ref}/links/{id}": _DELETED_NUMBER,
    "GET /v1/tasks/{ref}/attachments": _list("attachments", "Attachment"),
    "GET /v1/tasks/{ref}/attachments/{name}": named("Attachment"),
    "POST /v1/tasks/{ref}/attachments": named("Attachment"),
    "DELETE /v1/tasks/{ref}/attachments/{name}": _DELETED_TEXT,
    "GET /v1/tasks/{ref}/context": named("Context"),
    "PATCH /v1/tasks/{ref}/context": named("Context"),
    "POST /v1/tasks/{ref}/context/retract": named("Context"),
    "GET /v1/tasks/{ref}/context/history": _page("entries", "ContextEntry"),
    "GET /v1/search": _list("finds", "Find"),
    "GET /v1/leases": _page("leases", "HeldLease"),
    "GET /v1/workers": _list("workers", "Worker"),
    "POST /v1/workers": named("Worker"),
    "GET /v1/workers/{id}": named("WorkerInFull"),
    "DELETE /v1/workers/{id}": _DELETED_TEXT,
    "POST /v1/workers/{id}/drain": named("Worker"),
    "POST /v1/workers/{id}/heartbeat": named("WorkerBeat"),
    "POST /v1/workers/{id}/leave": named("WorkerThatLeft"),
    "POST /v1/workers/{id}/tokens": record({"token": named("Token"), "secret": _SECRET}),
    "GET /v1/workers/{id}/sessions": _page("sessions", "Session"),
    "POST /v1/workers/{id}/sessions": named("Session"),
    "GET /v1/projects": _list("projects", "Project"),
    "GET /v1/forms": _list("forms", "Form"),
    "POST /v1/forms": named("Form"),
    "GET /v1/forms/{name}/{version}": named("Form"),
    "DELETE /v1/forms/{name}/{version}": record({"deleted": TEXT, "version": INTEGER}),
    "GET /v1/forms/{name}/tags": named("FormTagged"),
    "PATCH /v1/forms/{name}/tags": named("FormTagged"),
    "GET /v1/schedules": _list("schedules", "Schedule"),
    "GET /v1/rules": _list("rules", "Rule"),
    **{
        route.format(plural): named(shape)
        for plural, shape in (("projects", "Project"), ("schedules", "Schedule"), ("rules", "Rule"))
        for route in _PAUSABLE
    },
    "POST /v1/rules/{name}/dry-run": record(
        {
            "applies": BOOLEAN,
            "conditions": many(DOCUMENT),
            "events": many(DOCUMENT),
            "refused": maybe(named("Reason")),
        }
    ),
    **{f"DELETE /v1/{plural}/{{name}}": _DELETED_TEXT for plural in ("schedules", "rules", "sources", "principals")},
    "GET /v1/me": named("Caller"),
    "GET /v1/principals": _list("principals", "Principal"),
    "PATCH /v1/principals/{name}": named("Principal"),
    "GET /v1/tokens": _list("tokens", "Token"),
    "POST /v1/tokens": record({"token": named("Token"), "secret": _SECRET}),
    "DELETE /v1/tokens/{id}": record({"revoked": INTEGER}),
    "POST /v1/passes": record({"pass": TEXT, "expires_at": TIME}),
    "GET /v1/webhooks": record({"webhooks": many(named("Webhook")), "last_seq": COUNT}),
    "POST /v1/webhooks": record({"webhook": named("Webhook"), "secret": _SECRET}),
    "GET /v1/webhooks/{id}": named("Webhook"),
    "PATCH /v1/webhooks/{id}": named("Webhook"),
    "POST /v1/webhooks/{id}/rotate": record({"webhook": named("Webhook"), "secret": _SECRET}),
    "DELETE /v1/webhooks/{id}": _DELETED_NUMBER,
    "GET /v1/webhooks/{id}/deliveries": _page("deliveries", "Delivery"),
    "POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver": named("Delivery"),
    "GET /v1/sources": _list("sources", "InboundSource"),
    "POST /v1/sources": record({"source": named("InboundSource"), "secret": _SECRET}),
    "GET /v1/sources/{name}": named("InboundSource"),
    "PATCH /v1/sources/{name}": named("InboundSource"),
    "POST /v1/sources/{name}/rotate": record({"source": named("InboundSource"), "secret": _SECRET}),
    "POST /v1/inbound/{name}": record(
        {"outcome": one_of("created", "exists", "repeated", "ignored"), "task": maybe(_SHORT_TASK)}
    ),
    "GET /v1/events": _EVENTS,
    "GET /v1/stats": _STATS,
    "GET /v1/attention": record({"items": many(named("Concern")), "counts": by_name(COUNT)}),
    "GET /healthz": record({"status": TEXT}),
    "GET /readyz": record({"status": one_of("ready", "not ready"), "checks": by_name(TEXT)}),
    "GET /openapi.json": ANY,
}
"""By `METHOD path`. What is no JSON has none."""
