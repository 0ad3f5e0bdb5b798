"""The forms by which a human says something: a comment, a link, an answer."""

from __future__ import annotations

from taskdeck.tui.dialogs.base import Choice, Form, Text, Values
from taskdeck.tui.dialogs.forms import subject
from taskdeck.tui.model.rows import TaskRow

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
