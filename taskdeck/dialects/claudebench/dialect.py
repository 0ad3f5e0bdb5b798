"""ClaudeBench as the deck speaks it: all of its routes, and how it carries tokens and refuses."""

from __future__ import annotations

from taskdeck.dialects.claudebench import rest, rpc, sockets
from taskdeck.dialects.claudebench.errors import ORIGIN, refuse
from taskdeck.dialects.dialect import Dialect
from taskdeck.domain.principal import Role
from taskdeck.http.routes import RouteTable

_table = RouteTable()
# looked at in this order: what workers call all the time stands first
_table.routes = [*rpc.routes.routes, *sockets.routes.routes, *rest.routes.routes]

DIALECT = Dialect(
    "claudebench",
    _table,
    refuse,
    open_role=Role.OPERATOR,  # its clients know no roles: any of them may update, assign and delete any task
    origins=frozenset({ORIGIN}),
    body_limit=16 * 1024 * 1024,
)
