"""The forms by which a human says something: a comment, a link, an answer."""

from __future__ import annotations

from taskdeck.tui.dialogs.base import Choice, Form, Text, Values
from taskdeck.tui.dialogs.forms import subject
from taskdeck.tui.format import clip, duration
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Spans
from taskdeck.tui.widgets.detail_more import wrap

KINDS = ("pr", "commit", "branch", "url", "file")
_WIDTH = 68
_OPTIONS_SHOWN = 6


def comment(row: TaskRow) -> Form:
    """What is said about a task, for everyone who looks at it."""
    return Form(
        title="# Comment", prose=lambda: [*subject([row])],
        fields=(Text("text", "text", hint="what everyone who looks at the task should know", limit=10_000),),
        act="say it", check=lambda values: None if values["text"] else "an empty comment says nothing", focus="text",
    )  # fmt: skip


def link(row: TaskRow, before: Values | None, wrong: str) -> Form:
    """What outside of the deck a task is about."""
    typed = before or {}

    def check(values: Values) -> str | None:
        return None if values["target"] else "say what it names: a number, a hash, an address"

    return Form(
        title="& Link", prose=lambda: [*subject([row])],
        fields=(
            Choice("kind", "kind", [(kind, kind) for kind in KINDS], typed.get("kind")),
            Text("target", "target", typed.get("target", ""), "128, 4f2a91c, feature/x, https://…", 1_000),
            Text("repository", "in", typed.get("repository", ""), "repository, if it is said", 200),
            Text("url", "address", typed.get("url", ""), "where to look at it, if that is somewhere", 1_000),
        ),
        act="link it", check=check, focus="target", wrong=wrong,
    )  # fmt: skip


def answer(row: TaskRow, model: DeckModel) -> Form:
    """What a holder waits for: one of its options, or words of one's own."""
    lease = row.lease
    question = lease.question if lease else None
    told = (question.text if question else "") or (lease.detail if lease else "") or "it waits for input"
    options = list(question.options if question else ())[:_OPTIONS_SHOWN]

    def prose() -> list[Spans]:
        now = model.rows.get(row.id, row)
        asks = now.lease is not None and now.lease.asks
        head = f"{row.holder} asks" if asks else f"{row.holder} does not ask any more"
        age = duration(model.now_ms() - lease.heartbeat_ms) if lease else ""
        lines: list[Spans] = [
            *subject([row]), (),
            ((clip(head, 40), "accent bold" if asks else "failed bold"), (f"  last heard {age} ago", "muted")),
        ]  # fmt: skip
        return [*lines, *(((text, "strong"),) for text in wrap(told, _WIDTH, 8))]

    def check(values: Values) -> str | None:
        if not values["text"] and not values.get("pick"):
            return "say something: the holder waits for it"
        return None

    pick = [Choice("pick", "answer", [*((text, text) for text in options), ("", "other words")])] if options else []
    return Form(
        title="▲ Answer", prose=prose,
        fields=(*pick, Text("text", "or" if options else "answer", hint="", limit=10_000)),
        act="answer", check=check, note="the lease is not renewed", focus="pick" if options else "text",
    )  # fmt: skip
