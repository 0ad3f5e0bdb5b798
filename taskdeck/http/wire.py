"""What replies are made of: JSON bodies, problems, and the public shapes of claims and leases."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.eligibility import Check
from taskdeck.domain.errors import (
    Conflict,
    DeckError,
    Forbidden,
    FormInvalid,
    GateUnmet,
    Invalid,
    NotFound,
    RateLimited,
    StaleFence,
    StorageFull,
    TaskCancelled,
    Unavailable,
    Unsupported,
)
from taskdeck.domain.task import Task
from taskdeck.domain.view import claim_view, task_view
from taskdeck.service.claim import Claimed
from taskdeck.service.claim_next import Ended
from taskdeck.service.once import Reply as Reply
from taskdeck.service.signals import Signal

JSON = "application/json"
PROBLEM = "application/problem+json"

STATUS: dict[type[DeckError], int] = {
    StorageFull: 507,
    Unavailable: 503,
    RateLimited: 429,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    Unsupported: 501,
}
"""Which HTTP status a refusal has: that of its nearest ancestor here."""


def status_of(error: DeckError) -> int:
    """The HTTP status of `error`; 500 for what is no refusal of ours."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def body(document: Any) -> bytes:
    """`document` as JSON."""
    return orjson.dumps(document)


def task_reply(task: Task) -> Reply:
    return 200, body(task_view(task))


def lease_entry(task: Task) -> dict[str, Any]:
    """A task that was given to a worker, with what its holder must know to keep it."""
    return {
        "task": task_view(task),
        "fence": task.fence,
        "expires_at": None if task.expires_at is None else rfc3339(task.expires_at),
    }


def beat_reply(beat: tuple[Task, Signal]) -> Reply:
    """A lease renewed: whether its holder is to go on, and the answer to what it asked, if there is one."""
    task, signal = beat
    answer = None if task.question is None else orjson.loads(task.question)["answer"]
    return 200, body({**lease_entry(task), "signal": signal, "answer": answer})


def claimed_reply(claimed: Claimed) -> Reply:
    return 200, body(_claimed(claimed))


def ended_reply(ended: Ended) -> Reply:
    """The task as its end left it, with what was claimed in its place."""
    return 200, body({**ended.task, "next": _claimed(ended.next)})


def _claimed(claimed: Claimed) -> dict[str, Any]:
    reasons = [{"code": reason.code, "detail": reason.detail} for reason in claimed.reasons]
    return {"claims": [lease_entry(task) for task in claimed.tasks], "reasons": reasons}


def lease_row(task: Task) -> dict[str, Any]:
    """A live or lapsed claim, with so much of its task as a list shows."""
    return {
        "task": {
            "id": task.id,
            "number": task.number,
            "key": task.key,
            "project": task.bucket.project,
            "title": task.title,
            "priority": task.priority,
            "attempt": task.attempt,
            "max_attempts": task.max_attempts,
        },
        **(claim_view(task) or {}),
    }


def explanation(task: Task, worker: str, checks: list[Check]) -> dict[str, Any]:
    return {
        "task": task.key,
        "worker": worker,
        "claimable": all(check.passed for check in checks),
        "checks": [{"rule": c.rule, "passed": c.passed, "detail": c.detail} for c in checks],
    }


class Problem(Exception):
    """A refusal that belongs to HTTP: of a request that never reached a verb."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str = "",
        *,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        facts: dict[str, int] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.errors = errors
        self.headers = headers or {}
        self.facts = facts or {}


_TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 409: "Conflict", 410: "Gone", 413: "Content Too Large", 415: "Unsupported Media Type",
    421: "Misdirected Request", 422: "Unprocessable Content", 426: "Upgrade Required", 429: "Too Many Requests",
    500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable", 507: "Insufficient Storage",
}  # fmt: skip


def problem_response(error: Problem | DeckError, request_id: str) -> web.Response:
    """The reply that tells of `error` (RFC 9457): what was wrong, and the safe next step."""
    status, document, headers = problem(error, request_id)
    headers["X-Request-Id"] = request_id
    return web.Response(status=status, body=body(document), content_type=PROBLEM, headers=headers)


def problem(error: Problem | DeckError, request_id: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    """What tells of `error`: a status, a document, and headers such as `Retry-After`, in seconds."""
    headers: dict[str, str] = {}
    if isinstance(error, Problem):
        status, code, retryable = error.status, error.code, error.status in (408, 429, 503)
        more: dict[str, Any] = {} if error.errors is None else {"errors": error.errors}
        more |= error.facts
        headers |= ({"Retry-After": "1"} if retryable else {}) | error.headers
    else:
        status, code, retryable = status_of(error), error.stable_code, error.retryable
        more = error.more if error.holder is None else error.more | {"task": error.holder}
        if error.field is not None:
            more = more | {"errors": [{"field": error.field, "message": error.detail}]}
        if isinstance(error, FormInvalid):
            more = more | {"errors": error.errors}
        if isinstance(error, GateUnmet):
            more = more | {"gates": error.gates}
        if isinstance(error, StaleFence | TaskCancelled):
            more = more | {"signal": Signal.STOP}
        if isinstance(error, Unavailable | RateLimited):
            headers["Retry-After"] = str(error.retry_after_s)
    document = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": error.detail,
        "hint": error.hint,
        "retryable": retryable,
        "request_id": request_id,
        **more,
    }
    return status, document, headers


INTERNAL = Problem(
    500,
    "internal",
    "the server met a fault of its own; nothing is known to have changed",
    "Read the task before trying again. The server's log has the fault under this request_id.",
)
