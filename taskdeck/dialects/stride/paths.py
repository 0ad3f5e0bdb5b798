"""Paths with empty parts: clients whose base URL ends in a slash, or whose task id is unset, send them."""

from __future__ import annotations

from dataclasses import replace

from taskdeck.http.routes import Route, RouteTable


def forgiving(table: RouteTable) -> RouteTable:
    """`table`, and behind it every route again for its path with empty parts anywhere."""
    table.routes += [replace(route, path=_loose(route)) for route in table.routes]
    return table


def _loose(route: Route) -> str:
    """A pattern that takes more slashes than one between the parts of the path, before them and behind them."""
    parts = route.path.strip("/").split("/")
    gaps = [f"{{gap{number}:/+}}" for number in range(1, len(parts))]
    between = "".join(f"{part}{gap}" for part, gap in zip(parts, [*gaps, ""], strict=True))
    return f"/{{gap0:/*}}{between}{{end:/*}}"
