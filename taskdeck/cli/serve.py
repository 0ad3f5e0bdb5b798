"""Decks in this terminal: `taskdeck`, `serve`, `attach` and `demo`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from taskdeck.cli.connect import DataOption, TokenOption, client_for
from taskdeck.cli.errors import Failure
from taskdeck.cli.output import has_terminal, seen_enough
from taskdeck.loading import loading

DATA_HELP = "Data folder. (env: TASKDECK_DATA)"
HOST_HELP = "Address to listen on. (env: TASKDECK_HOST, default: 127.0.0.1)"
PORT_HELP = "Port to listen on; 0 takes any free one. (env: TASKDECK_PORT, default: 7337)"
LISTEN_HELP = "NAME=HOST:PORT: serve a dialect there too, at the root. May be repeated. (env: TASKDECK_LISTEN)"
OPEN_HELP = "NAME: let clients of a dialect call without a token, from this machine. (env: TASKDECK_OPEN)"
LOG_HELP = "debug, info, warning or error. (env: TASKDECK_LOG_LEVEL, default: info)"

DataFolder = Annotated[Path | None, typer.Option("--data", metavar="DIR", help=DATA_HELP)]
Host = Annotated[str | None, typer.Option(help=HOST_HELP)]
Port = Annotated[int | None, typer.Option(help=PORT_HELP)]
Listen = Annotated[list[str] | None, typer.Option(metavar="NAME=HOST:PORT", help=LISTEN_HELP)]
Open = Annotated[list[str] | None, typer.Option("--open", metavar="NAME", help=OPEN_HELP)]

AsciiOption = Annotated[bool, typer.Option("--ascii", help="Draw the dashboard with ASCII characters alone.")]
MouseOption = Annotated[bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal.")]
CrashOption = Annotated[
    Literal["serve", "stop"],
    typer.Option("--on-tui-crash", help="What the server does if the dashboard breaks."),
]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command("serve", rich_help_panel="Deck")(serve)
    app.command("attach", rich_help_panel="Deck")(attach)
    app.command("demo", rich_help_panel="Deck")(demo)
    app.command("setup", rich_help_panel="Deck")(setup)


def serve(
    data: DataFolder = None,
    host: Host = None,
    port: Port = None,
    listen: Listen = None,
    opened: Open = None,
    log_level: Annotated[str | None, typer.Option(help=LOG_HELP)] = None,
) -> int:
    """Serve a deck without the dashboard, until SIGINT or SIGTERM."""
    # no plug-in of pydantic's is wanted: to look for one, it reads what every installed package says of itself
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with loading():
        from taskdeck import app
        from taskdeck.config import Settings

    settings = Settings.load(
        data=data, host=host, port=port, listen=listen or None, open=opened or None, log_level=log_level
    )
    return asyncio.run(app.serve(settings))


def setup(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The dialect, such as delega.")],
    way: Annotated[str | None, typer.Option(help="Another way than the usual one; an unknown name lists them.")] = None,
    token: TokenOption = None,
    data: DataFolder = None,
    listen: Annotated[
        list[str] | None, typer.Option(metavar="NAME=HOST:PORT", help="Where the dialect is served, as told to serve.")
    ] = None,
) -> int:
    """Print what the configuration of a dialect's clients says, ready to be copied.

    Without a token there is a place for one.
    """
    with loading():
        from taskdeck import app
        from taskdeck.config import Settings

    settings = Settings.load(data=data, listen=listen or None)
    try:
        ways = app.setups_of(settings, name, token or os.environ.get("TASKDECK_TOKEN") or "td_…")
    except ValueError as error:
        raise Failure(str(error)) from None
    chosen = way or next(iter(ways))
    if chosen not in ways:
        raise Failure(f"there is no way {chosen[:80]!r} for {name}", f"there are {', '.join(ways)}")
    print(json.dumps(ways[chosen], indent=2, ensure_ascii=False))
    return 0


def attach(
    url: Annotated[str | None, typer.Argument(help="Address of a deck. (env: TASKDECK_URL)")] = None,
    token: TokenOption = None,
    data: DataOption = None,
    ascii: AsciiOption = False,
    no_mouse: MouseOption = False,
) -> int:
    """Open the dashboard on a deck that is served elsewhere."""
    if not has_terminal():
        raise Failure(
            "attach draws on a terminal, and this is none that can",
            "`taskdeck events --follow` and `taskdeck stats` need none",
        )
    from taskdeck.cli.dashboard import Manner, attached

    return asyncio.run(attached(client_for(url, token, data), manner=Manner(ascii=ascii, mouse=not no_mouse)))


def open_deck(
    data: Path | None,
    host: str | None,
    port: int | None,
    listen: list[str] | None = None,
    opened: list[str] | None = None,
    *,
    ascii: bool = False,
    mouse: bool = True,
    on_crash: Literal["serve", "stop"] = "serve",
) -> int:
    """Server and dashboard in one process; attaches where another process already serves the folder."""
    if not has_terminal():
        return serve(data, host, port, listen, opened)
    from taskdeck.cli.dashboard import Manner, attached, served
    from taskdeck.client import Unreachable, local
    from taskdeck.config import Settings

    settings = Settings.load(data=data, host=host, port=port, listen=listen or None, open=opened or None)
    manner = Manner(ascii=ascii, mouse=mouse, ends_with_dashboard=on_crash == "stop")
    try:
        client = local(settings.data)
        note = f"{settings.data} is served by another process: attached to it"
        return asyncio.run(attached(client, note, manner=manner))
    except Unreachable:  # nobody is there, whatever a file left by a killed server says
        return asyncio.run(served(settings, manner=manner))


def demo(
    length: Annotated[float | None, typer.Option("--seconds", min=0.1, help="End after so many seconds.")] = None,
    agents: Annotated[int, typer.Option(min=0, max=200, help="How many simulated agents.")] = 8,
    seed: Annotated[int, typer.Option(help="The same seed makes the same plans.")] = 7337,
    port: Annotated[int | None, typer.Option(help="Port to listen on; any free one if left out.")] = None,
    ascii: AsciiOption = False,
    no_mouse: MouseOption = False,
) -> int:
    """Open a throw-away deck on which simulated agents work; without a terminal, print its events."""
    from taskdeck.cli.dashboard import Manner
    from taskdeck.cli.demo import run_demo

    if length is None and not has_terminal():
        print("no terminal: printing events until interrupted; --seconds N ends it", file=sys.stderr)
    manner = Manner(ascii=ascii, mouse=not no_mouse)
    try:
        return asyncio.run(run_demo(seconds=length, agents=agents, seed=seed, port=port or 0, manner=manner))
    except BrokenPipeError:
        return seen_enough()
