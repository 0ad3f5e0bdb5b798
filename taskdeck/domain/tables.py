"""The state table as a document shows it."""

from __future__ import annotations

from taskdeck.domain.rules import RULES
from taskdeck.domain.states import EVENT_OF, TRANSITIONS, State


def transitions_table() -> str:
    """Every verb in the states it is allowed in: who, whether gates may stand before it, where it leads, its effect
    and its event, as a Markdown table."""
    lines = ["| verb | from | to | who | gates | effect | event |", "|---|---|---|---|---|---|---|"]
    for verb, edges in TRANSITIONS.items():
        rows: dict[str, list[State | None]] = {}
        for before in (None, *State):
            if before in edges:
                rows.setdefault(_target(before, edges[before]), []).append(before)
        rule = RULES[verb]
        said = f"{rule.who} | {'yes' if rule.gated else ''} | {rule.effect} | `{EVENT_OF[verb]}`"
        for target, befores in rows.items():
            source = " · ".join("new" if before is None else f"`{before}`" for before in befores)
            lines.append(f"| {verb} | {source} | {target} | {said} |")
    return "\n".join(lines)


def _target(before: State | None, after: frozenset[State]) -> str:
    if not after:
        return "removed"
    if after == {before}:
        return "the same"
    return " · ".join(f"`{state}`" for state in State if state in after)
