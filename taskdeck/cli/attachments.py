"""What is attached to tasks: `attachments` shows it, `attachment put` and `attachment remove` change it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.output import Column
from taskdeck.cli.tasks import RefArgument
from taskdeck.cli.times import ago
from taskdeck.cli.values import document, given

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Its name on the task.")]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    command(app, "attachments", "Tasks")(attachments)
    group = typer.Typer(help="Attach a document to a task, or remove it.", no_args_is_help=True)
    command(group, "put")(put)
    command(group, "remove")(remove)
    app.add_typer(group, name="attachment", rich_help_panel="Tasks")


async def attachments(
    deck: Deck,
    ref: RefArgument,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Print what lies in this one.")] = None,
) -> None:
    """Show what is attached to a task, or one attachment whole."""
    if name is not None:
        one = await deck.client.attachment(ref, name)
        if deck.out.as_json:
            deck.out.document(one)
        else:
            deck.out.block(one["text"] or _pretty(one["value"]) or one["reference"] or "", indent="")
        return
    found = await deck.client.attachments(ref)
    if deck.out.as_json:
        deck.out.document({"attachments": found})
        return
    columns = (Column("NAME"), Column("TYPE"), Column("BYTES", right=True), Column("REFERENCE", flexible=True),
               Column("BY"), Column("CHANGED", right=True))  # fmt: skip
    rows = [
        [
            one["name"],
            one["content_type"] or "",
            "" if one["size"] is None else str(one["size"]),
            one["reference"] or "",
            one["updated_by"],
            ago(one["updated_at"]),
        ]
        for one in found
    ]
    deck.out.table(columns, rows)


def _pretty(value: Any) -> str | None:
    return None if value is None else json.dumps(value, indent=2, ensure_ascii=False)


async def put(
    deck: Deck,
    ref: RefArgument,
    name: NameArgument,
    reference: Annotated[str | None, typer.Option(help="Where it lies: an address, or any name of it.")] = None,
    text: Annotated[str | None, typer.Option(help="What it says, if that is short.")] = None,
    value: Annotated[str | None, typer.Option(help="A short JSON document, or @FILE.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Its content type, such as text/markdown.")] = None,
    size: Annotated[int | None, typer.Option(min=0, help="Bytes of what lies elsewhere.")] = None,
) -> None:
    """Attach a document, in place of what has that name."""
    fields = given(reference=reference, text=text, value=document(value, "--value"), content_type=kind, size=size)
    made = await deck.client.attach(ref, name, **fields)
    if deck.out.as_json:
        deck.out.document(made)
    else:
        deck.out.text(f"attached {name} to {ref}")


async def remove(deck: Deck, ref: RefArgument, name: NameArgument) -> None:
    """Remove an attachment."""
    gone = await deck.client.detach(ref, name)
    if deck.out.as_json:
        deck.out.document(gone)
    else:
        deck.out.text(f"removed {name} from {ref}")
