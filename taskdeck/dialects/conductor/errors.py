"""Refusals in Conductor's words."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.dialects.conductor.words import secret
from taskdeck.domain.errors import DeckError, Forbidden, FormInvalid, Unavailable
from taskdeck.http.wire import JSON, Problem, body

_INSTANCE = "taskdeck"
# not what a client would repeat a call after, or what it does not expect
_STATUS = {409: 400, 422: 400, 429: 400}


def refuse(error: Problem | DeckError, request: web.Request, request_id: str) -> web.Response:
    """The reply of a refusal: its `message` is what clients show."""
    headers = {"X-Request-Id": request_id}
    if isinstance(error, Problem):
        status, code, retryable = error.status, error.code, error.status in (408, 503)
        headers |= {name: value for name, value in error.headers.items() if name != "WWW-Authenticate"}
    else:
        status, code, retryable = _status(error), error.stable_code, error.retryable
    document: dict[str, Any] = {
        "status": _STATUS.get(status, status),
        "message": error.detail,
        "instance": _INSTANCE,
        "retryable": retryable,
        "code": code,
    }
    if status == 401:
        document |= _unlocked(code, request)
    found = error.errors if isinstance(error, Problem | FormInvalid) else None
    if found:
        document["validationErrors"] = [{"path": one["field"], "message": one["message"]} for one in found]
    return web.Response(status=document["status"], body=body(document), content_type=JSON, headers=headers)


def _status(error: DeckError) -> int:
    match error:
        case Unavailable():
            return 503
        case Forbidden():
            return 403
        case _:
            return 400


def _unlocked(code: str, request: web.Request) -> dict[str, Any]:
    """What a client needs to know of its token: at these words it fetches a new one and repeats the call."""
    if code == "token_expired":
        return {"error": "EXPIRED_TOKEN"}
    if code == "unauthorized" and secret(request):
        return {"status": 403, "error": "INVALID_TOKEN"}
    return {"error": "UNAUTHORIZED"}


def bad_request(message: str, code: str = "invalid_request", errors: list[dict[str, str]] | None = None) -> Problem:
    """A request that cannot mean anything valid; each of `errors` has `field` and `message`."""
    return Problem(400, code, message, errors=errors)


def not_found(message: str) -> Problem:
    return Problem(404, "not_found", message)
