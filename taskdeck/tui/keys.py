"""The action table as a table of a document. Pure."""

from __future__ import annotations

from taskdeck.tui.actions import LIVE, TABLE, Action

_GROUPS = (("A task", ("task",)), ("The deck", ("deck", "project", "worker")), ("Looking", ("view",)),
           ("Moving", ("move",)))  # fmt: skip


def keys_table() -> str:
    """Every key and command, in groups, as Markdown."""
    parts = []
    for name, scopes in _GROUPS:
        rows = [_row(action) for action in TABLE if action.scope in scopes]
        head = ["| key | name | command | does | needs |", "|---|---|---|---|---|"]
        parts.append("\n".join([f"## {name}", "", *head, *rows]))
    return "\n\n".join(parts)


def _row(action: Action) -> str:
    key = " ".join(f"`{each}`" for each in action.shown.replace("|", "\\|").split())
    command = f"`:{action.command}`" if action.command else ""
    return f"| {key} | {action.id} | {command} | {action.help} | {_needs(action)} |"


def _needs(action: Action) -> str:
    if not action.writes:
        return ""
    states = "any that has not ended" if action.states == LIVE else ", ".join(sorted(action.states))
    parts = [action.role, states, "all marked" if action.many else ""]
    return "; ".join(part for part in parts if part)
