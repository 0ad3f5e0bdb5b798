"""The `taskdeck` command: its parts put together, and the one place that turns errors into exit codes."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from taskdeck import __version__
from taskdeck.cli import serve
from taskdeck.cli.errors import report
from taskdeck.cli.help import word
from taskdeck.cli.output import seen_enough

PARTS = (
    *("serve", "backup", "docs", "tasks", "edit", "export", "aside", "attachments", "context", "claims", "run", "mcp"),
    *("operators", "seeing", "follow", "groups", "principals", "forms", "schedules", "rules", "webhooks", "sources"),
    "bench",
)
"""The modules that have commands, in the order in which help shows these."""
EXIT_CODES = (
    "Exit codes: 0 ok · 1 fault · 2 usage · 3 nothing to claim · 4 refused by the present state · "
    "5 not found · 6 not authorised · 7 no deck answers · 130 interrupted · 141 nobody read on"
)


def build(named: str = "") -> typer.Typer:
    """The whole command line; for the name of a command that alone, and no module loaded behind the one that has it."""
    app = typer.Typer(
        name="taskdeck",
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        epilog=EXIT_CODES,
    )
    app.callback(invoke_without_command=True)(deck)
    for part in PARTS:
        import_module(f"taskdeck.cli.{part}").register(app)
        if _alone(app, named):
            break
    else:
        app.command("version", rich_help_panel="Deck")(version)
        _alone(app, named)
    word(app)
    return app


def _alone(app: typer.Typer, named: str) -> bool:
    """Leave `app` the command or group of that name alone, and tell whether it has it."""
    commands = [command for command in app.registered_commands if command.name == named]
    groups = [group for group in app.registered_groups if group.name == named]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups
    return bool(commands or groups)


def deck(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help=serve.DATA_HELP)] = None,
    host: Annotated[str | None, typer.Option(help=serve.HOST_HELP)] = None,
    port: Annotated[int | None, typer.Option(help=serve.PORT_HELP)] = None,
    listen: serve.Listen = None,
    opened: serve.Open = None,
    ascii: serve.AsciiOption = False,
    no_mouse: serve.MouseOption = False,
    on_crash: serve.CrashOption = "serve",
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> int:
    """A deck of tasks that agents, scripts and people claim: server and dashboard in one.

    Without a command, opens the deck of the data folder here, and serves it unless another process does.
    """
    if show_version:
        return version()
    if context.invoked_subcommand is None:
        return serve.open_deck(data, host, port, listen, opened, ascii=ascii, mouse=not no_mouse, on_crash=on_crash)
    if any(given for given in (data, host, listen, opened)) or port is not None:
        raise typer.TyperException(f"options stand behind the command: taskdeck {context.invoked_subcommand} …")
    return 0


def version() -> int:
    """Print the version."""
    print(f"taskdeck {__version__}")
    return 0


def main() -> int:
    """Run the command line and return its exit status; never raises and never prints a traceback."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = build(*sys.argv[1:2])(prog_name="taskdeck", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except BrokenPipeError:
        return seen_enough()
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return report(error)
