"""`taskdeck edit`: change what a task says."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taskdeck.cli.claims import say
from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.tasks import RefArgument
from taskdeck.cli.values import document, given, moment
from taskdeck.domain.clock import SystemClock

NO_TIME = "none"


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    command(app, "edit", "Tasks")(edit)


async def edit(
    deck: Deck,
    ref: RefArgument,
    title: Annotated[str | None, typer.Option(help="What is to be done.")] = None,
    description: Annotated[str | None, typer.Option("--description", "-d", help="More than the title says.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="In place of all it has.")] = None,
    capability: Annotated[list[str] | None, typer.Option("--cap", help="In place of all it needs.")] = None,
    payload: Annotated[str | None, typer.Option(help="JSON for the worker, or @FILE.")] = None,
    metadata: Annotated[str | None, typer.Option(help="JSON for whoever looks, or @FILE.")] = None,
    after: Annotated[list[str] | None, typer.Option("--after", metavar="REF", help="In place of all.")] = None,
    not_before: Annotated[str | None, typer.Option(help="Time, distance such as +15m, or none.")] = None,
    due: Annotated[str | None, typer.Option(help="Time, distance such as +2d, or none.")] = None,
    max_attempts: Annotated[int | None, typer.Option(min=1, help="How many attempts it may have.")] = None,
    review: Annotated[str | None, typer.Option(help="none, optional, required or four_eyes.")] = None,
    expected: Annotated[int | None, typer.Option("--version", help="Refuse if it has changed since.")] = None,
) -> None:
    """Change what a task says; its priority and assignee have verbs of their own."""
    clock = SystemClock()
    fields: dict[str, Any] = given(
        title=title,
        description=description,
        labels=label,
        capabilities=capability,
        payload=document(payload, "--payload"),
        metadata=document(metadata, "--metadata"),
        depends_on=after,
        max_attempts=max_attempts,
        review=review,
    )
    for name, time in (("not_before", not_before), ("due", due)):
        if time is not None:
            fields[name] = None if time == NO_TIME else moment(time, clock)
    if not fields:
        raise Failure("say what to change", "taskdeck edit --help lists what can be")
    say(deck, await deck.client.edit(ref, **fields, **given(version=expected)), "edited")
