"""What is said about tasks beside their fields: comment, comments."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.tasks import RefArgument
from taskdeck.cli.times import ago
from taskdeck.cli.values import MAX_INPUT_BYTES, given

PAGE = 100


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for verb in (comment, comments):
        command(app, verb.__name__, "Tasks")(verb)


async def comment(
    deck: Deck,
    ref: RefArgument,
    text: Annotated[str, typer.Argument(help="What to say; `-` reads it from stdin.")],
    byline: Annotated[str | None, typer.Option("--as", metavar="NAME", help="A name to show beside yours.")] = None,
) -> None:
    """Say something about a task."""
    said = sys.stdin.buffer.read(MAX_INPUT_BYTES).decode("utf-8").strip() if text == "-" else text
    made = await deck.client.comment(ref, said, **given(byline=byline))
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
