"""Refusals in this dialect's words, and those that its clients know by their exact text."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from taskdeck.domain.errors import DeckError, Forbidden, Invalid, NotFound, StaleFence, TaskCancelled, Unavailable
from taskdeck.http.wire import PROBLEM, Problem, body, status_of

CURSOR = "External run event cursor mismatch"
TERMINAL = "Cannot append external events to a terminal run"
WAITING = "Cannot append external events while the run is waiting for a tool result"
EVENT_TOO_LARGE = "Agent run event payload must be less than 256 KB"
BODY_TOO_LARGE = "Run event request payload must be less than 10 MB"
LOG_TOO_LARGE = "Run event log payload must be less than 64 MB"
_TITLES = {"lease_lost": "Run lease lost", "run_terminal": "Run is terminal"}
_CODES: dict[int, str] = {401: "unauthorized", 403: "forbidden", 404: "not_found", 422: "input_validation_failed"}


def invalid(detail: str) -> Problem:
    """The request cannot mean anything valid."""
    return Problem(400, "input_validation_failed", detail)


def unknown(what: str, name: str) -> Problem:
    return Problem(404, "not_found", f"there is no {what} {name[:80]!r}")


def lease_lost() -> Problem:
    return Problem(
        409, "lease_lost", "Run lease is no longer held", "Stop working on it; nothing was changed. Claim another run."
    )


def already_ended(status: str) -> Problem:
    return Problem(409, "run_terminal", f"The run has ended as {status}", "Its status does not change any more.")


def cursor_mismatch(event_id: int, sequence: int) -> Problem:
    """Refuse events that were meant to follow others than the last ones."""
    headers = {"X-Run-Latest-Event-Id": str(event_id), "X-Run-Latest-External-Sequence": str(sequence)}
    return Problem(400, "event_cursor_mismatch", CURSOR, "Read the run, and go on from its cursor.", headers=headers)


def terminal() -> Problem:
    return Problem(400, "run_terminal", TERMINAL)


def waiting() -> Problem:
    return Problem(400, "run_waiting", WAITING)


def too_large(detail: str) -> Problem:
    return Problem(400, "payload_too_large", detail)


def refuse(error: Problem | DeckError, request: web.Request, request_id: str) -> web.Response:
    """The reply that tells of `error`."""
    status, code = _as_told(error, _is_append(request))
    headers = {"X-Request-Id": request_id}
    if isinstance(error, Problem):
        headers |= error.headers
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    detail = BODY_TOO_LARGE if code == "payload_too_large" and _too_long(error) else error.detail
    document = {
        "type": "about:blank",
        "title": _TITLES.get(code, HTTPStatus(status).phrase),
        "status": status,
        "detail": detail,
        "code": code,
        "hint": error.hint,
        "request_id": request_id,
    }
    return web.Response(status=status, body=body(document), content_type=PROBLEM, headers=headers)


def _as_told(error: Problem | DeckError, append: bool) -> tuple[int, str]:
    """Status and code. Clients take a 409 or 413 to an append for a reason to send it again without end."""
    if isinstance(error, Problem):
        if _too_long(error):
            return 400, "payload_too_large"
        status, code = error.status, _CODES.get(error.status, error.code)
    elif isinstance(error, StaleFence | TaskCancelled):
        status, code = 409, "lease_lost"
    else:
        told = {Invalid: (400, "input_validation_failed"), NotFound: (404, "not_found"), Forbidden: (403, "forbidden")}
        known = next((told[kind] for kind in type(error).__mro__ if kind in told), None)
        status, code = known or (status_of(error), error.stable_code)
    if status == 422 or (append and status == 409):
        status = 400
    return status, code


def _too_long(error: Problem | DeckError) -> bool:
    return isinstance(error, Problem) and error.status == 413


def _is_append(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith("/events")
