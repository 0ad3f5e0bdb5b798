"""How refusals are said: codes and messages of JSON-RPC, and the replies that tell of what never reached a method."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from taskdeck.dialects.claudebench.issues import Issue
from taskdeck.domain.errors import DeckError
from taskdeck.http.wire import Problem, body

PARSE, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL, UNAUTHORIZED = -32603, -32002
ORIGIN: Final = "http://localhost:3001"
"""Where ClaudeBench's own web page is served: the one other origin that may call."""

_ON_EVERY_REPLY = {
    "Vary": "Origin",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "Mcp-Session-Id",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET,POST,DELETE,OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type,Authorization,mcp-session-id",
}
_MISSING = 404, 405, 426


class Refusal(DeckError):
    """A refusal in JSON-RPC's words: `number` is its code; the other ways of calling say its `detail` instead."""

    def __init__(self, number: int, message: str, data: Any = None, *, detail: str | None = None) -> None:
        super().__init__(message if detail is None else detail)
        self.number = number
        self.message = message
        self.data = data

    def document(self) -> dict[str, Any]:
        """The `error` of a reply."""
        data = {} if self.data is None else {"data": self.data}
        return {"code": self.number, "message": self.message} | data


class Reason(Refusal):
    """What a method could not do, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(INTERNAL, "Internal error", reason, detail=reason)


class Fault(Reason):
    """What a method could not do because the server failed: this alone opens breakers."""


class Late(Reason):
    """What took longer than it may; it may still be done."""

    def __init__(self, ms: int) -> None:
        super().__init__(f"Operation timed out after {ms}ms")


class NoMethod(Refusal):
    """A method that is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(NO_METHOD, f"Method not found: {name}")


class InvalidParams(Refusal):
    """Parameters that fail."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__(INVALID_PARAMS, "Invalid parameters", issues)
        self.issues = issues


class NotAWorker(Refusal):
    """A claim by one who is not registered, or not active."""

    def __init__(self, message: str) -> None:
        super().__init__(INVALID_PARAMS, message, {"validation": "Worker must be registered and active"})


def failure(id: Any, refusal: Refusal) -> dict[str, Any]:
    """The reply of a call that was refused."""
    return {"jsonrpc": "2.0", "error": refusal.document(), "id": id}


def json_reply(request: web.Request, document: Any, status: int = 200) -> web.Response:
    return reply(request, body(document), "application/json", status)


def reply(request: web.Request, content: bytes | None, kind: str | None, status: int = 200) -> web.Response:
    """A reply with what every reply here carries."""
    headers = dict(_ON_EVERY_REPLY)
    if request.headers.get("Origin") == ORIGIN:
        headers["Access-Control-Allow-Origin"] = ORIGIN
    return web.Response(status=status, body=content, content_type=kind, headers=headers)


def preflight(request: web.Request) -> web.Response:
    """The answer to a browser that asks what it may do: there are no routes of that method."""
    answer = reply(request, None, None, 204)
    answer.headers.update(_PREFLIGHT)
    return answer


def refuse(error: Problem | DeckError, request: web.Request, request_id: str) -> web.Response:
    """The reply of a call that never reached a method."""
    if request.method == "OPTIONS":
        return preflight(request)
    status = error.status if isinstance(error, Problem) else 403
    if status in _MISSING:
        answer = reply(request, b"404 Not Found", "text/plain", 404)
    else:
        code = UNAUTHORIZED if status in (401, 403) else INTERNAL
        message = "Unauthorized" if code == UNAUTHORIZED else "Internal error"
        answer = json_reply(request, failure(None, Refusal(code, message, error.detail)), status)
    if isinstance(error, Problem):
        answer.headers.update(error.headers)
    answer.headers["X-Request-Id"] = request_id
    return answer
