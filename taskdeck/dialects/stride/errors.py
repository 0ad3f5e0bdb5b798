"""Refusals in Stride's words."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from taskdeck.domain.errors import DeckError, NotFound, Unavailable
from taskdeck.http.wire import JSON, Problem, status_of

DOCS = "https://raw.githubusercontent.com/cheezy/kanban/refs/heads/main/docs/"
Errors = dict[str, Any]
"""What is wrong with which field: a list of messages, or of such, one for each row of a list of objects."""


class Refused(DeckError):
    """A refusal with its status and its whole body."""

    code = "stride_refused"

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(str(document.get("error", "the request was refused")))
        self.status = status
        self.document = document


def plain(status: int, error: str) -> Refused:
    """A refusal that says what is wrong and no more."""
    return Refused(status, {"error": error})


def explained(status: int, error: str, page: str = "api/README.md", causes: list[str] | None = None) -> Refused:
    """A refusal with where to read on and what may be the cause."""
    return Refused(status, {"error": error, "documentation": DOCS + page, "common_causes": causes or [error]})


def no_task() -> Refused:
    return plain(404, "Task not found")


def invalid(errors: Errors, page: str = "api/README.md") -> Refused:
    """A refusal that says what is wrong with which field."""
    return Refused(422, {"errors": errors, "documentation": DOCS + page})


def failures(error: str, field: str, wrong: list[tuple[str, str]], page: str = "api/README.md", **more: Any) -> Refused:
    """A refusal of one thing with everything wrong within it: pairs of a name and a message."""
    inner = [{"field": name, "message": message} for name, message in wrong]
    return Refused(
        422, {"error": error, "failures": [{"field": field, "errors": inner}], "documentation": DOCS + page, **more}
    )


def bearer(request: web.Request) -> str:
    """The token of the one header `Authorization: Bearer …`, spelled so; empty if there is none."""
    headers = request.headers.getall("Authorization", [])
    if len(headers) != 1 or not headers[0].startswith("Bearer "):
        return ""
    return headers[0].removeprefix("Bearer ").strip()


_DETAILS = {
    "not_found": (404, "Not Found"),
    "method_not_allowed": (404, "Not Found"),
    "bad_json": (400, "Bad Request"),
    "body_too_large": (413, "Request Entity Too Large"),
    "internal": (500, "Internal Server Error"),
}


def refuse(error: Problem | DeckError, request: web.Request, request_id: str) -> web.Response:
    """The reply that tells of `error`."""
    headers = {"X-Request-Id": request_id}
    if isinstance(error, Refused):
        status, document = error.status, error.document
    elif isinstance(error, Problem):
        status, document = _problem(error, request)
        headers |= error.headers
    elif isinstance(error, NotFound):
        status, document = 404, {"error": "Task not found"}
    else:
        status = status_of(error)
        document = explained(status, error.detail, causes=[error.hint or error.detail]).document
        if isinstance(error, Unavailable):
            headers["Retry-After"] = str(error.retry_after_s)
    return web.Response(status=status, body=orjson.dumps(document), content_type=JSON, headers=headers)


def _problem(error: Problem, request: web.Request) -> tuple[int, dict[str, Any]]:
    if error.status == 429:
        return 429, {"error": "Too many requests"}
    if error.status == 401:
        known = bool(bearer(request))
        return 401, {"error": "Invalid API token" if known else "Missing or invalid Authorization header"}
    status, detail = _DETAILS.get(error.code, (error.status, error.detail))
    return status, {"errors": {"detail": detail}}
