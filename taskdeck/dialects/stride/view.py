"""How Stride shows a task: whole, as a row, as an acknowledgement, or the fields that were asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from taskdeck.dialects.stride.words import (
    NAME,
    Board,
    assignee_of,
    column_id,
    identifier_of,
    person_id,
    place_of,
    priority_word,
    stamp,
    stamp_of,
)
from taskdeck.domain.changes import FileChange, change_view
from taskdeck.domain.people import HUMAN
from taskdeck.domain.states import State
from taskdeck.domain.task import Kind, Review, Task
from taskdeck.service.awaiting import keys_of
from taskdeck.service.extra import extra_of
from taskdeck.store.beside import Beside

Data = dict[str, Any]

SKILLS_VERSION = "1.0"
ROW = ("id", "identifier", "title", "type", "status", "priority", "complexity", "dependencies", "created_by_agent",
       "parent_id", "claim_expires_at")  # fmt: skip
"""What a list shows of a task; clients count on exactly these."""
ACK = ("id", "identifier", "title", "status", "parent_id", "needs_review", "review_status", "complexity", "priority")
"""What a short reply to a completion shows."""

TEXTS = ("acceptance_criteria", "estimated_files", "why", "what", "where_context", "patterns_to_follow",
         "database_changes", "validation_rules", "telemetry_event", "metrics_to_track", "logging_requirements",
         "error_user_message", "error_on_failure")  # fmt: skip
PLANNING: Data = dict.fromkeys(TEXTS) | {
    "key_files": [],
    "verification_steps": [],
    "behaviour_test_matrix": [],
    "technology_requirements": None,
    "pitfalls": None,
    "out_of_scope": None,
    "security_considerations": [],
    "testing_strategy": {},
    "integration_points": {},
    "technical_details": {},
}
"""What only Stride knows of a task, as it is where nothing was said."""
COMPLETION = ("completion_summary", "completion_notes", "actual_complexity", "actual_files_changed",
              "time_spent_minutes", "workflow_steps", "explorer_result", "reviewer_result", "review_report",
              "completed_by_agent")  # fmt: skip
"""What a completion tells, and the result of the task keeps."""
KEPT = frozenset(COMPLETION) | {"review_notes"}
"""What the result of a task keeps under the same names."""
WHOLE: Data = {
    **dict.fromkeys(("id", "identifier", "title", "description", "type", "position", "parent_id", "status", "priority",
                     "complexity", "needs_review", "human_task", "column_id", "column_name", "board_id", "board_name",
                     "assigned_to_id", "assigned_to_name", "claimed_at", "claim_expires_at")),
    **PLANNING,
    **dict.fromkeys(("dependencies", "required_capabilities", "created_by_id", "created_by_agent", "inserted_at",
                     "updated_at", "completed_at", "completed_by_id", *COMPLETION)),
    "workflow_steps": [],
    "changed_files": [],
    **dict.fromkeys(("review_status", "review_notes", "reviewed_at", "reviewed_by_id")),
}  # fmt: skip
"""Every field of a task in its order, as it is where nothing is known."""
NOTHING = Beside()


def task_data(task: Task, board: Board, beside: Beside = NOTHING, changed: Iterable[FileChange] = ()) -> Data:
    """The whole of `task`. `beside` is what stands around it, `changed` what its work changed."""
    known = extra_of(task, NAME)
    column, status = place_of(task, waits=beside.waits, below=beside.below)
    completed = orjson.loads(task.completed_by) if task.completed_by else {}
    result = completion_of(task)
    data = WHOLE | {
        "id": task.number,
        "identifier": identifier_of(board, task.key),
        "title": task.title,
        "description": task.description or None,
        "type": "goal" if task.kind == Kind.GOAL else known.get("type", "work"),
        "position": task.number,
        "parent_id": beside.parent,
        "status": status,
        "priority": priority_word(task.priority),
        "complexity": known.get("complexity", "small"),
        "needs_review": task.review != Review.NONE,
        "human_task": HUMAN in task.bucket.capabilities,
        "column_id": column_id(board, column),
        "column_name": column,
        "board_id": board.number,
        "board_name": board.name,
        "dependencies": [identifier_of(board, key) for key in (*task.depends_on, *keys_of(task.awaits))],
        "required_capabilities": sorted(task.bucket.capabilities - {HUMAN}),
        "created_by_id": person_id(task.created_by),
        "created_by_agent": known.get("created_by_agent"),
        "inserted_at": stamp(task.created_at),
        "updated_at": stamp(task.updated_at),
    }
    if known:
        data.update((name, value) for name, value in known.items() if name in PLANNING)
    if result:
        data.update((name, value) for name, value in result.items() if name in KEPT)
    if task.state is State.CLAIMED:
        data["claimed_at"], data["claim_expires_at"] = stamp(task.claimed_at), stamp(task.expires_at)
    elif task.state in (State.REVIEW, State.DONE):
        data["claimed_at"], data["claim_expires_at"] = result.get("claimed_at"), result.get("claim_expires_at")
        data["completed_at"] = stamp(task.finished_at)
    if completed.get("principal"):
        data["completed_by_id"] = person_id(completed["principal"])
    assignee = assignee_of(task, completed.get("principal"))
    if assignee is not None:
        data["assigned_to_id"], data["assigned_to_name"] = person_id(assignee), assignee
    if task.changes:
        data["changed_files"] = [change_view(one) for one in changed]
    if task.verdict and task.kind != Kind.GOAL:  # a goal's is not Stride's: there the deck waits for a hook's report
        data |= _review(orjson.loads(task.verdict))
    return data


def _review(verdict: Data) -> Data:
    """What a review came to."""
    by = verdict.get("heeded_by") or verdict.get("by")
    return {
        "review_status": verdict["verdict"],
        "review_notes": verdict.get("note"),
        "reviewed_at": stamp_of(verdict.get("at")),
        "reviewed_by_id": None if by is None else person_id(by),
    }


def completion_of(task: Task) -> Data:
    """What is known of the completion of `task`; of one that Stride did not make, what it comes to in a few words."""
    result = orjson.loads(task.result) if task.result else None
    if result is None or (isinstance(result, dict) and "completion_summary" in result):
        return result or {}
    summary = result.get("summary") if isinstance(result, dict) else result
    return {"completion_summary": summary if isinstance(summary, str) else task.result}


def row(data: Data) -> Data:
    """A task as lists show it."""
    return {name: data[name] for name in ROW}


def ack(data: Data) -> Data:
    """A task as a short reply to a completion shows it."""
    return {name: data[name] for name in ACK}


def with_version(document: Data, asked: Data | None = None) -> Data:
    """`document` with the version of the skills this deck speaks, and a word if the client `asked` with another."""
    document["current_skills_version"] = SKILLS_VERSION
    theirs = (asked or {}).get("skills_version")
    if isinstance(theirs, str) and theirs not in ("", SKILLS_VERSION):
        document["skills_update_required"] = {
            "current_version": SKILLS_VERSION,
            "your_version": theirs,
            "action": "Run /plugin update stride",
            "reason": f"Your skills are outdated: they are at {theirs}, this deck speaks {SKILLS_VERSION}.",
        }
    return document
