"""The commands about tasks that come again: `schedule create`, `list`, `show`, `pause`, `resume`, `delete`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.output import Column
from taskdeck.cli.times import left
from taskdeck.cli.values import document, given, seconds

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


def register(app: typer.Typer) -> None:
    """Add this group to `app`."""
    group = typer.Typer(help="Make a task again and again.", no_args_is_help=True)
    command(group, "create")(create)
    command(group, "list")(list_all)
    command(group, "show")(show)
    command(group, "pause")(pause)
    command(group, "resume")(resume)
    command(group, "delete")(delete)
    app.add_typer(group, name="schedule", rich_help_panel="Operating")


async def create(
    deck: Deck,
    name: NameArgument,
    when: Annotated[str, typer.Argument(help="Such as 'daily at 09:00', 'every 15 minutes' or '0 9 * * 1-5'.")],
    title: Annotated[str, typer.Argument(help="Of the tasks it makes.")],
    zone: Annotated[str | None, typer.Option(help="Whose clocks, such as Europe/Berlin; UTC if left out.")] = None,
    project: Annotated[
        str | None, typer.Option("--project", "-p", help="The queue its tasks go to; else default.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", "-d", help="More than the title says.")] = None,
    priority: Annotated[int | None, typer.Option(min=0, max=100, help="100 goes first. (default: 50)")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="May be repeated.")] = None,
    capability: Annotated[list[str] | None, typer.Option("--cap", help="What a worker must be able to.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Who alone may claim them.")] = None,
    payload: Annotated[str | None, typer.Option(help="JSON, or @FILE.")] = None,
    due: Annotated[str | None, typer.Option(help="So long after the tick, such as 2h.")] = None,
    catch_up: Annotated[str | None, typer.Option(help="Missed ticks: skip, one (the last) or all.")] = None,
    overlap: Annotated[str | None, typer.Option(help="While the last task is open: allow or skip.")] = None,
) -> None:
    """Create a schedule."""
    task = {"title": title} | given(
        description=description,
        priority=priority,
        labels=label,
        capabilities=capability,
        assignee=assignee,
        payload=document(payload, "--payload"),
        due_in_seconds=seconds(due),
    )
    fields = given(zone=zone, project=project, catch_up=catch_up, overlap=overlap)
    _say(deck, await deck.client.create_schedule(name, when, task, **fields), "created")


async def list_all(
    deck: Deck, project: Annotated[str | None, typer.Option("--project", "-p", help="Of this project alone.")] = None
) -> None:
    """List the schedules."""
    found = await deck.client.schedules(project)
    if deck.out.as_json:
        deck.out.document({"schedules": found})
        return
    columns = (
        Column("NAME"),
        Column("PROJECT"),
        Column("NEXT", right=True),
        Column("WHEN", flexible=True),
        Column("ZONE"),
        Column("TITLE", flexible=True),
    )
    rows = [[one["name"], one["project"], _next(one), one["when"], one["zone"], one["task"]["title"]] for one in found]
    deck.out.table(columns, rows)


async def show(deck: Deck, name: NameArgument) -> None:
    """Show a schedule, its next ticks and what came of the last ones."""
    found = await deck.client.schedule(name)
    if deck.out.as_json:
        deck.out.document(found)
        return
    deck.out.heading(f"{found['name']}  {found['when']}  {found['zone']}")
    paused = found["paused"]
    deck.out.pairs(
        [
            ("project", found["project"]),
            ("title", found["task"]["title"]),
            ("catch up", found["catch_up"]),
            ("overlap", found["overlap"]),
            ("paused", paused and f"by {paused['by']}" + (f": {paused['reason']}" if paused["reason"] else "")),
            ("next", ", ".join(found["next_ticks"])),
        ]
    )
    for entry in found["recent"]:
        deck.out.text(f"  {entry['tick']}  {entry['outcome']}  {entry['task'] or ''}".rstrip())


async def pause(
    deck: Deck,
    name: NameArgument,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; it is kept with your name.")] = None,
) -> None:
    """Let a schedule make nothing until it is resumed."""
    _say(deck, await deck.client.pause_schedule(name, reason), "paused")


async def resume(deck: Deck, name: NameArgument) -> None:
    """Let a schedule make tasks again, from now on."""
    _say(deck, await deck.client.resume_schedule(name), "resumed")


async def delete(deck: Deck, name: NameArgument) -> None:
    """Forget a schedule; the tasks it made stay."""
    reply = await deck.client.delete_schedule(name)
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        deck.out.text(f"deleted {name}")


def _say(deck: Deck, schedule: dict[str, Any], act: str) -> None:
    if deck.out.as_json:
        deck.out.document(schedule)
        return
    following = f"; next at {schedule['next_at']}" if schedule["next_at"] else ""
    deck.out.text(f"{act} {schedule['name']}{following}")


def _next(schedule: dict[str, Any]) -> str:
    return "paused" if schedule["paused"] else left(schedule["next_at"]) or "never"
