"""The acts by the id of their action: each asks what has to be asked, and sends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from taskdeck.tui.actions import Action
from taskdeck.tui.acts import changing, ending, holding, making, taking_back, telling
from taskdeck.tui.model.rows import TaskRow, WorkerRow
from taskdeck.tui.operate import Operator

Act = Callable[[Operator, Action, Sequence[TaskRow], WorkerRow | None], Awaitable[None]]

ACTS: dict[str, Act] = {
    "claim": holding.claim, "claim-for": holding.claim_for, "release": holding.release, "override": holding.override,
    "complete": holding.complete, "fail": holding.fail, "skip": holding.skip,
    "cancel": ending.cancel, "retry": ending.retry, "approve": ending.approve, "reject": ending.reject,
    "judge": ending.judge, "move": changing.move,
    "promote": ending.promote, "shelve": ending.shelve,
    "raise": changing.raise_priority, "lower": changing.lower_priority, "reprioritize": changing.reprioritize,
    "assign": changing.assign, "edit": changing.edit, "write": changing.write,
    "create": making.create, "delegate": making.delegate, "pause": making.pause, "drain": making.drain,
    "comment": telling.comment, "link": telling.link,
    "answer": telling.answer, "fill": telling.fill,
    "undo": taking_back.undo, "undo-list": taking_back.undo_list,
}  # fmt: skip
