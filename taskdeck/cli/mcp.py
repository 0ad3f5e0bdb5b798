"""`taskdeck mcp`: tools for an agent that speaks MCP, over standard input and output."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from taskdeck.cli.connect import DataOption, TokenOption, UrlOption, client_for
from taskdeck.cli.errors import ExitCode, Failure
from taskdeck.cli.output import seen_enough
from taskdeck.cli.tasks import WorkerOption
from taskdeck.cli.values import seconds, worker_name

KEEP_HELP = "Renew leases until the agent has been silent for so long; 0 leaves them to the agent."


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command("mcp", rich_help_panel="Work")(mcp)


def mcp(
    worker: WorkerOption = None,
    keep: Annotated[str, typer.Option(metavar="TIME", help=KEEP_HELP)] = "15m",
    url: UrlOption = None,
    token: TokenOption = None,
    data: DataOption = None,
) -> int:
    """Serve an agent that speaks MCP, on standard input and output.

    An MCP client starts this by itself: `taskdeck docs mcp` shows how. Needs the extra `taskdeck[mcp]`.
    What the agent holds when it leaves is released.
    """
    if find_spec("mcp") is None:
        detail, hint = "the package that speaks MCP is not installed", "pip install 'taskdeck[mcp]'"
        raise Failure(detail, hint, code="no_mcp", status=ExitCode.FAULT)
    status = 0
    try:
        status = asyncio.run(_serve(worker_name(worker), seconds(keep) or 0, url, token, data))
    except* BrokenPipeError:  # from within the groups of tasks that serve
        status = seen_enough()
    return status


async def _serve(worker: str, keep_seconds: int, url: str | None, token: str | None, data: Path | None) -> int:
    from taskdeck.mcp.server import serve

    async with client_for(url, token, data) as client:
        status = await serve(client, worker, keep_seconds)
    if status:  # the thread that waits for input cannot be stopped, and the interpreter would wait for it
        sys.stderr.flush()
        os._exit(status)
    return status
