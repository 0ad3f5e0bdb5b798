"""What a dialect is: routes, and how its clients carry their token and are told of refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from taskdeck.domain.errors import DeckError
from taskdeck.domain.principal import Role
from taskdeck.domain.rule import Telling
from taskdeck.http.gate import bearer
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Problem
from taskdeck.push.letter import Letter

OPTIONS: Final = web.AppKey("options", dict[str, Any])
"""What the operator chose about dialects, by name."""


Setups = Callable[[str, int, str], dict[str, dict[str, Any]]]
"""What a client's configuration says, by the way in which it is done, the usual one first, for the host and port where
the dialect is at the root and a token."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The API of another system: `name` is its prefix on the main port and what claims made by it say in `via`.

    Its routes take no body models: handlers read `call.raw` and `call.request.query`, so that what is wrong is said in
    the dialect's own words. `refuse(error, request, request_id)` makes the reply of any refusal, from a missing token
    to an internal fault. `secret(request)` is the token that a request carries, empty if none. `open_role` is what a
    call without a token may do where the operator opened the dialect. Bodies may have `body_limit` bytes if
    that is more than the deck lets them have. Pages of the `origins` may call beside those of the server's own. After
    `most_failures` calls without a good token in a minute, if that is not 0, further ones from that address are told to
    wait; who has a good token is not. Whoever calls by it belongs to its `groups` too.
    `letter` is how webhooks are told that were made by it, and `telling` what texts of rules that were made by it are
    filled in from, if not as the deck's own are. `setups` are the ways in which its clients are pointed at the deck.
    """

    name: str
    routes: RouteTable
    refuse: Callable[[Problem | DeckError, web.Request, str], web.Response]
    secret: Callable[[web.Request], str] = bearer
    open_role: Role = Role.AGENT
    body_limit: int = 0
    groups: frozenset[str] = frozenset()
    letter: Letter | None = None
    telling: Telling | None = None
    setups: Setups | None = None
    origins: frozenset[str] = frozenset()
    most_failures: int = 0
