"""Where things are found: the path of each, percent-encoded."""

from __future__ import annotations

from urllib.parse import quote


def segment(text: str | int) -> str:
    """One part of a path.

    Raises:
        ValueError: it would name something else.
    """
    part = quote(str(text), safe="")
    if part in ("", ".", ".."):
        raise ValueError("a reference is a task's key, number or id, or a name; it cannot be empty or dots alone")
    return part


def task(ref: str | int) -> str:
    return f"/v1/tasks/{segment(ref)}"


def worker(worker: str) -> str:
    return f"/v1/workers/{segment(worker)}"


def project(name: str) -> str:
    return f"/v1/projects/{segment(name)}"


def webhook(webhook: int | str) -> str:
    return f"/v1/webhooks/{segment(webhook)}"


def source(name: str) -> str:
    return f"/v1/sources/{segment(name)}"


def schedule(name: str) -> str:
    return f"/v1/schedules/{segment(name)}"


def rule(name: str) -> str:
    return f"/v1/rules/{segment(name)}"
