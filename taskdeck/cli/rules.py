"""The commands about rules: `rule create`, `list`, `show`, `try`, `pause`, `resume`, `delete`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.output import Column
from taskdeck.cli.tasks import RefArgument
from taskdeck.cli.times import ago
from taskdeck.cli.values import document

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


def register(app: typer.Typer) -> None:
    """Add this group to `app`."""
    group = typer.Typer(help="Let something be done by itself when something happens.", no_args_is_help=True)
    command(group, "create")(create)
    command(group, "list")(list_all)
    command(group, "show")(show)
    command(group, "try")(try_)
    command(group, "pause")(pause)
    command(group, "resume")(resume)
    command(group, "delete")(delete)
    app.add_typer(group, name="rule", rich_help_panel="Operating")


async def create(
    deck: Deck,
    name: NameArgument,
    rule: Annotated[str, typer.Argument(help="JSON with events, conditions and acts, or @FILE.")],
    project: Annotated[str | None, typer.Option("--project", "-p", help="Only there.")] = None,
    paused: Annotated[bool, typer.Option("--paused", help="To be tried before it is resumed.")] = False,
) -> None:
    """Create a rule."""
    fields = document(rule, "RULE")
    if not isinstance(fields, dict):
        raise Failure("RULE is no object", '{"events": ["task.failed"], "acts": [{"act": "retry"}]}')
    if project is not None:
        fields["project"] = project
    if paused:
        fields["paused"] = True
    _say(deck, await deck.client.create_rule(name, **fields), "created")


async def list_all(deck: Deck) -> None:
    """List the rules."""
    found = await deck.client.rules()
    if deck.out.as_json:
        deck.out.document({"rules": found})
        return
    columns = (
        Column("NAME"),
        Column("PROJECT"),
        Column("STATE"),
        Column("RUNS", right=True),
        Column("LAST", right=True),
        Column("ON", flexible=True),
        Column("DOES", flexible=True),
    )
    rows = [
        [
            rule["name"],
            rule["project"] or "all",
            _state(rule),
            str(rule["runs"]),
            ago(rule["last_run_at"]) or "never",
            ", ".join(rule["events"]),
            ", ".join(act["act"] for act in rule["acts"]),
        ]
        for rule in found
    ]
    deck.out.table(columns, rows)


async def show(deck: Deck, name: NameArgument) -> None:
    """Show a rule, whole."""
    deck.out.document(await deck.client.rule(name))


async def try_(deck: Deck, name: NameArgument, ref: RefArgument) -> None:
    """Say what a rule would do to a task; nothing is changed."""
    told = await deck.client.dry_run(name, ref)
    if deck.out.as_json:
        deck.out.document(told)
        return
    for one in told["conditions"]:
        wanted = "" if one["value"] is None else f" {one['value']}"
        deck.out.text(f"{'✓' if one['passed'] else '✗'} {one['field']} {one['op']}{wanted}: it is {one['found']}")
    if told["refused"]:
        deck.out.text(f"it would be refused: {told['refused']['detail']}")
    elif told["applies"]:
        for event in told["events"]:
            deck.out.text(f"would leave {event['type']} {(event['task'] or {}).get('key', '')}".rstrip())
    else:
        deck.out.text("it would do nothing")


async def pause(
    deck: Deck,
    name: NameArgument,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; it is kept with your name.")] = None,
) -> None:
    """Let a rule do nothing until it is resumed."""
    _say(deck, await deck.client.pause_rule(name, reason), "paused")


async def resume(deck: Deck, name: NameArgument) -> None:
    """Let a rule hold again."""
    _say(deck, await deck.client.resume_rule(name), "resumed")


async def delete(deck: Deck, name: NameArgument) -> None:
    """Forget a rule; what it did stays."""
    reply = await deck.client.delete_rule(name)
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        deck.out.text(f"deleted {name}")


def _say(deck: Deck, rule: dict[str, Any], act: str) -> None:
    if deck.out.as_json:
        deck.out.document(rule)
    else:
        deck.out.text(f"{act} {rule['name']}")


def _state(rule: dict[str, Any]) -> str:
    if rule["paused"]:
        return "paused"
    return f"failed {rule['failures']}×" if rule["failures"] else "on"
