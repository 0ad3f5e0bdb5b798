"""Conductor as the deck speaks it: all of its routes, and how it carries tokens and refuses."""

from __future__ import annotations

from taskdeck.dialects.conductor import access, claims, orders, search, tasks, templates
from taskdeck.dialects.conductor.errors import refuse
from taskdeck.dialects.conductor.words import NAME, secret
from taskdeck.dialects.dialect import Dialect
from taskdeck.domain.principal import Role
from taskdeck.http.routes import RouteTable

_routes = RouteTable()
# what is taken for a pattern elsewhere stands before it
for _module in (claims, orders, search, tasks, templates, access):
    _routes.routes += _module.routes.routes

DIALECT = Dialect(NAME, _routes, refuse, secret, open_role=Role.OPERATOR)
