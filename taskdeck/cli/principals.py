"""`taskdeck principal …`: who there is, and what they may do."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.output import Column
from taskdeck.cli.times import ago
from taskdeck.cli.values import given

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Whose tokens they are.")]


def register(app: typer.Typer) -> None:
    """Add this group to `app`."""
    principals = typer.Typer(help="See who may call, and change what they may do.", no_args_is_help=True)
    command(principals, "list")(list_principals)
    command(principals, "edit")(edit_principal)
    command(principals, "delete")(delete_principal)
    app.add_typer(principals, name="principal", rich_help_panel="Operating")


async def list_principals(deck: Deck) -> None:
    """List who may call: their roles, their tokens and what they are limited to."""
    found = await deck.client.principals()
    if deck.out.as_json:
        deck.out.document({"principals": found})
        return
    columns = (
        Column("NAME"),
        Column("ROLE"),
        Column("TOKENS", right=True),
        Column("USED", right=True),
        Column("PROJECTS", flexible=True),
        Column("ABLE TO", flexible=True),
        Column("GROUPS", flexible=True),
    )
    rows = [
        [
            one["name"],
            one["role"],
            str(one["tokens"]),
            ago(one["last_used_at"]) or "never",
            "all" if one["projects"] is None else ", ".join(one["projects"]),
            ", ".join(one["capabilities"]),
            ", ".join(one["groups"]),
        ]
        for one in found
    ]
    deck.out.table(columns, rows)


async def edit_principal(
    deck: Deck,
    name: NameArgument,
    role: Annotated[str | None, typer.Option(help="reader, agent, operator or admin.")] = None,
    project: Annotated[
        list[str] | None,
        typer.Option("--project", "-p", help="Only these, in place of all before; `all` ends the limit."),
    ] = None,
    capability: Annotated[list[str] | None, typer.Option("--cap", help="In place of all it had, or `none`.")] = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="In place of all it had, or `none`.")] = None,
    title: Annotated[str | None, typer.Option(help="The name that people read.")] = None,
    description: Annotated[str | None, typer.Option("--description", "-d", help="What it is for.")] = None,
) -> None:
    """Change what somebody may do; all their tokens follow at once."""
    fields: dict[str, Any] = given(role=role, title=title, description=description)
    if project:
        fields["projects"] = None if project == ["all"] else project
    for field, names in (("capabilities", capability), ("groups", group)):
        if names:
            fields[field] = [] if names == ["none"] else names
    changed = await deck.client.edit_principal(name, **fields)
    if deck.out.as_json:
        deck.out.document(changed)
    else:
        limits = "all projects" if changed["projects"] is None else ", ".join(changed["projects"])
        deck.out.text(f"{changed['name']} is {changed['role']}, for {limits}")


async def delete_principal(deck: Deck, name: NameArgument) -> None:
    """Remove somebody with all their tokens, unless they hold tasks or are to have some."""
    reply = await deck.client.delete_principal(name)
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        deck.out.text(f"removed {name}")
