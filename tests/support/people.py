"""Who calls in tests below the API."""

from __future__ import annotations

from taskdeck.domain.principal import Principal, Role

ROOT = Principal("root", Role.ADMIN)
ANN = Principal("ann", Role.AGENT, frozenset({"py"}), frozenset({"crew"}))
EVE = Principal("eve", Role.OPERATOR)
BOB = Principal("bob", Role.AGENT, projects=frozenset({"default"}))
