"""`taskdeck export`: tasks into a file, or onto standard output."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.tasks import FILTER_HELP
from taskdeck.exporting import EXPORT_MOST, form_of, head, pages, text_of
from taskdeck.newfile import FileRefused, NewFile

FILE_HELP = "Where to; a name that ends in .csv makes it CSV, all else JSON lines. `-` is standard output."


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    command(app, "export", "Tasks")(export)


async def export(
    deck: Deck,
    file: Annotated[str, typer.Argument(metavar="FILE", help=FILE_HELP)],
    query: Annotated[list[str] | None, typer.Argument(metavar="FILTER", help=FILTER_HELP)] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=EXPORT_MOST, help="At most so many.")] = EXPORT_MOST,
) -> None:
    """Write whole tasks into a file, oldest first: all that a filter matches."""
    asked = pages(deck.client, limit, q=" ".join(query or ()) or None)
    if file == "-":
        async for tasks in asked:
            sys.stdout.write(text_of(tasks, "jsonl"))
        return
    path, number = Path(file), 0
    form = form_of(path)
    try:
        with NewFile(path, over=force) as made:
            made.write(head(form))
            async for tasks in asked:
                made.write(text_of(tasks, form))
                number += len(tasks)
                _progress(number)
            size = made.keep()
    except FileRefused as error:
        hint = "--force writes over it" if "is there already" in str(error) else None
        raise Failure(str(error), hint) from None
    finally:
        _progress(None)
    if deck.out.as_json:
        deck.out.document({"file": str(path), "tasks": number, "bytes": size})
    else:
        deck.out.text(f"{number} {'task' if number == 1 else 'tasks'} in {path}")


def _progress(number: int | None) -> None:
    """How far it is, on a line of its own that goes again; where nobody looks, nothing."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K" if number is None else f"\r{number} tasks …")
        sys.stderr.flush()
