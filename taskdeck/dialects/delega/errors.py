"""Refusals in Delega's words: `error`, a sentence for agents, beside the status and the deck's stable code."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from taskdeck.domain.errors import DeckError, FormInvalid, GateUnmet, Invalid, Unavailable, VersionConflict
from taskdeck.http.wire import JSON, Problem, body, status_of

MAX_TEXT = 300
"""Characters of a sentence that clients show."""

DUPLICATE: Final = "duplicate_task"
NO_WRITE: Final = "No write access to this task: claim it first (POST /tasks/:id/claim) or have it assigned to you."
LOST: Final = "You do not hold an active claim on this task; claim it again before continuing."


def refuse(error: Problem | DeckError, _request: web.Request, request_id: str) -> web.Response:
    """The reply that tells of `error`."""
    status = _status(error)
    by_field = isinstance(error, Problem) and error.errors is not None  # whose hint speaks of a list not shown here
    text = f"{error.detail}. {error.hint}" if error.hint and not by_field else error.detail
    document: dict[str, Any] = {"error": text[:MAX_TEXT], "status": status, "code": _code(error)}
    headers = {"X-Request-Id": request_id}
    if isinstance(error, Problem):
        headers |= error.headers
    elif isinstance(error, VersionConflict) or error.stable_code == DUPLICATE:
        document |= error.more
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    return web.Response(status=status, body=body(document), content_type=JSON, headers=headers)


def _code(error: Problem | DeckError) -> str:
    return error.code if isinstance(error, Problem) else error.stable_code


def _status(error: Problem | DeckError) -> int:
    """The deck's status, but 400 for what makes no sense; 422 is kept for what is wanted before a completion."""
    if isinstance(error, Problem):
        return 400 if error.status in (415, 422) else error.status
    if isinstance(error, Invalid) and not isinstance(error, (GateUnmet, FormInvalid)):
        return 400
    return status_of(error)
