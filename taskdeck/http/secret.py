"""Answers that hold a secret: it is shown in the first one alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from aiohttp import web

from taskdeck.http.call import Call
from taskdeck.http.wire import Reply, body
from taskdeck.store.unit import Unit


class Secretive(Protocol):
    """What has a secret."""

    @property
    def secret(self) -> str: ...


S = TypeVar("S", bound=Secretive)


async def shown_once(
    call: Call, name: str, work: Callable[[Unit], S], view: Callable[[S, Unit], dict[str, Any]], status: int
) -> web.StreamResponse:
    """Answer with what `work` made, as `view` shows it, under `name`, and with its secret.

    What is kept for a repetition under the same Idempotency-Key has null in place of the secret.
    """
    made: dict[str, object] = {}

    def keeping(unit: Unit) -> S:
        result = work(unit)
        made.update({name: view(result, unit), "secret": result.secret})
        return result

    def render(_: S) -> Reply:
        return status, body(made | {"secret": None})

    repeated = await call.write(keeping, render)
    return call.json(made, status) if made else repeated
