"""`taskdeck context`: what is known about a task, who says so, and adding to it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.output import Column
from taskdeck.cli.tasks import RefArgument
from taskdeck.cli.times import ago
from taskdeck.cli.values import document, given

PAGE = 100


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    command(app, "context", "Tasks")(context)


async def context(
    deck: Deck,
    ref: RefArgument,
    told: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="JSON, else text; may be repeated.")
    ] = None,
    patch: Annotated[str | None, typer.Option(metavar="JSON", help="An object to merge into it, or @FILE.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="KEY", help="May be repeated.")] = None,
    source: Annotated[str | None, typer.Option(help="How you know: stated, inferred, observed or imported.")] = None,
    expected: Annotated[int | None, typer.Option("--version", min=0, help="Refuse if it has changed since.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Who said what, newest first.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="Of the history.")] = 50,
) -> None:
    """Show what is known about a task, or add to it."""
    changes = _patch(patch) | dict(map(_pair, told or []))
    if not (changes or remove):
        if history:
            await _show_history(deck, ref, limit)
        else:
            _show(deck, await deck.client.context(ref))
        return
    if history:
        raise Failure("--history looks, --set, --patch and --remove change", "do one after the other")
    fields = given(remove=remove, source=source, version=expected)
    _show(deck, await deck.client.change_context(ref, changes, **fields))


def _patch(text: str | None) -> dict[str, Any]:
    found = document(text, "--patch")
    if found is not None and not isinstance(found, dict):
        raise Failure("--patch is no object", 'a patch looks like {"os": "linux"}')
    return found or {}


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise Failure(f"{text!r} is no KEY=VALUE", "such as os=linux or tries=3")
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value


def _show(deck: Deck, known: dict[str, Any]) -> None:
    if deck.out.as_json:
        deck.out.document(known)
        return
    deck.out.heading(f"version {known['version']}")
    for key, value in known["context"].items():
        behind = known["provenance"].get(key)
        said = (
            ""
            if behind is None
            else f"  ({behind['source']} by {behind['author']} {ago(behind['at'])}{_taken(behind)})"
        )
        deck.out.text(f"  {key}{said}")
        deck.out.block(
            value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False), indent="    "
        )


def _taken(behind: dict[str, Any]) -> str:
    return f", taken back by {behind['retracted']['by']}" if behind["retracted"] else ""


async def _show_history(deck: Deck, ref: str, limit: int) -> None:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await deck.client.context_history(ref, cursor=cursor, limit=min(PAGE, limit - len(found)))
        found += page["entries"]
        cursor = page["next_cursor"]
        if cursor is None or len(found) >= limit:
            break
    if deck.out.as_json:
        deck.out.document({"entries": found, "next_cursor": cursor})
        return
    columns = (Column("VERSION", right=True), Column("KEY"), Column("SOURCE"), Column("BY"), Column("SAID", right=True),
               Column("VALUE", flexible=True))  # fmt: skip
    deck.out.table(columns, [_entry_row(entry) for entry in found])


def _entry_row(entry: dict[str, Any]) -> list[str]:
    value = json.dumps(entry["value"], ensure_ascii=False) if entry["act"] == "set" else entry["act"]
    return [str(entry["version"]), entry["key"], entry["source"], entry["author"], ago(entry["at"]), value]
