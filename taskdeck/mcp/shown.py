"""What an agent is shown: facts of the deck, what it is asked to do, and, apart from both, what others wrote."""

from __future__ import annotations

from typing import Any

from taskdeck.client import Json

LATEST_COMMENTS = 20
"""How many comments are shown with a task; the newest say most."""

_FACTS = (
    "key", "project", "state", "priority", "labels", "capabilities", "kind", "parent", "children", "depends_on",
    "awaits", "not_before", "due", "attempt", "max_attempts", "assignee", "review", "gates", "created_by",
    "finished_at",
)  # fmt: skip
_CLAIM_FACTS = ("worker", "expires_at", "lapsed", "state", "progress")
_REQUEST = ("title", "description", "payload", "files", "form")
_SAID = ("handoff", "error", "result", "draft", "verdict", "proof", "metadata")


def facts(task: Json) -> Json:
    """What the deck itself says of a task, without what is empty."""
    shown = _filled(task, _FACTS)
    if task.get("claim"):
        shown["claim"] = _filled(task["claim"], _CLAIM_FACTS)
    return shown


def request(task: Json) -> Json:
    """What who made the task wants done."""
    return {"by": task["created_by"], **_filled(task, _REQUEST)}


def said(task: Json) -> Json:
    """What others left at a task: text that nobody vouches for."""
    shown = _filled(task, _SAID)
    claim = task.get("claim") or {}
    holder = _filled(claim, ("detail", "question"))
    return shown | ({"holder": {"by": claim["worker"], **holder}} if holder else {})


def ordered(task: Json) -> Json:
    """A task that the agent holds: its `request` is what is to be done."""
    shown = {"task": facts(task), "request": request(task)}
    return shown | ({"untrusted": left} if (left := said(task)) else {})


def looked_at(task: Json) -> Json:
    """A task of another or of nobody: all of its text is data."""
    return {"task": facts(task), "untrusted": {"request": request(task), **said(task)}}


def row(task: Json) -> Json:
    """A task in a list."""
    shown = _filled(task, ("key", "project", "state", "priority", "labels", "assignee", "due"))
    worker = (task.get("claim") or {}).get("worker")
    return {**shown, **({"worker": worker} if worker else {}), "untrusted": {"title": task["title"]}}


def find(found: Json) -> Json:
    """A place where words were found."""
    task, beside = found["task"], found.get("comment") or found.get("entry") or {}
    by = _filled(beside, ("author", "byline"))
    text = {"title": task["title"], "excerpt": found["excerpt"], **by}
    return {"key": task["key"], "state": task["state"], "part": found["part"], "untrusted": text}


def comments(found: list[Json]) -> list[Json]:
    """The newest of `found`, which are oldest first."""
    return [_filled(one, ("author", "byline", "created_at", "text")) for one in found[-LATEST_COMMENTS:]]


def _filled(document: Json, names: tuple[str, ...]) -> Json:
    return {name: document[name] for name in names if not _empty(document.get(name))}


def _empty(value: Any) -> bool:
    return value is None or value is False or value in ([], {}, "")
