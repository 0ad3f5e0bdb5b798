"""The state table as a document shows it."""

from __future__ import annotations

from taskdeck.domain.states import EVENT_OF, TRANSITIONS, State


def transitions_table() -> str:
    """Every verb with its event, the states it is allowed in and those it leads to, as a Markdown table."""
    lines = ["| verb | event | from | to |", "|---|---|---|---|"]
    for verb, edges in TRANSITIONS.items():
        rows: dict[str, list[State | None]] = {}
        for before in (None, *State):
            if before in edges:
                rows.setdefault(_target(before, edges[before]), []).append(before)
        for target, befores in rows.items():
            source = " · ".join("new" if before is None else f"`{before}`" for before in befores)
            lines.append(f"| {verb} | `{EVENT_OF[verb]}` | {source} | {target} |")
    return "\n".join(lines)


def _target(before: State | None, after: frozenset[State]) -> str:
    if not after:
        return "removed"
    if after == {before}:
        return "the same"
    return " · ".join(f"`{state}`" for state in State if state in after)
