"""What is said about tasks beside their fields: comments, links, logs; and searching all that is said."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.output import Column
from taskdeck.cli.tasks import RefArgument
from taskdeck.cli.times import ago
from taskdeck.cli.values import MAX_INPUT_BYTES, given

PAGE = 100


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for verb in (comment, comments, uncomment, link, links, unlink, log, search):
        command(app, verb.__name__, "Tasks")(verb)


async def comment(
    deck: Deck,
    ref: RefArgument,
    text: Annotated[str, typer.Argument(help="What to say; `-` reads it from stdin.")],
    byline: Annotated[str | None, typer.Option("--as", metavar="NAME", help="A name to show beside yours.")] = None,
    edit: Annotated[int | None, typer.Option(metavar="ID", min=1, help="In place of what this one says.")] = None,
) -> None:
    """Say something about a task."""
    if edit is not None and byline is not None:
        raise Failure("a comment keeps the name it was given", "leave --as out")
    said = sys.stdin.buffer.read(MAX_INPUT_BYTES).decode("utf-8").strip() if text == "-" else text
    if edit is None:
        made = await deck.client.comment(ref, said, **given(byline=byline))
    else:
        made = await deck.client.edit_comment(ref, edit, said)
    if deck.out.as_json:
        deck.out.document(made)
    else:
        deck.out.text(f"commented on {ref} (comment {made['id']})")


async def comments(deck: Deck, ref: RefArgument) -> None:
    """Show what was said about a task, oldest first."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await deck.client.comments(ref, cursor=cursor, limit=PAGE)
        found += page["comments"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    if deck.out.as_json:
        deck.out.document({"comments": found})
        return
    for one in found:
        byline = f" ({one['byline']})" if one["byline"] else ""
        edited = ", edited" if one["edited_at"] else ""
        deck.out.heading(f"{one['author']}{byline}  {ago(one['created_at'])}{edited}  [{one['id']}]")
        deck.out.block(one["text"])


async def uncomment(
    deck: Deck, ref: RefArgument, comment_id: Annotated[int, typer.Argument(metavar="ID", min=1)]
) -> None:
    """Take a comment back."""
    gone = await deck.client.delete_comment(ref, comment_id)
    if deck.out.as_json:
        deck.out.document(gone)
    else:
        deck.out.text(f"took comment {comment_id} on {ref} back")


async def link(
    deck: Deck,
    ref: RefArgument,
    kind: Annotated[str, typer.Argument(help="branch, commit, pr, url or file.")],
    target: Annotated[str, typer.Argument(help="Its name, number or address.")],
    repository: Annotated[str | None, typer.Option("--repo", help="Where it is, such as owner/name.")] = None,
    address: Annotated[str | None, typer.Option("--at", metavar="URL", help="Where it can be looked at.")] = None,
) -> None:
    """Name a branch, commit, pull request, file or address that a task is about."""
    made = await deck.client.link(ref, kind, target, **given(repository=repository, url=address))
    if deck.out.as_json:
        deck.out.document(made)
    else:
        deck.out.text(f"linked {ref} to {made['kind']} {made['target']} (link {made['id']})")


async def links(deck: Deck, ref: RefArgument) -> None:
    """Show what a task is linked to."""
    found = await deck.client.links(ref)
    if deck.out.as_json:
        deck.out.document({"links": found})
        return
    columns = (Column("ID", right=True), Column("KIND"), Column("REPOSITORY"), Column("TARGET", flexible=True),
               Column("BY"), Column("ADDED", right=True))  # fmt: skip
    rows = [
        [str(one["id"]), one["kind"], one["repository"] or "", one["target"], one["added_by"], ago(one["added_at"])]
        for one in found
    ]
    deck.out.table(columns, rows)


async def unlink(deck: Deck, ref: RefArgument, link_id: Annotated[int, typer.Argument(metavar="ID", min=1)]) -> None:
    """Remove a link from a task."""
    gone = await deck.client.unlink(ref, link_id)
    if deck.out.as_json:
        deck.out.document(gone)
    else:
        deck.out.text(f"unlinked {link_id} from {ref}")


async def log(
    deck: Deck,
    ref: RefArgument,
    after: Annotated[int, typer.Option(min=0, help="Only what was told behind this entry.")] = 0,
) -> None:
    """Show what the holders of a task told of their work, oldest first."""
    found: list[dict[str, Any]] = []
    following: int | None = after
    while following is not None:
        page = await deck.client.log(ref, after=following, limit=PAGE)
        found += page["entries"]
        following = page["next_after"]
    if deck.out.as_json:
        deck.out.document({"entries": found})
        return
    columns = (Column("NO", right=True), Column("FENCE", right=True), Column("TYPE"), Column("TEXT", flexible=True),
               Column("TOLD", right=True))  # fmt: skip
    deck.out.table(columns, [_log_row(entry) for entry in found])


def _log_row(entry: dict[str, Any]) -> list[str]:
    text = json.dumps(entry["body"], ensure_ascii=False)
    return [str(entry["number"]), str(entry["fence"]), entry["type"], text, ago(entry["at"])]


async def search(
    deck: Deck,
    words: Annotated[list[str], typer.Argument(help="All of them must be there; `log*` stands for what begins so.")],
    project: Annotated[str | None, typer.Option("--project", "-p", help="Of this project alone.")] = None,
    part: Annotated[list[str] | None, typer.Option("--in", help="task, comment or context; may be repeated.")] = None,
    superseded: Annotated[bool, typer.Option("--superseded", help="Also what contexts said once.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="At most so many.")] = 20,
) -> None:
    """Search titles, descriptions, comments and contexts, best first."""
    fields = given(project=project, parts=part, superseded=superseded or None)
    finds = await deck.client.search(" ".join(words), limit=limit, **fields)
    if deck.out.as_json:
        deck.out.document({"finds": finds})
        return
    columns = (Column("KEY"), Column("STATE"), Column("WHERE"), Column("BY"), Column("TEXT", flexible=True))
    deck.out.table(columns, [_find_row(find) for find in finds])


def _find_row(find: dict[str, Any]) -> list[str]:
    task, said = find["task"], find["comment"] or find["entry"] or {}
    where = f"{find['part']} {said['key']}" if find["entry"] else find["part"]
    excerpt = " ".join(find["excerpt"].split())
    return [task["key"], task["state"], where, said.get("author", ""), excerpt]
