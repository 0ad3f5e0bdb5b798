"""`taskdeck form …`: the forms that people fill in."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.output import Column
from taskdeck.cli.times import ago
from taskdeck.cli.values import document, given

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A form's name.")]


def register(app: typer.Typer) -> None:
    """Add this group to `app`."""
    forms = typer.Typer(help="Keep the forms that people fill in.", no_args_is_help=True)
    command(forms, "save")(save_form)
    command(forms, "list")(list_forms)
    command(forms, "show")(show_form)
    command(forms, "delete")(delete_form)
    app.add_typer(forms, name="form", rich_help_panel="Operating")


def form_named(text: str | None) -> dict[str, Any] | None:
    """The form that `NAME` or `NAME@VERSION` means, as a wish for a task says it.

    Raises:
        Failure: the version is no number.
    """
    if text is None:
        return None
    name, at, version = text.rpartition("@")
    if not at:
        return {"name": text}
    if not (version.isascii() and version.isdigit()):
        raise Failure(f"{text!r} names no version of a form", "write NAME, or NAME@VERSION such as order@3")
    return {"name": name, "version": int(version)}


async def save_form(
    deck: Deck,
    name: NameArgument,
    schema: Annotated[str, typer.Argument(metavar="SCHEMA", help="A JSON Schema of draft 7, or @FILE.")],
    layout: Annotated[str | None, typer.Option(metavar="JSON", help="How it is laid out, or @FILE.")] = None,
) -> None:
    """Save a form as its next version; tasks keep the version they were made with."""
    found = document(schema, "SCHEMA")
    if not isinstance(found, dict):
        raise Failure("a schema is a JSON object", '\'{"properties": {"amount": {"type": "number"}}}\' is one')
    made = await deck.client.save_form(name, found, **given(layout=document(layout, "--layout")))
    if deck.out.as_json:
        deck.out.document(made)
    else:
        deck.out.text(f"saved {made['name']}, version {made['version']}")


async def list_forms(deck: Deck) -> None:
    """List the forms, each name's newest version first."""
    found: list[dict[str, Any]] = []
    while page := await deck.client.forms(limit=200, after=found[-1]["name"] if found else None):
        found += page
    if deck.out.as_json:
        deck.out.document({"forms": found})
        return
    columns = (Column("NAME", flexible=True), Column("VERSION", right=True), Column("SAVED", right=True), Column("BY"))
    rows = [[form["name"], str(form["version"]), ago(form["updated_at"]), form["updated_by"]] for form in found]
    deck.out.table(columns, rows)


async def show_form(
    deck: Deck,
    name: NameArgument,
    version: Annotated[int | None, typer.Argument(metavar="VERSION", min=1, help="Else the newest.")] = None,
) -> None:
    """Print a form's schema and layout as JSON."""
    form = await deck.client.form(name, version)
    deck.out.document(form if deck.out.as_json else {"schema": form["schema"], "layout": form["layout"]})


async def delete_form(
    deck: Deck, name: NameArgument, version: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="Which.")]
) -> None:
    """Remove a version of a form; tasks that have it are completed without a check."""
    reply = await deck.client.delete_form(name, version)
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        deck.out.text(f"removed {name}, version {version}")
