"""`taskdeck webhook …`: whom the deck tells of events, and how that goes."""

from __future__ import annotations

from typing import Annotated

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.output import Column
from taskdeck.cli.sources import shown_once
from taskdeck.cli.times import ago, left
from taskdeck.cli.values import given, seconds

IdArgument = Annotated[str, typer.Argument(metavar="ID")]
EventOption = Annotated[list[str] | None, typer.Option("--event", "-e", help="Such as task.completed or task.*.")]
ProjectOption = Annotated[list[str] | None, typer.Option("--project", "-p", help="Events of these alone.")]
DescriptionOption = Annotated[str | None, typer.Option("--description", "-d", help="What it is for.")]


def register(app: typer.Typer) -> None:
    """Add this group to `app`."""
    group = typer.Typer(help="Tell other servers what happens.", no_args_is_help=True)
    command(group, "create")(create_webhook)
    command(group, "list")(list_webhooks)
    command(group, "edit")(edit_webhook)
    command(group, "rotate")(rotate_webhook)
    command(group, "delete")(delete_webhook)
    command(group, "deliveries")(list_deliveries)
    command(group, "redeliver")(redeliver)
    app.add_typer(group, name="webhook", rich_help_panel="Operating")


async def create_webhook(
    deck: Deck,
    target: Annotated[str, typer.Argument(metavar="URL", help="Where to send events.")],
    event: EventOption = None,
    project: ProjectOption = None,
    description: DescriptionOption = None,
    after: Annotated[int | None, typer.Option(min=0, help="Begin after the event of this number.")] = None,
) -> None:
    """Send events to a URL, all those of tasks unless told otherwise, and print the secret they are signed with."""
    fields = given(projects=project, description=description, after=after)
    shown_once(deck, await deck.client.create_webhook(target, event or ["task.*"], **fields), "the receiver checks")


async def list_webhooks(deck: Deck) -> None:
    """List the webhooks and how they fare."""
    found = await deck.client.webhooks()
    if deck.out.as_json:
        deck.out.document({"webhooks": found})
        return
    columns = (
        Column("ID"),
        Column("STATE"),
        Column("AFTER", right=True),
        Column("EVENTS"),
        Column("URL", flexible=True),
    )
    rows = [[str(one["id"]), _state(one), str(one["after"]), ", ".join(one["events"]), one["url"]] for one in found]
    deck.out.table(columns, rows)


def _state(webhook: dict[str, object]) -> str:
    if not webhook["active"]:
        return f"off: {webhook['disabled_reason'] or 'by hand'}"
    return f"{webhook['failures']} failed" if webhook["failures"] else "active"


async def edit_webhook(
    deck: Deck,
    webhook: IdArgument,
    target: Annotated[str | None, typer.Option("--to", metavar="URL", help="Another address.")] = None,
    event: EventOption = None,
    project: ProjectOption = None,
    description: DescriptionOption = None,
    active: Annotated[bool | None, typer.Option("--on/--off", help="Let it work again, or rest.")] = None,
    after: Annotated[int | None, typer.Option(min=0, help="Go on after the event of this number.")] = None,
) -> None:
    """Change a webhook, let it rest, or let it work again."""
    fields = given(url=target, events=event, projects=project, description=description, active=active, after=after)
    changed = await deck.client.edit_webhook(webhook, **fields)
    if deck.out.as_json:
        deck.out.document(changed)
    else:
        deck.out.text(f"webhook {changed['id']}: {_state(changed)}")


async def rotate_webhook(
    deck: Deck,
    webhook: IdArgument,
    overlap: Annotated[str | None, typer.Option(help="How long the old secret holds too; by default 1d.")] = None,
) -> None:
    """Give a webhook a new secret and print it."""
    shown_once(
        deck,
        await deck.client.rotate_webhook(webhook, **given(overlap_seconds=seconds(overlap))),
        "the receiver checks",
    )


async def delete_webhook(deck: Deck, webhook: IdArgument) -> None:
    """Remove a webhook with what waits to be sent to it."""
    reply = await deck.client.delete_webhook(webhook)
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        deck.out.text(f"deleted webhook {reply['deleted']}")


async def list_deliveries(
    deck: Deck,
    webhook: IdArgument,
    state: Annotated[str | None, typer.Option(help="pending, delivered or failed.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many.")] = 50,
) -> None:
    """List what was sent to a webhook and what waits, newest first."""
    page = await deck.client.deliveries(webhook, **given(state=state, limit=limit))
    if deck.out.as_json:
        deck.out.document(page)
        return
    columns = (
        Column("ID"),
        Column("EVENT", right=True),
        Column("TYPE"),
        Column("STATE"),
        Column("TRIES", right=True),
        Column("TRIED", right=True),
        Column("NEXT", right=True),
        Column("ERROR", flexible=True),
    )
    rows = [
        [
            one["id"],
            str(one["seq"]),
            one["type"] or "",
            one["state"],
            str(one["attempts"]),
            ago(one["tried_at"]),
            left(one["next_at"]),
            one["error"] or "",
        ]
        for one in page["deliveries"]
    ]
    deck.out.table(columns, rows)


async def redeliver(deck: Deck, webhook: IdArgument, delivery: Annotated[str, typer.Argument()]) -> None:
    """Send a delivery again, at once."""
    reply = await deck.client.redeliver(webhook, delivery)
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        deck.out.text(f"event {reply['seq']} is sent again")
