"""How a request becomes a WebSocket."""

from __future__ import annotations

from aiohttp import web

from taskdeck.http.call import Call
from taskdeck.http.wire import Problem

HEARTBEAT_S = 20.0
"""How often a client is pinged; one that does not answer for half as long is let go."""
FAREWELL_S = 1.0


def websocket(call: Call, *, most_bytes: int, instead: str) -> web.WebSocketResponse:
    """The WebSocket that `call` asks for, not prepared yet; messages of a client have at most so many bytes.

    Raises:
        Problem: it asks for none; the hint names what serves plain HTTP `instead`.
    """
    socket = web.WebSocketResponse(timeout=FAREWELL_S, heartbeat=HEARTBEAT_S, max_msg_size=most_bytes, compress=False)
    if not socket.can_prepare(call.request).ok:
        raise Problem(
            426,
            "upgrade_required",
            "this is a WebSocket",
            f"Call it with a WebSocket client; {instead} plain HTTP.",
            headers={"Upgrade": "websocket", "Connection": "Upgrade"},
        )
    socket.headers["X-Request-Id"] = call.request_id
    return socket
