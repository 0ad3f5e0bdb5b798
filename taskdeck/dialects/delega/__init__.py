"""Delega: a work queue for AI agents, for those who came by its MCP server, its Python SDK or its command line."""
