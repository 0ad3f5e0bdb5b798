"""The gate before every write: may it be done now, and if not, why not. Pure."""

from __future__ import annotations

from taskdeck.tui.actions import ROLES, Action
from taskdeck.tui.format import clip, clock
from taskdeck.tui.keymap import key
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.rows import TaskRow

_HINTS = {
    "release": "only a claimed task can be released",
    "retry": "only a failed, cancelled or finished task can be retried",
    "approve": "only a task in review can be approved",
    "reject": "only a task in review can be sent back",
    "judge": "only a task in review can be judged",
    "promote": "only a task of the backlog can be offered",
    "shelve": "only a task that nobody holds and that has not ended can be put aside",
    "answer": "only a holder can ask",
}


_CLAIMS = ("claim", "claim-for")
READS = frozenset({"export"})
"""Actions that change nothing, yet need the deck to answer."""


def closed(action: Action, model: DeckModel) -> str | None:
    """Why `action` can be done on nothing at all now: no connection, or no right to. None if it can."""
    if action.id in READS:
        return _unread(action, model)
    if not action.writes:
        return None
    if model.past is not None:
        return f"this is {clock(model.past.at_ms // 1000)}: the past cannot be changed ({key('past')} returns to now)"
    if model.link.state != "live":
        return f"not connected: nothing can be changed until it answers · {key('resync')} tries now"
    if model.link.slow(model.clock.monotonic_ms()):
        return f"the deck is silent: nothing can be changed until it is heard · {key('resync')} tries now"
    role = model.role or "reader"
    if role in ROLES and ROLES.index(role) < ROLES.index(action.role):
        who = f"{clip(model.me, 24)} is " if model.me else "you are "
        return f"{who}{role}: {action.id} needs {action.role}"
    return None


def _unread(action: Action, model: DeckModel) -> str | None:
    if model.past is not None:
        return f"{action.id} reads the present: {key('past')} returns to now"
    if model.link.state != "live":
        return f"not connected: nothing can be read until it answers · {key('resync')} tries now"
    return None


def refusal(action: Action, model: DeckModel, row: TaskRow | None) -> str | None:
    """Why `action` cannot be done on `row` now, None if it can."""
    shut = closed(action, model)
    if shut is not None or action.scope not in ("task", "project"):
        return shut
    if row is None:
        return f"no task under the cursor to {action.id}"
    if action.states and row.state not in action.states:
        return f"{row.key} is {row.state}: {_hint(action)}"
    lease = row.lease
    if action.id in _CLAIMS and row.state == "claimed" and lease and not row.lapsed(model.now_ms()):
        return f"{row.key} is held by {clip(lease.worker, 24)}: {_hint(action)}"
    if action.id == "release" and not mine(row, model) and model.role == "agent":
        return f"{row.key} is held by {clip(row.holder or '', 24)}: releasing another's claim needs operator"
    if action.id in ("complete", "fail") and not mine(row, model):
        return f"{row.key} is held by {clip(row.holder or '', 24)}, not by you: {key('override')} takes it over first"
    if action.id == "fill":
        return _not_fillable(row, model)
    if action.id == "answer" and lease and not lease.asks:
        has = "has its answer already" if lease.state == "waiting_input" else "asks nothing"
        return f"{clip(lease.worker, 24)} {has}"
    if action.id == "skip" and not row.turn:
        return f"{row.key} is not offered in turn: {key('assign')} says whom it is for"
    if action.id == "override" and row.state != "claimed" and not row.assignee:
        return f"{row.key} is neither held nor assigned: {key('assign')} assigns it, {key('claim')} claims it"
    return None


def _hint(action: Action) -> str:
    match action.id:
        case "claim" | "claim-for":
            return f"only a ready task or a lapsed claim can be claimed; {key('override')} takes it over"
        case "fill":
            return f"claim it first ({key('claim')}): its holder fills in its form"
    return _HINTS.get(action.id, f"{action.id} does not apply to it")


def _not_fillable(row: TaskRow, model: DeckModel) -> str | None:
    if row.form is None:
        return f"{row.key} has no form"
    if not mine(row, model) and model.role == "agent":
        return f"{row.key} is held by {clip(row.holder or '', 24)}: filling in another's form needs operator"
    return None


def mine(row: TaskRow, model: DeckModel) -> bool:
    """Whether the claim on `row` is the operator's own."""
    return row.lease is not None and row.lease.worker == model.me
