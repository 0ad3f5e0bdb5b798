"""Changing what a task says."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import ValidationError

from taskdeck.dialects.stride.asking import as_member
from taskdeck.dialects.stride.errors import explained, failures, invalid
from taskdeck.dialects.stride.fields import INVALID, Changed, told
from taskdeck.dialects.stride.making import files_of, keep_files_apart, own_fields
from taskdeck.dialects.stride.view import Data
from taskdeck.dialects.stride.words import NAME, PRIORITIES, Board, column_id, key_of, place_of
from taskdeck.domain.errors import DeckError, Invalid, WrongState
from taskdeck.domain.people import HUMAN
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Kind, Review, Task
from taskdeck.service.awaiting import keys_of
from taskdeck.service.edit import edit
from taskdeck.service.extra import MAX_EXTRA_BYTES, extra_of
from taskdeck.service.requests import Edit
from taskdeck.store.beside import around
from taskdeck.store.unit import Unit

_PAGE = "api/patch_tasks_id.md"
_CLAIM = "POST /api/tasks/claim"
_COMPLETE = "PATCH /api/tasks/:id/complete"
_REVIEW = "people, and PATCH /api/tasks/:id/mark_reviewed"
_DECK = "the deck itself"
_PEOPLE = "people"
_GOAL = "PATCH /api/tasks/:id/after_goal"
WRITTEN_BY: dict[str, str] = {
    "status": _DECK,
    "identifier": _DECK,
    "position": _PEOPLE,
    "claimed_at": _CLAIM,
    "claim_expires_at": _CLAIM,
    **dict.fromkeys(("completed_at", "completed_by_id", "completed_by_agent", "completion_summary", "completion_notes",
                     "actual_complexity", "actual_files_changed", "time_spent_minutes", "workflow_steps",
                     "explorer_result", "reviewer_result", "review_report"), _COMPLETE),
    **dict.fromkeys(("review_status", "review_notes", "reviewed_at", "reviewed_by_id"), _REVIEW),
    **dict.fromkeys(("archived_at", "archive_reason", "archive_note", "archived_by_id", "assigned_to_id", "parent_id",
                     "target_id", "duplicate_of_id"), _PEOPLE),
    **dict.fromkeys(("created_by_id", "created_by_agent"), "POST /api/tasks"),
    "changed_files": "PUT /api/tasks/:id/changed_files",
    **dict.fromkeys(("after_goal_status", "after_goal_result", "after_goal_attempts"), _GOAL),
}  # fmt: skip
"""Who writes the fields that no change may name."""


def change_task(unit: Unit, who: Principal, board: Board, task: Task, sent: Data) -> None:
    """Change the fields of `task` that `sent` names, all or none.

    Raises:
        Refused: it would move the task, names what is written elsewhere, or a field is wrong.
    """
    _refuse_move(unit, board, task, sent)
    forbidden = [name for name in sent if name in WRITTEN_BY]
    if forbidden:
        wrong = [(name, f"{name} is not changed here: it is written by {WRITTEN_BY[name]}") for name in forbidden]
        raise failures("task update rejected", "task", wrong, _PAGE)
    try:
        asked = Changed.model_validate(sent)
    except ValidationError as error:
        raise invalid(told(error), _PAGE) from None
    fields = _fields(board, task, asked)
    if not fields:
        return
    if asked.key_files:
        keep_files_apart(unit, who, board)
    try:
        edit(unit, as_member(who), task.id, Edit(fields))
    except (Invalid, WrongState) as error:
        raise invalid({_wire_name(error): [error.detail]}, _PAGE) from None


def _wire_name(error: DeckError) -> str:
    timed = error.field in ("depends_on", "awaits") or isinstance(error, WrongState)
    return "dependencies" if timed else error.field or "base"


def _refuse_move(unit: Unit, board: Board, task: Task, sent: Data) -> None:
    if "column_id" not in sent:
        return
    beside = around(unit, task)
    column, _ = place_of(task, below=beside.below)
    if str(sent["column_id"]) != str(column_id(board, column)):
        raise explained(
            403,
            "The API cannot move tasks between columns",
            _PAGE,
            ["The task stands in another column; people move tasks, and claims and completions do"],
        )


def _fields(board: Board, task: Task, asked: Changed) -> dict[str, Any]:
    """What is to be changed, by the core's names."""
    given = asked.model_fields_set
    fields: dict[str, Any] = {}
    if "title" in given:
        fields["title"] = asked.title
    if "description" in given:
        fields["description"] = asked.description or ""
    if asked.priority is not None:
        fields["priority"] = PRIORITIES[asked.priority]
    if asked.needs_review is not None and task.kind != Kind.GOAL:
        fields["review"] = Review.REQUIRED if asked.needs_review else Review.NONE
    if given & {"required_capabilities", "human_task"}:
        fields["capabilities"] = _capabilities(task, asked)
    if "dependencies" in given:
        wanted = asked.dependencies or []
        if any(isinstance(name, int) for name in wanted):
            raise invalid({"dependencies": [INVALID]}, _PAGE)
        keys = [key_of(board, str(name)) for name in wanted]
        if set(keys) != {*task.depends_on, *keys_of(task.awaits)}:
            fields |= {"depends_on": (), "awaits": keys}
    if "key_files" in given:
        fields["files"] = orjson.dumps(files_of(asked)).decode()
    if asked.type is not None and (asked.type == "goal") != (task.kind == Kind.GOAL):
        raise invalid({"type": ["cannot be changed to or from goal"]}, _PAGE)
    return fields | _extra(task, asked)


def _capabilities(task: Task, asked: Changed) -> frozenset[str]:
    human = task.bucket.capabilities & {HUMAN} if asked.human_task is None else {HUMAN} if asked.human_task else set()
    wanted = task.bucket.capabilities - {HUMAN}
    if "required_capabilities" in asked.model_fields_set:
        wanted = frozenset(asked.required_capabilities or ())
    return wanted | human


def _extra(task: Task, asked: Changed) -> dict[str, Any]:
    """The core's field for what only Stride knows, if that changes."""
    before = extra_of(task, NAME)
    named = asked.model_fields_set
    after = {name: value for name, value in before.items() if name not in named} | own_fields(asked)
    if after == before:
        return {}
    whole = {} if task.extra is None else orjson.loads(task.extra)
    text = orjson.dumps(whole | {NAME: after}).decode()
    if len(text) > MAX_EXTRA_BYTES:
        raise invalid({"base": [f"takes more than {MAX_EXTRA_BYTES} bytes beside title and description"]}, _PAGE)
    return {"extra": text}
