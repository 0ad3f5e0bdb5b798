"""How a command gets its deck: the options every command shares, and the connection they mean."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taskdeck.cli.errors import Failure
from taskdeck.cli.output import Output, seen_enough
from taskdeck.environment import check_environment, data_folder

if TYPE_CHECKING:
    from taskdeck.client import Client

ATTEMPTS = 4
"""How often a request is tried while none answers or the deck says to try again: about a second in all."""

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder of the deck on this machine. (env: TASKDECK_DATA)",
        rich_help_panel="Connection",
    ),
]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Address of a deck. (env: TASKDECK_URL)", rich_help_panel="Connection"),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        help="Who you are to it; the environment keeps it out of process lists. (env: TASKDECK_TOKEN)",
        rich_help_panel="Connection",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


@dataclass(frozen=True)
class Deck:
    """What a command works with: a connected client, and where its answer goes."""

    client: Client
    out: Output


def client_for(url: str | None, token: str | None, data: Path | None) -> Client:
    """The client that the options, else the environment, ask for; else that of the local data folder.

    Raises:
        Failure: the options contradict each other or the address is none.
        Unreachable: no deck serves the local folder.
    """
    from taskdeck.client import Client, local

    check_environment()
    if url is not None and data is not None:
        raise Failure("--url and --data name two decks", "give one of them")
    if url is None and data is None:
        url = os.environ.get("TASKDECK_URL") or None
    if token is None and data is None:  # a deck named by its folder is not the one the environment's token is for
        token = os.environ.get("TASKDECK_TOKEN") or None
    try:
        if url is None:
            return local(data_folder(data), token=token, attempts=ATTEMPTS)
        return Client(url, token=token, attempts=ATTEMPTS)
    except ValueError as error:
        raise Failure(f"{url}: {error}") from None


def command(
    app: typer.Typer, name: str, panel: str | None = None
) -> Callable[[Callable[..., Awaitable[int | None]]], Callable[..., int]]:
    """Register `async def verb(deck: Deck, …)` as a command, with the options for connection and form added.

    It may return an exit status; none means success.
    """

    def register(verb: Callable[..., Awaitable[int | None]]) -> Callable[..., int]:
        @functools.wraps(verb)
        def run(*args: Any, url: str | None, token: str | None, data: Path | None, as_json: bool, **kwargs: Any) -> int:
            async def connected() -> int:
                async with client_for(url, token, data) as client:
                    try:
                        return int(await verb(Deck(client, Output(as_json)), *args, **kwargs) or 0)
                    except UnicodeError:
                        raise Failure("an argument is not UTF-8") from None
                    except ValueError as error:
                        raise Failure(str(error)) from None

            try:
                return asyncio.run(connected())
            except BrokenPipeError:  # Typer would make it a fault
                return seen_enough()

        _add_options(run, inspect.signature(verb, eval_str=True))
        app.command(name, rich_help_panel=panel)(run)
        return run

    return register


def _add_options(run: Callable[..., int], signature: inspect.Signature) -> None:
    own = list(signature.parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter("as_json", keyword, default=False, annotation=JsonOption),
        inspect.Parameter("url", keyword, default=None, annotation=UrlOption),
        inspect.Parameter("token", keyword, default=None, annotation=TokenOption),
        inspect.Parameter("data", keyword, default=None, annotation=DataOption),
    ]
    parameters = [*own, *shared]
    run.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": int}
