"""Tasks and events as people read them. Every value may come from outside and passes through `Output`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from taskdeck.cli.output import Column, Output
from taskdeck.cli.phrases import phrase
from taskdeck.cli.times import ago, hour, left

LONGEST_PHRASE = 200

_TASK_COLUMNS = (
    Column("KEY"),
    Column("STATE"),
    Column("PRI", right=True),
    Column("PROJECT"),
    Column("HOLDER"),
    Column("LEASE", right=True),
    Column("TITLE", flexible=True),
)


def task_table(out: Output, tasks: Iterable[dict[str, Any]]) -> None:
    """One line a task."""
    out.table(_TASK_COLUMNS, [_task_row(task) for task in tasks])


def _task_row(task: dict[str, Any]) -> list[str]:
    claim = task.get("claim") or {}
    state = "lapsed" if claim.get("lapsed") else task["state"]
    holder = claim.get("worker") or (f"→ {task['assignee']}" if task.get("assignee") else "")
    lease = left(claim.get("expires_at")) if claim else left(task.get("not_before"))
    lease = lease if state in ("claimed", "lapsed", "scheduled") else ""
    return [task["key"], state, str(task["priority"]), task["project"], holder, lease, task["title"]]


def task_detail(out: Output, task: dict[str, Any]) -> None:
    """Everything about one task."""
    claim, error = task.get("claim"), task.get("error")
    out.heading(f"{task['key']}  {task['title']}")
    out.pairs(
        [
            ("state", task["state"] + (" (lease lapsed)" if claim and claim.get("lapsed") else "")),
            ("project", task["project"]),
            ("priority", str(task["priority"])),
            ("assignee", task["assignee"]),
            ("labels", ", ".join(task["labels"])),
            ("needs", ", ".join(task["capabilities"])),
            ("after", ", ".join(task["depends_on"])),
            ("attempt", f"{task['attempt']} of {task['max_attempts']}"),
            ("not before", _moment(task["not_before"])),
            ("due", _moment(task["due"])),
            ("created", f"{ago(task['created_at'])} by {task['created_by']}"),
            ("finished", ago(task["finished_at"])),
            ("held by", _claim_line(claim) if claim else None),
            (
                "error",
                f"{error['message']} ({error['reason']}, attempt {error['attempt']})" if error else None,
            ),
            ("review", _review_line(task)),
            ("id", f"{task['id']} (number {task['number']}, version {task['version']})"),
        ]
    )
    if task.get("description"):
        out.text()
        out.block(task["description"])
    if task.get("handoff"):
        left = task["handoff"]
        out.text(f"  left by {left['worker']} {ago(left['at'])}, in attempt {left['attempt']} ({left['state']})")
        out.block(left["note"], indent="    ")
    for name in ("payload", "metadata", "result"):
        if task.get(name) not in (None, {}, []):
            out.text(f"  {name}")
            out.block(json.dumps(task[name], indent=2, ensure_ascii=False), indent="    ")


def _review_line(task: dict[str, Any]) -> str | None:
    verdict = task.get("verdict")
    if verdict:
        said = f": {verdict['note']}" if verdict["note"] else ""
        return f"{verdict['verdict']} by {verdict['by']} {ago(verdict['at'])}{said}"
    return None if task.get("review", "none") == "none" else str(task["review"])


def _moment(time: str | None) -> str | None:
    return f"{time} ({left(time)})" if time else None


def _claim_line(claim: dict[str, Any]) -> str:
    lease = f"lease ends in {left(claim['expires_at'])}" if claim["expires_at"] else "no end to its lease"
    parts = [claim["worker"], f"fence {claim['fence']}", "lapsed" if claim["lapsed"] else lease]
    if claim.get("progress") is not None:
        parts.append(f"{claim['progress']} %")
    if claim.get("state") not in (None, "working"):
        parts.append(claim["state"])
    if claim.get("detail"):
        parts.append(claim["detail"])
    return " · ".join(parts)


def event_line(event: dict[str, Any]) -> str:
    """When, what, of what, by whom, and in a few words how: `14:02:31  claimed   W21   atlas   after 3s`."""
    task = event.get("task") or {}
    kind = str(event["type"])
    subject = task.get("key") or event.get("worker") or event.get("project") or ""
    who = event.get("worker") or event.get("actor") or ""
    said = phrase(event)
    said = said if len(said) <= LONGEST_PHRASE else said[: LONGEST_PHRASE - 1] + "…"
    return f"{hour(event['at'])}  {kind.removeprefix('task.'):<17} {subject:<8} {who:<16} {said}".rstrip()
