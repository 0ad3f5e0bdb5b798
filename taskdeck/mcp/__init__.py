"""An MCP server over standard input and output: a thin client of the API for agents that speak MCP alone."""
