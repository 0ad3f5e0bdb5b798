"""Methods: what each is called, takes and may cost, and the one way in which they are run, whoever asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from taskdeck.dialects.claudebench.breakers import Trip
from taskdeck.dialects.claudebench.errors import UNAUTHORIZED, Fault, InvalidParams, Late, Reason, Refusal
from taskdeck.dialects.claudebench.house import House
from taskdeck.dialects.claudebench.params import Params, Wrong
from taskdeck.dialects.claudebench.windows import SPAN_MS
from taskdeck.domain.errors import DeckError, Draining, Forbidden, Unavailable
from taskdeck.domain.principal import Principal, Role
from taskdeck.http.wire import body
from taskdeck.service.deck import Deck
from taskdeck.service.once import OnceKey
from taskdeck.store.unit import Unit

log = logging.getLogger(__name__)

_MOST_OF_CALLER = 128
"""Characters by which callers are told apart."""

T = TypeVar("T")
P = TypeVar("P", bound=Params)


@dataclass(slots=True)
class Ask:
    """Who calls a method: `caller` is whose budget it spends, `limit_ms` how long the call may wait for the deck."""

    deck: Deck
    house: House
    who: Principal
    caller: str
    once: OnceKey | None = None
    limit_ms: int | None = None

    async def write(self, work: Callable[[Unit], Any]) -> Any:
        """Run `work` on the writer, once if the call carries an Idempotency-Key: the document it made.

        Raises:
            Late: it takes too long.
        """
        if self.once is None:
            return await self.in_time(self.deck.write(work))
        answer = self.deck.answer(work, lambda made: (200, body(made)), self.once)
        return orjson.loads((await self.in_time(answer))[1])

    def in_time(self, future: asyncio.Future[T]) -> asyncio.Future[T]:
        """`future`, which ends in time or with `Late`."""
        if self.limit_ms is not None:
            self.house.patience(self.limit_ms).watch(future)
        return future

    async def read(self, query: Awaitable[T]) -> T:
        """What `query` finds.

        Raises:
            Late: it takes too long.
        """
        if self.limit_ms is None:
            return await query
        try:
            async with asyncio.timeout(self.limit_ms / 1000):
                return await query
        except TimeoutError:
            raise Late(self.limit_ms) from None


@dataclass(frozen=True, slots=True)
class Method:
    """A method and its figures.

    It may be called `limit` times in sixty seconds by one caller and take `timeout_ms`. While its breaker is open, it
    is answered with `otherwise`: a document, or the reason for which it cannot be. `label` is the limit that is told.
    """

    name: str
    params: type[Params]
    handler: Callable[[Ask, Any], Awaitable[Any]]
    role: Role
    about: str | None
    limit: int | None
    timeout_ms: int | None
    trip: Trip | None
    otherwise: Any
    label: int | None
    persist: bool

    @property
    def domain(self) -> str:
        return self.name.partition(".")[0]

    @property
    def path(self) -> str:
        """Its route: the first two parts of its name."""
        return "/" + "/".join(self.name.split(".")[:2])

    @property
    def class_name(self) -> str:
        """What the original calls its handler."""
        words = self.name.replace(".", "_").split("_")
        return "".join(word.capitalize() for word in words) + "Handler"


class Methods:
    """The methods by name, as they are declared beside their handlers."""

    def __init__(self) -> None:
        self.by_name: dict[str, Method] = {}

    def add(
        self,
        name: str,
        params: type[P],
        *,
        role: Role = Role.AGENT,
        about: str | None = None,
        limit: int | None = None,
        timeout_ms: int | None = None,
        trip: Trip | None = None,
        otherwise: Any = None,
        label: int | None = None,
        persist: bool = False,
    ) -> Callable[[Callable[[Ask, P], Awaitable[Any]]], Callable[[Ask, P], Awaitable[Any]]]:
        """Declare a method."""

        def declare(handler: Callable[[Ask, P], Awaitable[Any]]) -> Callable[[Ask, P], Awaitable[Any]]:
            self.by_name[name] = Method(
                name, params, handler, role, about, limit, timeout_ms, trip, otherwise, label, persist
            )
            return handler

        return declare


async def run(method: Method, ask: Ask, raw: object) -> Any:
    """What `method` answers to the parameters in `raw`.

    Raises:
        Refusal: it does not do it; nothing was changed, unless it took too long.
    """
    try:
        params = method.params.read(raw)
    except Wrong as wrong:
        raise InvalidParams(wrong.issues) from None
    if not ask.who.role.reaches(method.role):
        raise Refusal(UNAUTHORIZED, "Unauthorized", f"{method.name} needs the role {method.role}")
    now = ask.deck.clock.monotonic_ms()
    caller = str(getattr(params, "workerId", None) or ask.caller)[:_MOST_OF_CALLER]
    if method.limit is not None and not ask.house.windows.admit(method.name, caller, method.limit, now):
        raise Reason(f"Rate limit exceeded: {method.limit} requests per {SPAN_MS}ms")
    if method.trip is None:
        return await _answered(method, ask, params)
    breakers = ask.house.breakers
    if not breakers.admit(method.name, now):
        if isinstance(method.otherwise, str):
            raise Reason(method.otherwise)
        return method.otherwise
    try:
        answer = await _answered(method, ask, params)
    except Fault:
        breakers.failed(method.name, method.trip, ask.deck.clock.monotonic_ms())
        raise
    except Late:
        breakers.undecided(method.name)
        raise
    except Refusal:
        breakers.worked(method.name)
        raise
    breakers.worked(method.name)
    return answer


async def _answered(method: Method, ask: Ask, params: Params) -> Any:
    """What the handler answers, its refusals in this dialect's words.

    Raises:
        Fault: the server failed.
        Refusal: it was refused.
    """
    ask.limit_ms = method.timeout_ms
    try:
        return await method.handler(ask, params)
    except Refusal:
        raise
    except Forbidden as error:
        raise Refusal(UNAUTHORIZED, "Unauthorized", error.detail) from error
    except DeckError as error:
        failed = isinstance(error, Unavailable) and not isinstance(error, Draining)
        raise (Fault if failed else Reason)(error.detail) from error
    except Exception as error:
        log.exception("%s failed", method.name)
        raise Fault("the server met a fault of its own") from error
