"""The commands in two words: `token …`, `project …`, `worker …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.output import Column
from taskdeck.cli.times import ago, left
from taskdeck.cli.values import given, seconds

ROLES = "reader, agent, operator or admin"
NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


def register(app: typer.Typer) -> None:
    """Add these groups to `app`."""
    tokens = typer.Typer(help="Let someone in, or out again.", no_args_is_help=True)
    command(tokens, "create")(create_token)
    command(tokens, "list")(list_tokens)
    command(tokens, "revoke")(revoke_token)
    app.add_typer(tokens, name="token", rich_help_panel="Operating")
    project = typer.Typer(help="Make a project, or change its defaults.", no_args_is_help=True)
    command(project, "create")(create_project)
    command(project, "edit")(edit_project)
    app.add_typer(project, name="project", rich_help_panel="Operating")
    worker = typer.Typer(help="Register a worker, or let one run dry.", no_args_is_help=True)
    command(worker, "register")(register_worker)
    command(worker, "drain")(drain_worker)
    app.add_typer(worker, name="worker", rich_help_panel="Operating")


async def create_token(
    deck: Deck,
    principal: Annotated[str, typer.Argument(help="Whose token it is.")],
    role: Annotated[str, typer.Option(help=ROLES)] = "agent",
    project: Annotated[list[str] | None, typer.Option("--project", "-p", help="Only these.")] = None,
    capability: Annotated[list[str] | None, typer.Option("--cap")] = None,
    group: Annotated[list[str] | None, typer.Option("--group")] = None,
    expires: Annotated[str | None, typer.Option(help="After this long, such as 30d.")] = None,
    secret: Annotated[Path | None, typer.Option("--secret", help="Take over the secret in this file.")] = None,
) -> None:
    """Create a token and print its secret, which is not kept and never shown again."""
    fields = given(projects=project, capabilities=capability, groups=group, expires_in_seconds=seconds(expires))
    if secret is not None:
        fields["secret"] = _secret_in(secret)
    reply = await deck.client.create_token(principal, role, **fields)
    if deck.out.as_json:
        deck.out.document(reply)
        return
    deck.out.text(reply["secret"])
    print("shown this once; give it to clients as TASKDECK_TOKEN", file=sys.stderr)


def _secret_in(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{file} cannot be read: {error}") from None


async def list_tokens(deck: Deck) -> None:
    """List the tokens, without their secrets."""
    found = await deck.client.tokens()
    if deck.out.as_json:
        deck.out.document({"tokens": found})
        return
    columns = (
        Column("ID"),
        Column("PREFIX"),
        Column("PRINCIPAL"),
        Column("ROLE"),
        Column("USED", right=True),
        Column("STATE"),
        Column("PROJECTS", flexible=True),
    )
    rows = [
        [
            str(token["id"]),
            token["prefix"],
            token["principal"],
            token["role"],
            ago(token["last_used_at"]) or "never",
            "revoked" if token["revoked_at"] else _validity(token["expires_at"]),
            "all" if token["projects"] is None else ", ".join(token["projects"]),
        ]
        for token in found
    ]
    deck.out.table(columns, rows)


def _validity(expires_at: str | None) -> str:
    return f"expires: {left(expires_at)}" if expires_at else "valid"


async def revoke_token(deck: Deck, token_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """End a token at once."""
    reply = await deck.client.revoke_token(token_id)
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        deck.out.text(f"revoked {token_id}")


PrefixOption = Annotated[str | None, typer.Option(help="What its tasks' keys begin with.")]
DescriptionOption = Annotated[str | None, typer.Option("--description", "-d")]
LeaseDefault = Annotated[str | None, typer.Option("--lease", help="Default lease, such as 5m.")]
AttemptsDefault = Annotated[int | None, typer.Option("--max-attempts", min=1)]
ReviewDefault = Annotated[str | None, typer.Option("--review", help="none, optional, required or four_eyes.")]
KeepDone = Annotated[str | None, typer.Option(help="How long done tasks are kept, such as 30d.")]
KeepFailed = Annotated[str | None, typer.Option(help="How long failed tasks are kept.")]
KeepCancelled = Annotated[str | None, typer.Option(help="How long cancelled tasks are kept.")]


def _keeps(done: str | None, failed: str | None, cancelled: str | None) -> dict[str, float]:
    spans = {"keep_done_days": done, "keep_failed_days": failed, "keep_cancelled_days": cancelled}
    return {name: (seconds(text) or 0) / 86_400 for name, text in spans.items() if text is not None}


async def create_project(
    deck: Deck,
    name: NameArgument,
    prefix: PrefixOption = None,
    description: DescriptionOption = None,
    lease: LeaseDefault = None,
    max_attempts: AttemptsDefault = None,
    review: ReviewDefault = None,
    keep_done: KeepDone = None,
    keep_failed: KeepFailed = None,
    keep_cancelled: KeepCancelled = None,
) -> None:
    """Create a project."""
    defaults = given(lease_seconds=seconds(lease), max_attempts=max_attempts, review=review)
    fields = given(prefix=prefix, description=description) | defaults
    fields |= _keeps(keep_done, keep_failed, keep_cancelled)
    made = await deck.client.create_project(name, **fields)
    if deck.out.as_json:
        deck.out.document(made)
    else:
        deck.out.text(f"created {made['name']}; its tasks are {made['prefix']}1, {made['prefix']}2, …")


async def edit_project(
    deck: Deck,
    name: NameArgument,
    description: DescriptionOption = None,
    lease: LeaseDefault = None,
    max_attempts: AttemptsDefault = None,
    review: ReviewDefault = None,
    keep_done: KeepDone = None,
    keep_failed: KeepFailed = None,
    keep_cancelled: KeepCancelled = None,
) -> None:
    """Change a project's defaults."""
    fields = given(description=description, lease_seconds=seconds(lease), max_attempts=max_attempts, review=review)
    fields |= _keeps(keep_done, keep_failed, keep_cancelled)
    changed = await deck.client.edit_project(name, **fields)
    if deck.out.as_json:
        deck.out.document(changed)
    else:
        deck.out.text(f"edited {changed['name']}")


async def register_worker(
    deck: Deck,
    name: NameArgument,
    kind: Annotated[str | None, typer.Option(help="agent, human or service.")] = None,
    capability: Annotated[list[str] | None, typer.Option("--cap", help="What it is able to.")] = None,
) -> None:
    """Make a worker known before its first claim."""
    worker = await deck.client.register_worker(name, **given(kind=kind, capabilities=capability))
    if deck.out.as_json:
        deck.out.document(worker)
    else:
        deck.out.text(f"registered {worker['id']}")


async def drain_worker(
    deck: Deck,
    name: NameArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Give it work again.")] = False,
) -> None:
    """Give a worker no more work; what it holds it may finish."""
    worker = await deck.client.drain_worker(name, not undo)
    if deck.out.as_json:
        deck.out.document(worker)
    else:
        deck.out.text(f"{worker['id']} {'drains' if worker['draining'] else 'takes work again'}")
