"""`taskdeck source …`: who outside sends events that become tasks."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.output import Column
from taskdeck.cli.times import ago
from taskdeck.cli.values import document, given, seconds

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]
TaskOption = Annotated[
    str | None, typer.Option("--task", help="The task as JSON or @FILE, with places like {{ a.b }}.")
]
FiltersOption = Annotated[str | None, typer.Option("--filters", help="Conditions on events, as JSON or @FILE.")]
UniqueOption = Annotated[str | None, typer.Option("--unique", help="Text of which one task lives: {{ issue.id }}.")]
ProjectOption = Annotated[str | None, typer.Option("--project", "-p", help="The queue its tasks go to.")]


def register(app: typer.Typer) -> None:
    """Add this group to `app`."""
    group = typer.Typer(help="Let events from outside become tasks.", no_args_is_help=True)
    command(group, "create")(create_source)
    command(group, "list")(list_sources)
    command(group, "show")(show_source)
    command(group, "edit")(edit_source)
    command(group, "rotate")(rotate_source)
    command(group, "delete")(delete_source)
    app.add_typer(group, name="source", rich_help_panel="Operating")


async def create_source(
    deck: Deck,
    name: NameArgument,
    title: Annotated[str, typer.Option("--title", help="The task's title, with places like {{ issue.title }}.")],
    project: ProjectOption = None,
    scheme: Annotated[str | None, typer.Option(help="standard (Standard Webhooks) or github.")] = None,
    task: TaskOption = None,
    filters: FiltersOption = None,
    unique: UniqueOption = None,
    per_minute: Annotated[int | None, typer.Option(min=1, help="How many events it may send in a minute.")] = None,
) -> None:
    """Let a source's events become tasks, and print the secret they are to be signed with."""
    template = (document(task, "--task") or {}) | {"title": title}
    fields = given(
        project=project,
        scheme=scheme,
        filters=document(filters, "--filters"),
        unique=unique,
        per_minute=per_minute,
    )
    shown_once(deck, await deck.client.create_source(name, template, **fields), "the sender signs")


async def list_sources(deck: Deck) -> None:
    """List the sources."""
    found = await deck.client.sources()
    if deck.out.as_json:
        deck.out.document({"sources": found})
        return
    columns = (
        Column("NAME"),
        Column("PROJECT"),
        Column("SCHEME"),
        Column("STATE"),
        Column("EVENTS", right=True),
        Column("LAST", right=True),
        Column("TITLE", flexible=True),
    )
    rows = [
        [
            one["name"],
            one["project"],
            one["scheme"],
            "active" if one["active"] else "off",
            str(one["deliveries"]),
            ago(one["delivered_at"]) or "never",
            one["task"]["title"],
        ]
        for one in found
    ]
    deck.out.table(columns, rows)


async def show_source(deck: Deck, name: NameArgument) -> None:
    """Show a source as JSON."""
    deck.out.document(await deck.client.source(name))


async def edit_source(
    deck: Deck,
    name: NameArgument,
    project: ProjectOption = None,
    task: TaskOption = None,
    filters: FiltersOption = None,
    unique: UniqueOption = None,
    active: Annotated[bool | None, typer.Option("--on/--off", help="Let it work again, or rest.")] = None,
) -> None:
    """Change a source, let it rest, or let it work again."""
    fields = given(
        project=project,
        task=document(task, "--task"),
        filters=document(filters, "--filters"),
        unique=unique,
        active=active,
    )
    changed = await deck.client.edit_source(name, **fields)
    if deck.out.as_json:
        deck.out.document(changed)
    else:
        deck.out.text(f"source {changed['name']} is {'active' if changed['active'] else 'off'}")


async def rotate_source(
    deck: Deck,
    name: NameArgument,
    overlap: Annotated[str | None, typer.Option(help="How long the old secret holds too; by default 1d.")] = None,
) -> None:
    """Give a source a new secret and print it."""
    reply = await deck.client.rotate_source(name, **given(overlap_seconds=seconds(overlap)))
    shown_once(deck, reply, "the sender signs")


async def delete_source(deck: Deck, name: NameArgument) -> None:
    """Remove a source; its tasks stay."""
    reply = await deck.client.delete_source(name)
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        deck.out.text(f"deleted source {reply['deleted']}")


def shown_once(deck: Deck, reply: dict[str, Any], who: str) -> None:
    """Print the secret of a reply alone, and beside it what it is for: `who` uses it."""
    if deck.out.as_json:
        deck.out.document(reply)
        return
    deck.out.text(str(reply["secret"]))
    print(f"shown this once; {who} with it", file=sys.stderr)
