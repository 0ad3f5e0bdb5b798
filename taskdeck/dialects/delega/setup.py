"""How Delega's MCP server is pointed at the deck."""

from __future__ import annotations

from typing import Any, Final

_HOSTED: Final = "https://api.delega.dev"
"""The name under which the MCP server offers all its tools; it heeds no other."""
_ENTRY: Final = "/path/to/delega-mcp/dist/index.js"


def setups(host: str, port: int, key: str) -> dict[str, dict[str, Any]]:
    """What its host's configuration says, by how it is done: `all` its tools, or `simple`, all but those that claim.

    With `all` the MCP server believes that it calls the hosted service; an option of Node sends its calls to the deck.
    """
    here = f"http://[{host}]:" if ":" in host else f"http://{host}:"
    preload = (
        "--import=data:text/javascript,const%20f=globalThis.fetch;"
        f"globalThis.fetch=(u,o)=>f(String(u).replace('{_HOSTED}:','{here}'),o)"
    )
    return {
        "all": _servers({"DELEGA_API_URL": f"{_HOSTED}:{port}", "DELEGA_AGENT_KEY": key, "NODE_OPTIONS": preload}),
        "simple": _servers({"DELEGA_API_URL": f"{here}{port}", "DELEGA_AGENT_KEY": key}),
    }


def _servers(env: dict[str, str]) -> dict[str, Any]:
    return {"mcpServers": {"delega": {"command": "node", "args": [_ENTRY], "env": env}}}
