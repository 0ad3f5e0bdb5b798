"""What the work on a task changed: files with their diffs, as whoever worked on it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_FILES = 1_000
MAX_LINES = 500
"""Lines of one diff."""
MAX_BYTES = 5_000_000
"""Of all paths and diffs of a task."""
MAX_PATH = 1_024


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file by its path below the project's root, and how it differs now, if that is told."""

    path: str
    diff: str | None = None


def odd_path(path: str) -> str | None:
    """What is wrong with a path that is to lie below a root; None if nothing is."""
    if not path.strip():
        return "is empty"
    if len(path) > MAX_PATH:
        return f"has more than {MAX_PATH} characters"
    if "\0" in path:
        return "has a NUL character"
    if path[0] in "/\\":
        return "is not relative"
    return "leads upwards" if ".." in path.replace("\\", "/").split("/") else None


def change_view(one: FileChange) -> dict[str, Any]:
    """The public shape of a changed file."""
    return {"path": one.path, "diff": one.diff}
