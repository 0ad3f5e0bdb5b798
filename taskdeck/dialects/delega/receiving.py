"""Where those outside send their events, signed as Delega's senders sign."""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web

from taskdeck.dialects.delega.sourcing import source_said
from taskdeck.dialects.delega.wire import PREFIXES, bounded, table
from taskdeck.dialects.delega.words import task_id
from taskdeck.domain.places import fill
from taskdeck.domain.signature import TOLERANCE_MS
from taskdeck.domain.source import Source
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.routes import PUBLIC
from taskdeck.http.sources import document_of, receive
from taskdeck.http.wire import Problem, Reply, body
from taskdeck.service.inbound import MAX_ABOUT, Became
from taskdeck.service.sources import unknown_source
from taskdeck.store.sources import NO_TALLY

SIGNATURE = "X-Delega-Ingress-Signature"


async def ingest(call: Call) -> web.StreamResponse:
    """Take an event that a source has signed, and make the task it asks for; one that was here makes no second."""
    source, raw = call.deck.sources.get(call.path("id")), call.raw
    bounded(call)
    if source is None or not source.active or source_said(source, NO_TALLY) is None:
        raise unknown_source(call.path("id"))
    _require_signature(source, call.request.headers.get(SIGNATURE, ""), raw, call.deck.clock.now_ms())
    document = document_of(call, raw)
    key = fill(source.unique, document, MAX_ABOUT).encode() if source.unique else b""
    return await receive(call, source, hashlib.sha256(key or raw).hexdigest(), document, _received)


for _prefix in PREFIXES:
    table.add("POST", f"{_prefix}/ingress/{{id}}", PUBLIC, raw=True, success=201)(ingest)


def _received(taken: tuple[Became, Task | None]) -> Reply:
    became, task = taken
    document = {"ok": True, "outcome": became, "task_id": None if task is None else task_id(task.id)}
    return 201 if became is Became.CREATED else 200, body(document)


def _require_signature(source: Source, header: str, raw: bytes, now: int) -> None:
    """Refuse an event that the source's secret has not signed: `t=SECONDS,v1=HEX`, over time, dot and body.

    Raises:
        Problem: it is not signed so (401), or too long ago or ahead.
    """
    said = dict(part.strip().partition("=")[::2] for part in header.split(",")[:8])
    seconds, given = said.get("t", ""), said.get("v1", "").encode(errors="replace")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 15):
        raise _unsigned()
    signed = seconds.encode() + b"." + raw
    wanted = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode() for secret in source.secrets(now)]
    if not any(hmac.compare_digest(given, one) for one in wanted):
        raise _unsigned()
    if abs(now - int(seconds) * 1000) > TOLERANCE_MS:
        detail = f"the event was signed more than {TOLERANCE_MS // 60_000} minutes from now"
        raise Problem(401, "stale_event", detail, "Set the sender's clock, and sign each try anew.")


def _unsigned() -> Problem:
    hint = f"Send {SIGNATURE}: t=<unix>,v1=<hex HMAC-SHA256 of t.body under the source's secret>."
    return Problem(401, "bad_signature", "the event is not signed by this source", hint)
