"""The commands in two words: `token …`, `project …`, `worker …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.output import Column
from taskdeck.cli.times import ago, left, span
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
    command(project, "limit")(limit_project)
    app.add_typer(project, name="project", rich_help_panel="Operating")
    worker = typer.Typer(help="Look at a worker, register one, or let one run dry.", no_args_is_help=True)
    command(worker, "show")(show_worker)
    command(worker, "register")(register_worker)
    command(worker, "drain")(drain_worker)
    command(worker, "leave")(leave_worker)
    app.add_typer(worker, name="worker", rich_help_panel="Operating")


async def create_token(
    deck: Deck,
    principal: Annotated[str, typer.Argument(help="Whose token it is.")],
    role: Annotated[str, typer.Option(help=ROLES)] = "agent",
    project: Annotated[list[str] | None, typer.Option("--project", "-p", help="Only these.")] = None,
    capability: Annotated[
        list[str] | None, typer.Option("--cap", help="What its workers are able to; may be repeated.")
    ] = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="A group it belongs to; may be repeated.")] = None,
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
DescriptionOption = Annotated[str | None, typer.Option("--description", "-d", help="What it is for.")]
LeaseDefault = Annotated[str | None, typer.Option("--lease", help="Default lease, such as 5m.")]
AttemptsDefault = Annotated[
    int | None, typer.Option("--max-attempts", min=1, help="How many attempts its tasks may have.")
]
ReviewDefault = Annotated[str | None, typer.Option("--review", help="none, optional, required or four_eyes.")]
KeepDone = Annotated[str | None, typer.Option(help="How long done tasks are kept, such as 30d.")]
KeepFailed = Annotated[str | None, typer.Option(help="How long failed tasks are kept.")]
KeepCancelled = Annotated[str | None, typer.Option(help="How long cancelled tasks are kept.")]
OfflineOption = Annotated[
    str | None, typer.Option("--offline-claims", help="Of a worker that goes offline: keep, or lapse at once.")
]


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
    offline_claims: OfflineOption = None,
) -> None:
    """Create a project."""
    fields = given(prefix=prefix) | _defaults(description, lease, max_attempts, review, offline_claims)
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
    offline_claims: OfflineOption = None,
) -> None:
    """Change a project's defaults."""
    fields = _defaults(description, lease, max_attempts, review, offline_claims)
    fields |= _keeps(keep_done, keep_failed, keep_cancelled)
    changed = await deck.client.edit_project(name, **fields)
    if deck.out.as_json:
        deck.out.document(changed)
    else:
        deck.out.text(f"edited {changed['name']}")


async def limit_project(
    deck: Deck,
    name: NameArgument,
    held: Annotated[int | None, typer.Option("--held", min=0, help="Tasks held at once; 0 for any number.")] = None,
    each: Annotated[int | None, typer.Option("--each", min=0, help="Tasks held at once by one worker.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", metavar="LABEL=N", help="Of a label; may be repeated, `none` ends them."),
    ] = None,
    exclusive: Annotated[
        bool | None, typer.Option("--exclusive-files/--shared-files", help="Keep tasks on the same files apart.")
    ] = None,
) -> None:
    """Limit how much of a project is held at once."""
    fields = given(max_claims=held, max_claims_per_worker=each, exclusive_files=exclusive)
    if label:
        fields["max_claims_per_label"] = {} if label == ["none"] else dict(map(_labelled, label))
    changed = await deck.client.edit_project(name, **fields)
    if deck.out.as_json:
        deck.out.document(changed)
        return
    labels = ", ".join(f"{of} {most}" for of, most in changed["max_claims_per_label"].items())
    deck.out.pairs(
        [
            ("held at once", str(changed["max_claims"] or "any number")),
            ("by a worker", str(changed["max_claims_per_worker"] or "any number")),
            ("by label", labels or None),
            ("files", "are kept apart" if changed["exclusive_files"] else "may be shared"),
        ]
    )


def _labelled(text: str) -> tuple[str, int]:
    label, _, most = text.rpartition("=")
    if not label or not (most.isascii() and most.isdigit()):
        raise Failure(f"{text!r} is no limit of a label", "write it as LABEL=N, such as gpu=2")
    return label, int(most)


def _defaults(
    description: str | None, lease: str | None, max_attempts: int | None, review: str | None, offline_claims: str | None
) -> dict[str, Any]:
    return given(
        description=description,
        lease_seconds=seconds(lease),
        max_attempts=max_attempts,
        review=review,
        offline_claims=offline_claims,
    )


async def show_worker(deck: Deck, name: NameArgument) -> None:
    """Show how a worker is and what it has done."""
    worker = await deck.client.worker(name)
    if deck.out.as_json:
        deck.out.document(worker)
        return
    metrics, held_s = worker["metrics"], worker["metrics"]["median_hold_seconds"]
    counts = ", ".join(
        f"{metrics[count]} {count}" for count in ("claims", "completions", "failures", "releases", "lapses")
    )
    deck.out.heading(f"{worker['id']}, {worker['kind']}, {worker['liveness']}")
    deck.out.pairs(
        [
            ("state", worker["state"] + (f": {worker['detail']}" if worker["detail"] else "")),
            ("holds", str(worker["held"])),
            ("seen", f"{ago(worker['last_seen_at'])}, beats every {span(worker['heartbeat_seconds'])}"),
            ("roles", ", ".join(worker["roles"])),
            ("able to", ", ".join(worker["capabilities"])),
            ("runs", " · ".join(part for part in (worker["client"], worker["instance"]) if part)),
            ("has done", f"{counts} since {ago(metrics['since'])}"),
            ("last hour", f"{metrics['completions_per_hour']} completed"),
            ("half held", f"under {span(held_s)}" if held_s is not None else None),
        ]
    )


async def register_worker(
    deck: Deck,
    name: NameArgument,
    kind: Annotated[str | None, typer.Option(help="agent, human or service.")] = None,
    capability: Annotated[list[str] | None, typer.Option("--cap", help="What it is able to.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="What it offers, in a free word.")] = None,
    heartbeat: Annotated[str | None, typer.Option(help="How often it will be heard of, such as 30s.")] = None,
) -> None:
    """Make a worker known before its first claim."""
    fields = given(kind=kind, capabilities=capability, roles=role, heartbeat_seconds=seconds(heartbeat))
    worker = await deck.client.register_worker(name, **fields)
    if deck.out.as_json:
        deck.out.document(worker)
    else:
        deck.out.text(f"registered {worker['id']}")


async def leave_worker(deck: Deck, name: NameArgument) -> None:
    """Give back all that a worker holds, for it goes."""
    worker = await deck.client.leave(name)
    if deck.out.as_json:
        deck.out.document(worker)
    else:
        back = ", ".join(worker["released"]) or "nothing"
        deck.out.text(f"{worker['id']} gave back {back}" + (", and holds more" if worker["held"] else " and has left"))


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
